/*
 * Addresses. See address.h.
 */
#include "connect/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

bool
pipit__address_is_one(const char *host)
{
        char address[INET6_ADDRSTRLEN];
        size_t length = strcspn(host, "%");
        struct in6_addr any;

        if (host[0] == '\0' || host[0] == '/' || host[0] == '@')
                return true;
        if (inet_pton(AF_INET, host, &any) == 1 || inet_pton(AF_INET6, host, &any) == 1)
                return true;
        /* An address may have a scope, as fe80::1%eth0 has. */
        if (host[length] == '\0' || length >= sizeof address)
                return false;
        memcpy(address, host, length);
        address[length] = '\0';
        return inet_pton(AF_INET6, address, &any) == 1;
}

bool
pipit__address_is_local(const char *host)
{
        struct in_addr address;

        if (inet_pton(AF_INET, host, &address) == 1)
                return ntohl(address.s_addr) >> 24 == IN_LOOPBACKNET;
        return host[0] == '\0' || host[0] == '/' || host[0] == '@' ||
               strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0;
}

bool
pipit__address_has_way(const char *address)
{
        struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(53)};
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(53)};
        bool is_v4 = inet_pton(AF_INET, address, &in.sin_addr) == 1;
        const void *to = is_v4 ? (const void *)&in : (const void *)&in6;
        socklen_t size = is_v4 ? sizeof in : sizeof in6;

        if (!is_v4)
                inet_pton(AF_INET6, address, &in6.sin6_addr);
        int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return errno == EMFILE || errno == ENFILE;
        bool has_way = connect(fd, to, size) == 0;
        close(fd);
        return has_way;
}

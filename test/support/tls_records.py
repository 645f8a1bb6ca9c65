"""A TLS end in front of a server's Unix socket that fills its records.

    tls_records.py SOCKET CERTIFICATE KEY

Prints the port it listens on, on 127.0.0.1. PostgreSQL before 17 writes records of at most 8 KiB,
which always fit into libpq's buffer; here what the server says in one go travels in records of
16 KiB, so that a part of one can stay behind in the client's TLS library. Ends with its parent.
"""
import ctypes
import select
import signal
import socket
import ssl
import struct
import sys
import threading

RECORD = 16384
QUIET = 0.005


def fill(server):
    """What the server says, until a record is full or the server pauses."""
    data = server.recv(RECORD)
    while data and len(data) < RECORD and select.select([server], [], [], QUIET)[0]:
        more = server.recv(RECORD - len(data))
        if not more:
            break
        data += more
    return data


def forward(client, server):
    """Both ways in one thread, for an SSL socket belongs to one."""
    while True:
        ready = [client] if client.pending() else select.select([client, server], [], [])[0]
        if client in ready:
            data = client.recv(RECORD)
            if not data:
                return
            server.sendall(data)
        if server in ready:
            data = fill(server)
            if not data:
                return
            client.sendall(data)


def serve(connection, context, path):
    length, code = struct.unpack("!II", connection.recv(8, socket.MSG_WAITALL))
    if (length, code) != (8, 80877103):
        return
    connection.sendall(b"S")
    with context.wrap_socket(connection, server_side=True) as client:
        with socket.socket(socket.AF_UNIX) as server:
            server.connect(path)
            forward(client, server)


def serve_safely(connection, context, path):
    try:
        with connection:
            serve(connection, context, path)
    except (OSError, struct.error):
        pass


def end_with_parent():
    """Has the kernel send SIGKILL when the parent ends."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def main():
    path, certificate, key = sys.argv[1:]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    end_with_parent()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            connection, _ = listener.accept()
            arguments = (connection, context, path)
            threading.Thread(target=serve_safely, args=arguments, daemon=True).start()


if __name__ == "__main__":
    main()

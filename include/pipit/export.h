/*
 * Attributes
 *
 * This header defines three attributes of compilers for pipit's other headers: PIPIT_API, which
 * marks exported symbols, PIPIT_PRINTF(), which marks format strings, and PIPIT_MUST_CHECK, which
 * marks results that must not be ignored. Programs need none of them.
 */
#ifndef PIPIT_EXPORT_H
#define PIPIT_EXPORT_H

#if defined(__GNUC__)
#define PIPIT_API                 __attribute__((visibility("default")))
#define PIPIT_PRINTF(text, first) __attribute__((format(printf, text, first)))
#define PIPIT_MUST_CHECK          __attribute__((warn_unused_result))
#else
#define PIPIT_API
#define PIPIT_PRINTF(text, first)
#define PIPIT_MUST_CHECK
#endif

#endif

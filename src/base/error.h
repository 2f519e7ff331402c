/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/error.h - what a function that can fail tells its caller.
 *
 * The status is for branching, the code is the stable word that documents name, message and suggestion are for
 * people. An error is plain memory: it may be copied, needs no release and is not shared between threads. Nothing is
 * kept in globals. Fill it with sn_fail(), add to it with sn_suggest(), sn_error_context() and sn_error_detail().
 */
#ifndef SN_BASE_ERROR_H
#define SN_BASE_ERROR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/defs.h"
#include "base/slice.h"

enum sn_status {
    SN_OK = 0,
    SN_USAGE,           /* the command line or an argument is wrong */
    SN_INVALID,         /* input that is not of its form */
    SN_NOT_FOUND,       /* a well-formed name of nothing */
    SN_DENIED,          /* understood and refused */
    SN_CONFLICT,        /* somebody else was first, or the state forbids it */
    SN_UNAUTHENTICATED, /* who asks is not proven */
    SN_THROTTLED,       /* too often; see retry_after_s */
    SN_TIMEOUT,         /* no answer in time */
    SN_UNAVAILABLE,     /* cannot be done now */
    SN_LIMIT,           /* a named limit was passed */
    SN_IO,              /* file, socket or device */
    SN_PROTOCOL,        /* a peer did not keep to its protocol */
    SN_INTERNAL,        /* a fault of our own */
};

enum {
    SN_ERROR_CODE_MAX = 48,
    SN_ERROR_MESSAGE_MAX = 768,
    SN_ERROR_SUGGESTION_MAX = 512,
    SN_ERROR_DETAILS_MAX = 8,
    SN_ERROR_DETAIL_VALUE_MAX = 192,
};

struct sn_error_detail {
    const char *key; /* a constant */
    char value[SN_ERROR_DETAIL_VALUE_MAX];
};

struct sn_error {
    enum sn_status status;
    char code[SN_ERROR_CODE_MAX];
    char message[SN_ERROR_MESSAGE_MAX];
    char suggestion[SN_ERROR_SUGGESTION_MAX];
    bool retryable;
    int retry_after_s; /* 0: not known */
    size_t detail_count;
    struct sn_error_detail details[SN_ERROR_DETAILS_MAX];
};

/*
 * Starts an error: everything older in err is dropped. The code is cut to its field, the message too. Returns status,
 * so that it can stand behind return. err is never NULL; status is never SN_OK.
 */
enum sn_status sn_fail(struct sn_error *err, enum sn_status status, const char *code, const char *format, ...)
    SN_PRINTF(4, 5);
/* Sets what the reader can do about it. Returns the status of err. */
enum sn_status sn_suggest(struct sn_error *err, const char *format, ...) SN_PRINTF(2, 3);
/* Puts "context: " before the message. Returns the status of err. */
enum sn_status sn_error_context(struct sn_error *err, const char *format, ...) SN_PRINTF(2, 3);
/* Adds one detail; further ones past SN_ERROR_DETAILS_MAX are dropped. Returns the status of err. */
enum sn_status sn_error_detail(struct sn_error *err, const char *key, const char *format, ...) SN_PRINTF(3, 4);
/* Marks the failure as one that may pass, with a wait in seconds or 0. Returns the status of err. */
enum sn_status sn_error_retryable(struct sn_error *err, int retry_after_s);
/* An error from errno: "message: strerror". ENOENT gives SN_NOT_FOUND, EACCES and EPERM SN_DENIED, others SN_IO. */
enum sn_status sn_fail_errno(struct sn_error *err, const char *code, int error_number, const char *format, ...)
    SN_PRINTF(4, 5);

/*
 * The functions above return what they were given, which is never SN_OK (error.c asserts it). Said here so that
 * compilers and analyzers know that a path behind a failure ends.
 */
#define SN_FAILED(call)                                                                                                \
    ({                                                                                                                 \
        enum sn_status sn_failed_status = (call);                                                                      \
        if (sn_failed_status == SN_OK) {                                                                               \
            __builtin_unreachable();                                                                                   \
        }                                                                                                              \
        sn_failed_status;                                                                                              \
    })
#define sn_fail(...) SN_FAILED(sn_fail(__VA_ARGS__))
#define sn_suggest(...) SN_FAILED(sn_suggest(__VA_ARGS__))
#define sn_error_context(...) SN_FAILED(sn_error_context(__VA_ARGS__))
#define sn_error_detail(...) SN_FAILED(sn_error_detail(__VA_ARGS__))
#define sn_fail_errno(...) SN_FAILED(sn_fail_errno(__VA_ARGS__))

/* The value of a detail; "" when there is none of that key. Borrowed from err. */
const char *sn_error_detail_of(const struct sn_error *err, const char *key);
bool sn_error_is(const struct sn_error *err, const char *code);
/* The lower-case word of a status, for logs. */
const char *sn_status_name(enum sn_status status);

#endif

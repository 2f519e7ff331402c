/* SPDX-License-Identifier: Apache-2.0 */
/* base/error.c - errors as plain memory; see error.h. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Cuts at a UTF-8 boundary when the text did not fit. */
SN_PRINTF(3, 0) static void format_into(char *out, size_t size, const char *format, va_list arguments)
{
    int wanted = vsnprintf(out, size, format, arguments);
    if (wanted < 0) {
        out[0] = '\0';
        return;
    }
    if ((size_t)wanted < size) {
        return;
    }
    size_t end = size - 1;
    while (end > 0 && ((unsigned char)out[end - 1] & 0xc0) == 0x80) {
        end--;
    }
    if (end > 0 && (unsigned char)out[end - 1] >= 0xc0) {
        struct sn_slice tail = {out + end - 1, size - end};
        if (sn_utf8_sequence(tail) == 0) {
            end--;
        } else {
            end = size - 1;
        }
    }
    out[end] = '\0';
}

SN_PRINTF(3, 4) static void join_into(char *out, size_t size, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    format_into(out, size, format, arguments);
    va_end(arguments);
}

static void start(struct sn_error *err, enum sn_status status, const char *code)
{
    SN_ASSERT(status != SN_OK);
    memset(err, 0, sizeof(*err));
    err->status = status;
    snprintf(err->code, sizeof(err->code), "%s", code);
}

enum sn_status(sn_fail)(struct sn_error *err, enum sn_status status, const char *code, const char *format, ...)
{
    /* The arguments may point into err itself, so the text is made before err is cleared. */
    char message[SN_ERROR_MESSAGE_MAX];
    char code_copy[SN_ERROR_CODE_MAX];
    va_list arguments;

    va_start(arguments, format);
    format_into(message, sizeof(message), format, arguments);
    va_end(arguments);
    snprintf(code_copy, sizeof(code_copy), "%s", code);
    start(err, status, code_copy);
    memcpy(err->message, message, sizeof(message));
    return status;
}

enum sn_status(sn_suggest)(struct sn_error *err, const char *format, ...)
{
    va_list arguments;

    SN_ASSERT(err->status != SN_OK);
    va_start(arguments, format);
    format_into(err->suggestion, sizeof(err->suggestion), format, arguments);
    va_end(arguments);
    return err->status;
}

enum sn_status(sn_error_context)(struct sn_error *err, const char *format, ...)
{
    char context[SN_ERROR_MESSAGE_MAX];
    char cause[SN_ERROR_MESSAGE_MAX];
    va_list arguments;

    SN_ASSERT(err->status != SN_OK);
    va_start(arguments, format);
    format_into(context, sizeof(context), format, arguments);
    va_end(arguments);
    memcpy(cause, err->message, sizeof(cause));
    join_into(err->message, sizeof(err->message), "%s: %s", context, cause);
    return err->status;
}

enum sn_status(sn_error_detail)(struct sn_error *err, const char *key, const char *format, ...)
{
    SN_ASSERT(err->status != SN_OK);
    if (err->detail_count < SN_ERROR_DETAILS_MAX) {
        struct sn_error_detail *detail = &err->details[err->detail_count++];
        va_list arguments;

        detail->key = key;
        va_start(arguments, format);
        format_into(detail->value, sizeof(detail->value), format, arguments);
        va_end(arguments);
    }
    return err->status;
}

enum sn_status sn_error_retryable(struct sn_error *err, int retry_after_s)
{
    err->retryable = true;
    err->retry_after_s = retry_after_s;
    return err->status;
}

enum sn_status(sn_fail_errno)(struct sn_error *err, const char *code, int error_number, const char *format, ...)
{
    char text[SN_ERROR_MESSAGE_MAX];
    char reason[128];
    va_list arguments;
    enum sn_status status = SN_IO;

    va_start(arguments, format);
    format_into(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (error_number == ENOENT || error_number == ENOTDIR) {
        status = SN_NOT_FOUND;
    } else if (error_number == EACCES || error_number == EPERM) {
        status = SN_DENIED;
    }
    return sn_fail(err, status, code, "%s: %s", text, strerror_r(error_number, reason, sizeof(reason)));
}

bool sn_error_is(const struct sn_error *err, const char *code)
{
    return strcmp(err->code, code) == 0;
}

const char *sn_status_name(enum sn_status status)
{
    switch (status) {
    case SN_OK:
        return "ok";
    case SN_USAGE:
        return "usage";
    case SN_INVALID:
        return "invalid";
    case SN_NOT_FOUND:
        return "not_found";
    case SN_DENIED:
        return "denied";
    case SN_CONFLICT:
        return "conflict";
    case SN_UNAUTHENTICATED:
        return "unauthenticated";
    case SN_THROTTLED:
        return "throttled";
    case SN_TIMEOUT:
        return "timeout";
    case SN_UNAVAILABLE:
        return "unavailable";
    case SN_LIMIT:
        return "limit";
    case SN_IO:
        return "io";
    case SN_PROTOCOL:
        return "protocol";
    case SN_INTERNAL:
        return "internal";
    }
    return "internal";
}

const char *sn_error_detail_of(const struct sn_error *err, const char *key)
{
    for (size_t i = 0; i < err->detail_count; i++) {
        if (strcmp(err->details[i].key, key) == 0) {
            return err->details[i].value;
        }
    }
    return "";
}

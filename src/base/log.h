/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/log.h - operational log: one line an event on a sink that main chooses.
 *
 * Not the audit log (core/audit). A line is "LEVEL: message event=x key=value ..."; values of outside text pass the
 * sanitiser, so a line is always one line of printable text. Secrets cannot be handed over: struct sn_secret is no
 * field type. Thread-safe. Only cli, tvm, main and lab log above debug; lower layers return errors.
 */
#ifndef SN_BASE_LOG_H
#define SN_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/slice.h"

enum sn_log_level { SN_LOG_DEBUG, SN_LOG_INFO, SN_LOG_WARN, SN_LOG_ERROR };

struct sn_log_field {
    const char *key; /* NULL ends the list */
    struct sn_slice text;
    int64_t number;
    bool is_number;
};

#define SN_STR(field_key, c_string) ((struct sn_log_field){.key = (field_key), .text = sn_slice_str(c_string)})
#define SN_TEXT(field_key, slice) ((struct sn_log_field){.key = (field_key), .text = (slice)})
#define SN_INT(field_key, value) ((struct sn_log_field){.key = (field_key), .number = (value), .is_number = true})

/* Least level written (default SN_LOG_INFO). */
void sn_log_set_level(enum sn_log_level level);
/* Where lines go: a descriptor (default 2). Not closed by the log. */
void sn_log_set_fd(int fd);
/* Off: nothing is written at all (client programs, which print errors themselves). */
void sn_log_set_enabled(bool enabled);

void sn_log_write(enum sn_log_level level, const char *event, const char *message, const struct sn_log_field *fields);
/* One error, with its code and message as fields. */
void sn_log_error_of(enum sn_log_level level, const char *event, const char *message, const struct sn_error *err,
    const struct sn_log_field *fields);

/* At most SN_LOG_FIELDS_MAX - 1 fields; the zeroed rest of the array ends the list. */
enum { SN_LOG_FIELDS_MAX = 16 };
#define SN_LOG_FIELDS(...) ((const struct sn_log_field[SN_LOG_FIELDS_MAX]){__VA_ARGS__})
#define sn_log_debug(event, message, ...) sn_log_write(SN_LOG_DEBUG, event, message, SN_LOG_FIELDS(__VA_ARGS__))
#define sn_log_info(event, message, ...) sn_log_write(SN_LOG_INFO, event, message, SN_LOG_FIELDS(__VA_ARGS__))
#define sn_log_warn(event, message, ...) sn_log_write(SN_LOG_WARN, event, message, SN_LOG_FIELDS(__VA_ARGS__))
#define sn_log_error(event, message, ...) sn_log_write(SN_LOG_ERROR, event, message, SN_LOG_FIELDS(__VA_ARGS__))

/*
 * Outside text made safe for one line of log or terminal: control, bidirectional, zero-width and other invisible
 * characters become \uxxxx (a surrogate pair above U+FFFF), '\' and '"' are escaped, a byte that is not UTF-8 counts as
 * U+FFFD. Stops before the character or escape that would make more than max_bytes of output.
 */
void sn_sanitize(struct sn_buf *buf, struct sn_slice text, size_t max_bytes);

#endif

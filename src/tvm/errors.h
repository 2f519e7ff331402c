/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/errors.h - every code of the API with its HTTP status and its fixed words.
 *
 * What a caller reads comes from this table, never from the error that a lower layer returned: that one goes to the
 * operational log. A code that is not in the table is a fault of ours and is answered as CONFIG_ERROR.
 */
#ifndef SN_TVM_ERRORS_H
#define SN_TVM_ERRORS_H

#include <stddef.h>

#include "base/error.h"
#include "base/slice.h"
#include "net/message.h"

struct sn_api_error {
    const char *code;
    int status;
    const char *message;
    const char *hint; /* "" for none */
    enum sn_status kind;
    int retry_after_s; /* 0: no header */
};

extern const struct sn_api_error sn_api_errors[];
extern const size_t sn_api_error_count;

enum { SN_API_ERRORS_MAX = 80 };

/* Never NULL. */
const struct sn_api_error *sn_api_error_find(const char *code);
/* Index into the table, for counters. */
size_t sn_api_error_index(const struct sn_api_error *entry);

/* Starts an error with a code of the table; format is for the operational log alone. Returns its status. */
enum sn_status sn_api_fail(struct sn_error *err, const char *code, const char *format, ...) SN_PRINTF(3, 4);
/* Gives an error of a lower layer a code of the table, keeping its own code and words for the log. */
enum sn_status sn_api_translate(struct sn_error *err, const char *code);

/* What varies in an answer; empty: the fixed words. */
struct sn_api_words {
    struct sn_slice reason; /* of a rule; put behind "message: " */
    struct sn_slice hint;   /* in place of the fixed one */
    bool has_hint;
    struct sn_slice request_id; /* empty only when the random source failed */
};
/* Fills status, body and Retry-After. */
void sn_api_respond(const struct sn_error *err, const struct sn_api_words *words, struct sn_response *response);
#endif

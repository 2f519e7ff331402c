/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/quote.h - credentials written for the reader that will evaluate or parse them.
 *
 * Values may come from a hostile server: no value can end its quotes, its line or its section.
 */
#ifndef SN_CLI_QUOTE_H
#define SN_CLI_QUOTE_H

#include "aws/credentials.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/slice.h"

void sn_quote_posix(struct sn_buf *buf, struct sn_slice text);      /* 'it'\''s' */
void sn_quote_fish(struct sn_buf *buf, struct sn_slice text);       /* 'it\'s', backslashes doubled */
void sn_quote_powershell(struct sn_buf *buf, struct sn_slice text); /* 'it''s' */

/* {"Version":1,...}, the format of credential_process; pretty: two blanks of indent. */
void sn_credentials_json(struct sn_buf *buf, const struct sn_credentials *credentials, bool pretty);

/*
 * One of env, json, ini, dotenv, fish, powershell. region may be NULL. SN_PROTOCOL, INVALID_CREDENTIALS when a value
 * holds a control character, which no line-oriented form can carry.
 */
SN_MUST_CHECK enum sn_status sn_credentials_export(struct sn_buf *buf, const char *format, const char *profile,
    const char *region, const struct sn_credentials *credentials, struct sn_error *err);

#endif

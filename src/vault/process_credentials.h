/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/process_credentials.h - credentials from a credential_process of the AWS config.
 *
 * The command is split into words without a shell and runs with a closed environment, no input, and limits on output
 * and time. Nothing that it prints reaches the terminal: its complaint is quoted, made safe, in the error.
 */
#ifndef SN_VAULT_PROCESS_CREDENTIALS_H
#define SN_VAULT_PROCESS_CREDENTIALS_H

#include <stddef.h>
#include <stdint.h>

#include "aws/credentials.h"
#include "base/arena.h"
#include "base/env.h"
#include "base/error.h"
#include "base/slice.h"

enum { SN_PROCESS_MAX_WORDS = 64, SN_PROCESS_MAX_OUTPUT = 64 * 1024, SN_PROCESS_TIMEOUT_MS = 60000 };

/*
 * Splits as a shell would, without expansion: blanks separate, '...' is literal, "..." knows \" and \\, elsewhere '\'
 * takes the next byte as it is. out_words ends with NULL and lives in the arena. SN_INVALID, CONFIG_INVALID.
 */
SN_MUST_CHECK enum sn_status sn_process_split(
    struct sn_slice command, struct sn_arena *arena, char *out_words[SN_PROCESS_MAX_WORDS + 1], struct sn_error *err);

/* The answer: Version 1 or absent, AccessKeyId and SecretAccessKey, SessionToken and Expiration where there are any. */
SN_MUST_CHECK enum sn_status sn_process_parse(
    struct sn_slice output, int64_t now_unix_s, struct sn_credentials *out_credentials, struct sn_error *err);

/*
 * Runs the command of a profile. SENTINEL_CP_PROFILES names the profiles being resolved by processes above this one: a
 * profile that meets itself there is an error instead of an endless loop. timeout_ms 0: the default. Codes:
 * CREDENTIAL_PROCESS_FAILED, CONFIG_INVALID.
 */
SN_MUST_CHECK enum sn_status sn_process_credentials(struct sn_slice profile, struct sn_slice command,
    const struct sn_env *env, int64_t now_unix_s, int timeout_ms, struct sn_credentials *out_credentials,
    struct sn_error *err);

#endif

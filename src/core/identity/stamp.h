/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/identity/stamp.h - what an issued session carries: SourceIdentity and RoleSessionName.
 */
#ifndef SN_CORE_IDENTITY_STAMP_H
#define SN_CORE_IDENTITY_STAMP_H

#include "base/buf.h"
#include "base/error.h"
#include "base/random.h"
#include "base/slice.h"
#include "core/identity/principal.h"

enum sn_issue_kind { SN_ISSUE_DIRECT, SN_ISSUE_APPROVED, SN_ISSUE_BREAKGLASS };
const char *sn_issue_kind_name(enum sn_issue_kind kind); /* "direct", "approved", "breakglass" */
extern const char *const sn_issue_kind_words[];          /* by value, NULL behind the last */

enum { SN_STAMP_USER_MAX = 26, SN_SOURCE_IDENTITY_MAX = 63, SN_ROLE_SESSION_NAME_MAX = 43 };

/* The <user> part: 1..26 bytes of [A-Za-z0-9_+,.@-]. */
struct sn_stamp_user {
    char text[SN_STAMP_USER_MAX + 1];
};
void sn_stamp_user(const struct sn_principal *principal, struct sn_stamp_user *out_user);

/*
 * To be asked before the functions below, which treat what it refuses as a broken invariant: SN_INTERNAL with
 * STAMP_EMPTY_NAME, STAMP_BAD_KIND or STAMP_BAD_ID.
 */
SN_MUST_CHECK enum sn_status sn_stamp_check(struct sn_slice name, int kind, struct sn_slice id, struct sn_error *err);

/* "sentinel=<user>=<kind>=<id>"; legal for STS and at most 63 bytes whatever the principal. */
void sn_stamp_source_identity(const struct sn_principal *principal, enum sn_issue_kind kind, const struct sn_id *id,
    char out[SN_SOURCE_IDENTITY_MAX + 1]);
/* "<user>-<id>". */
void sn_stamp_session_name(
    const struct sn_principal *principal, const struct sn_id *id, char out[SN_ROLE_SESSION_NAME_MAX + 1]);

/* Reads a SourceIdentity back, for logs and correlation only. Fails with SN_INVALID, NOT_SENTINEL. */
struct sn_source_identity {
    struct sn_slice user, id;
    enum sn_issue_kind kind;
};
SN_MUST_CHECK enum sn_status sn_source_identity_parse(
    struct sn_slice text, struct sn_source_identity *out, struct sn_error *err);

#endif

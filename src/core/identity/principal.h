/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/identity/principal.h - who asks, as AWS authenticated them, and how far the name may be trusted.
 *
 * A principal is plain memory that owns its text. One parser serves server and client. Names are raw: byte-exact, never
 * stripped, cut or case-folded.
 */
#ifndef SN_CORE_IDENTITY_PRINCIPAL_H
#define SN_CORE_IDENTITY_PRINCIPAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/slice.h"

enum sn_principal_type {
    SN_PRINCIPAL_USER,
    SN_PRINCIPAL_ASSUMED_ROLE,
    SN_PRINCIPAL_FEDERATED_USER,
    SN_PRINCIPAL_ROOT,
};

enum {
    SN_ARN_MAX = 2048,
    SN_PARTITION_MAX = 16,
    SN_ACCOUNT_LEN = 12,
    SN_ROLE_NAME_MAX = 64,
    SN_NAME_MAX = 128,
    SN_PROFILE_NAME_MAX = 256,
};

/* Why a name is or is not vouched; shown by whoami. */
enum sn_vouch {
    SN_VOUCH_NONE_ROLE,   /* an assumed role whose session name the caller chose */
    SN_VOUCH_NONE_TARGET, /* a role that a catalogue entry names */
    SN_VOUCH_NONE_FEDERATED,
    SN_VOUCH_NONE_ROOT,
    SN_VOUCH_NONE_SSO_PATH, /* Identity Center form, but the role's path could not be confirmed */
    SN_VOUCH_IAM_USER,
    SN_VOUCH_SSO,
    SN_VOUCH_ROLE_LIST, /* matches SENTINEL_VOUCHING_ROLES */
};

struct sn_principal {
    char arn[SN_ARN_MAX + 1];
    char partition[SN_PARTITION_MAX + 1];
    char account[SN_ACCOUNT_LEN + 1];
    enum sn_principal_type type;
    char role[SN_ROLE_NAME_MAX + 1]; /* "" unless an assumed role */
    char name[SN_NAME_MAX + 1];
    char user_id[SN_NAME_MAX * 2 + 1]; /* as STS tells it, e.g. AROA...:session; "" when not known */
    bool is_sso;                       /* role of the Identity Center form */
    bool vouched;                      /* set by sn_principal_vouch; false until then */
    enum sn_vouch vouch;
};

/*
 * Reads a caller ARN by a fixed order of checks. Fails with SN_INVALID, INVALID_IDENTITY; the message names the failing
 * check and a sanitised copy of at most 80 characters. partition: the only one accepted, or NULL for any known one.
 */
SN_MUST_CHECK enum sn_status sn_principal_parse(
    struct sn_slice arn, const char *partition, struct sn_principal *out_principal, struct sn_error *err);

/* What the operator says about whom to trust. Borrowed lists. */
struct sn_vouch_rules {
    const struct sn_slice *role_globs; /* SENTINEL_VOUCHING_ROLES, '*' and '?' */
    size_t role_glob_count;
    /* True if the role is the target of a catalogue entry; NULL: none is. */
    bool (*is_target_role)(void *ctx, const struct sn_principal *principal);
    /* True if the Identity Center role's path was confirmed; NULL: not checked. */
    bool (*sso_path_ok)(void *ctx, const struct sn_principal *principal);
    void *ctx;
};
void sn_principal_vouch(struct sn_principal *principal, const struct sn_vouch_rules *rules);

const char *sn_principal_type_name(enum sn_principal_type type); /* "user", "assumed-role", ... */
const char *sn_vouch_reason(enum sn_vouch vouch);                /* one sentence for people */

bool sn_principal_eq(const struct sn_principal *a, const struct sn_principal *b);
/* "idc/NAME", "ACCOUNT/user/NAME" or "ACCOUNT/TYPE/ROLE/NAME"; with star_unvouched '*' for a name not vouched. */
void sn_principal_person_key(struct sn_buf *buf, const struct sn_principal *principal, bool star_unvouched);
/* The same-person test without the people map; federated users of one account count as one, too. */
bool sn_principal_same_person(const struct sn_principal *a, const struct sn_principal *b);

/*
 * One entry of a users, approvers or reviewers list without group: NAME, arn:... or role:NAME. own_account is the
 * TVM's own: IAM users of other accounts are matched by ARN only.
 */
bool sn_principal_matches_entry(const struct sn_principal *principal, struct sn_slice entry, const char *own_account);

/* The name of a role that IAM Identity Center makes: AWSReservedSSO_NAME_ and 16 hex digits. */
bool sn_role_is_sso(struct sn_slice role);
/* The permission set in the name of an Identity Center role; empty for other callers. Borrowed. */
struct sn_slice sn_principal_permission_set(const struct sn_principal *principal);
/* False for an entry of SENTINEL_VOUCHING_ROLES that is empty, of wildcards alone or outside the name alphabet. */
bool sn_vouch_glob_is_valid(struct sn_slice glob);

/* True for a syntactically valid profile name. */
bool sn_profile_name_is_valid(struct sn_slice name);
/* The same with the reason: SN_INVALID, INVALID_PROFILE, one message for each rule of the syntax. */
SN_MUST_CHECK enum sn_status sn_profile_name_check(struct sn_slice name, struct sn_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/directory.h - the lab's users, roles, access keys and sessions, in memory.
 *
 * Users and roles are made at start and never change, except for the inline policies of roles. Keys are counted: a
 * request holds the key it was signed with while others may drop it from the table. Thread-safe.
 *
 * Secrets of the lab are plain memory on purpose: they open nothing outside the lab, are marked LAB, and a benchmark
 * makes more of them than locked memory holds.
 */
#ifndef SN_LAB_DIRECTORY_H
#define SN_LAB_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/random.h"
#include "base/slice.h"
#include "lab/policy.h"
#include "lab/sigv4.h"

enum {
    SN_LAB_ACCESS_KEY_LEN = 20,
    SN_LAB_SECRET_LEN = 40,
    SN_LAB_TOKEN_LEN = 96,
    SN_LAB_MAX_TAGS = 50,
    SN_LAB_MAX_SESSION_POLICIES = 11, /* one inline, ten managed */
    SN_LAB_MAX_SESSIONS = 65536,      /* past that the oldest unused ones are forgotten */
    SN_LAB_MAX_INLINE_POLICIES = 16,
    SN_LAB_INLINE_POLICY_CHARS = 10240, /* over all inline policies of a role, white space not counted */
};

struct sn_lab_named_policy {
    struct sn_slice name; /* owned (sn_strdup) for inline policies, in the arena for configured ones */
    struct sn_lab_policy *policy;
};

struct sn_lab_user {
    struct sn_slice name, path, id, account, arn;
    struct sn_lab_named_policy *policies; /* none: everything is allowed */
    size_t policy_count;
};

struct sn_lab_role {
    struct sn_slice name, path, id, account, arn, description;
    struct sn_lab_policy *trust;
    int64_t max_session_s;
    struct sn_lab_named_policy *policies; /* none: everything is allowed, apart from what inline ones deny */
    size_t policy_count;
    struct sn_lab_named_policy inline_policies[SN_LAB_MAX_INLINE_POLICIES]; /* under the directory's lock */
    size_t inline_count;
};

enum sn_lab_key_kind { SN_LAB_KEY_ROOT, SN_LAB_KEY_USER, SN_LAB_KEY_USER_SESSION, SN_LAB_KEY_ROLE_SESSION };

struct sn_lab_tag {
    struct sn_slice key, value;
    bool transitive;
};

/* An access key and what it stands for. Immutable once in the table, apart from the fields marked "lock". */
struct sn_lab_key {
    _Atomic unsigned references;
    char access_key[SN_LAB_ACCESS_KEY_LEN + 1];
    char secret[SN_LAB_SECRET_LEN + 1];
    char token[SN_LAB_TOKEN_LEN + 1]; /* empty for long-term keys */
    enum sn_lab_key_kind kind;
    const struct sn_lab_user *user; /* of users and their sessions */
    struct sn_lab_role *role;       /* of role sessions */
    struct sn_slice account, arn, principal_id, session_name, source_identity;
    struct sn_lab_tag *tags;
    size_t tag_count;
    struct sn_lab_policy *session_policies[SN_LAB_MAX_SESSION_POLICIES]; /* counted references */
    size_t session_policy_count;
    int64_t issued_unix_s, expires_unix_s; /* 0: never */
    char *text;                            /* backs the slices above */

    char cached_scope[64]; /* lock: scope the signing key was derived for */
    unsigned char cached_key[SN_LAB_SIGNING_KEY_LEN];
    bool used;                       /* lock */
    struct sn_lab_key *bucket_next;  /* lock */
    struct sn_lab_key *session_next; /* lock */
};

struct sn_lab_directory;

struct sn_lab_directory *sn_lab_directory_new(const struct sn_random *random_source);
void sn_lab_directory_free(struct sn_lab_directory *directory);
struct sn_arena *sn_lab_directory_arena(struct sn_lab_directory *directory); /* for start-up only */

/* Start-up, before threads: the object is in the directory's arena and its name is not taken (asserted by config). */
struct sn_lab_user *sn_lab_directory_add_user(struct sn_lab_directory *directory);
struct sn_lab_role *sn_lab_directory_add_role(struct sn_lab_directory *directory);

size_t sn_lab_directory_user_count(const struct sn_lab_directory *directory);
const struct sn_lab_user *sn_lab_directory_user_at(const struct sn_lab_directory *directory, size_t index);
size_t sn_lab_directory_role_count(const struct sn_lab_directory *directory);
struct sn_lab_role *sn_lab_directory_role_at(const struct sn_lab_directory *directory, size_t index);
const struct sn_lab_user *sn_lab_directory_find_user(
    const struct sn_lab_directory *directory, struct sn_slice account, struct sn_slice name);
struct sn_lab_role *sn_lab_directory_find_role(
    const struct sn_lab_directory *directory, struct sn_slice account, struct sn_slice name);
struct sn_lab_role *sn_lab_directory_find_role_arn(const struct sn_lab_directory *directory, struct sn_slice arn);

/*
 * A key of random secret for the caller to fill and add. prefix is AKIA or ASIA. The caller holds one reference.
 */
SN_MUST_CHECK enum sn_status sn_lab_key_new(const struct sn_random *random_source, const char *prefix, bool with_token,
    struct sn_lab_key **out_key, struct sn_error *err);
/* Puts it into the table, which takes a reference of its own. Sessions count against SN_LAB_MAX_SESSIONS. */
void sn_lab_directory_add_key(struct sn_lab_directory *directory, struct sn_lab_key *key);
/* The key of that id with a reference for the caller, or NULL. */
struct sn_lab_key *sn_lab_directory_find_key(struct sn_lab_directory *directory, struct sn_slice access_key);
void sn_lab_key_unref(struct sn_lab_key *key);
void sn_lab_key_unref_p(struct sn_lab_key **key);
/* The signing key for a scope, derived at most once per key and scope in a row. */
void sn_lab_directory_signing_key(struct sn_lab_directory *directory, struct sn_lab_key *key,
    const struct sn_lab_signature *signature, unsigned char out_key[SN_LAB_SIGNING_KEY_LEN]);

/* Inline policies of a role. Copies are references for the caller to release. */
SN_MUST_CHECK enum sn_status sn_lab_directory_put_inline(struct sn_lab_directory *directory, struct sn_lab_role *role,
    struct sn_slice name, struct sn_lab_policy *policy, struct sn_error *err);
bool sn_lab_directory_delete_inline(struct sn_lab_directory *directory, struct sn_lab_role *role, struct sn_slice name);
size_t sn_lab_directory_copy_inline(struct sn_lab_directory *directory, const struct sn_lab_role *role,
    struct sn_arena *arena, struct sn_lab_named_policy out[SN_LAB_MAX_INLINE_POLICIES]);

#endif

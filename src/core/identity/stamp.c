/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/identity/stamp.c - the stamp of an issued session, built and read back.
 */
#include "core/identity/stamp.h"

#include <string.h>

#include "crypto/hash.h"

enum { CUT_LEN = 19, HASH_DIGITS = 6, IMITATION_LEN = 1 + HASH_DIGITS };

static const char user_extra[] = "_+,.@-";
static const char prefix[] = "sentinel";

const char *const sn_issue_kind_words[] = {
    [SN_ISSUE_DIRECT] = "direct", [SN_ISSUE_APPROVED] = "approved", [SN_ISSUE_BREAKGLASS] = "breakglass", NULL};

const char *sn_issue_kind_name(enum sn_issue_kind kind)
{
    switch (kind) {
    case SN_ISSUE_DIRECT:
    case SN_ISSUE_APPROVED:
    case SN_ISSUE_BREAKGLASS:
        return sn_issue_kind_words[kind];
    }
    SN_ASSERT(false);
    return "";
}

static bool is_user_byte(char byte)
{
    return sn_slice_is_alnum_or((struct sn_slice){&byte, 1}, user_extra);
}

/* A name that ends like a shortened one would pass for it, so it is shortened itself. */
static bool imitates_hash(struct sn_slice text)
{
    if (text.len < IMITATION_LEN || text.ptr[text.len - IMITATION_LEN] != '+') {
        return false;
    }
    for (size_t i = text.len - HASH_DIGITS; i < text.len; i++) {
        char c = text.ptr[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
            return false;
        }
    }
    return true;
}

void sn_stamp_user(const struct sn_principal *principal, struct sn_stamp_user *out_user)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    bool is_altered = false;

    SN_ASSERT(principal->name[0] != '\0');
    if (!principal->vouched) {
        sn_buf_add_str(&text, principal->role);
        sn_buf_add_byte(&text, '/');
    }
    sn_buf_add_str(&text, principal->name);
    for (size_t i = 0; i < text.len; i++) {
        if (!is_user_byte(text.ptr[i])) {
            text.ptr[i] = '-';
            is_altered = true;
        }
    }

    struct sn_slice label = sn_buf_slice(&text);
    *out_user = (struct sn_stamp_user){{0}};
    if (!is_altered && label.len <= SN_STAMP_USER_MAX && !imitates_hash(label)) {
        memcpy(out_user->text, label.ptr, label.len);
        return;
    }

    SN_AUTO(sn_buf_clear) struct sn_buf key = {0};
    char digest[SN_SHA256_HEX_LEN + 1];
    sn_principal_person_key(&key, principal, false);
    sn_sha256_hex(sn_buf_slice(&key), digest);
    size_t kept = label.len < CUT_LEN ? label.len : CUT_LEN;
    memcpy(out_user->text, label.ptr, kept);
    out_user->text[kept] = '+';
    memcpy(out_user->text + kept + 1, digest, HASH_DIGITS);
}

/* The last line of defence before AWS: a value outside STS's alphabet or with AWS's own prefix is a fault of ours. */
static void assert_legal_for_sts(const char *value, size_t max_len)
{
    struct sn_slice text = sn_slice_str(value);

    SN_ASSERT(text.len >= 2 && text.len <= max_len && sn_slice_is_alnum_or(text, "_+=,.@-"));
}

void sn_stamp_source_identity(const struct sn_principal *principal, enum sn_issue_kind kind, const struct sn_id *id,
    char out[SN_SOURCE_IDENTITY_MAX + 1])
{
    struct sn_stamp_user user;

    SN_ASSERT(sn_id_is_valid(sn_id_slice(id)));
    sn_stamp_user(principal, &user);
    int len =
        snprintf(out, SN_SOURCE_IDENTITY_MAX + 1, "%s=%s=%s=%s", prefix, user.text, sn_issue_kind_name(kind), id->text);
    SN_ASSERT(len > 0 && len <= SN_SOURCE_IDENTITY_MAX);
    assert_legal_for_sts(out, SN_SOURCE_IDENTITY_MAX);
}

void sn_stamp_session_name(
    const struct sn_principal *principal, const struct sn_id *id, char out[SN_ROLE_SESSION_NAME_MAX + 1])
{
    struct sn_stamp_user user;

    SN_ASSERT(sn_id_is_valid(sn_id_slice(id)));
    sn_stamp_user(principal, &user);
    int len = snprintf(out, SN_ROLE_SESSION_NAME_MAX + 1, "%s-%s", user.text, id->text);
    SN_ASSERT(len > 0 && len <= SN_ROLE_SESSION_NAME_MAX);
    assert_legal_for_sts(out, SN_ROLE_SESSION_NAME_MAX);
}

enum sn_status sn_stamp_check(struct sn_slice name, int kind, struct sn_slice id, struct sn_error *err)
{
    if (name.len == 0) {
        return sn_fail(err, SN_INTERNAL, "STAMP_EMPTY_NAME", "the caller has no name to stamp");
    }
    if (kind != SN_ISSUE_DIRECT && kind != SN_ISSUE_APPROVED && kind != SN_ISSUE_BREAKGLASS) {
        return sn_fail(err, SN_INTERNAL, "STAMP_BAD_KIND", "the kind of issuance is not known");
    }
    if (!sn_id_is_valid(id)) {
        return sn_fail(err, SN_INTERNAL, "STAMP_BAD_ID", "the id is not 16 characters of the id alphabet");
    }
    return SN_OK;
}

static bool find_kind(struct sn_slice text, enum sn_issue_kind *out_kind)
{
    static const enum sn_issue_kind kinds[] = {SN_ISSUE_DIRECT, SN_ISSUE_APPROVED, SN_ISSUE_BREAKGLASS};

    for (size_t i = 0; i < SN_LEN(kinds); i++) {
        if (sn_slice_eq_str(text, sn_issue_kind_name(kinds[i]))) {
            *out_kind = kinds[i];
            return true;
        }
    }
    return false;
}

enum sn_status sn_source_identity_parse(struct sn_slice text, struct sn_source_identity *out, struct sn_error *err)
{
    struct sn_slice part[4];
    struct sn_slice rest = text;
    struct sn_source_identity parsed = {.kind = SN_ISSUE_DIRECT};
    size_t count = 0;

    while (count < SN_LEN(part) - 1 && sn_slice_cut(rest, '=', &part[count], &rest)) {
        count++;
    }
    part[SN_LEN(part) - 1] = rest;
    parsed.user = part[1];
    parsed.id = part[3];
    bool is_ours = count == SN_LEN(part) - 1 && text.len <= SN_SOURCE_IDENTITY_MAX &&
                   sn_slice_eq_str(part[0], prefix) && parsed.user.len >= 1 && parsed.user.len <= SN_STAMP_USER_MAX &&
                   sn_slice_is_alnum_or(parsed.user, user_extra) && find_kind(part[2], &parsed.kind) &&
                   sn_id_is_valid(parsed.id);
    if (!is_ours) {
        return sn_fail(err, SN_INVALID, "NOT_SENTINEL", "the source identity is not one of Sentinel's");
    }
    *out = parsed;
    return SN_OK;
}

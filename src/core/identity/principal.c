/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/identity/principal.c - caller ARNs, vouching, persons and list entries.
 */
#include "core/identity/principal.h"

#include <string.h>

#include "base/log.h"

static const char name_extra[] = "_+=,.@-"; /* AWS's name alphabet beside letters and digits */

enum { SHOWN_ARN_MAX = 80, ARN_PARTS = 6, SSO_SUFFIX_LEN = 17 };

const char *sn_principal_type_name(enum sn_principal_type type)
{
    switch (type) {
    case SN_PRINCIPAL_USER:
        return "user";
    case SN_PRINCIPAL_ASSUMED_ROLE:
        return "assumed-role";
    case SN_PRINCIPAL_FEDERATED_USER:
        return "federated-user";
    case SN_PRINCIPAL_ROOT:
        return "root";
    }
    SN_ASSERT(false);
    return "";
}

const char *sn_vouch_reason(enum sn_vouch vouch)
{
    switch (vouch) {
    case SN_VOUCH_NONE_ROLE:
        return "the session name of this role is the caller's own choice";
    case SN_VOUCH_NONE_TARGET:
        return "the role is the target of a catalogue entry, whose credentials must not serve to ask for more";
    case SN_VOUCH_NONE_FEDERATED:
        return "the name of a federated user is the caller's own choice";
    case SN_VOUCH_NONE_ROOT:
        return "the root user is shared and never vouched for";
    case SN_VOUCH_NONE_SSO_PATH:
        return "the role looks like one of IAM Identity Center, but its path could not be confirmed";
    case SN_VOUCH_IAM_USER:
        return "an IAM user's name is the user's own";
    case SN_VOUCH_SSO:
        return "the directory of IAM Identity Center sets the session name";
    case SN_VOUCH_ROLE_LIST:
        return "the operator vouches for the session names of this role";
    }
    SN_ASSERT(false);
    return "";
}

/* "REASON: 'the ARN, sanitised and cut'". */
static enum sn_status refuse(struct sn_error *err, struct sn_slice arn, const char *reason)
{
    SN_AUTO(sn_buf_clear) struct sn_buf shown = {0};

    sn_sanitize(&shown, arn, SHOWN_ARN_MAX);
    sn_fail(err, SN_INVALID, "INVALID_IDENTITY", "%s: '%s'", reason, sn_buf_str(&shown));
    return sn_suggest(err, "call as an IAM user, an assumed role or a federated user");
}

static bool is_printable_ascii(struct sn_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        if (byte < 0x20 || byte > 0x7e) {
            return false;
        }
    }
    return true;
}

static bool is_known_partition(struct sn_slice partition)
{
    static const char *const known[] = {"aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b"};

    for (size_t i = 0; i < SN_LEN(known); i++) {
        if (sn_slice_eq_str(partition, known[i])) {
            return true;
        }
    }
    return false;
}

static bool is_account(struct sn_slice text)
{
    if (text.len != SN_ACCOUNT_LEN) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return false;
        }
    }
    return true;
}

bool sn_role_is_sso(struct sn_slice role)
{
    static const struct sn_slice prefix = SN_S_INIT("AWSReservedSSO_");

    if (!sn_slice_has_prefix(role, prefix) || role.len < prefix.len + 1 + SSO_SUFFIX_LEN) {
        return false;
    }
    struct sn_slice suffix = sn_slice_sub(role, role.len - SSO_SUFFIX_LEN, SSO_SUFFIX_LEN);
    if (suffix.ptr[0] != '_') {
        return false;
    }
    for (size_t i = 1; i < suffix.len; i++) {
        char c = suffix.ptr[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
            return false;
        }
    }
    return true;
}

struct sn_slice sn_principal_permission_set(const struct sn_principal *principal)
{
    struct sn_slice role = sn_slice_str(principal->role);
    size_t prefix_len = sizeof("AWSReservedSSO_") - 1;

    return principal->is_sso ? sn_slice_sub(role, prefix_len, role.len - prefix_len - SSO_SUFFIX_LEN) : SN_S("");
}

/* Copies into a field that the caller has checked to be large enough; out is zeroed memory. */
static void copy_text(char *out, struct sn_slice text)
{
    if (text.len > 0) {
        memcpy(out, text.ptr, text.len);
    }
}

/* Check 7: which kind of caller, and where its role and name stand. False: no caller at all. */
static bool split_resource(struct sn_slice service, struct sn_slice resource, enum sn_principal_type *out_type,
    struct sn_slice *out_role, struct sn_slice *out_name)
{
    struct sn_slice kind;
    struct sn_slice rest;
    bool has_rest = sn_slice_cut(resource, '/', &kind, &rest);

    *out_role = SN_S("");
    if (sn_slice_eq_str(service, "iam") && sn_slice_eq_str(resource, "root")) {
        *out_type = SN_PRINCIPAL_ROOT;
        *out_name = resource;
        return true;
    }
    if (!has_rest) {
        return false;
    }
    if (sn_slice_eq_str(service, "iam") && sn_slice_eq_str(kind, "user")) {
        struct sn_slice path;
        *out_type = SN_PRINCIPAL_USER;
        if (!sn_slice_cut_last(rest, '/', &path, out_name)) {
            *out_name = rest;
        }
        return true;
    }
    if (sn_slice_eq_str(service, "sts") && sn_slice_eq_str(kind, "assumed-role")) {
        *out_type = SN_PRINCIPAL_ASSUMED_ROLE;
        if (!sn_slice_cut(rest, '/', out_role, out_name)) {
            *out_role = rest;
            *out_name = SN_S("");
        }
        return true;
    }
    if (sn_slice_eq_str(service, "sts") && sn_slice_eq_str(kind, "federated-user")) {
        *out_type = SN_PRINCIPAL_FEDERATED_USER;
        *out_name = rest;
        return true;
    }
    return false;
}

/* The last checks: names and their lengths; NULL when all is well. */
static const char *check_names(enum sn_principal_type type, struct sn_slice role, struct sn_slice name)
{
    if (name.len == 0 || !sn_slice_is_alnum_or(name, name_extra)) {
        return "invalid ARN, the name is absent or has a character outside [A-Za-z0-9_+=,.@-]";
    }
    if (type == SN_PRINCIPAL_ASSUMED_ROLE && (role.len == 0 || !sn_slice_is_alnum_or(role, name_extra))) {
        return "invalid ARN, the role name is absent or has a character outside [A-Za-z0-9_+=,.@-]";
    }
    if (name.len > SN_NAME_MAX) {
        return "invalid ARN, the name is longer than 128 bytes";
    }
    if (role.len > SN_ROLE_NAME_MAX) {
        return "invalid ARN, the role name is longer than 64 bytes";
    }
    return NULL;
}

enum sn_status sn_principal_parse(
    struct sn_slice arn, const char *partition, struct sn_principal *out_principal, struct sn_error *err)
{
    struct sn_slice part[ARN_PARTS];
    struct sn_slice rest = arn;
    size_t count = 0;

    if (arn.len == 0) {
        sn_fail(err, SN_INVALID, "INVALID_IDENTITY", "empty ARN");
        return sn_suggest(err, "call as an IAM user, an assumed role or a federated user");
    }
    if (arn.len > SN_ARN_MAX || !is_printable_ascii(arn)) {
        return refuse(err, arn, "invalid ARN, longer than 2048 bytes or with an unprintable character");
    }
    while (count < ARN_PARTS - 1 && sn_slice_cut(rest, ':', &part[count], &rest)) {
        count++;
    }
    if (count != ARN_PARTS - 1 || !sn_slice_eq_str(part[0], "arn")) {
        return refuse(err, arn, "invalid ARN, not six parts that begin with 'arn'");
    }
    part[ARN_PARTS - 1] = rest;
    if (!is_known_partition(part[1]) || (partition != NULL && !sn_slice_eq_str(part[1], partition))) {
        return refuse(err, arn, "invalid ARN, the partition is unknown or not the server's own");
    }
    if (part[3].len != 0) {
        return refuse(err, arn, "invalid ARN, the region is not empty");
    }
    if (!is_account(part[4])) {
        return refuse(err, arn, "invalid ARN, the account is not exactly 12 digits");
    }

    enum sn_principal_type type = SN_PRINCIPAL_ROOT;
    struct sn_slice role;
    struct sn_slice name;
    if (!split_resource(part[2], part[5], &type, &role, &name)) {
        return refuse(err, arn, "unsupported identity");
    }
    const char *problem = check_names(type, role, name);
    if (problem != NULL) {
        return refuse(err, arn, problem);
    }

    *out_principal = (struct sn_principal){.type = type, .vouched = false, .is_sso = sn_role_is_sso(role)};
    copy_text(out_principal->arn, arn);
    copy_text(out_principal->partition, part[1]);
    copy_text(out_principal->account, part[4]);
    copy_text(out_principal->role, role);
    copy_text(out_principal->name, name);
    out_principal->vouch = type == SN_PRINCIPAL_ROOT             ? SN_VOUCH_NONE_ROOT
                           : type == SN_PRINCIPAL_FEDERATED_USER ? SN_VOUCH_NONE_FEDERATED
                                                                 : SN_VOUCH_NONE_ROLE;
    return SN_OK;
}

/* '*' stands for any run of bytes, '?' for one. Linear in text times stars: both sides are short. */
static bool matches_role_glob(struct sn_slice text, struct sn_slice glob)
{
    size_t t = 0;
    size_t g = 0;
    size_t star = SIZE_MAX;
    size_t star_text = 0;

    while (t < text.len) {
        if (g < glob.len && glob.ptr[g] == '*') {
            star = g++;
            star_text = t;
        } else if (g < glob.len && (glob.ptr[g] == '?' || glob.ptr[g] == text.ptr[t])) {
            g++;
            t++;
        } else if (star != SIZE_MAX) {
            g = star + 1;
            t = ++star_text;
        } else {
            return false;
        }
    }
    while (g < glob.len && glob.ptr[g] == '*') {
        g++;
    }
    return g == glob.len;
}

bool sn_vouch_glob_is_valid(struct sn_slice glob)
{
    bool has_letter = false;

    for (size_t i = 0; i < glob.len; i++) {
        bool is_wildcard = glob.ptr[i] == '*' || glob.ptr[i] == '?';
        if (!is_wildcard && !sn_slice_is_alnum_or(sn_slice_sub(glob, i, 1), name_extra)) {
            return false;
        }
        has_letter = has_letter || !is_wildcard;
    }
    return has_letter;
}

static enum sn_vouch judge_role(const struct sn_principal *principal, const struct sn_vouch_rules *rules)
{
    /* First, and whatever the lists say: issued credentials must not serve to ask for more under a name. */
    if (rules->is_target_role != NULL && rules->is_target_role(rules->ctx, principal)) {
        return SN_VOUCH_NONE_TARGET;
    }
    if (principal->is_sso) {
        bool is_confirmed = rules->sso_path_ok == NULL || rules->sso_path_ok(rules->ctx, principal);
        return is_confirmed ? SN_VOUCH_SSO : SN_VOUCH_NONE_SSO_PATH;
    }
    for (size_t i = 0; i < rules->role_glob_count; i++) {
        if (matches_role_glob(sn_slice_str(principal->role), rules->role_globs[i])) {
            return SN_VOUCH_ROLE_LIST;
        }
    }
    return SN_VOUCH_NONE_ROLE;
}

void sn_principal_vouch(struct sn_principal *principal, const struct sn_vouch_rules *rules)
{
    switch (principal->type) {
    case SN_PRINCIPAL_USER:
        principal->vouch = SN_VOUCH_IAM_USER;
        break;
    case SN_PRINCIPAL_ASSUMED_ROLE:
        principal->vouch = judge_role(principal, rules);
        break;
    case SN_PRINCIPAL_FEDERATED_USER:
        principal->vouch = SN_VOUCH_NONE_FEDERATED;
        break;
    case SN_PRINCIPAL_ROOT:
        principal->vouch = SN_VOUCH_NONE_ROOT;
        break;
    }
    principal->vouched = principal->vouch == SN_VOUCH_IAM_USER || principal->vouch == SN_VOUCH_SSO ||
                         principal->vouch == SN_VOUCH_ROLE_LIST;
}

bool sn_principal_eq(const struct sn_principal *a, const struct sn_principal *b)
{
    return a->type == b->type && strcmp(a->partition, b->partition) == 0 && strcmp(a->account, b->account) == 0 &&
           strcmp(a->role, b->role) == 0 && strcmp(a->name, b->name) == 0;
}

void sn_principal_person_key(struct sn_buf *buf, const struct sn_principal *principal, bool star_unvouched)
{
    /* A role that only looks like Identity Center's shares no key with the directory's people. */
    if (principal->is_sso && principal->vouched) {
        sn_buf_add_str(buf, "idc/");
        sn_buf_add_str(buf, principal->name);
        return;
    }
    sn_buf_add_str(buf, principal->account);
    sn_buf_add_byte(buf, '/');
    sn_buf_add_str(buf, sn_principal_type_name(principal->type));
    sn_buf_add_byte(buf, '/');
    if (principal->type != SN_PRINCIPAL_USER) {
        sn_buf_add_str(buf, principal->role);
        sn_buf_add_byte(buf, '/');
    }
    sn_buf_add_str(buf, star_unvouched && !principal->vouched ? "*" : principal->name);
}

bool sn_principal_same_person(const struct sn_principal *a, const struct sn_principal *b)
{
    if (a->vouched && b->vouched && strcmp(a->name, b->name) == 0) {
        return true;
    }
    if (strcmp(a->arn, b->arn) == 0 || sn_principal_eq(a, b)) {
        return true;
    }
    /* Who chooses the name could be anybody, so the sessions of one such role count as one person. */
    bool is_same_source = a->type == b->type && strcmp(a->partition, b->partition) == 0 &&
                          strcmp(a->account, b->account) == 0 && strcmp(a->role, b->role) == 0;
    return is_same_source && a->type != SN_PRINCIPAL_USER && !(a->vouched && b->vouched);
}

bool sn_principal_matches_entry(const struct sn_principal *principal, struct sn_slice entry, const char *own_account)
{
    static const struct sn_slice arn_prefix = SN_S_INIT("arn:");
    static const struct sn_slice role_prefix = SN_S_INIT("role:");

    if (entry.len == 0) {
        return false;
    }
    if (sn_slice_has_prefix(entry, arn_prefix)) {
        return sn_slice_eq_str(entry, principal->arn);
    }
    if (sn_slice_has_prefix(entry, role_prefix)) {
        struct sn_slice role = sn_slice_sub(entry, role_prefix.len, entry.len);
        return principal->type == SN_PRINCIPAL_ASSUMED_ROLE && sn_slice_eq_str(role, principal->role);
    }
    if (!principal->vouched || !sn_slice_eq_str(entry, principal->name)) {
        return false;
    }
    /* One directory stands behind all Identity Center users; IAM users of other accounts are another namespace. */
    return principal->type != SN_PRINCIPAL_USER ||
           (own_account != NULL && strcmp(own_account, principal->account) == 0);
}

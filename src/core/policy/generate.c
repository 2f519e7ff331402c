/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/generate.c - see generate.h.
 *
 * A document is written as flow-style text with every value quoted, put into canonical form, and loaded.
 */
#include "core/policy/generate.h"

#include "base/time.h"
#include "core/identity/principal.h"
#include "core/policy/canonical.h"
#include "core/policy/catalog.h"
#include "core/policy/entry.h"
#include "core/policy/policy.h"
#include "core/policy/ruleset.h"

/* --- what is asked for --- */

static enum sn_status check_distinct(const struct sn_slice *items, size_t count, const char *what, struct sn_error *err)
{
    for (size_t i = 0; i < count; i++) { /* as many as fit on a command line */
        for (size_t k = 0; k < i; k++) {
            if (sn_slice_eq(items[i], items[k])) {
                sn_fail(err, SN_USAGE, "DUPLICATE_VALUE", "%s '%.*s' is given twice", what, SN_PRI(items[i]));
                return sn_suggest(err, "give each once");
            }
        }
    }
    return SN_OK;
}

static enum sn_status check_profile(struct sn_slice name, struct sn_error *err)
{
    SN_TRY(sn_profile_name_check(name, err));
    if (sn_slice_has_byte(name, ':')) {
        sn_fail(err, SN_INVALID, "INVALID_PROFILE", "a profile's name has no ':'");
        return sn_suggest(err, "a role ARN belongs into the catalogue: --role PROFILE=ARN");
    }
    return SN_OK;
}

static enum sn_status check_user(struct sn_slice text, struct sn_error *err)
{
    struct sn_entry entry;
    enum sn_entry_fault fault = sn_entry_parse(text, &entry);
    if ((fault != SN_ENTRY_OK && fault != SN_ENTRY_SELF_CHOSEN) || entry.kind == SN_ENTRY_GROUP) {
        sn_fail(err, SN_INVALID, "INVALID_USER", "a user is NAME, arn:... or role:NAME");
        return sn_suggest(err, "names are AWS's own: letters, digits and '_+=,.@-', without wildcards");
    }
    return SN_OK;
}

/* What the catalogue thinks of it is asked later; here it must not end the quotes that it is put in. */
static enum sn_status check_role(struct sn_slice arn, struct sn_error *err)
{
    bool is_plain = sn_slice_has_prefix(arn, SN_S("arn:"));
    for (size_t i = 0; i < arn.len; i++) {
        char c = arn.ptr[i];
        is_plain = is_plain && c > 0x20 && c < 0x7f && c != '"' && c != '\\';
    }
    if (!is_plain) {
        sn_fail(err, SN_INVALID, "INVALID_ROLE", "a role is given as its ARN");
        return sn_suggest(err, "--role PROFILE=arn:aws:iam::ACCOUNT:role/NAME");
    }
    return SN_OK;
}

enum sn_status sn_generate_check(const struct sn_generate_plan *plan, struct sn_error *err)
{
    for (size_t i = 0; i < plan->profile_count; i++) {
        SN_TRY(check_profile(plan->profiles[i], err));
    }
    for (size_t i = 0; i < plan->user_count; i++) {
        SN_TRY(check_user(plan->users[i], err));
    }
    for (size_t i = 0; plan->roles != NULL && i < plan->profile_count; i++) {
        SN_TRY(check_role(plan->roles[i], err));
    }
    SN_TRY(check_distinct(plan->profiles, plan->profile_count, "the profile", err));
    SN_TRY(check_distinct(plan->users, plan->user_count, "the user", err));
    if (plan->template != SN_GENERATE_BASIC && plan->user_count == 0) {
        sn_fail(err, SN_USAGE, "MISSING_USER", "the template names people, and none is given");
        return sn_suggest(err, "add --user NAME for everyone who may approve");
    }
    return SN_OK;
}

bool sn_generate_has(const struct sn_generate_plan *plan, enum sn_document_kind kind)
{
    switch (kind) {
    case SN_DOCUMENT_POLICY:
        return true;
    case SN_DOCUMENT_APPROVAL:
        return plan->template != SN_GENERATE_BASIC;
    case SN_DOCUMENT_BREAKGLASS:
    case SN_DOCUMENT_RATELIMIT:
        return plan->template == SN_GENERATE_FULL;
    case SN_DOCUMENT_CATALOG:
        return plan->roles != NULL;
    case SN_DOCUMENT_KINDS:
        break;
    }
    return false;
}

/* --- texts --- */

static void put_quoted(struct sn_buf *out, struct sn_slice text)
{
    sn_buf_add_byte(out, '"'); /* checked: neither quotes nor backslashes nor control characters */
    sn_buf_add(out, text);
    sn_buf_add_byte(out, '"');
}

static void put_list(struct sn_buf *out, const char *field, const struct sn_slice *items, size_t count)
{
    sn_buf_addf(out, "%s: [", field);
    for (size_t i = 0; i < count; i++) {
        sn_buf_add_str(out, i == 0 ? "" : ", ");
        put_quoted(out, items[i]);
    }
    sn_buf_add_byte(out, ']');
}

static void put_rule(struct sn_buf *out, const struct sn_generate_plan *plan, const char *name)
{
    sn_buf_addf(out, "{version: \"1\", rules: [{name: %s, ", name);
    put_list(out, "profiles", plan->profiles, plan->profile_count);
}

static void put_policy(struct sn_buf *out, const struct sn_generate_plan *plan)
{
    bool is_basic = plan->template == SN_GENERATE_BASIC;
    sn_buf_addf(out, "{version: \"1\", rules: [{name: %s, effect: %s, conditions: {",
        is_basic ? "allow-configured-profiles" : "require-approval-for-profiles",
        is_basic ? "allow" : "require_approval");
    put_list(out, "profiles", plan->profiles, plan->profile_count);
    sn_buf_add_str(out, "}}]}");
}

static void put_approval(struct sn_buf *out, const struct sn_generate_plan *plan)
{
    put_rule(out, plan, "approval-rule");
    sn_buf_add_str(out, ", ");
    put_list(out, "approvers", plan->users, plan->user_count);
    sn_buf_add_str(out, ", auto_approve: {");
    put_list(out, "users", plan->users, plan->user_count);
    sn_buf_add_str(out, ", time: {days: [monday, tuesday, wednesday, thursday, friday], "
                        "hours: {start: \"09:00\", end: \"17:00\"}, timezone: UTC}, max_duration: 1h}}]}");
}

static void put_breakglass(struct sn_buf *out, const struct sn_generate_plan *plan)
{
    put_rule(out, plan, "break-glass-authorization");
    sn_buf_add_str(out, ", ");
    put_list(out, "users", plan->users, plan->user_count);
    sn_buf_add_str(out, ", allowed_reason_codes: [incident, maintenance, security, recovery], max_duration: 1h, "
                        "mfa: {required: true}}]}");
}

static void put_ratelimit(struct sn_buf *out, const struct sn_generate_plan *plan)
{
    put_rule(out, plan, "rate-limits");
    sn_buf_add_str(out, ", cooldown: 30m, max_per_user: 3, max_per_profile: 10, quota_window: 24h}]}");
}

static void put_catalog(struct sn_buf *out, const struct sn_generate_plan *plan)
{
    sn_buf_add_str(out, "{version: \"1\", profiles: {");
    for (size_t i = 0; i < plan->profile_count; i++) {
        sn_buf_add_str(out, i == 0 ? "" : ", ");
        put_quoted(out, plan->profiles[i]);
        sn_buf_add_str(out, ": {role_arn: ");
        put_quoted(out, plan->roles[i]);
        sn_buf_add_byte(out, '}');
    }
    sn_buf_add_str(out, "}}");
}

static void put_body(struct sn_buf *out, const struct sn_generate_plan *plan, enum sn_document_kind kind)
{
    switch (kind) {
    case SN_DOCUMENT_POLICY:
        put_policy(out, plan);
        return;
    case SN_DOCUMENT_APPROVAL:
        put_approval(out, plan);
        return;
    case SN_DOCUMENT_BREAKGLASS:
        put_breakglass(out, plan);
        return;
    case SN_DOCUMENT_RATELIMIT:
        put_ratelimit(out, plan);
        return;
    case SN_DOCUMENT_CATALOG:
        put_catalog(out, plan);
        return;
    case SN_DOCUMENT_KINDS:
        break;
    }
}

static void put_head(struct sn_buf *out, const struct sn_generate_plan *plan, enum sn_document_kind kind)
{
    char time[SN_TIME_TEXT_MAX];
    sn_buf_addf(out, "# Sentinel %s\n# Profiles: ", sn_document_kinds[kind].title);
    for (size_t i = 0; i < plan->profile_count; i++) {
        sn_buf_addf(out, "%s%.*s", i == 0 ? "" : ", ", SN_PRI(plan->profiles[i]));
    }
    sn_buf_addf(out, "\n# Generated: %.*s\n# A beginning: adapt it before it is used.\n",
        SN_PRI(sn_time_format_rfc3339_s(plan->unix_s, time)));
}

static enum sn_status check_document(
    enum sn_document_kind kind, struct sn_slice text, const struct sn_tz_source *zones, struct sn_error *err)
{
    SN_AUTO(sn_policy_unref_p) struct sn_policy *policy = NULL;
    SN_AUTO(sn_catalog_unref_p) struct sn_catalog *catalog = NULL;
    SN_AUTO(sn_ruleset_unref_p) struct sn_ruleset *ruleset = NULL;
    if (kind == SN_DOCUMENT_POLICY) {
        return sn_policy_load(text, zones, NULL, &policy, err);
    }
    if (kind == SN_DOCUMENT_CATALOG) {
        struct sn_catalog_source source = {SN_S(""), text};
        return sn_catalog_load(&source, 1, NULL, &catalog, err);
    }
    return sn_ruleset_load(kind, text, zones, NULL, &ruleset, err);
}

enum sn_status sn_generate(const struct sn_generate_plan *plan, enum sn_document_kind kind,
    const struct sn_tz_source *zones, struct sn_buf *out, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf body = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf document = {0};
    SN_ASSERT(sn_generate_has(plan, kind));
    put_body(&body, plan, kind);
    put_head(&document, plan, kind);
    SN_TRY(sn_document_canonical(kind, sn_buf_slice(&body), &document, err));
    SN_TRY(check_document(kind, sn_buf_slice(&document), zones, err));
    sn_buf_add(out, sn_buf_slice(&document));
    return SN_OK;
}

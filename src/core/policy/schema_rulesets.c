/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/schema_rulesets.c - the schemas of approval, break-glass and rate-limit policies; see schema.h.
 *
 * Where a value belongs in the struct of its rule stands beside the field, so the reader needs nothing else.
 */
#include "core/policy/approval.h"
#include "core/policy/breakglass.h"
#include "core/policy/limits.h"
#include "core/policy/ratelimit.h"
#include "core/policy/schema.h"

const char *const sn_reason_code_words[5] = {"incident", "maintenance", "security", "recovery", "other"};
const char *const sn_mfa_method_words[2] = {"totp", "sms"};
const struct sn_schema_words sn_schema_reason_codes = {sn_reason_code_words, SN_LEN(sn_reason_code_words),
    "reason-code", "a reason code", "one of incident, maintenance, security, recovery, other"};
const struct sn_schema_words sn_schema_mfa_methods = {
    sn_mfa_method_words, SN_LEN(sn_mfa_method_words), "mfa", "a method", "one of totp, sms"};

/* clang-format off */
#define VERSION_FIELD \
    {.name = "version", .kind = SN_SCHEMA_TEXT, .required = true, .form = "`\"1\"`", .meaning = "Version of the schema."}
#define GROUPS_FIELD \
    {.name = "groups", .kind = SN_SCHEMA_LIST_MAP, .max_items = SN_POLICY_MAX_GROUPS, \
        .form = "mapping of 1 to 200 group names to lists of 1 to 1000 entries", \
        .meaning = "Named lists for use as `group:NAME` in this document. Groups do not nest."}
#define RULES_FIELD(schema) \
    {.name = "rules", .kind = SN_SCHEMA_RECORD_LIST, .required = true, .record = (schema), \
        .max_items = SN_POLICY_MAX_RULES, .form = "list of 1 to 10000 rules", \
        .meaning = "The first rule that has no `profiles`, or names the profile, is the profile's rule."}
#define NAME_FIELD \
    {.name = "name", .kind = SN_SCHEMA_TEXT, .required = true, \
        .form = "1 to 128 printable bytes, unique in the document", .meaning = "Shows up in the log.", \
        .value = SN_VALUE_NAME}
#define PROFILES_FIELD(type) \
    {.name = "profiles", .kind = SN_SCHEMA_LIST, .max_items = SN_POLICY_MAX_LIST, \
        .form = "catalogue names, no wildcards", .meaning = "What the rule is about. Without it every profile.", \
        .value = SN_VALUE_PROFILES, .offset = offsetof(type, head.profiles)}
#define ENTRY_FORM "entries: `NAME`, `arn:...`, `role:NAME`, `group:NAME`"
#define TIME_FORM "mapping with `days`, `hours` or both"

static const struct sn_schema_field auto_approve_fields[] = {
    {.name = "users", .kind = SN_SCHEMA_LIST, .max_items = SN_POLICY_MAX_LIST, .form = ENTRY_FORM,
        .meaning = "Requesters whose requests approve themselves. Without it anybody's.",
        .value = SN_VALUE_ENTRIES, .offset = offsetof(struct sn_auto_approve, users)},
    {.name = "time", .kind = SN_SCHEMA_RECORD, .record = &sn_schema_time, .form = TIME_FORM,
        .meaning = "When they do. Without it always.",
        .value = SN_VALUE_TIME, .offset = offsetof(struct sn_auto_approve, time)},
    {.name = "max_duration", .kind = SN_SCHEMA_TEXT, .form = "duration, at most `8h`",
        .meaning = "Longest duration that does. Without it, or `0s`, any.",
        .value = SN_VALUE_DURATION, .offset = offsetof(struct sn_auto_approve, max_duration_s),
        .max = SN_APPROVAL_MAX_REQUEST_S},
};
const struct sn_schema sn_schema_auto_approve = {
    "Approval without a person (`auto_approve`)", auto_approve_fields, SN_LEN(auto_approve_fields)};

static const struct sn_schema_field approval_rule_fields[] = {
    [SN_APPROVAL_RULE_NAME] = NAME_FIELD,
    [SN_APPROVAL_RULE_PROFILES] = PROFILES_FIELD(struct sn_approver_rule),
    [SN_APPROVAL_RULE_APPROVERS] = {.name = "approvers", .kind = SN_SCHEMA_LIST, .required = true,
        .max_items = SN_POLICY_MAX_LIST, .form = ENTRY_FORM ", at least one",
        .meaning = "Who may approve. Nobody approves a request of his own.",
        .value = SN_VALUE_ENTRIES, .offset = offsetof(struct sn_approver_rule, approvers)},
    [SN_APPROVAL_RULE_REQUIRED] = {.name = "approvals_required", .kind = SN_SCHEMA_COUNT,
        .form = "1 to 10, no more than the approvers are persons; 1 unless given",
        .meaning = "How many different persons must approve.",
        .value = SN_VALUE_COUNT, .offset = offsetof(struct sn_approver_rule, approvals_required),
        .min = 1, .max = SN_APPROVAL_MAX_REQUIRED},
    [SN_APPROVAL_RULE_SINGLE_USE] = {.name = "single_use", .kind = SN_SCHEMA_BOOL, .form = "`true` or `false`",
        .meaning = "An approval serves one issue of credentials, not any number until it ends.",
        .value = SN_VALUE_FLAG, .offset = offsetof(struct sn_approver_rule, single_use)},
    [SN_APPROVAL_RULE_AUTO_APPROVE] = {.name = "auto_approve", .kind = SN_SCHEMA_RECORD,
        .record = &sn_schema_auto_approve, .form = "mapping with `users`, `time` or `max_duration`",
        .meaning = "Requests that are approved as soon as they are made: all that is stated must hold.",
        .value = SN_VALUE_PART, .offset = offsetof(struct sn_approver_rule, auto_approve)},
};
const struct sn_schema sn_schema_approval_rule = {
    "Approval rule (an item of `rules`)", approval_rule_fields, SN_LEN(approval_rule_fields)};

static const struct sn_schema_field approval_fields[] = {
    VERSION_FIELD,
    GROUPS_FIELD,
    {.name = "people", .kind = SN_SCHEMA_LIST_MAP, .max_items = SN_APPROVAL_MAX_PEOPLE,
        .form = "mapping of 1 to 1000 names to lists of 1 to 50 entries, no groups",
        .meaning = "Identities of one human, who counts once and cannot approve a request of another identity."},
    RULES_FIELD(&sn_schema_approval_rule),
};
const struct sn_schema sn_schema_approval = {"Approval policy", approval_fields, SN_LEN(approval_fields)};

static const struct sn_schema_field mfa_fields[] = {
    {.name = "required", .kind = SN_SCHEMA_BOOL, .form = "`true` or `false`", .meaning = "A second factor is asked for.",
        .value = SN_VALUE_FLAG, .offset = offsetof(struct sn_breakglass_mfa, required)},
    {.name = "methods", .kind = SN_SCHEMA_LIST, .max_items = SN_POLICY_MAX_LIST, .form = "`totp`, `sms`",
        .meaning = "Which factors will do. Without it each.",
        .value = SN_VALUE_WORDS, .offset = offsetof(struct sn_breakglass_mfa, methods), .words = &sn_schema_mfa_methods},
};
const struct sn_schema sn_schema_mfa = {"Second factor (`mfa`)", mfa_fields, SN_LEN(mfa_fields)};

static const struct sn_schema_field breakglass_rule_fields[] = {
    [SN_BREAKGLASS_RULE_NAME] = NAME_FIELD,
    [SN_BREAKGLASS_RULE_PROFILES] = PROFILES_FIELD(struct sn_breakglass_rule),
    [SN_BREAKGLASS_RULE_USERS] = {.name = "users", .kind = SN_SCHEMA_LIST, .required = true,
        .max_items = SN_POLICY_MAX_LIST, .form = ENTRY_FORM ", at least one",
        .meaning = "Who may take emergency access.",
        .value = SN_VALUE_ENTRIES, .offset = offsetof(struct sn_breakglass_rule, users)},
    [SN_BREAKGLASS_RULE_REVIEWERS] = {.name = "reviewers", .kind = SN_SCHEMA_LIST, .max_items = SN_POLICY_MAX_LIST,
        .form = ENTRY_FORM,
        .meaning = "Who, beside the one who took it and the operators, may see and close it. Without it all `users`.",
        .value = SN_VALUE_ENTRIES, .offset = offsetof(struct sn_breakglass_rule, reviewers)},
    [SN_BREAKGLASS_RULE_REASON_CODES] = {.name = "allowed_reason_codes", .kind = SN_SCHEMA_LIST,
        .max_items = SN_POLICY_MAX_LIST, .form = "`incident`, `maintenance`, `security`, `recovery`, `other`",
        .meaning = "Reasons that will do. Without it each.",
        .value = SN_VALUE_WORDS, .offset = offsetof(struct sn_breakglass_rule, reason_codes),
        .words = &sn_schema_reason_codes},
    [SN_BREAKGLASS_RULE_TIME] = {.name = "time", .kind = SN_SCHEMA_RECORD, .record = &sn_schema_time, .form = TIME_FORM,
        .meaning = "When it may be taken. Without it always.",
        .value = SN_VALUE_TIME, .offset = offsetof(struct sn_breakglass_rule, time)},
    [SN_BREAKGLASS_RULE_MAX_DURATION] = {.name = "max_duration", .kind = SN_SCHEMA_TEXT,
        .form = "duration, at most `4h`", .meaning = "How long it may last. Without it, or `0s`, 4h.",
        .value = SN_VALUE_DURATION, .offset = offsetof(struct sn_breakglass_rule, max_duration_s),
        .max = SN_BREAKGLASS_MAX_S},
    [SN_BREAKGLASS_RULE_MFA] = {.name = "mfa", .kind = SN_SCHEMA_RECORD, .record = &sn_schema_mfa,
        .form = "mapping with `required` and `methods`", .meaning = "The second factor.",
        .value = SN_VALUE_PART, .offset = offsetof(struct sn_breakglass_rule, mfa)},
};
const struct sn_schema sn_schema_breakglass_rule = {
    "Break-glass rule (an item of `rules`)", breakglass_rule_fields, SN_LEN(breakglass_rule_fields)};

static const struct sn_schema_field breakglass_fields[] = {
    VERSION_FIELD, GROUPS_FIELD, RULES_FIELD(&sn_schema_breakglass_rule)};
const struct sn_schema sn_schema_breakglass = {"Break-glass policy", breakglass_fields, SN_LEN(breakglass_fields)};

static const struct sn_schema_field ratelimit_rule_fields[] = {
    [SN_RATELIMIT_RULE_NAME] = NAME_FIELD,
    [SN_RATELIMIT_RULE_PROFILES] = PROFILES_FIELD(struct sn_ratelimit_rule),
    [SN_RATELIMIT_RULE_COOLDOWN] = {.name = "cooldown", .kind = SN_SCHEMA_TEXT, .form = "duration, at most `720h`",
        .meaning = "Least time between two times of one person on one profile.",
        .value = SN_VALUE_DURATION, .offset = offsetof(struct sn_ratelimit_rule, cooldown_s), .max = SN_QUOTA_MAX_S},
    [SN_RATELIMIT_RULE_MAX_PER_USER] = {.name = "max_per_user", .kind = SN_SCHEMA_COUNT, .form = "0 to 500; 0 is no limit",
        .meaning = "Times of one person, on any profile, inside `quota_window`.",
        .value = SN_VALUE_COUNT, .offset = offsetof(struct sn_ratelimit_rule, max_per_user), .max = SN_QUOTA_MAX_EVENTS},
    [SN_RATELIMIT_RULE_MAX_PER_PROFILE] = {.name = "max_per_profile", .kind = SN_SCHEMA_COUNT,
        .form = "0 to 500; 0 is no limit", .meaning = "Times on the profile, by anybody, inside `quota_window`.",
        .value = SN_VALUE_COUNT, .offset = offsetof(struct sn_ratelimit_rule, max_per_profile),
        .max = SN_QUOTA_MAX_EVENTS},
    [SN_RATELIMIT_RULE_QUOTA_WINDOW] = {.name = "quota_window", .kind = SN_SCHEMA_TEXT, .form = "duration, at most `720h`",
        .meaning = "The time in which is counted; needed where anything is counted.",
        .value = SN_VALUE_DURATION, .offset = offsetof(struct sn_ratelimit_rule, quota_window_s), .max = SN_QUOTA_MAX_S},
    [SN_RATELIMIT_RULE_ESCALATION] = {.name = "escalation_threshold", .kind = SN_SCHEMA_COUNT,
        .form = "a number; 0 is off", .meaning = "From so many times of one person on, others are told.",
        .value = SN_VALUE_COUNT, .offset = offsetof(struct sn_ratelimit_rule, escalation_threshold), .max = UINT32_MAX},
};
const struct sn_schema sn_schema_ratelimit_rule = {
    "Rate-limit rule (an item of `rules`)", ratelimit_rule_fields, SN_LEN(ratelimit_rule_fields)};

static const struct sn_schema_field ratelimit_fields[] = {VERSION_FIELD, RULES_FIELD(&sn_schema_ratelimit_rule)};
const struct sn_schema sn_schema_ratelimit = {"Rate-limit policy", ratelimit_fields, SN_LEN(ratelimit_fields)};
/* clang-format on */

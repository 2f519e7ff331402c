/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/schema.h - document schemas as tables, and the one reader that checks a YAML tree against them.
 *
 * The tables are the single source of the field names in suggestions, of what the reader accepts and of the reference
 * page. The reader checks shape only (known keys, kinds, nulls, booleans, list lengths); what values mean is the
 * validators' concern, which get the nodes by field number.
 */
#ifndef SN_CORE_POLICY_SCHEMA_H
#define SN_CORE_POLICY_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "codec/yaml.h"
#include "core/policy/findings.h"

enum sn_schema_kind {
    SN_SCHEMA_TEXT,
    SN_SCHEMA_BOOL,
    SN_SCHEMA_LIST,         /* of text */
    SN_SCHEMA_RECORD,       /* a mapping with the fields of record */
    SN_SCHEMA_RECORD_LIST,  /* a list of those */
    SN_SCHEMA_RECORD_MAP,   /* names to those */
    SN_SCHEMA_LIST_MAP,     /* names to lists of text */
    SN_SCHEMA_TEXT_MAP,     /* names to text */
    SN_SCHEMA_TEXT_OR_LIST, /* one text, or a list of text */
    SN_SCHEMA_COUNT,        /* a whole number, written plainly in decimal */
    SN_SCHEMA_ANY,          /* checked by the validator */
};

/* What a value means, where that is the same in every kind of document. */
enum sn_schema_value {
    SN_VALUE_OWN = 0, /* the validator of the document knows */
    SN_VALUE_NAME,
    SN_VALUE_PROFILES,
    SN_VALUE_ENTRIES,
    SN_VALUE_TIME,
    SN_VALUE_DURATION, /* min to max seconds */
    SN_VALUE_COUNT,    /* min to max */
    SN_VALUE_FLAG,
    SN_VALUE_WORDS, /* a list of words */
    SN_VALUE_PART,  /* a record with fields of its own */
};

/* Words that a list may hold. */
struct sn_schema_words {
    const char *const *items;
    size_t count;
    const char *code;     /* of the finding about another word */
    const char *what;     /* "a weekday" */
    const char *fallback; /* suggestion when no word is near */
};

struct sn_schema;

struct sn_schema_field {
    const char *name;
    enum sn_schema_kind kind;
    bool required; /* for the reference page; the validators say what is missing */
    const struct sn_schema *record;
    size_t max_items;
    const char *form;    /* allowed values, for people */
    const char *meaning; /* one sentence, for people */
    enum sn_schema_value value;
    size_t offset; /* of the value in the struct of its rule; see ruleset.h */
    int64_t min, max;
    const struct sn_schema_words *words;
};

struct sn_schema {
    const char *title;
    const struct sn_schema_field *fields;
    size_t count;
};

/* Field numbers: the order of the tables. */
enum { SN_POLICY_VERSION, SN_POLICY_GROUPS, SN_POLICY_RULES, SN_POLICY_FIELDS };
enum {
    SN_RULE_NAME,
    SN_RULE_EFFECT,
    SN_RULE_BREAK_GLASS,
    SN_RULE_CONDITIONS,
    SN_RULE_REASON,
    SN_RULE_MAX_SERVER_DURATION,
    SN_RULE_SESSION_TABLE,
    SN_RULE_FIELDS
};
enum { SN_COND_PROFILES, SN_COND_USERS, SN_COND_TIME, SN_COND_MODE, SN_COND_DEVICE, SN_COND_FIELDS };
enum { SN_TIME_DAYS, SN_TIME_HOURS, SN_TIME_TIMEZONE, SN_TIME_FIELDS };
enum { SN_HOURS_START, SN_HOURS_END, SN_HOURS_FIELDS };
enum {
    SN_DEVICE_ENCRYPTION,
    SN_DEVICE_MDM,
    SN_DEVICE_MDM_COMPLIANT,
    SN_DEVICE_FIREWALL,
    SN_DEVICE_MIN_OS_VERSION,
    SN_DEVICE_OS_TYPES,
    SN_DEVICE_FIELDS
};
enum {
    SN_APPROVAL_RULE_NAME,
    SN_APPROVAL_RULE_PROFILES,
    SN_APPROVAL_RULE_APPROVERS,
    SN_APPROVAL_RULE_REQUIRED,
    SN_APPROVAL_RULE_SINGLE_USE,
    SN_APPROVAL_RULE_AUTO_APPROVE,
    SN_APPROVAL_RULE_FIELDS
};
enum {
    SN_BREAKGLASS_RULE_NAME,
    SN_BREAKGLASS_RULE_PROFILES,
    SN_BREAKGLASS_RULE_USERS,
    SN_BREAKGLASS_RULE_REVIEWERS,
    SN_BREAKGLASS_RULE_REASON_CODES,
    SN_BREAKGLASS_RULE_TIME,
    SN_BREAKGLASS_RULE_MAX_DURATION,
    SN_BREAKGLASS_RULE_MFA,
    SN_BREAKGLASS_RULE_FIELDS
};
enum {
    SN_RATELIMIT_RULE_NAME,
    SN_RATELIMIT_RULE_PROFILES,
    SN_RATELIMIT_RULE_COOLDOWN,
    SN_RATELIMIT_RULE_MAX_PER_USER,
    SN_RATELIMIT_RULE_MAX_PER_PROFILE,
    SN_RATELIMIT_RULE_QUOTA_WINDOW,
    SN_RATELIMIT_RULE_ESCALATION,
    SN_RATELIMIT_RULE_FIELDS
};
enum { SN_CATALOG_VERSION, SN_CATALOG_PROFILES, SN_CATALOG_FIELDS };
enum {
    SN_PROFILE_ROLE_ARN,
    SN_PROFILE_DESCRIPTION,
    SN_PROFILE_REGION,
    SN_PROFILE_MAX_DURATION,
    SN_PROFILE_EXTERNAL_ID,
    SN_PROFILE_SESSION_POLICY,
    SN_PROFILE_POLICY_ARNS,
    SN_PROFILE_TAGS,
    SN_PROFILE_FIELDS
};
enum {
    SN_POSTURE_ENCRYPTED,
    SN_POSTURE_FIREWALL,
    SN_POSTURE_ENROLLED,
    SN_POSTURE_COMPLIANT,
    SN_POSTURE_OS_TYPE,
    SN_POSTURE_OS_VERSION,
    SN_POSTURE_FIELDS
};
enum {
    SN_TESTS_VERSION,
    SN_TESTS_POLICY,
    SN_TESTS_CATALOG,
    SN_TESTS_VOUCHING_ROLES,
    SN_TESTS_TVM_ACCOUNT,
    SN_TESTS_SESSION_STORE,
    SN_TESTS_POSTURES,
    SN_TESTS_CASES,
    SN_TESTS_FIELDS
};
enum {
    SN_CASE_NAME,
    SN_CASE_PRINCIPAL,
    SN_CASE_PROFILE,
    SN_CASE_TIME,
    SN_CASE_POSTURE,
    SN_CASE_MODE,
    SN_CASE_EXPECT,
    SN_CASE_FIELDS
};
enum {
    SN_EXPECT_EFFECT,
    SN_EXPECT_RULE,
    SN_EXPECT_REASON,
    SN_EXPECT_OVERRIDE,
    SN_EXPECT_MAX_SERVER_DURATION,
    SN_EXPECT_SESSION_TABLE,
    SN_EXPECT_FIELDS
};
enum {
    SN_BOOTSTRAP_POLICY_ROOT,
    SN_BOOTSTRAP_CATALOG_PATH,
    SN_BOOTSTRAP_PROFILES,
    SN_BOOTSTRAP_GENERATE_IAM,
    SN_BOOTSTRAP_REGION,
    SN_BOOTSTRAP_FIELDS
};
enum {
    SN_BOOTSTRAP_PROFILE_NAME,
    SN_BOOTSTRAP_PROFILE_ROLE_ARN,
    SN_BOOTSTRAP_PROFILE_DESCRIPTION,
    SN_BOOTSTRAP_PROFILE_REGION,
    SN_BOOTSTRAP_PROFILE_MAX_DURATION,
    SN_BOOTSTRAP_PROFILE_EXTERNAL_ID,
    SN_BOOTSTRAP_PROFILE_SESSION_POLICY,
    SN_BOOTSTRAP_PROFILE_POLICY_ARNS,
    SN_BOOTSTRAP_PROFILE_TAGS,
    SN_BOOTSTRAP_PROFILE_PARAMETER,
    SN_BOOTSTRAP_PROFILE_POLICY,
    SN_BOOTSTRAP_PROFILE_FIELDS
};
enum { SN_SCHEMA_FIELDS_MAX = 12 };

extern const struct sn_schema sn_schema_policy, sn_schema_rule, sn_schema_conditions, sn_schema_time, sn_schema_hours,
    sn_schema_device, sn_schema_catalog, sn_schema_profile, sn_schema_posture, sn_schema_tests, sn_schema_case,
    sn_schema_expect;

/* Approval, break-glass and rate-limit policies: the fields of their rules go by the tables alone. */
extern const struct sn_schema sn_schema_approval, sn_schema_approval_rule, sn_schema_auto_approve, sn_schema_breakglass,
    sn_schema_breakglass_rule, sn_schema_mfa, sn_schema_ratelimit, sn_schema_ratelimit_rule;

/* The configuration of a first set-up, which has no version. */
extern const struct sn_schema sn_schema_bootstrap, sn_schema_bootstrap_profile;

/* The words of the documents, in the order of their enums. */
extern const char *const sn_rule_effect_words[5];
extern const char *const sn_weekday_words[7];
extern const char *const sn_mode_words[3];
extern const char *const sn_os_type_words[3];
extern const char *const sn_effect_words[3];       /* by enum sn_effect */
extern const char *const sn_override_words[3];     /* by enum sn_override */
extern const char *const sn_entry_prefix_words[3]; /* "arn", "role", "group" */
extern const char *const sn_document_versions[1];
extern const char *const sn_reason_code_words[5]; /* by enum sn_reason_code */
extern const char *const sn_mfa_method_words[2];  /* by enum sn_mfa_method */
extern const struct sn_schema_words sn_schema_weekdays, sn_schema_modes, sn_schema_reason_codes, sn_schema_mfa_methods;

/* The way from the root to a node, built on the stack and turned into text only for a finding. */
struct sn_path {
    const struct sn_path *parent; /* NULL: the root */
    const char *field;            /* a schema name, or NULL */
    struct sn_slice name;         /* a name of a map, when field is NULL and is_index is false */
    size_t index;
    bool is_index;
};
void sn_path_format(struct sn_buf *buf, const struct sn_path *path);

/* Where findings go. */
struct sn_report {
    struct sn_findings *findings;
    struct sn_slice source; /* put before the path, for documents of several texts; may be empty */
};
/* node may be NULL (no position); suggestion may be NULL. The message must hold no text longer than a few hundred
 * bytes; outside text is passed through SN_SHOW, which cuts it. */
void sn_report_add(const struct sn_report *report, enum sn_severity severity, const char *code,
    const struct sn_yaml_node *node, const struct sn_path *path, const char *suggestion, const char *format, ...)
    SN_PRINTF(7, 8);

/* The "%.*s" arguments for text of a document inside a message: at most SN_SHOW_MAX bytes of it. */
enum { SN_SHOW_MAX = 80 };
#define SN_SHOW(slice) (int)((slice).len > SN_SHOW_MAX ? SN_SHOW_MAX : (slice).len), ((slice).ptr ? (slice).ptr : "")

/* Parses text and checks it against schema. Anything wrong is a finding; false if there was any, *out_root is set
 * otherwise. */
bool sn_schema_read(const struct sn_schema *schema, struct sn_slice text, const char *document_word,
    const struct sn_yaml_limits *limits, struct sn_arena *arena, const struct sn_report *report,
    struct sn_yaml_node **out_root);

/* Checks a tree that is part of another document, such as a file of another kind; true when nothing was wrong. */
bool sn_schema_check(const struct sn_schema *schema, const struct sn_report *report, const struct sn_yaml_node *node,
    const struct sn_path *path);

/* Fills nodes[field number] of a checked mapping; NULL where absent. nodes has schema->count places. */
void sn_schema_bind(
    const struct sn_schema *schema, const struct sn_yaml_node *mapping, const struct sn_yaml_node **nodes);

/* "did you mean 'x'?" for a word near one of words, else fallback; written to out. */
const char *sn_suggest_word(
    char *out, size_t out_size, struct sn_slice word, const char *const *words, size_t count, const char *fallback);

#endif

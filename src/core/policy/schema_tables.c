/* SPDX-License-Identifier: Apache-2.0 */
/* core/policy/schema_tables.c - the document schemas and their words; see schema.h. */
#include "core/policy/limits.h"
#include "core/policy/schema.h"

const char *const sn_rule_effect_words[5] = {
    "allow", "deny", "require_approval", "require_server", "require_server_session"};
const char *const sn_weekday_words[7] = {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};
const char *const sn_mode_words[3] = {"server", "cli", "credential_process"};
const char *const sn_os_type_words[3] = {"darwin", "windows", "linux"};
const char *const sn_effect_words[3] = {"deny", "allow", "require_approval"};
const char *const sn_override_words[3] = {"none", "breakglass", "approval_or_breakglass"};
const char *const sn_entry_prefix_words[3] = {"arn", "role", "group"};
const char *const sn_document_versions[1] = {"1"};
const struct sn_schema_words sn_schema_weekdays = {
    sn_weekday_words, SN_LEN(sn_weekday_words), "weekday", "a weekday", "full lowercase names: monday to sunday"};
const struct sn_schema_words sn_schema_modes = {
    sn_mode_words, SN_LEN(sn_mode_words), "mode", "a mode", "one of server, cli, credential_process"};

/* clang-format off */
static const struct sn_schema_field hours_fields[] = {
    [SN_HOURS_START] = {.name = "start", .kind = SN_SCHEMA_TEXT, .required = true, .form = "`HH:MM`, 00:00 to 23:59",
        .meaning = "First minute of the window. A start after the end makes a window that runs over midnight."},
    [SN_HOURS_END] = {.name = "end", .kind = SN_SCHEMA_TEXT, .required = true, .form = "`HH:MM`, or `24:00`",
        .meaning = "First minute after the window; it must differ from the start."},
};
const struct sn_schema sn_schema_hours = {"Hours (`hours`)", hours_fields, SN_LEN(hours_fields)};

static const struct sn_schema_field time_fields[] = {
    [SN_TIME_DAYS] = {.name = "days", .kind = SN_SCHEMA_LIST, .max_items = SN_POLICY_MAX_LIST,
        .form = "`monday` to `sunday`",
        .meaning = "Days on which the window begins, in its own zone. Without it every day."},
    [SN_TIME_HOURS] = {.name = "hours", .kind = SN_SCHEMA_RECORD, .record = &sn_schema_hours,
        .form = "mapping with `start` and `end`", .meaning = "Hours of the day. Without it the whole day."},
    [SN_TIME_TIMEZONE] = {.name = "timezone", .kind = SN_SCHEMA_TEXT, .form = "IANA zone name, such as `Europe/Berlin`",
        .meaning = "The zone whose wall clock counts. Without it UTC, whatever the host is set to."},
};
const struct sn_schema sn_schema_time = {"Time window (`time`)", time_fields, SN_LEN(time_fields)};

static const struct sn_schema_field device_fields[] = {
    [SN_DEVICE_ENCRYPTION] = {.name = "require_encryption", .kind = SN_SCHEMA_BOOL, .form = "`true` or `false`",
        .meaning = "The disk is known to be encrypted."},
    [SN_DEVICE_MDM] = {.name = "require_mdm", .kind = SN_SCHEMA_BOOL, .form = "`true` or `false`",
        .meaning = "The device is known to be enrolled in device management."},
    [SN_DEVICE_MDM_COMPLIANT] = {.name = "require_mdm_compliant", .kind = SN_SCHEMA_BOOL, .form = "`true` or `false`",
        .meaning = "The device is known to be compliant, and known to be enrolled."},
    [SN_DEVICE_FIREWALL] = {.name = "require_firewall", .kind = SN_SCHEMA_BOOL, .form = "`true` or `false`",
        .meaning = "The firewall is known to be on."},
    [SN_DEVICE_MIN_OS_VERSION] = {.name = "min_os_version", .kind = SN_SCHEMA_TEXT,
        .form = "version such as `14.2`: letters, digits, `.`, `+`, `-`, with at least one digit",
        .meaning = "The known version of the operating system is this or a later one."},
    [SN_DEVICE_OS_TYPES] = {.name = "allowed_os_types", .kind = SN_SCHEMA_LIST, .max_items = SN_POLICY_MAX_LIST,
        .form = "`darwin`, `windows`, `linux`, in any case",
        .meaning = "The operating system is one of these."},
};
const struct sn_schema sn_schema_device = {"Device (`device`)", device_fields, SN_LEN(device_fields)};

static const struct sn_schema_field condition_fields[] = {
    [SN_COND_PROFILES] = {.name = "profiles", .kind = SN_SCHEMA_LIST, .max_items = SN_POLICY_MAX_LIST,
        .form = "catalogue names, no wildcards", .meaning = "The requested profile is one of these, byte for byte."},
    [SN_COND_USERS] = {.name = "users", .kind = SN_SCHEMA_LIST, .max_items = SN_POLICY_MAX_LIST,
        .form = "entries: `NAME`, `arn:...`, `role:NAME`, `group:NAME`", .meaning = "The caller matches one entry."},
    [SN_COND_TIME] = {.name = "time", .kind = SN_SCHEMA_RECORD, .record = &sn_schema_time,
        .form = "mapping with `days`, `hours` or both",
        .meaning = "The instant of the request falls inside the window."},
    [SN_COND_MODE] = {.name = "mode", .kind = SN_SCHEMA_LIST, .max_items = SN_POLICY_MAX_LIST,
        .form = "`server`, `cli`, `credential_process`",
        .meaning = "The mode of the request is listed. The server always evaluates as `server`."},
    [SN_COND_DEVICE] = {.name = "device", .kind = SN_SCHEMA_RECORD, .record = &sn_schema_device,
        .form = "mapping, not empty",
        .meaning = "The device posture, as device management reports it, meets every requirement."},
};
const struct sn_schema sn_schema_conditions = {"Conditions (`conditions`)", condition_fields, SN_LEN(condition_fields)};

static const struct sn_schema_field rule_fields[] = {
    [SN_RULE_NAME] = {.name = "name", .kind = SN_SCHEMA_TEXT, .required = true,
        .form = "1 to 128 printable bytes, unique in the document", .meaning = "Shows up in the log and in `explain`."},
    [SN_RULE_EFFECT] = {.name = "effect", .kind = SN_SCHEMA_TEXT, .required = true,
        .form = "`allow`, `deny`, `require_approval`, `require_server`, `require_server_session`",
        .meaning = "What a request gets that this rule is the first to match."},
    [SN_RULE_BREAK_GLASS] = {.name = "break_glass", .kind = SN_SCHEMA_TEXT, .form = "`never`, on a `deny` rule only",
        .meaning = "Makes the denial final: not even emergency access turns it."},
    [SN_RULE_CONDITIONS] = {.name = "conditions", .kind = SN_SCHEMA_RECORD, .required = true,
        .record = &sn_schema_conditions,
        .form = "mapping with `profiles`, `users` or `time`; `{}` on a `deny` or `require_approval` rule",
        .meaning = "What must hold, all of it, for the rule to match."},
    [SN_RULE_REASON] = {.name = "reason", .kind = SN_SCHEMA_TEXT, .form = "at most 512 bytes, one line",
        .meaning = "Told to the caller who is denied, and logged."},
    [SN_RULE_MAX_SERVER_DURATION] = {.name = "max_server_duration", .kind = SN_SCHEMA_TEXT,
        .form = "duration, `15m` to `12h`", .meaning = "Longest life of the credentials that this rule issues.",
        .value = SN_VALUE_DURATION, .min = SN_POLICY_MIN_SESSION_S, .max = SN_POLICY_MAX_SESSION_S},
    [SN_RULE_SESSION_TABLE] = {.name = "session_table", .kind = SN_SCHEMA_TEXT,
        .form = "3 to 255 letters, digits, `_`, `.`, `-`",
        .meaning = "DynamoDB table in which sessions of this rule are recorded. No effect with the embedded store."},
};
const struct sn_schema sn_schema_rule = {"Rule (an item of `rules`)", rule_fields, SN_LEN(rule_fields)};

static const struct sn_schema_field policy_fields[] = {
    [SN_POLICY_VERSION] = {.name = "version", .kind = SN_SCHEMA_TEXT, .required = true, .form = "`\"1\"`",
        .meaning = "Version of the schema."},
    [SN_POLICY_GROUPS] = {.name = "groups", .kind = SN_SCHEMA_LIST_MAP, .max_items = SN_POLICY_MAX_GROUPS,
        .form = "mapping of 1 to 200 group names to lists of 1 to 1000 entries",
        .meaning = "Named lists for use as `group:NAME` in this document. Groups do not nest."},
    [SN_POLICY_RULES] = {.name = "rules", .kind = SN_SCHEMA_RECORD_LIST, .required = true, .record = &sn_schema_rule,
        .max_items = SN_POLICY_MAX_RULES, .form = "list of 1 to 10000 rules",
        .meaning = "Read in order; the first rule that matches decides. No match is a denial."},
};
const struct sn_schema sn_schema_policy = {"Access policy", policy_fields, SN_LEN(policy_fields)};

static const struct sn_schema_field profile_fields[] = {
    [SN_PROFILE_ROLE_ARN] = {.name = "role_arn", .kind = SN_SCHEMA_TEXT, .required = true,
        .form = "`arn:PARTITION:iam::ACCOUNT:role/[PATH/]NAME`", .meaning = "The role that the profile stands for."},
    [SN_PROFILE_DESCRIPTION] = {.name = "description", .kind = SN_SCHEMA_TEXT,
        .form = "at most 256 bytes, one printable line", .meaning = "Shown by `sentinel profiles`."},
    [SN_PROFILE_REGION] = {.name = "region", .kind = SN_SCHEMA_TEXT, .form = "region name such as `eu-west-1`",
        .meaning = "Default region handed to the client. It restricts nothing."},
    [SN_PROFILE_MAX_DURATION] = {.name = "max_duration", .kind = SN_SCHEMA_TEXT, .form = "duration, `15m` to `12h`",
        .meaning = "Longest life of credentials for this profile, whichever rule issues them.",
        .value = SN_VALUE_DURATION, .min = SN_POLICY_MIN_SESSION_S, .max = SN_POLICY_MAX_SESSION_S},
    [SN_PROFILE_EXTERNAL_ID] = {.name = "external_id", .kind = SN_SCHEMA_TEXT,
        .form = "2 to 1224 letters, digits, `_+=,.@:/-`", .meaning = "Sent to STS as ExternalId."},
    [SN_PROFILE_SESSION_POLICY] = {.name = "session_policy", .kind = SN_SCHEMA_TEXT,
        .form = "an IAM policy as JSON text; minified, with the texts of `policy_arns`, at most 1900 bytes",
        .meaning = "Narrows what the session may do."},
    [SN_PROFILE_POLICY_ARNS] = {.name = "policy_arns", .kind = SN_SCHEMA_LIST, .max_items = SN_CATALOG_MAX_POLICY_ARNS,
        .form = "1 to 10 ARNs of managed policies", .meaning = "Managed policies that narrow the session."},
    [SN_PROFILE_TAGS] = {.name = "tags", .kind = SN_SCHEMA_TEXT_MAP, .max_items = SN_CATALOG_MAX_TAGS,
        .form = "mapping of 1 to 48 keys to values of letters, digits, space, `_.:/=+-@`",
        .meaning = "Session tags. No key begins with `aws:` or `sentinel`; keys are unique ignoring case."},
};
const struct sn_schema sn_schema_profile = {"Profile (a value of `profiles`)", profile_fields, SN_LEN(profile_fields)};

static const struct sn_schema_field catalog_fields[] = {
    [SN_CATALOG_VERSION] = {.name = "version", .kind = SN_SCHEMA_TEXT, .required = true, .form = "`\"1\"`",
        .meaning = "Version of the schema."},
    [SN_CATALOG_PROFILES] = {.name = "profiles", .kind = SN_SCHEMA_RECORD_MAP, .required = true,
        .record = &sn_schema_profile, .max_items = SN_CATALOG_MAX_PROFILES,
        .form = "mapping of 1 to 10000 profile names to profiles",
        .meaning = "What can be asked for. A name stands for one role, in all texts of the catalogue together."},
};
const struct sn_schema sn_schema_catalog = {"Catalogue", catalog_fields, SN_LEN(catalog_fields)};
static const struct sn_schema_field posture_fields[] = {
    [SN_POSTURE_ENCRYPTED] = {.name = "disk_encrypted", .kind = SN_SCHEMA_BOOL, .form = "`true` or `false`",
        .meaning = "Whether the disk is encrypted; absent is unknown, which meets no requirement."},
    [SN_POSTURE_FIREWALL] = {.name = "firewall_enabled", .kind = SN_SCHEMA_BOOL, .form = "`true` or `false`",
        .meaning = "Whether the firewall is on."},
    [SN_POSTURE_ENROLLED] = {.name = "mdm_enrolled", .kind = SN_SCHEMA_BOOL, .form = "`true` or `false`",
        .meaning = "Whether the device is enrolled."},
    [SN_POSTURE_COMPLIANT] = {.name = "mdm_compliant", .kind = SN_SCHEMA_BOOL, .form = "`true` or `false`",
        .meaning = "Whether the device management calls it compliant."},
    [SN_POSTURE_OS_TYPE] = {.name = "os_type", .kind = SN_SCHEMA_TEXT, .form = "text",
        .meaning = "The operating system, such as `darwin`."},
    [SN_POSTURE_OS_VERSION] = {.name = "os_version", .kind = SN_SCHEMA_TEXT, .form = "text",
        .meaning = "Its version, such as `14.4`."},
};
const struct sn_schema sn_schema_posture = {"Device posture", posture_fields, SN_LEN(posture_fields)};

static const struct sn_schema_field expect_fields[] = {
    [SN_EXPECT_EFFECT] = {.name = "effect", .kind = SN_SCHEMA_TEXT, .required = true,
        .form = "`allow`, `deny` or `require_approval`", .meaning = "The result of the policy."},
    [SN_EXPECT_RULE] = {.name = "rule", .kind = SN_SCHEMA_TEXT, .form = "the name of a rule, or `\"\"`",
        .meaning = "The rule that decides; empty for the denial when no rule matches."},
    [SN_EXPECT_REASON] = {.name = "reason", .kind = SN_SCHEMA_TEXT, .form = "text", .meaning = "The reason given."},
    [SN_EXPECT_OVERRIDE] = {.name = "override", .kind = SN_SCHEMA_TEXT,
        .form = "`none`, `breakglass` or `approval_or_breakglass`", .meaning = "What could turn the result."},
    [SN_EXPECT_MAX_SERVER_DURATION] = {.name = "max_server_duration", .kind = SN_SCHEMA_TEXT, .form = "duration",
        .meaning = "The cap of the deciding rule; `0s` for none."},
    [SN_EXPECT_SESSION_TABLE] = {.name = "session_table", .kind = SN_SCHEMA_TEXT, .form = "text",
        .meaning = "Where the session would be recorded."},
};
const struct sn_schema sn_schema_expect = {"Expectation (`expect`)", expect_fields, SN_LEN(expect_fields)};

static const struct sn_schema_field case_fields[] = {
    [SN_CASE_NAME] = {.name = "name", .kind = SN_SCHEMA_TEXT, .required = true, .form = "text",
        .meaning = "What the case shows; unique in the file."},
    [SN_CASE_PRINCIPAL] = {.name = "principal", .kind = SN_SCHEMA_TEXT_OR_LIST, .required = true,
        .max_items = SN_POLICY_MAX_LIST, .form = "a caller ARN or a name, or a list of them",
        .meaning = "Who asks. A name is the vouched IAM user of that name in the account of the server."},
    [SN_CASE_PROFILE] = {.name = "profile", .kind = SN_SCHEMA_TEXT_OR_LIST, .required = true,
        .max_items = SN_POLICY_MAX_LIST, .form = "a profile, or a list of them", .meaning = "What is asked for."},
    [SN_CASE_TIME] = {.name = "time", .kind = SN_SCHEMA_TEXT_OR_LIST, .max_items = SN_POLICY_MAX_LIST,
        .form = "RFC 3339, or a list", .meaning = "When; needed where a rule with a time window is reached."},
    [SN_CASE_POSTURE] = {.name = "posture", .kind = SN_SCHEMA_ANY,
        .form = "a name of `postures`, `none`, a mapping, or a list of these",
        .meaning = "What is known of the device; absent is nothing."},
    [SN_CASE_MODE] = {.name = "mode", .kind = SN_SCHEMA_TEXT, .form = "`server`, `cli` or `credential_process`",
        .meaning = "How it is asked; `server` unless given."},
    [SN_CASE_EXPECT] = {.name = "expect", .kind = SN_SCHEMA_RECORD, .required = true, .record = &sn_schema_expect,
        .form = "mapping", .meaning = "What must come out. Only what is written is compared."},
};
const struct sn_schema sn_schema_case = {"Test case (`cases`)", case_fields, SN_LEN(case_fields)};

static const struct sn_schema_field tests_fields[] = {
    [SN_TESTS_VERSION] = {.name = "version", .kind = SN_SCHEMA_TEXT, .required = true, .form = "`\"1\"`",
        .meaning = "The version of this language."},
    [SN_TESTS_POLICY] = {.name = "policy", .kind = SN_SCHEMA_TEXT, .form = "file",
        .meaning = "The policy, relative to this file; `NAME.yaml` for `NAME.test.yaml` unless given."},
    [SN_TESTS_CATALOG] = {.name = "catalog", .kind = SN_SCHEMA_TEXT_OR_LIST, .max_items = SN_TESTS_MAX_CATALOGS,
        .form = "file, or a list", .meaning = "The catalogue; every profile of a case must be in it then."},
    [SN_TESTS_VOUCHING_ROLES] = {.name = "vouching_roles", .kind = SN_SCHEMA_LIST, .max_items = SN_POLICY_MAX_LIST,
        .form = "list of role names with `*` and `?`", .meaning = "Roles whose session names are vouched for."},
    [SN_TESTS_TVM_ACCOUNT] = {.name = "tvm_account", .kind = SN_SCHEMA_TEXT, .form = "12 digits",
        .meaning = "The account of the server; that of the IAM users that occur unless given."},
    [SN_TESTS_SESSION_STORE] = {.name = "session_store", .kind = SN_SCHEMA_TEXT, .form = "name, or `none`",
        .meaning = "Where the server records sessions; `sessions` unless given."},
    [SN_TESTS_POSTURES] = {.name = "postures", .kind = SN_SCHEMA_RECORD_MAP, .max_items = SN_POLICY_MAX_LIST,
        .record = &sn_schema_posture, .form = "names to postures", .meaning = "Devices that cases speak of."},
    [SN_TESTS_CASES] = {.name = "cases", .kind = SN_SCHEMA_RECORD_LIST, .required = true,
        .max_items = SN_TESTS_MAX_CASES, .record = &sn_schema_case, .form = "list", .meaning = "The cases."},
};
const struct sn_schema sn_schema_tests = {"Test file", tests_fields, SN_LEN(tests_fields)};
/* clang-format on */

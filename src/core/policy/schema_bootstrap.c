/* SPDX-License-Identifier: Apache-2.0 */
/* core/policy/schema_bootstrap.c - the schema of the configuration of a first set-up; see schema.h. */
#include "core/policy/limits.h"
#include "core/policy/schema.h"

/* clang-format off */
static const struct sn_schema_field profile_fields[] = {
    [SN_BOOTSTRAP_PROFILE_NAME] = {.name = "name", .kind = SN_SCHEMA_TEXT, .required = true,
        .form = "1 to 64 letters, digits, `_`, `-`", .meaning = "The profile's name in the catalogue."},
    [SN_BOOTSTRAP_PROFILE_ROLE_ARN] = {.name = "role_arn", .kind = SN_SCHEMA_TEXT,
        .form = "`arn:PARTITION:iam::ACCOUNT:role/[PATH/]NAME`",
        .meaning = "The role that the profile stands for; `SentinelProtected-NAME` of the account unless given."},
    [SN_BOOTSTRAP_PROFILE_DESCRIPTION] = {.name = "description", .kind = SN_SCHEMA_TEXT,
        .form = "at most 256 bytes, one printable line", .meaning = "As in the catalogue, like the fields below."},
    [SN_BOOTSTRAP_PROFILE_REGION] = {.name = "region", .kind = SN_SCHEMA_TEXT, .form = "region name such as `eu-west-1`",
        .meaning = "Default region handed to the client."},
    [SN_BOOTSTRAP_PROFILE_MAX_DURATION] = {.name = "max_duration", .kind = SN_SCHEMA_TEXT,
        .form = "duration, `15m` to `12h`", .meaning = "Longest life of credentials for this profile.",
        .value = SN_VALUE_DURATION, .min = SN_POLICY_MIN_SESSION_S, .max = SN_POLICY_MAX_SESSION_S},
    [SN_BOOTSTRAP_PROFILE_EXTERNAL_ID] = {.name = "external_id", .kind = SN_SCHEMA_TEXT,
        .form = "2 to 1224 letters, digits, `_+=,.@:/-`", .meaning = "Sent to STS as ExternalId."},
    [SN_BOOTSTRAP_PROFILE_SESSION_POLICY] = {.name = "session_policy", .kind = SN_SCHEMA_TEXT,
        .form = "an IAM policy as JSON text", .meaning = "Narrows what the session may do."},
    [SN_BOOTSTRAP_PROFILE_POLICY_ARNS] = {.name = "policy_arns", .kind = SN_SCHEMA_LIST,
        .max_items = SN_CATALOG_MAX_POLICY_ARNS, .form = "1 to 10 ARNs of managed policies",
        .meaning = "Managed policies that narrow the session."},
    [SN_BOOTSTRAP_PROFILE_TAGS] = {.name = "tags", .kind = SN_SCHEMA_TEXT_MAP, .max_items = SN_CATALOG_MAX_TAGS,
        .form = "mapping of 1 to 48 keys to values", .meaning = "Session tags."},
    [SN_BOOTSTRAP_PROFILE_PARAMETER] = {.name = "policy_parameter_name", .kind = SN_SCHEMA_TEXT,
        .form = "a parameter's name", .meaning = "Where its policy goes; below `policy_root` unless given."},
    [SN_BOOTSTRAP_PROFILE_POLICY] = {.name = "initial_policy", .kind = SN_SCHEMA_TEXT,
        .form = "the text of an access policy", .meaning = "Its policy; one that denies everything unless given."},
};
const struct sn_schema sn_schema_bootstrap_profile = {
    "Bootstrap profile (an item of `profiles`)", profile_fields, SN_LEN(profile_fields)};

static const struct sn_schema_field bootstrap_fields[] = {
    [SN_BOOTSTRAP_POLICY_ROOT] = {.name = "policy_root", .kind = SN_SCHEMA_TEXT,
        .form = "path of letters, digits, `_`, `-`", .meaning = "Where policies go; `/sentinel/policies` unless given."},
    [SN_BOOTSTRAP_CATALOG_PATH] = {.name = "catalog_path", .kind = SN_SCHEMA_TEXT,
        .form = "path of letters, digits, `_`, `-`, neither above nor below `policy_root`",
        .meaning = "Where the catalogue goes; `/sentinel/catalog` unless given."},
    [SN_BOOTSTRAP_PROFILES] = {.name = "profiles", .kind = SN_SCHEMA_RECORD_LIST, .required = true,
        .record = &sn_schema_bootstrap_profile, .max_items = SN_BOOTSTRAP_MAX_PROFILES,
        .form = "list of 1 to 1000 profiles", .meaning = "What can be asked for in the beginning."},
    [SN_BOOTSTRAP_GENERATE_IAM] = {.name = "generate_iam_policies", .kind = SN_SCHEMA_BOOL, .form = "`true` or `false`",
        .meaning = "IAM policies for readers and writers of the parameters are wanted."},
    [SN_BOOTSTRAP_REGION] = {.name = "region", .kind = SN_SCHEMA_TEXT, .form = "region name such as `eu-west-1`",
        .meaning = "Where the parameters are."},
};
const struct sn_schema sn_schema_bootstrap = {
    "Bootstrap configuration", bootstrap_fields, SN_LEN(bootstrap_fields)};
/* clang-format on */

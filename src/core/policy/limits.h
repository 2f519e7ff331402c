/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/limits.h - every limit of the document parsers, the validator and the zone reader.
 */
#ifndef SN_CORE_POLICY_LIMITS_H
#define SN_CORE_POLICY_LIMITS_H

enum {
    SN_POLICY_MAX_BYTES = 1024 * 1024,
    SN_POLICY_MAX_RULES = 10000,
    SN_POLICY_MAX_GROUPS = 200,
    SN_POLICY_CLASS_GROUPS_MAX = SN_POLICY_MAX_GROUPS, /* groups that one caller name may be in */
    SN_POLICY_MAX_LIST = 1000,                         /* entries of one list or group */
    SN_POLICY_MAX_ENTRY = 256,                         /* bytes of an entry */
    SN_POLICY_MAX_ENTRY_ARN = 2048,                    /* bytes of an entry that is an ARN */
    SN_POLICY_MAX_RULE_NAME = 128,
    SN_POLICY_MAX_REASON = 512,
    SN_POLICY_MAX_USER_NAME = 64,
    SN_POLICY_MAX_GROUP_NAME = 64,
    SN_POLICY_MIN_SESSION_S = 900,    /* STS refuses less */
    SN_POLICY_MAX_SESSION_S = 43200,  /* and more */
    SN_POLICY_LONG_SESSION_S = 3600,  /* role chaining is capped here by STS */
    SN_POLICY_MAX_VERSION_DIGITS = 9, /* of one part of an operating system version */
    SN_POLICY_MIN_TABLE_NAME = 3,
    SN_POLICY_MAX_TABLE_NAME = 255,

    SN_APPROVAL_MAX_PEOPLE = 1000,
    SN_APPROVAL_MAX_IDENTITIES = 50, /* of one person */
    SN_APPROVAL_MAX_REQUIRED = 10,
    SN_APPROVAL_MAX_REQUEST_S = 8 * 3600,
    SN_BREAKGLASS_MAX_S = 4 * 3600,
    SN_QUOTA_MAX_S = 720 * 3600, /* cooldown and quota window */
    SN_QUOTA_MAX_EVENTS = 500,
    SN_QUOTA_SHORT_COOLDOWN_S = 60,

    SN_CATALOG_MAX_PROFILES = 10000,
    SN_CATALOG_MAX_SOURCES = 10001,
    SN_CATALOG_MIN_ROLE_ARN = 20,
    SN_CATALOG_MAX_ROLE_ARN = 2048,
    SN_CATALOG_MAX_DESCRIPTION = 256,
    SN_CATALOG_MIN_EXTERNAL_ID = 2,
    SN_CATALOG_MAX_EXTERNAL_ID = 1224,
    SN_CATALOG_MAX_POLICY_ARNS = 10,
    SN_CATALOG_MAX_TAGS = 48, /* STS takes 50; two are Sentinel's own */
    SN_CATALOG_MAX_TAG_KEY = 128,
    SN_CATALOG_MAX_TAG_VALUE = 256,
    SN_CATALOG_MAX_SESSION_POLICY = 1900,           /* minified, with the texts of policy_arns; STS takes 2048 */
    SN_CATALOG_MAX_SESSION_POLICY_TEXT = 16 * 1024, /* as written, before white space is dropped */

    SN_BOOTSTRAP_MAX_NAME = 64, /* of a profile */
    SN_BOOTSTRAP_MAX_ROOT = 512,
    SN_BOOTSTRAP_MAX_LEVELS = 14,
    SN_BOOTSTRAP_MAX_PROFILES = 1000,

    SN_TESTS_MAX_CASES = 5000, /* of one file */
    SN_TESTS_MAX_RUNS = 1000,  /* of one case */
    SN_TESTS_MAX_CATALOGS = 32,

    SN_TZ_MAX_BYTES = 64 * 1024,
    SN_TZ_MAX_NAME = 64,
    SN_TZ_MAX_TRANSITIONS = 4096,
    SN_TZ_MAX_TYPES = 256,
    SN_TZ_MAX_FOOTER = 128,

    SN_TRACE_OPENING_DAYS = 366, /* how far ahead the next opening of a window is looked for */
};

#endif

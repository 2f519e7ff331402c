/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/policy_internal.h - the parsed form of a policy document, shared by its reader and its evaluator.
 */
#ifndef SN_LAB_POLICY_INTERNAL_H
#define SN_LAB_POLICY_INTERNAL_H

#include "base/arena.h"
#include "lab/policy.h"

enum sn_lab_test {
    SN_LAB_TEST_STRING_EQUALS,
    SN_LAB_TEST_STRING_EQUALS_NOCASE,
    SN_LAB_TEST_STRING_LIKE,
    SN_LAB_TEST_ARN_LIKE,
    SN_LAB_TEST_NUMBER_EQUALS,
    SN_LAB_TEST_NUMBER_LESS,
    SN_LAB_TEST_NUMBER_LESS_EQUALS,
    SN_LAB_TEST_NUMBER_GREATER,
    SN_LAB_TEST_NUMBER_GREATER_EQUALS,
    SN_LAB_TEST_DATE_EQUALS,
    SN_LAB_TEST_DATE_LESS,
    SN_LAB_TEST_DATE_LESS_EQUALS,
    SN_LAB_TEST_DATE_GREATER,
    SN_LAB_TEST_DATE_GREATER_EQUALS,
    SN_LAB_TEST_BOOL,
    SN_LAB_TEST_NULL,
};

enum sn_lab_quantifier { SN_LAB_ONE_VALUE, SN_LAB_ALL_VALUES, SN_LAB_ANY_VALUE };

struct sn_lab_list {
    struct sn_slice *items;
    size_t count;
};

struct sn_lab_condition {
    enum sn_lab_test test;
    enum sn_lab_quantifier quantifier;
    bool negated;
    bool if_exists;
    struct sn_slice key;
    struct sn_lab_list values;
};

struct sn_lab_statement {
    bool is_allow;
    bool has_principal;
    bool not_principal;
    bool everybody; /* "*" among the principals */
    struct sn_lab_list principals;
    bool not_action;
    struct sn_lab_list actions;
    bool not_resource;
    struct sn_lab_list resources; /* empty in trust policies */
    struct sn_lab_condition *conditions;
    size_t condition_count;
};

struct sn_lab_policy {
    _Atomic unsigned references;
    struct sn_arena arena;
    struct sn_slice text;
    struct sn_lab_statement *statements;
    size_t count;
};

/* Seconds since 1970 from RFC 3339 text or a plain number of seconds. */
bool sn_lab_parse_date(struct sn_slice text, int64_t *out_unix_s);

#endif

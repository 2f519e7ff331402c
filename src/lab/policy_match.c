/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/policy_match.c - does a statement match a request, and what does the document say of it.
 */
#include "base/parse.h"
#include "lab/policy.h"
#include "lab/policy_internal.h"

static char fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool sn_lab_wildcard(struct sn_slice text, struct sn_slice pattern, bool nocase)
{
    size_t t = 0;
    size_t p = 0;
    size_t star = SIZE_MAX; /* place behind the last '*' seen */
    size_t retry = 0;       /* where its run ends for now */
    while (t < text.len) {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = ++p;
            retry = t;
        } else if (p < pattern.len && (pattern.ptr[p] == '?' || pattern.ptr[p] == text.ptr[t] ||
                                          (nocase && fold(pattern.ptr[p]) == fold(text.ptr[t])))) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star;
            t = ++retry;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*') {
        p++;
    }
    return p == pattern.len;
}

void sn_lab_facts_add(struct sn_lab_facts *facts, struct sn_slice key, struct sn_slice value)
{
    SN_ASSERT(facts->count < SN_LAB_MAX_FACTS);
    facts->facts[facts->count++] = (struct sn_lab_fact){.key = key, .one = value, .count = 1};
}

void sn_lab_facts_add_list(struct sn_lab_facts *facts, struct sn_slice key, const struct sn_slice *values, size_t count)
{
    SN_ASSERT(facts->count < SN_LAB_MAX_FACTS);
    if (count > 0) {
        facts->facts[facts->count++] = (struct sn_lab_fact){.key = key, .values = values, .count = count};
    }
}

static const struct sn_lab_fact *find_fact(const struct sn_lab_facts *facts, struct sn_slice key)
{
    for (size_t i = 0; facts != NULL && i < facts->count; i++) {
        if (sn_slice_eq_nocase(facts->facts[i].key, key)) {
            return &facts->facts[i];
        }
    }
    return NULL;
}

static bool compare(enum sn_lab_test test, int64_t have, int64_t want)
{
    switch (test) {
    case SN_LAB_TEST_NUMBER_EQUALS:
    case SN_LAB_TEST_DATE_EQUALS:
        return have == want;
    case SN_LAB_TEST_NUMBER_LESS:
    case SN_LAB_TEST_DATE_LESS:
        return have < want;
    case SN_LAB_TEST_NUMBER_LESS_EQUALS:
    case SN_LAB_TEST_DATE_LESS_EQUALS:
        return have <= want;
    case SN_LAB_TEST_NUMBER_GREATER:
    case SN_LAB_TEST_DATE_GREATER:
        return have > want;
    case SN_LAB_TEST_NUMBER_GREATER_EQUALS:
    case SN_LAB_TEST_DATE_GREATER_EQUALS:
        return have >= want;
    case SN_LAB_TEST_STRING_EQUALS:
    case SN_LAB_TEST_STRING_EQUALS_NOCASE:
    case SN_LAB_TEST_STRING_LIKE:
    case SN_LAB_TEST_ARN_LIKE:
    case SN_LAB_TEST_BOOL:
    case SN_LAB_TEST_NULL:
        break;
    }
    return false;
}

/* ARNs are matched part by part: a '*' does not run over a colon, except in the last part. */
static bool arn_like(struct sn_slice text, struct sn_slice pattern)
{
    for (int part = 0; part < 5; part++) {
        struct sn_slice text_part = {0};
        struct sn_slice pattern_part = {0};
        if (!sn_slice_cut(text, ':', &text_part, &text) || !sn_slice_cut(pattern, ':', &pattern_part, &pattern) ||
            !sn_lab_wildcard(text_part, pattern_part, false)) {
            return false;
        }
    }
    return sn_lab_wildcard(text, pattern, false);
}

static bool value_matches(enum sn_lab_test test, struct sn_slice have, struct sn_slice want)
{
    struct sn_error ignored = {0};
    int64_t left = 0;
    int64_t right = 0;
    switch (test) {
    case SN_LAB_TEST_STRING_EQUALS:
        return sn_slice_eq(have, want);
    case SN_LAB_TEST_STRING_EQUALS_NOCASE:
    case SN_LAB_TEST_BOOL:
        return sn_slice_eq_nocase(have, want);
    case SN_LAB_TEST_STRING_LIKE:
        return sn_lab_wildcard(have, want, false);
    case SN_LAB_TEST_ARN_LIKE:
        return arn_like(have, want);
    case SN_LAB_TEST_NUMBER_EQUALS:
    case SN_LAB_TEST_NUMBER_LESS:
    case SN_LAB_TEST_NUMBER_LESS_EQUALS:
    case SN_LAB_TEST_NUMBER_GREATER:
    case SN_LAB_TEST_NUMBER_GREATER_EQUALS:
        return sn_parse_int(have, INT64_MIN, INT64_MAX, &left, &ignored) == SN_OK &&
               sn_parse_int(want, INT64_MIN, INT64_MAX, &right, &ignored) == SN_OK && compare(test, left, right);
    case SN_LAB_TEST_DATE_EQUALS:
    case SN_LAB_TEST_DATE_LESS:
    case SN_LAB_TEST_DATE_LESS_EQUALS:
    case SN_LAB_TEST_DATE_GREATER:
    case SN_LAB_TEST_DATE_GREATER_EQUALS:
        return sn_lab_parse_date(have, &left) && sn_lab_parse_date(want, &right) && compare(test, left, right);
    case SN_LAB_TEST_NULL:
        break;
    }
    return false;
}

/* One value of the request against all values of the policy: they are alternatives, and a negated test wants none. */
static bool value_satisfies(const struct sn_lab_condition *condition, struct sn_slice have)
{
    for (size_t i = 0; i < condition->values.count; i++) {
        if (value_matches(condition->test, have, condition->values.items[i])) {
            return !condition->negated;
        }
    }
    return condition->negated;
}

static bool condition_holds(const struct sn_lab_condition *condition, const struct sn_lab_facts *facts)
{
    const struct sn_lab_fact *fact = find_fact(facts, condition->key);
    if (condition->test == SN_LAB_TEST_NULL) {
        return sn_slice_eq_nocase(condition->values.items[0], SN_S("true")) == (fact == NULL);
    }
    if (fact == NULL) {
        if (condition->if_exists || condition->quantifier == SN_LAB_ALL_VALUES) {
            return true;
        }
        return condition->quantifier == SN_LAB_ONE_VALUE && condition->negated;
    }
    for (size_t i = 0; i < fact->count; i++) {
        bool holds = value_satisfies(condition, fact->values != NULL ? fact->values[i] : fact->one);
        if (holds && condition->quantifier != SN_LAB_ALL_VALUES) {
            return true;
        }
        if (!holds && condition->quantifier == SN_LAB_ALL_VALUES) {
            return false;
        }
    }
    return condition->quantifier == SN_LAB_ALL_VALUES;
}

static bool list_matches(const struct sn_lab_list *list, struct sn_slice text, bool nocase)
{
    for (size_t i = 0; i < list->count; i++) {
        if (sn_lab_wildcard(text, list->items[i], nocase)) {
            return true;
        }
    }
    return false;
}

static bool names_account(struct sn_slice principal, struct sn_slice account)
{
    if (sn_slice_eq(principal, account)) {
        return true;
    }
    struct sn_slice rest = {0};
    struct sn_slice part = {0};
    return sn_slice_has_suffix(principal, SN_S(":root")) && sn_slice_cut_last(principal, ':', &rest, &part) &&
           sn_slice_has_suffix(rest, account) && rest.len > account.len && rest.ptr[rest.len - account.len - 1] == ':';
}

/* True if the Principal element covers the caller; *direct when by more than his account. */
static bool principal_matches(const struct sn_lab_statement *statement, const struct sn_lab_who *who, bool *direct)
{
    *direct = statement->everybody;
    bool found = statement->everybody;
    for (size_t i = 0; i < statement->principals.count; i++) {
        struct sn_slice principal = statement->principals.items[i];
        if (sn_slice_eq(principal, who->arn) || (who->role_arn.len > 0 && sn_slice_eq(principal, who->role_arn))) {
            found = true;
            *direct = true;
        } else if (names_account(principal, who->account)) {
            found = true;
        }
    }
    if (statement->not_principal) {
        *direct = false;
        return !found;
    }
    return found;
}

static bool statement_matches(const struct sn_lab_statement *statement, const struct sn_lab_ask *ask, bool *direct)
{
    *direct = true;
    if (list_matches(&statement->actions, ask->action, true) == statement->not_action) {
        return false;
    }
    if (statement->resources.count > 0 &&
        list_matches(&statement->resources, ask->resource, false) == statement->not_resource) {
        return false;
    }
    if (statement->has_principal && (ask->who == NULL || !principal_matches(statement, ask->who, direct))) {
        return false;
    }
    for (size_t i = 0; i < statement->condition_count; i++) {
        if (!condition_holds(&statement->conditions[i], ask->facts)) {
            return false;
        }
    }
    return true;
}

enum sn_lab_effect sn_lab_policy_evaluate(
    const struct sn_lab_policy *policy, const struct sn_lab_ask *ask, bool *out_direct)
{
    enum sn_lab_effect effect = SN_LAB_NO_MATCH;
    bool any_direct = false;
    for (size_t i = 0; i < policy->count; i++) {
        bool direct = false;
        if (!statement_matches(&policy->statements[i], ask, &direct)) {
            continue;
        }
        if (!policy->statements[i].is_allow) {
            return SN_LAB_DENY;
        }
        effect = SN_LAB_ALLOW;
        any_direct = any_direct || direct;
    }
    if (out_direct != NULL) {
        *out_direct = any_direct;
    }
    return effect;
}

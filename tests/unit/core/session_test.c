/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of core/session/session.c: caps on the length of a session and the deadline policy.
 */
#include "test.h"

#include "core/session/session.h"

#define DEADLINE INT64_C(1769940300) /* 2026-02-01T10:05:00Z */
#define STATEMENT                                                                                                      \
    "{\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"DateGreaterThanEquals\":"               \
    "{\"aws:CurrentTime\":\"2026-02-01T10:05:00Z\"}}}"

/* TVM-05, TVM-07, ATK-21: caps in their order; each only shortens, the last one that did is named. */
static void attack_21_caps_in_order(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct sn_duration_input input;
        int64_t seconds, sts_seconds;
        bool needs_deadline, window_over;
        const char *capped_by;
    } rows[] = {
        {"default", {0, 900, 0, 0, -1, -1, 3600, false}, 900, 900, false, false, NULL},
        {"as asked", {43200, 900, 0, 0, -1, -1, 3600, false}, 43200, 43200, false, false, NULL},
        {"role chaining", {43200, 900, 0, 0, -1, -1, 3600, true}, 3600, 3600, false, false, "role_chaining"},
        {"rule", {3600, 900, 1800, 0, -1, -1, 3600, false}, 1800, 1800, false, false, "rule"},
        {"profile below rule", {3600, 900, 1800, 1200, -1, -1, 3600, false}, 1200, 1200, false, false, "profile"},
        {"rule below profile", {3600, 900, 1200, 1800, -1, -1, 3600, false}, 1200, 1200, false, false, "rule"},
        {"equal cap is no cap", {1800, 900, 1800, 0, -1, -1, 3600, false}, 1800, 1800, false, false, NULL},
        {"override limit", {7200, 900, 0, 0, 7200, -1, 3600, false}, 3600, 3600, false, false, "override_limit"},
        {"override limit only with a grant", {7200, 900, 0, 0, -1, -1, 3600, false}, 7200, 7200, false, false, NULL},
        {"20 minutes left", {3600, 900, 0, 0, -1, 1200, 3600, false}, 1200, 1200, false, false, "grant"},
        {"5 minutes left", {3600, 900, 0, 0, -1, 300, 3600, false}, 300, 900, true, false, "grant"},
        {"899 left", {3600, 900, 0, 0, 899, -1, 3600, true}, 899, 900, true, false, "grant"},
        {"60 left", {900, 900, 0, 0, 60, -1, 3600, false}, 60, 900, true, false, "grant"},
        {"59 left", {900, 900, 0, 0, 59, -1, 3600, false}, 0, 0, false, true, "grant"},
        {"window over", {900, 900, 0, 0, 0, -1, 3600, false}, 0, 0, false, true, "grant"},
        {"huge", {INT64_MAX, 900, 0, 0, -1, -1, 3600, true}, 3600, 3600, false, false, "role_chaining"},
        {"negative", {-5, 900, 0, 0, -1, -1, 3600, false}, 0, 0, false, true, NULL},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_duration_result result;
        print_message("# %s\n", rows[i].name);
        sn_duration_decide(&rows[i].input, &result);
        assert_int_equal(result.seconds, rows[i].seconds);
        assert_int_equal(result.sts_seconds, rows[i].sts_seconds);
        assert_int_equal(result.needs_deadline, rows[i].needs_deadline);
        assert_int_equal(result.window_over, rows[i].window_over);
        if (rows[i].capped_by == NULL) {
            assert_null(sn_cap_name(result.capped_by));
        } else {
            assert_string_equal(sn_cap_name(result.capped_by), rows[i].capped_by);
        }
    }
}

/* TVM-07: the deadline policy byte for byte. */
static void deadline_policies(void **state)
{
    (void)state;
    static const struct {
        const char *name, *session_policy;
        bool has_arns;
        const char *expected;
        size_t len; /* 0: not stated */
    } rows[] = {
        {"neither", "", false,
            "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}"
            "," STATEMENT "]}",
            212},
        {"managed policies alone", "", true, "{\"Version\":\"2012-10-17\",\"Statement\":[" STATEMENT "]}", 0},
        {"list", "{\"Version\": \"2012-10-17\", \"Statement\": [ {\"Effect\": \"Allow\", \"Action\": \"s3:*\"} ]}",
            true,
            "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"s3:*\"}," STATEMENT "]}", 0},
        {"single statement", "{\"Statement\":{\"Effect\":\"Allow\"},\"Version\":\"2012-10-17\"}", false,
            "{\"Statement\":[{\"Effect\":\"Allow\"}," STATEMENT "],\"Version\":\"2012-10-17\"}", 0},
        {"empty list", "{\"Statement\":[]}", false, "{\"Statement\":[" STATEMENT "]}", 0},
    };
    assert_int_equal(sizeof(STATEMENT) - 1, 126);
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
        struct sn_error err;
        print_message("# %s\n", rows[i].name);
        assert_ok(sn_session_policy_with_deadline(
                      sn_slice_str(rows[i].session_policy), rows[i].has_arns, 0, DEADLINE, &text, &err),
            &err);
        assert_slice_equal(sn_buf_slice(&text), rows[i].expected);
        if (rows[i].len > 0) {
            assert_int_equal(text.len, rows[i].len);
        }
    }
}

static void deadline_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *policy;
        size_t arn_chars;
        const char *code; /* NULL: fits */
    } rows[] = {
        {"", 2048 - 212, NULL},
        {"", 2048 - 211, "DEADLINE_TOO_LONG"},
        {"{\"Version\":\"2012-10-17\"}", 0, "INVALID_SESSION_POLICY"},
        {"{\"Statement\":\"x\"}", 0, "INVALID_SESSION_POLICY"},
        {"[]", 0, "INVALID_SESSION_POLICY"},
        {"{\"Statement\":[", 0, "INVALID_JSON"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
        struct sn_error err;
        struct sn_slice policy = sn_slice_str(rows[i].policy);
        print_message("# %s %zu\n", rows[i].policy, rows[i].arn_chars);
        if (rows[i].code == NULL) {
            assert_ok(sn_session_policy_with_deadline(policy, false, rows[i].arn_chars, DEADLINE, &text, &err), &err);
        } else {
            assert_fails(sn_session_policy_with_deadline(policy, false, rows[i].arn_chars, DEADLINE, &text, &err), &err,
                rows[i].code);
            assert_int_equal(text.len, 0);
        }
    }
}

static void status_names(void **state)
{
    (void)state;
    assert_string_equal(sn_session_status_name(SN_SESSION_ACTIVE), "active");
    assert_string_equal(sn_session_status_name(SN_SESSION_REVOKED), "revoked");
    assert_string_equal(sn_session_status_name(SN_SESSION_EXPIRED), "expired");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attack_21_caps_in_order),
        cmocka_unit_test(deadline_policies),
        cmocka_unit_test(deadline_refusals),
        cmocka_unit_test(status_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of core/request: text, binding, seal, ends and stored approvals.
 *
 * The hashes and the seal come from Python's hashlib and hmac over texts written out by hand.
 */
#include "test.h"

#include "core/request/text.h"
#include "request_fixture.h"

/* --- Text --- */

/* APR-07: lengths in characters after trimming. */
static void text_lengths(void **state)
{
    (void)state;
#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
    static const struct {
        const char *name;
        const struct sn_text_rule *rule;
        const char *text, *trimmed; /* NULL: refused */
    } rows[] = {
        {"9", &sn_text_request_justification, "012345678", NULL},
        {"10", &sn_text_request_justification, TEN, TEN},
        {"500", &sn_text_request_justification, HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED,
            HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED},
        {"501", &sn_text_request_justification, HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED "x", NULL},
        {"ten spaces", &sn_text_request_justification, "          ", NULL},
        {"ten ideographic spaces", &sn_text_request_justification, "　　　　　　　　　　", NULL},
        {"trimmed", &sn_text_request_justification, " \t\r\n" TEN "\xc2\xa0\n", TEN},
        {"blanks inside count", &sn_text_request_justification, "0      789", "0      789"},
        {"9 between blanks", &sn_text_request_justification, " 012345678 ", NULL},
        {"19", &sn_text_breakglass_justification, TEN "012345678", NULL},
        {"20 of two bytes", &sn_text_breakglass_justification, "éééééééééééééééééééé", "éééééééééééééééééééé"},
        {"1000", &sn_text_breakglass_justification,
            HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED,
            HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED},
        {"1001", &sn_text_breakglass_justification,
            HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED "x", NULL},
        {"no comment", &sn_text_comment, "", ""},
        {"blank comment", &sn_text_comment, "  ", ""},
        {"blank reason", &sn_text_close_reason, " \n ", NULL},
        {"tab and line feed", &sn_text_comment, "a\tb\r\nc", "a\tb\r\nc"},
        {"escape", &sn_text_comment, "a\x1b[2J", NULL},
        {"DEL", &sn_text_comment, "a\x7f", NULL},
        {"C1", &sn_text_comment, "a\xc2\x9b", NULL},
        {"no UTF-8", &sn_text_comment, "a\xff", NULL},
        {"surrogate", &sn_text_comment, "\xed\xa0\x80", NULL},
        {"four bytes", &sn_text_close_reason, "\xf0\x9f\x94\x91", "\xf0\x9f\x94\x91"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_slice trimmed = SN_S("untouched");
        struct sn_error err;
        print_message("# %s\n", rows[i].name);
        if (rows[i].trimmed == NULL) {
            assert_fails(
                sn_text_check(rows[i].rule, sn_slice_str(rows[i].text), &trimmed, &err), &err, rows[i].rule->code);
            assert_slice_equal(trimmed, "untouched");
        } else {
            assert_ok(sn_text_check(rows[i].rule, sn_slice_str(rows[i].text), &trimmed, &err), &err);
            assert_slice_equal(trimmed, rows[i].trimmed);
        }
    }
    struct sn_slice trimmed;
    struct sn_error err;
    assert_fails(sn_text_check(&sn_text_comment, SN_S("a\0b"), &trimmed, &err), &err, "INVALID_COMMENT");
}

/* --- Binding --- */

/* APR-43, ATK-14: published values; each fact changes the hash. */
static void binding_vectors(void **state)
{
    (void)state;
    static const struct sn_slice read_only[] = {SN_S_INIT("arn:aws:iam::aws:policy/ReadOnlyAccess")};
    static const struct sn_slice two[] = {SN_S_INIT("arn:b"), SN_S_INIT("arn:a")};
    static const struct sn_slice two_turned[] = {SN_S_INIT("arn:a"), SN_S_INIT("arn:b")};
    struct sn_principal ann = caller(ANN_ARN);
    struct sn_principal omar = caller("arn:aws:iam::111122223333:user/omar");
    struct sn_binding_facts facts = {.kind = SN_ISSUE_APPROVED,
        .principal = &ann,
        .profile = SN_S("ledger-prod"),
        .role_arn = SN_S(ROLE_ARN),
        .duration_s = 5400,
        .justification = SN_S("Rotate ledger signing key, CHG-88")};
    char text[SN_BINDING_LEN + 1];
    char other[SN_BINDING_LEN + 1];

    sn_binding_make(&facts, text);
    assert_string_equal(text, BINDING);
    facts.duration_s = 5401;
    sn_binding_make(&facts, text);
    assert_string_equal(text, "38b0e1db9dacde2fd7f7087f41898dc1dd6900c4bbacf8c235086bf0ea4bf256");
    facts.duration_s = 5400;
    facts.session_policy = SN_S(
        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"kms:*\",\"Resource\":\"*\"}]}");
    facts.policy_arns = read_only;
    facts.policy_arn_count = 1;
    sn_binding_make(&facts, text);
    assert_string_equal(text, "02422de411d4031e942e3262623c9af2b257bec01018be77ff6697e45f98b96a");

    facts.policy_arns = two;
    facts.policy_arn_count = 2;
    sn_binding_make(&facts, text);
    facts.policy_arns = two_turned;
    sn_binding_make(&facts, other);
    assert_string_equal(text, other);

    facts = (struct sn_binding_facts){.kind = SN_ISSUE_BREAKGLASS,
        .principal = &omar,
        .profile = SN_S("grid-prod"),
        .role_arn = SN_S("arn:aws:iam::444455556666:role/SentinelProtected-grid"),
        .duration_s = 3600,
        .justification = SN_S("Grid controller down in two regions, INC-4410")};
    sn_binding_make(&facts, text);
    assert_string_equal(text, "520ce477800674b18eaa8464042350c1766ff2aca744306ab20426abc4d2f4c4");
}

/* --- Seal --- */

/* APR-31, ATK-15: the published seal; each sealed attribute, changed by one step, breaks it. */
static void attack_15_request_seal(void **state)
{
    (void)state;
    struct sn_seal_keys keys;
    struct fixture f;
    char seal[SN_SEAL_MAX + 1];

    make_key(&keys);
    set_up(&f);
    sn_access_request_seal(&keys, &f.request, seal);
    assert_string_equal(seal, "v1:k1:e3af19f4c5fa4880f82d5be9ac575307166022d2295ee78ac871db9885d105e5");
#define BROKEN(change)                                                                                                 \
    do {                                                                                                               \
        struct sn_access_request r = f.request;                                                                        \
        r.seal = sn_slice_str(seal);                                                                                   \
        assert_true(sn_access_request_seal_is_valid(&keys, &r));                                                       \
        change;                                                                                                        \
        if (sn_access_request_seal_is_valid(&keys, &r)) {                                                              \
            print_error("the seal holds after: %s\n", #change);                                                        \
            fail();                                                                                                    \
        }                                                                                                              \
    } while (0)
    BROKEN(r.id.text[0] = '5');
    BROKEN(r.rev = 2);
    BROKEN(r.write_id.text[0] = 'd');
    BROKEN(r.requester = SN_S("ann.lee@example.org"));
    BROKEN(r.requester_arn = SN_S(MIRA_ARN));
    BROKEN(r.requester_vouched = false);
    BROKEN(r.profile = SN_S("ledger-dev"));
    BROKEN(r.role_arn = SN_S("arn:aws:iam::444455556666:role/Other"));
    BROKEN(r.justification = SN_S("Rotate ledger signing key, CHG-89"));
    BROKEN(r.duration_s = 5401);
    BROKEN(r.binding = SN_S("117b6badd6106d7a884e2ee0fe612e6bbd2a5462bb96ca74742de535bd510b00"));
    BROKEN(r.status = SN_ACCESS_APPROVED);
    BROKEN(r.created_at_ms++);
    BROKEN(r.updated_at_ms++);
    BROKEN(r.expires_at_ms++);
    BROKEN(r.approvals_required = 1);
    BROKEN(r.approvals = SN_S("[{}]"));
    BROKEN(r.approved_at_ms = T0);
    BROKEN(r.approver = SN_S("mira"));
    BROKEN(r.approver_arn = SN_S(MIRA_ARN));
    BROKEN(r.approver_comment = SN_S("x"));
    BROKEN(r.auto_approved = true);
    BROKEN(r.decision_rule = SN_S("other"));
    BROKEN(r.single_use = true);
    BROKEN(r.withdrawn_at_ms = T0);
    BROKEN(r.withdrawn_by = SN_S("mira"));
    BROKEN(r.withdrawn_reason = SN_S("x"));
    BROKEN(r.uses = 1);
    BROKEN(r.last_used_at_ms = T0);
    BROKEN(r.requester = SN_S("ann.lee@example.com\nrequester_arn:0:"));
    BROKEN(r.seal = SN_S("v1:k2:e3af19f4c5fa4880f82d5be9ac575307166022d2295ee78ac871db9885d105e5"));
#undef BROKEN
    sn_seal_keys_clear(&keys);
}

/* --- Record --- */

/* A sealed record is still looked at: what cannot be is not believed. */
static void record_must_make_sense(void **state)
{
    (void)state;
    struct fixture f;
    struct sn_error err;

    set_up(&f);
    assert_ok(sn_access_request_check(&f.request, &err), &err);
#define INVALID(change)                                                                                                \
    do {                                                                                                               \
        struct sn_access_request r = f.request;                                                                        \
        change;                                                                                                        \
        print_message("# %s\n", #change);                                                                              \
        assert_fails(sn_access_request_check(&r, &err), &err, "RECORD_INVALID");                                       \
    } while (0)
    INVALID(r.id.text[0] = 'u');
    INVALID(r.rev = 0);
    INVALID(r.write_id.text[0] = '\0');
    INVALID(r.requester = SN_S(""));
    INVALID(r.requester = SN_S("ann"));
    INVALID(r.requester_arn = SN_S("arn:aws:iam::1:user/ann.lee@example.com"));
    INVALID(r.profile = SN_S("../x"));
    INVALID(r.role_arn = SN_S(""));
    INVALID(r.justification = SN_S("short"));
    INVALID(r.duration_s = 59);
    INVALID(r.duration_s = 28801);
    INVALID(r.binding = SN_S("00"));
    INVALID(r.created_at_ms = 0);
    INVALID(r.updated_at_ms = T0 - 1);
    INVALID(r.expires_at_ms = T0);
    INVALID(r.approvals_required = 11);
    INVALID(r.approvals_required = -1);
    INVALID(r.approvals = SN_S(""));
    INVALID(r.approvals = SN_S("[ ]"));
    INVALID(r.approved_at_ms = T0);
    INVALID(r.approver = SN_S("mira"));
    INVALID(r.status = SN_ACCESS_APPROVED);
    INVALID(r.auto_approved = true);
    INVALID(r.withdrawn_at_ms = T0);
    INVALID(r.uses = 1);
    INVALID(r.uses = -1);
#undef INVALID
    for (int s = SN_ACCESS_PENDING; s <= SN_ACCESS_CANCELLED; s++) {
        enum sn_access_status read;
        assert_true(sn_access_status_parse(sn_slice_str(sn_access_status_name((enum sn_access_status)s)), &read));
        assert_int_equal(read, s);
    }
    enum sn_access_status read;
    assert_false(sn_access_status_parse(SN_S("Pending"), &read));
    assert_false(sn_access_status_parse(SN_S(""), &read));
}

/* APR-04, APR-05: the window starts with the approval and its end is excluded; without one it starts at the creation.
 */
static void windows(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int64_t approved_at_ms, expires_at_ms, duration_s, end_ms;
    } rows[] = {
        {"approved 50 minutes later", T0 + 50 * MINUTE, T0 + 110 * MINUTE, 3600, T0 + 110 * MINUTE},
        {"ends before its duration", T0 + 50 * MINUTE, T0 + 60 * MINUTE, 3600, T0 + 60 * MINUTE},
        {"no approval time", 0, T0 + 22 * 60 * MINUTE, 3600, T0 + 60 * MINUTE},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct fixture f;
        print_message("# %s\n", rows[i].name);
        set_up(&f);
        assert_int_equal(sn_access_request_window_end_ms(&f.request), 0);
        assert_false(sn_access_request_is_open(&f.request, T0));
        f.request.status = SN_ACCESS_APPROVED;
        f.request.approved_at_ms = rows[i].approved_at_ms;
        f.request.expires_at_ms = rows[i].expires_at_ms;
        f.request.duration_s = rows[i].duration_s;
        assert_int_equal(sn_access_request_window_end_ms(&f.request), rows[i].end_ms);
        assert_true(sn_access_request_is_open(&f.request, rows[i].end_ms - 1));
        assert_false(sn_access_request_is_open(&f.request, rows[i].end_ms));
        f.request.single_use = true;
        assert_true(sn_access_request_is_open(&f.request, T0 + 55 * MINUTE));
        f.request.uses = 1;
        assert_false(sn_access_request_is_open(&f.request, T0 + 55 * MINUTE));
        f.request.single_use = false;
        assert_true(sn_access_request_is_open(&f.request, T0 + 55 * MINUTE));
        f.request.withdrawn_at_ms = T0 + 54 * MINUTE;
        assert_false(sn_access_request_is_open(&f.request, T0 + 55 * MINUTE));
    }
}

/* A row may be deleted only long after the record has ended. */
static void retention_counts_from_the_end(void **state)
{
    (void)state;
    struct fixture f;
    const int64_t day = 86400;

    set_up(&f);
    assert_int_equal(sn_access_request_ttl_s(&f.request, 90), 1943687663);
    f.request.status = SN_ACCESS_DENIED;
    f.request.updated_at_ms = T0 + MINUTE;
    assert_int_equal(sn_access_request_ttl_s(&f.request, 1), (T0 + MINUTE + 996) / 1000 + day);
    f.request.status = SN_ACCESS_APPROVED;
    f.request.approved_at_ms = T0;
    f.request.expires_at_ms = T0 + 90 * MINUTE;
    assert_int_equal(sn_access_request_ttl_s(&f.request, 1), (T0 + 90 * MINUTE + 996) / 1000 + day);
    f.request.withdrawn_at_ms = T0 + MINUTE;
    assert_int_equal(sn_access_request_ttl_s(&f.request, 1), (T0 + MINUTE + 996) / 1000 + day);
}

/* --- Approvals as stored --- */

#define ONE_APPROVAL                                                                                                   \
    "[{\"by\":\"mira\",\"arn\":\"" MIRA_ARN "\",\"at\":\"2031-05-06T09:20:05.118Z\",\"comment\":\"CHG-88 checked\","   \
    "\"rule\":\"ledger-approvers\",\"binding\":\"" BINDING "\"}]"

static void approvals_one_form(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "{}",
        "null",
        "[1]",
        "[{}]",
        "[] ",
        " []",
        "[[]]",
        "[{\"by\":\"eve\",\"arn\":\"" MIRA_ARN "\",\"at\":\"2031-05-06T09:20:05.118Z\",\"comment\":\"\",\"rule\":\"r\","
        "\"binding\":\"" BINDING "\"}]",
        "[{\"by\":\"mira\",\"arn\":\"" MIRA_ARN "\",\"at\":\"2031-05-06T09:20:05Z\",\"comment\":\"\",\"rule\":\"r\","
        "\"binding\":\"" BINDING "\"}]",
        "[{\"by\":\"mira\",\"arn\":\"" MIRA_ARN
        "\",\"at\":\"2031-05-06T09:20:05.118Z\",\"comment\":\"\",\"rule\":\"r\","
        "\"binding\":\"00\"}]",
        "[{\"arn\":\"" MIRA_ARN
        "\",\"by\":\"mira\",\"at\":\"2031-05-06T09:20:05.118Z\",\"comment\":\"\",\"rule\":\"r\","
        "\"binding\":\"" BINDING "\"}]",
        "[{\"by\":\"mira\",\"arn\":\"" MIRA_ARN
        "\",\"at\":\"2031-05-06T09:20:05.118Z\",\"comment\":\"\",\"rule\":\"r\","
        "\"binding\":\"" BINDING "\",\"x\":1}]",
    };
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    struct sn_approvals approvals;
    struct sn_error err;

    assert_ok(sn_approvals_parse(SN_S(ONE_APPROVAL), &arena, &approvals, &err), &err);
    assert_int_equal(approvals.count, 1);
    assert_slice_equal(approvals.items[0].by, "mira");
    assert_int_equal(approvals.items[0].at_ms, INT64_C(1935825605118));
    sn_approvals_format(&text, &approvals);
    assert_slice_equal(sn_buf_slice(&text), ONE_APPROVAL);
    assert_true(sn_approvals_are_valid(SN_S("[]")));
    for (size_t i = 0; i < SN_LEN(bad); i++) {
        print_message("# %s\n", bad[i]);
        assert_fails(sn_approvals_parse(sn_slice_str(bad[i]), &arena, &approvals, &err), &err, "RECORD_INVALID");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_lengths),
        cmocka_unit_test(binding_vectors),
        cmocka_unit_test(attack_15_request_seal),
        cmocka_unit_test(record_must_make_sense),
        cmocka_unit_test(windows),
        cmocka_unit_test(retention_counts_from_the_end),
        cmocka_unit_test(approvals_one_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

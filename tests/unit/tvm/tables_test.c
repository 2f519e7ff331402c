/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/tvm/tables_test.c - the small tables of the handler: replay cache, failures, tickets, errors, metrics.
 */
#include "tvm_fixture.h"

#include "tvm/errors.h"
#include "tvm/failures.h"
#include "tvm/openapi.h"
#include "tvm/replay.h"
#include "tvm/tickets.h"

static void key_of(unsigned char key[SN_PROOF_KEY_LEN], uint32_t number)
{
    memset(key, 0, SN_PROOF_KEY_LEN);
    memcpy(key + 20, &number, sizeof(number)); /* the first bytes are equal: all share a chain */
}

/* ATK-04: new, seen, forgotten, ended, full; never an eviction. */
static void replay_cache(void **state)
{
    (void)state;
    struct sn_replay *replay = sn_replay_new(4, 99, 0);
    unsigned char key[SN_PROOF_KEY_LEN];

    for (uint32_t i = 0; i < 4; i++) {
        key_of(key, i);
        assert_int_equal(sn_replay_begin(replay, key, 160, 100), SN_REPLAY_NEW);
        assert_int_equal(sn_replay_begin(replay, key, 160, 100), SN_REPLAY_SEEN);
    }
    key_of(key, 9);
    assert_int_equal(sn_replay_begin(replay, key, 160, 100), SN_REPLAY_FULL);
    assert_int_equal(sn_replay_count(replay), 4);
    key_of(key, 2);
    sn_replay_forget(replay, key);
    assert_int_equal(sn_replay_begin(replay, key, 200, 100), SN_REPLAY_NEW);
    key_of(key, 9);
    assert_int_equal(sn_replay_begin(replay, key, 300, 160), SN_REPLAY_NEW); /* three have ended */
    key_of(key, 2);
    assert_int_equal(sn_replay_begin(replay, key, 200, 199), SN_REPLAY_SEEN);
    assert_int_equal(sn_replay_begin(replay, key, 260, 200), SN_REPLAY_NEW);
    sn_replay_free(replay);
}

/*
 * TVM-43, ATK-04: what the cache has forgotten stays spent when the wall clock steps back, in this process and in the
 * next one, which begins at the time of the last record.
 */
static void attack_04_clock_steps_back(void **state)
{
    unsigned char used[SN_PROOF_KEY_LEN] = {1}, other[SN_PROOF_KEY_LEN] = {2}, fresh[SN_PROOF_KEY_LEN] = {3};
    struct sn_replay *replay = sn_replay_new(16, 99, 0);

    (void)state;
    assert_int_equal(sn_replay_begin(replay, used, 161, 100), SN_REPLAY_NEW);
    for (int i = 0; i < 8; i++) { /* an hour later newer proofs push it out */
        other[1] = (unsigned char)i;
        assert_int_equal(sn_replay_begin(replay, other, 3761, 3700), SN_REPLAY_NEW);
    }
    assert_int_equal(sn_replay_count(replay), 8);
    assert_int_equal(sn_replay_begin(replay, used, 161, 100), SN_REPLAY_SEEN);
    assert_int_equal(sn_replay_begin(replay, fresh, 3700, 3640), SN_REPLAY_SEEN);
    assert_int_equal(sn_replay_begin(replay, fresh, 3701, 3640), SN_REPLAY_NEW);
    sn_replay_free(replay);

    replay = sn_replay_new(16, 99, 3700);
    assert_int_equal(sn_replay_begin(replay, used, 3700, 3640), SN_REPLAY_SEEN);
    assert_int_equal(sn_replay_begin(replay, used, 3701, 3640), SN_REPLAY_NEW);
    sn_replay_free(replay);
}

/* Many keys through a small cache: what is alive is always found. */
static void replay_cache_at_length(void **state)
{
    (void)state;
    struct sn_replay *replay = sn_replay_new(1024, 5, 0);
    unsigned char key[SN_PROOF_KEY_LEN];

    for (uint32_t i = 0; i < 20000; i++) {
        int64_t now = i / 8;
        key_of(key, i * 2654435761u);
        assert_int_equal(sn_replay_begin(replay, key, now + 100, now), SN_REPLAY_NEW);
        if (i >= 500) {
            key_of(key, (i - 500) * 2654435761u);
            assert_int_equal(sn_replay_begin(replay, key, now + 100, now), SN_REPLAY_SEEN);
        }
    }
    assert_true(sn_replay_count(replay) <= 1024);
    sn_replay_free(replay);
}

static void failures_by_address(void **state)
{
    (void)state;
    struct sn_failures *failures = sn_failures_new();
    struct sn_peer peer = {.address = "203.0.113.5"}, other = {.address = "203.0.113.6"};
    int64_t wait_s = 0;

    for (int i = 0; i < 29; i++) {
        sn_failures_add(failures, &peer, 1000000000 + i);
    }
    assert_true(sn_failures_may_ask(failures, &peer, 2000000000, &wait_s));
    sn_failures_add(failures, &peer, 2000000000);
    assert_false(sn_failures_may_ask(failures, &peer, 2000000000, &wait_s));
    assert_true(wait_s >= 59 && wait_s <= 61);
    assert_true(sn_failures_may_ask(failures, &other, 2000000000, &wait_s));
    assert_true(sn_failures_may_ask(failures, &peer, INT64_C(62000000000), &wait_s));
    sn_failures_free(failures);
}

static void tickets_by_connection(void **state)
{
    (void)state;
    struct sn_tickets *tickets = sn_tickets_new();
    struct sn_caller caller = {.arn = "arn", .account = "1"}, got = {0};
    struct sn_error err = {0};
    char first[SN_TICKET_TEXT_LEN + 1], second[SN_TICKET_TEXT_LEN + 1];
    bool given = false;

    assert_ok(sn_tickets_give(tickets, sn_random_system(), 7, &caller, 0, 60, first, &given, &err), &err);
    assert_true(given);
    assert_true(sn_tickets_use(tickets, sn_slice_str(first), 7, INT64_C(59999999999), &got));
    assert_string_equal(got.arn, "arn");
    assert_false(sn_tickets_use(tickets, sn_slice_str(first), 8, 1, &got));
    assert_false(sn_tickets_use(tickets, sn_slice_str(first), 7 + 1024, 1, &got));
    assert_false(sn_tickets_use(tickets, sn_slice_str(first), 7, INT64_C(60000000000), &got));
    assert_false(sn_tickets_use(tickets, SN_S(""), 7, 1, &got));
    assert_ok(sn_tickets_give(tickets, sn_random_system(), 7, &caller, 0, 60, second, &given, &err), &err);
    assert_false(sn_tickets_use(tickets, sn_slice_str(first), 7, 1, &got));
    assert_true(sn_tickets_use(tickets, sn_slice_str(second), 7, 1, &got));
    assert_int_equal(sn_tickets_count(tickets), 1);
    sn_tickets_free(tickets);
}

/* TVM-13: fixed words; an error of below never shows. */
static void errors_have_fixed_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < sn_api_error_count; i++) {
        struct sn_response response = {0};
        struct sn_error err = {0};
        struct sn_api_words words = {.request_id = SN_S("4g7kq2m9x0v5c8za")};
        assert_ptr_equal(sn_api_error_find(sn_api_errors[i].code), &sn_api_errors[i]);
        assert_true(sn_api_errors[i].status >= 400 && sn_api_errors[i].status < 600);
        sn_api_fail(&err, sn_api_errors[i].code, "CANARY-detail");
        sn_api_respond(&err, &words, &response);
        assert_int_equal(response.status, sn_api_errors[i].status);
        assert_null(strstr(sn_buf_str(&response.body), "CANARY"));
        assert_true(sn_slice_has_suffix(sn_buf_slice(&response.body), SN_S("\"request_id\":\"4g7kq2m9x0v5c8za\"}")));
        sn_response_clear(&response);
    }
    assert_string_equal(sn_api_error_find("STS_REFUSED")->code, "CONFIG_ERROR");
}

/* Every code that the handler gives is in the document's own list of answers. */
static void metrics_text(void **state)
{
    (void)state;
    struct sn_metrics *m = sn_metrics_new();
    static const char *const routes[] = {"/a", "none"};
    struct sn_metrics_gauges gauges = {
        .form = "standalone", .route_names = routes, .route_count = 2, .replay_entries = 3};
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};

    sn_metrics_request(m, 0, 0, 3000000);
    sn_metrics_request(m, 0, 0, 20000000000);
    sn_metrics_decision(m, true, true, SN_EFFECT_ALLOW);
    sn_metrics_issued(m, SN_ISSUE_DIRECT);
    sn_metrics_format(m, &gauges, &text);
    const char *const wanted[] = {
        "sentinel_requests_total{route=\"/a\",code=\"OK\"} 2\n",
        "sentinel_request_seconds_bucket{route=\"/a\",le=\"0.0025\"} 0\n",
        "sentinel_request_seconds_bucket{route=\"/a\",le=\"0.005\"} 1\n",
        "sentinel_request_seconds_bucket{route=\"/a\",le=\"+Inf\"} 2\n",
        "sentinel_request_seconds_sum{route=\"/a\"} 20.003000\n",
        "sentinel_request_seconds_count{route=\"/a\"} 2\n",
        "sentinel_decisions_total{effect=\"allow\",policy_effect=\"allow\"} 1\n",
        "sentinel_issued_total{kind=\"direct\"} 1\n",
        "sentinel_replay_entries 3\n",
    };
    for (size_t i = 0; i < SN_LEN(wanted); i++) {
        if (strstr(sn_buf_str(&text), wanted[i]) == NULL) {
            print_error("missing: %s\n", wanted[i]);
            fail();
        }
    }
    sn_metrics_free(m);
}

static void openapi_is_json_of_this_version(void **state)
{
    (void)state;
    struct sn_json_doc *doc = NULL;
    struct sn_error err = {0};

    assert_ok(sn_json_parse(sn_openapi_document(), &sn_json_limits_document, &doc, &err), &err);
    assert_slice_equal(sn_json_text(sn_json_get(sn_json_root(doc), "openapi")), "3.1.0");
    assert_slice_equal(sn_json_text(sn_json_get(sn_json_get(sn_json_root(doc), "info"), "version")), SN_VERSION);
    sn_json_doc_free(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replay_cache),
        cmocka_unit_test(replay_cache_at_length),
        cmocka_unit_test(attack_04_clock_steps_back),
        cmocka_unit_test(failures_by_address),
        cmocka_unit_test(tickets_by_connection),
        cmocka_unit_test(errors_have_fixed_words),
        cmocka_unit_test(metrics_text),
        cmocka_unit_test(openapi_is_json_of_this_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

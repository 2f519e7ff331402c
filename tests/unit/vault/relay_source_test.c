/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of what stands between the relay and the TVM, under a scripted clock and TVM, and of the process token.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "vault/process_token.h"
#include "vault/relay_source.h"

static int64_t now_ns;
static int fetches;
static enum sn_status next_status;
static int64_t next_life_s;
static pthread_barrier_t inside; /* the fetch waits here twice when is_slow */
static bool is_slow;

static int64_t scripted_ns(void *ctx)
{
    (void)ctx;
    return now_ns;
}
static const struct sn_clock test_clock = {.unix_ns = scripted_ns, .mono_ns = scripted_ns};

static enum sn_status scripted_fetch(
    void *ctx, struct sn_credentials *out_credentials, int *out_http_status, struct sn_error *err)
{
    (void)ctx;
    fetches++;
    if (is_slow) {
        pthread_barrier_wait(&inside);
        pthread_barrier_wait(&inside);
    }
    if (next_status != SN_OK) {
        *out_http_status = 403;
        return sn_fail(err, next_status, "POLICY_DENY", "Access denied by policy");
    }
    snprintf(out_credentials->access_key_id, sizeof(out_credentials->access_key_id), "ASIA%d", fetches);
    sn_secret_set(&out_credentials->secret_access_key, SN_S("secret"));
    out_credentials->expires_unix_s = now_ns / 1000000000 + next_life_s;
    return SN_OK;
}

static int reset(void **state)
{
    (void)state;
    now_ns = 1000000000LL * 1769940000;
    fetches = 0;
    next_status = SN_OK;
    next_life_s = 900;
    is_slow = false;
    return 0;
}

static void advance_s(int64_t seconds)
{
    now_ns += seconds * 1000000000;
}

/* The key id of the answer, or the code of the failure. */
static const char *ask(struct sn_relay_source *source, int *out_http_status)
{
    static char answer[SN_ACCESS_KEY_ID_MAX + 1];
    SN_AUTO(sn_credentials_clear) struct sn_credentials credentials = {0};
    struct sn_error err = {0};

    if (sn_relay_source_get(source, &credentials, out_http_status, &err) == SN_OK) {
        snprintf(answer, sizeof(answer), "%s", credentials.access_key_id);
    } else {
        snprintf(answer, sizeof(answer), "%s", err.code);
    }
    return answer;
}

static void reuses_for_a_while(void **state)
{
    struct sn_relay_source source;
    int http_status;
    (void)state;

    sn_relay_source_init(&source, &test_clock, 30, scripted_fetch, NULL);
    assert_string_equal(ask(&source, &http_status), "ASIA1");
    advance_s(29);
    assert_string_equal(ask(&source, &http_status), "ASIA1");
    advance_s(1);
    assert_string_equal(ask(&source, &http_status), "ASIA2");
    assert_int_equal(fetches, 2);
    sn_relay_source_clear(&source);
}

static void never_past_the_expiration(void **state)
{
    struct sn_relay_source source;
    int http_status;
    (void)state;

    sn_relay_source_init(&source, &test_clock, 30, scripted_fetch, NULL);
    next_life_s = 10;
    assert_string_equal(ask(&source, &http_status), "ASIA1");
    advance_s(10);
    assert_string_equal(ask(&source, &http_status), "ASIA2");
    advance_s(30);
    next_life_s = 0; /* a TVM that answers with what is over */
    assert_string_equal(ask(&source, &http_status), "INVALID_CREDENTIALS");
    assert_int_equal(http_status, 0);
    sn_relay_source_clear(&source);
}

/* TVM-31: a refusal is felt as soon as the memory has lapsed, and what was held is gone. */
static void refusal_is_passed_and_not_remembered(void **state)
{
    struct sn_relay_source source;
    int http_status;
    (void)state;

    sn_relay_source_init(&source, &test_clock, 30, scripted_fetch, NULL);
    assert_string_equal(ask(&source, &http_status), "ASIA1");
    next_status = SN_DENIED;
    advance_s(30);
    assert_string_equal(ask(&source, &http_status), "POLICY_DENY");
    assert_int_equal(http_status, 403);
    next_status = SN_OK;
    assert_string_equal(ask(&source, &http_status), "ASIA3"); /* asked again at once */
    sn_relay_source_clear(&source);
}

static void primed_and_zero_reuse(void **state)
{
    struct sn_relay_source source;
    SN_AUTO(sn_credentials_clear) struct sn_credentials first = {0};
    int http_status;
    (void)state;

    snprintf(first.access_key_id, sizeof(first.access_key_id), "FIRST");
    sn_relay_source_init(&source, &test_clock, 30, scripted_fetch, NULL);
    sn_relay_source_prime(&source, &first);
    assert_string_equal(ask(&source, &http_status), "FIRST");
    assert_int_equal(fetches, 0);
    sn_relay_source_clear(&source);
    sn_relay_source_init(&source, &test_clock, 0, scripted_fetch, NULL);
    sn_relay_source_prime(&source, &first);
    assert_string_equal(ask(&source, &http_status), "ASIA1");
    assert_string_equal(ask(&source, &http_status), "ASIA2");
    sn_relay_source_clear(&source);
}

/* 100 calls in 60 s; answers from memory are free. */
static void limit_counts_calls_only(void **state)
{
    struct sn_relay_source source;
    int http_status;
    (void)state;

    sn_relay_source_init(&source, &test_clock, 0, scripted_fetch, NULL);
    for (int i = 0; i < SN_RELAY_CALLS_MAX; i++) {
        ask(&source, &http_status);
    }
    assert_int_equal(fetches, 100);
    advance_s(1);
    assert_string_equal(ask(&source, &http_status), "RATE_LIMITED");
    assert_int_equal(http_status, 429);
    struct sn_error err;
    struct sn_credentials none = {0};
    assert_int_equal(sn_relay_source_get(&source, &none, &http_status, &err), SN_THROTTLED);
    assert_int_equal(err.retry_after_s, 59);
    assert_int_equal(fetches, 100);
    advance_s(59);
    assert_string_equal(ask(&source, &http_status), "ASIA101");
    sn_relay_source_clear(&source);

    fetches = 0;
    sn_relay_source_init(&source, &test_clock, 30, scripted_fetch, NULL);
    for (int i = 0; i < 1000; i++) {
        assert_string_equal(ask(&source, &http_status), "ASIA1");
    }
    sn_relay_source_clear(&source);
}

struct caller {
    struct sn_relay_source *source;
    char answer[SN_ACCESS_KEY_ID_MAX + 1];
};

static void *call_in_thread(void *arg)
{
    struct caller *caller = arg;
    struct sn_credentials credentials = {0};
    struct sn_error err = {0};
    int http_status;

    if (sn_relay_source_get(caller->source, &credentials, &http_status, &err) == SN_OK) {
        memcpy(caller->answer, credentials.access_key_id, sizeof(caller->answer));
    } else {
        memcpy(caller->answer, err.code, SN_ERROR_CODE_MAX);
    }
    sn_credentials_clear(&credentials);
    return NULL;
}

/* Callers that come during a call share it, its refusal too. */
static void single_flight(void **state)
{
    static const enum sn_status outcomes[] = {SN_OK, SN_DENIED};
    (void)state;
    for (size_t o = 0; o < SN_LEN(outcomes); o++) {
        struct sn_relay_source source;
        struct caller callers[8] = {0};
        pthread_t threads[8];
        fetches = 0;
        is_slow = true;
        next_status = outcomes[o];
        pthread_barrier_init(&inside, NULL, 2);
        sn_relay_source_init(&source, &test_clock, 0, scripted_fetch, NULL);
        for (size_t i = 0; i < SN_LEN(threads); i++) {
            callers[i].source = &source;
            pthread_create(&threads[i], NULL, call_in_thread, &callers[i]);
            if (i == 0) {
                pthread_barrier_wait(&inside); /* the first one is inside the call */
            }
        }
        /* The others find the call under way: each of them takes the lock at least once before it can end. */
        bool all_wait = false;
        while (!all_wait) {
            pthread_mutex_lock(&source.lock);
            all_wait = source.waiting == SN_LEN(threads) - 1;
            pthread_mutex_unlock(&source.lock);
        }
        pthread_barrier_wait(&inside);
        for (size_t i = 0; i < SN_LEN(threads); i++) {
            pthread_join(threads[i], NULL);
            assert_string_equal(callers[i].answer, outcomes[o] == SN_OK ? "ASIA1" : "POLICY_DENY");
        }
        assert_int_equal(fetches, 1);
        sn_relay_source_clear(&source);
        pthread_barrier_destroy(&inside);
    }
}

static enum sn_status broken_random(void *ctx, void *bytes, size_t len, struct sn_error *err)
{
    (void)ctx;
    (void)bytes;
    (void)len;
    return sn_fail(err, SN_UNAVAILABLE, "RANDOM_UNAVAILABLE", "no random bytes");
}

static void process_token(void **state)
{
    static const struct sn_random broken = {broken_random, NULL};
    struct sn_process_token token = {0};
    struct sn_process_token other = {0};
    struct sn_error err;
    bool misused;
    char longer[64];
    (void)state;

    assert_false(sn_process_token_accepts(&token, SN_S(""), 0, 1, &misused)); /* absent: not even the empty text */
    assert_int_equal(sn_process_token_init(&token, &broken, 1000, true, &err), SN_UNAVAILABLE);
    assert_int_equal(sn_process_token_init(&token, sn_random_system(), 1000, true, &err), SN_OK);
    assert_int_equal(sn_process_token_init(&other, sn_random_system(), 1000, true, &err), SN_OK);
    struct sn_slice text = sn_secret_reveal(&token.text);
    assert_int_equal(text.len, 43);
    assert_true(sn_slice_is_alnum_or(text, "-_"));
    assert_false(sn_slice_eq(text, sn_secret_reveal(&other.text)));
    snprintf(longer, sizeof(longer), "%.*sx", SN_PRI(text));
    assert_false(sn_process_token_accepts(&token, sn_slice_str(longer), 1000, 7, &misused));
    assert_false(sn_process_token_accepts(&token, sn_slice_sub(text, 0, 42), 1000, 7, &misused));
    assert_false(sn_process_token_accepts(&token, sn_secret_reveal(&other.text), 1000, 7, &misused));
    assert_false(misused);
    assert_false(sn_process_token_accepts(&token, text, 1001, 7, &misused)); /* another user does not bind it */
    assert_true(misused);
    assert_true(sn_process_token_accepts(&token, text, 1000, 7, &misused));
    assert_false(sn_process_token_accepts(&token, text, 1000, 8, &misused));
    assert_true(misused);
    assert_true(sn_process_token_accepts(&token, text, 1000, 7, NULL));
    snprintf(longer, sizeof(longer), "%.*s", SN_PRI(text));
    sn_process_token_revoke(&token);
    assert_false(sn_process_token_accepts(&token, sn_slice_str(longer), 1000, 7, &misused));
    sn_process_token_revoke(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(reuses_for_a_while, reset),
        cmocka_unit_test_setup(never_past_the_expiration, reset),
        cmocka_unit_test_setup(refusal_is_passed_and_not_remembered, reset),
        cmocka_unit_test_setup(primed_and_zero_reuse, reset),
        cmocka_unit_test_setup(limit_counts_calls_only, reset),
        cmocka_unit_test_setup(single_flight, reset),
        cmocka_unit_test(process_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

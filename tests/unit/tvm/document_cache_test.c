/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/tvm/document_cache_test.c - how long a document serves, who loads it, and what a failure does (POL 10).
 */
#include "test.h"

#include <pthread.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/task.h"
#include "tvm/document_cache.h"

enum { WAITERS = 24 };

struct fx {
    int64_t unix_ns, mono_ns, boot_ns;
    uint64_t generation;
    unsigned char dice;
    struct sn_clock clock;
    struct sn_random random_source;
    struct sn_document_cache *cache;
    /* The loader's script */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned loads;
    bool is_held;   /* loads wait until it is false */
    bool is_absent; /* there is no such document */
    enum sn_status fails_with;
    const char *fails_code;
    atomic_int alive; /* objects */
};

static int64_t get_unix(void *ctx)
{
    return ((struct fx *)ctx)->unix_ns;
}

static int64_t get_mono(void *ctx)
{
    return ((struct fx *)ctx)->mono_ns;
}

static int64_t get_boot(void *ctx)
{
    return ((struct fx *)ctx)->boot_ns;
}

static uint64_t get_generation(void *ctx)
{
    return ((struct fx *)ctx)->generation;
}

static enum sn_status throw_dice(void *ctx, void *bytes, size_t len, struct sn_error *err)
{
    uint32_t value = ((struct fx *)ctx)->dice == 0 ? 0 : 999;

    (void)err;
    assert_int_equal(len, sizeof(value));
    memcpy(bytes, &value, len);
    return SN_OK;
}

static void pass(struct fx *fx, int64_t seconds)
{
    fx->unix_ns += seconds * 1000000000;
    fx->mono_ns += seconds * 1000000000;
    fx->boot_ns += seconds * 1000000000;
}

static void open_cache(struct fx *fx, int64_t grace_s)
{
    struct sn_document_cache_options options = {.ttl_s = 30,
        .grace_s = grace_s,
        .clock = &fx->clock,
        .random_source = &fx->random_source,
        .generation = get_generation,
        .generation_ctx = fx};

    sn_document_cache_free(fx->cache);
    fx->cache = sn_document_cache_new(&options);
}

static int set_up(void **state)
{
    struct fx *fx = sn_alloc(1, sizeof(*fx));

    sn_log_set_enabled(false);
    fx->unix_ns = INT64_C(1769940000000000000);
    fx->mono_ns = fx->boot_ns = INT64_C(5000000000);
    fx->clock = (struct sn_clock){.unix_ns = get_unix, .mono_ns = get_mono, .boot_ns = get_boot, .ctx = fx};
    fx->random_source = (struct sn_random){throw_dice, fx};
    pthread_mutex_init(&fx->lock, NULL);
    pthread_cond_init(&fx->changed, NULL);
    open_cache(fx, 0);
    *state = fx;
    return 0;
}

static int tear_down(void **state)
{
    struct fx *fx = *state;

    sn_document_cache_free(fx->cache);
    assert_int_equal(atomic_load(&fx->alive), 0); /* every reference was given back */
    pthread_cond_destroy(&fx->changed);
    pthread_mutex_destroy(&fx->lock);
    sn_free(fx);
    return 0;
}

static void unref_object(void *object)
{
    atomic_fetch_sub((atomic_int *)object, 1);
}

static enum sn_status load(void *ctx, struct sn_cached_document **out_document, struct sn_error *err)
{
    struct fx *fx = ctx;

    pthread_mutex_lock(&fx->lock);
    fx->loads++;
    pthread_cond_broadcast(&fx->changed);
    while (fx->is_held) {
        pthread_cond_wait(&fx->changed, &fx->lock);
    }
    enum sn_status fails_with = fx->fails_with;
    bool is_absent = fx->is_absent;
    pthread_mutex_unlock(&fx->lock);
    if (fails_with != SN_OK) {
        return sn_fail(err, fails_with, fx->fails_code, "scripted");
    }
    if (!is_absent) {
        atomic_fetch_add(&fx->alive, 1);
        *out_document = sn_cached_document_new(&fx->alive, unref_object);
    }
    return SN_OK;
}

/* "" for a document, "none", or the code of the failure. */
static const char *get(struct fx *fx, const char *key)
{
    static _Thread_local char code[SN_ERROR_CODE_MAX];
    struct sn_cached_document *document = NULL;
    struct sn_error err = {0};

    if (sn_document_cache_get(fx->cache, key, false, load, fx, &document, &err) != SN_OK) {
        snprintf(code, sizeof(code), "%s", err.code);
        return code;
    }
    sn_cached_document_unref(document);
    return document != NULL ? "" : "none";
}

static void fail_with(struct fx *fx, enum sn_status status, const char *code)
{
    fx->fails_with = status;
    fx->fails_code = code;
}

/* POL-25: a life is the cache's time less up to a tenth, and never more. */
static void life_and_jitter(void **state)
{
    struct fx *fx = *state;
    static const struct {
        unsigned char dice;
        int64_t last_s;
    } rows[] = {{0, 30}, {1, 28}}; /* the highest throw takes 999 thousandths of a tenth */

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        fx->dice = rows[i].dice;
        fx->loads = 0;
        open_cache(fx, 0);
        assert_string_equal(get(fx, "/a"), "");
        pass(fx, rows[i].last_s - 1);
        assert_string_equal(get(fx, "/a"), "");
        assert_int_equal(fx->loads, 1);
        pass(fx, 1 + (rows[i].dice != 0));
        assert_string_equal(get(fx, "/a"), "");
        assert_int_equal(fx->loads, 2);
    }
}

/* POL-26 (ATK-11): whichever clock says that time is over wins, also when the sandbox slept or the wall clock went
 * back. */
static void attack_11_frozen_clock(void **state)
{
    struct fx *fx = *state;
    static const struct {
        const char *name;
        int64_t unix_s, mono_s, boot_s;
        bool is_fresh;
    } rows[] = {
        {"all of them run", 29, 29, 29, true},
        {"frozen: only the wall clock went on", 31, 0, 0, false},
        {"frozen: monotonic stands, boot time went on", 0, 0, 31, false},
        {"monotonic alone says nothing", 0, 31, 0, true},
        {"the wall clock was put back", -1, 1, 1, false},
        {"and a long way", -86400, 1, 1, false},
    };

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        print_message("# %s\n", rows[i].name);
        open_cache(fx, 0);
        fx->loads = 0;
        assert_string_equal(get(fx, "/a"), "");
        fx->unix_ns += rows[i].unix_s * 1000000000;
        fx->mono_ns += rows[i].mono_s * 1000000000;
        fx->boot_ns += rows[i].boot_s * 1000000000;
        assert_string_equal(get(fx, "/a"), "");
        assert_int_equal(fx->loads, rows[i].is_fresh ? 1 : 2);
    }
}

/* POL-26: no grace, no stale answer; with it, to its last second, and only for what may pass. */
static void grace(void **state)
{
    struct fx *fx = *state;
    static const struct {
        const char *name;
        int64_t grace_s, past_s;
        enum sn_status status;
        bool serves;
    } rows[] = {
        {"no grace", 0, 1, SN_TIMEOUT, false},
        {"inside", 60, 59, SN_TIMEOUT, true},
        {"its end", 60, 60, SN_TIMEOUT, false},
        {"throttled", 60, 1, SN_THROTTLED, true},
        {"unavailable", 60, 1, SN_UNAVAILABLE, true},
        {"denied", 60, 1, SN_DENIED, false},
        {"not found", 60, 1, SN_NOT_FOUND, false},
        {"invalid", 60, 1, SN_INVALID, false},
        {"not of its form", 60, 1, SN_PROTOCOL, false},
        {"limit", 60, 1, SN_LIMIT, false},
    };

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        print_message("# %s\n", rows[i].name);
        open_cache(fx, rows[i].grace_s);
        fx->fails_with = SN_OK;
        assert_string_equal(get(fx, "/a"), "");
        pass(fx, 30 + rows[i].past_s);
        fail_with(fx, rows[i].status, "SCRIPTED");
        assert_string_equal(get(fx, "/a"), rows[i].serves ? "" : "SCRIPTED");
        assert_string_equal(get(fx, "/b"), "SCRIPTED"); /* never loaded: nothing can serve */
    }
}

/* POL-26 (ATK-11): a failed check or a missing document ends the grace; an outage behind it brings nothing back. */
static void attack_11_other_failures_end_the_grace(void **state)
{
    struct fx *fx = *state;

    for (int is_absent = 0; is_absent < 2; is_absent++) {
        open_cache(fx, 300);
        fx->fails_with = SN_OK;
        assert_string_equal(get(fx, "/a"), "");
        pass(fx, 31);
        if (is_absent != 0) {
            fx->is_absent = true;
            assert_string_equal(get(fx, "/a"), "none");
            fx->is_absent = false;
        } else {
            fail_with(fx, SN_DENIED, "SIGNATURE_INVALID");
            assert_string_equal(get(fx, "/a"), "SIGNATURE_INVALID");
        }
        fail_with(fx, SN_TIMEOUT, "SSM_ERROR");
        assert_string_equal(get(fx, "/a"), "SSM_ERROR");
    }
}

/* A change of the source, a reload, and a wall clock that went back, even inside the grace. */
static void changes_drop(void **state)
{
    struct fx *fx = *state;

    assert_string_equal(get(fx, "/a"), "");
    fx->generation++;
    assert_string_equal(get(fx, "/a"), "");
    assert_int_equal(fx->loads, 2);
    sn_document_cache_reload(fx->cache);
    assert_string_equal(get(fx, "/a"), "");
    assert_int_equal(fx->loads, 3);
    open_cache(fx, 300);
    assert_string_equal(get(fx, "/a"), "");
    fx->unix_ns -= 1000000000;
    fail_with(fx, SN_TIMEOUT, "SSM_ERROR");
    assert_string_equal(get(fx, "/a"), "SSM_ERROR");
}

/* Failures and absence are not kept. */
static void nothing_bad_is_kept(void **state)
{
    struct fx *fx = *state;

    fail_with(fx, SN_DENIED, "X");
    assert_string_equal(get(fx, "/a"), "X");
    assert_string_equal(get(fx, "/a"), "X");
    fx->fails_with = SN_OK;
    fx->is_absent = true;
    assert_string_equal(get(fx, "/a"), "none");
    assert_string_equal(get(fx, "/a"), "none");
    assert_int_equal(fx->loads, 4);
    fx->is_absent = false;
    assert_string_equal(get(fx, "/a"), "");
    assert_string_equal(get(fx, "/a"), "");
    assert_int_equal(fx->loads, 5);
}

/* --- Several at once --- */

struct asker {
    struct fx *fx;
    const char *key;
    char answer[SN_ERROR_CODE_MAX];
    pthread_t thread;
};

static void *ask(void *ctx)
{
    struct asker *asker = ctx;

    snprintf(asker->answer, sizeof(asker->answer), "%s", get(asker->fx, asker->key));
    return NULL;
}

static void hold(struct fx *fx, bool is_held)
{
    pthread_mutex_lock(&fx->lock);
    fx->is_held = is_held;
    pthread_cond_broadcast(&fx->changed);
    pthread_mutex_unlock(&fx->lock);
}

static void wait_loads(struct fx *fx, unsigned loads)
{
    pthread_mutex_lock(&fx->lock);
    while (fx->loads < loads) {
        pthread_cond_wait(&fx->changed, &fx->lock);
    }
    pthread_mutex_unlock(&fx->lock);
}

/* POL-25: one load however many ask, its failure to all of them, and another document does not wait for it. */
static void single_flight(void **state)
{
    struct fx *fx = *state;
    struct asker askers[WAITERS];
    struct asker other = {.fx = fx, .key = "/b"};

    for (int fails = 0; fails < 2; fails++) {
        open_cache(fx, 0);
        fx->loads = 0;
        fail_with(fx, fails != 0 ? SN_DENIED : SN_OK, "SHARED");
        hold(fx, true);
        for (size_t i = 0; i < WAITERS; i++) {
            askers[i] = (struct asker){.fx = fx, .key = "/a"};
            assert_int_equal(pthread_create(&askers[i].thread, NULL, ask, &askers[i]), 0);
        }
        wait_loads(fx, 1);
        assert_int_equal(pthread_create(&other.thread, NULL, ask, &other), 0);
        wait_loads(fx, 2); /* of the other document, while the first is held */
        usleep(20000);     /* whoever would load a second time has begun by now */
        hold(fx, false);
        for (size_t i = 0; i < WAITERS; i++) {
            pthread_join(askers[i].thread, NULL);
            assert_string_equal(askers[i].answer, fails != 0 ? "SHARED" : "");
        }
        pthread_join(other.thread, NULL);
        if (fails == 0) {
            assert_int_equal(fx->loads, 2);
        }
    }
}

static void ask_as_task(void *ctx)
{
    (void)ask(ctx);
}

/* POL-25: the same among tasks of one thread, which goes on with others while a document is loaded. */
static void single_flight_of_tasks(void **state)
{
    struct fx *fx = *state;
    struct asker askers[] = {{.fx = fx, .key = "/a"}, {.fx = fx, .key = "/a"}, {.fx = fx, .key = "/b"}};
    struct sn_crew *crew = NULL;
    struct sn_error err;

    assert_ok(sn_crew_new(1, &crew, &err), &err);
    for (size_t i = 0; i < SN_LEN(askers); i++) {
        sn_crew_add(crew, ask_as_task, &askers[i]);
    }
    hold(fx, true);
    assert_ok(sn_crew_start(crew, &err), &err);
    wait_loads(fx, 2); /* the thread is not held up by the first document, nor by the one who waits for it */
    hold(fx, false);
    sn_crew_free(crew);
    for (size_t i = 0; i < SN_LEN(askers); i++) {
        assert_string_equal(askers[i].answer, "");
    }
    assert_int_equal(fx->loads, 2);
}

/* POL-51: who asks behind a change does not get what a load before it brings. */
static void flight_before_a_change(void **state)
{
    struct fx *fx = *state;
    struct asker early = {.fx = fx, .key = "/a"}, late = early;

    hold(fx, true);
    assert_int_equal(pthread_create(&early.thread, NULL, ask, &early), 0);
    wait_loads(fx, 1);
    fx->generation++;
    assert_int_equal(pthread_create(&late.thread, NULL, ask, &late), 0);
    wait_loads(fx, 2);
    hold(fx, false);
    pthread_join(early.thread, NULL);
    pthread_join(late.thread, NULL);
    assert_string_equal(early.answer, "");
    assert_string_equal(late.answer, "");
}

/* The one used longest ago leaves; what is pinned stays. */
static void room(void **state)
{
    struct fx *fx = *state;
    struct sn_cached_document *document = NULL;
    struct sn_error err = {0};
    char key[32];

    assert_ok(sn_document_cache_get(fx->cache, "catalogue", true, load, fx, &document, &err), &err);
    sn_cached_document_unref(document);
    for (int i = 0; i < SN_CACHE_ENTRIES_MAX + 10; i++) {
        snprintf(key, sizeof(key), "/p%d", i);
        assert_string_equal(get(fx, key), "");
        assert_string_equal(get(fx, "/p0"), ""); /* in use all the time */
    }
    fx->loads = 0;
    assert_string_equal(get(fx, "/p0"), "");
    assert_true(sn_document_cache_find(fx->cache, "catalogue", &document));
    sn_cached_document_unref(document);
    assert_int_equal(fx->loads, 0);
    assert_string_equal(get(fx, "/p1"), "");
    assert_int_equal(fx->loads, 1);
}

int main(void)
{
#define ROW(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ROW(life_and_jitter),
        ROW(attack_11_frozen_clock),
        ROW(grace),
        ROW(attack_11_other_failures_end_the_grace),
        ROW(changes_drop),
        ROW(nothing_bad_is_kept),
        ROW(single_flight),
        ROW(single_flight_of_tasks),
        ROW(flight_before_a_change),
        ROW(room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of the credential cache over a small stand-in for the kernel's keyrings, with a scripted clock and TVM.
 */
#include "test.h"

#include <errno.h>
#include <stdio.h>

#include "scratch.h"
#include "scripted_keyctl.h"
#include "vault/credential_cache.h"
#include "vault/lock_file.h"

enum { NOW = 1769940000 };

/* --- The rest of the world --- */

static struct {
    struct scratch scratch;
    int64_t mono_ms;
    int vends, warnings, waits;
    enum sn_status fails; /* SN_OK: credentials */
    int http_status;
    int64_t life_s;
    struct sn_issued *stored_on_wait; /* another process stores these at the third wait */
} world;

static int64_t unix_ns(void *ctx)
{
    (void)ctx;
    return (int64_t)NOW * 1000000000;
}
static int64_t mono_ns(void *ctx)
{
    (void)ctx;
    return world.mono_ms * 1000000;
}
static const struct sn_clock test_clock = {.unix_ns = unix_ns, .mono_ns = mono_ns};

static const char *variable(void *ctx, const char *name)
{
    (void)ctx;
    return strcmp(name, "HOME") == 0 || strcmp(name, "XDG_RUNTIME_DIR") == 0 ? world.scratch.dir : NULL;
}
static const struct sn_env test_env = {variable, NULL};

static void fill(struct sn_issued *issued, int number, int64_t life_s)
{
    snprintf(issued->credentials.access_key_id, sizeof(issued->credentials.access_key_id), "ASIA%d", number);
    sn_secret_set(&issued->credentials.secret_access_key, SN_S("secret"));
    sn_secret_set(&issued->credentials.session_token, SN_S("token"));
    issued->credentials.expires_unix_s = NOW + life_s;
    snprintf(issued->session_id, sizeof(issued->session_id), "ses-4g7kq2m9x0v5c8za");
}

static enum sn_status vend(void *ctx, struct sn_issued *out_issued, int *out_http_status, struct sn_error *err)
{
    (void)ctx;
    world.vends++;
    *out_http_status = world.http_status;
    if (world.fails != SN_OK) {
        return sn_fail(err, world.fails, "SCRIPTED", "as told");
    }
    fill(out_issued, world.vends, world.life_s);
    return SN_OK;
}

static void warn(void *ctx, const struct sn_error *err)
{
    (void)ctx;
    (void)err;
    world.warnings++;
}

static void open_cache(struct sn_credential_cache *cache);

static void wait_ms(void *ctx, int ms)
{
    (void)ctx;
    world.mono_ms += ms;
    world.waits++;
    if (world.waits == 3 && world.stored_on_wait != NULL) {
        SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
        struct sn_credential_cache other;
        open_cache(&other);
        assert_true(sn_cache_item_format(&other.query, world.stored_on_wait, NOW, &text));
        assert_int_equal(sn_kernel_ring_put(&other.ring, other.description, sn_buf_slice(&text), 100), 0);
        sn_credential_cache_clear(&other);
    }
}

static void open_cache(struct sn_credential_cache *cache)
{
    const struct sn_credential_cache_options options = {.tvm_url = "https://tvm.example.org",
        .profile = "dev",
        .env = &test_env,
        .clock = &test_clock,
        .keyctl = &keyctl,
        .wait_ms = wait_ms,
        .warn = warn};

    sn_credential_cache_open(cache, &options);
}

static int set_up(void **state)
{
    (void)state;
    memset(&kernel, 0, sizeof(kernel));
    memset(&world, 0, sizeof(world));
    world.life_s = 3600;
    scratch_make(&world.scratch);
    return 0;
}

static int tear_down(void **state)
{
    char path[256];

    (void)state;
    scratch_path(&world.scratch, "sentinel/locks", path);
    scratch_remove_in(path);
    (void)rmdir(path);
    scratch_path(&world.scratch, "sentinel", path);
    (void)rmdir(path);
    (void)rmdir(world.scratch.dir);
    return 0;
}

/* One call as a process makes it: the key id, "" when it fails. */
static const char *call(void)
{
    static char id[SN_ACCESS_KEY_ID_MAX + 1];
    struct sn_credential_cache cache;
    SN_AUTO(sn_issued_clear) struct sn_issued issued = {0};
    struct sn_error err;

    open_cache(&cache);
    id[0] = '\0';
    if (sn_credential_cache_get(&cache, vend, NULL, &issued, &err) == SN_OK) {
        snprintf(id, sizeof(id), "%s", issued.credentials.access_key_id);
    }
    sn_credential_cache_clear(&cache);
    return id;
}

static struct key *item(void)
{
    for (int i = 0; i < KEYS_MAX; i++) {
        if (kernel.keys[i].in_ring) {
            return &kernel.keys[i];
        }
    }
    return NULL;
}

/* --- Tests --- */

static void hit(void **state)
{
    (void)state;
    assert_string_equal(call(), "ASIA1");
    assert_string_equal(call(), "ASIA1");
    assert_int_equal(world.vends, 1);
    assert_int_equal(item()->timeout_s, 3600 - 300);
    kernel.is_old = true; /* a kernel without MOVE makes the keyring too */
    memset(kernel.keys, 0, sizeof(kernel.keys));
    assert_string_equal(call(), "ASIA2");
    assert_string_equal(call(), "ASIA2");
}

/* VLT-48: no keyring, no cache, no lock; told once. */
static void refused_by_the_kernel(void **state)
{
    (void)state;
    static const int errors[] = {EPERM, ENOSYS, EACCES};

    for (size_t i = 0; i < SN_LEN(errors); i++) {
        struct sn_credential_cache cache;
        kernel.refuse_link = errors[i];
        assert_string_not_equal(call(), "");
        assert_int_equal(world.vends, i + 1);
        open_cache(&cache);
        assert_int_equal(sn_credential_cache_tell_refused(&cache), i == 0);
        sn_credential_cache_clear(&cache);
    }
}

/* VLT-51: an item or a keyring that others could have changed. */
static void spoiled(void **state)
{
    (void)state;
    (void)call();
    item()->mask |= 0x00020000;
    assert_string_equal(call(), "ASIA2");
    assert_string_equal(call(), "ASIA2");
    for (int i = 0; i < KEYS_MAX; i++) {
        if (kernel.keys[i].is_ring) {
            kernel.keys[i].mask |= 0x00000002;
        }
    }
    assert_string_equal(call(), "ASIA3");
    assert_string_equal(call(), "ASIA3");
    item()->is_expired = true;
    assert_string_equal(call(), "ASIA4");
}

static void quota(void **state)
{
    (void)state;
    (void)call();
    for (int i = 0; i < 2; i++) { /* two more items, one of which ends first */
        struct sn_issued issued = {0};
        SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
        struct sn_credential_cache other;
        open_cache(&other);
        fill(&issued, 70 + i, 2000 + i);
        assert_true(sn_cache_item_format(&other.query, &issued, NOW, &text));
        assert_int_equal(
            sn_kernel_ring_put(&other.ring, i == 0 ? "sentinel-cache:a" : "sentinel-cache:b", sn_buf_slice(&text), 100),
            0);
        sn_issued_clear(&issued);
        sn_credential_cache_clear(&other);
    }
    sn_wipe(item()->payload, 1); /* what was first is to be fetched again */
    kernel.quota_errors = 1;
    assert_string_equal(call(), "ASIA2");
    assert_string_equal(call(), "ASIA2");
    struct sn_credential_cache cache;
    SN_AUTO(sn_secret_clear) struct sn_secret payload = {0};
    open_cache(&cache);
    assert_int_equal(sn_kernel_ring_read(&cache.ring, "sentinel-cache:a", &payload), SN_KEY_ABSENT);
    assert_int_equal(sn_kernel_ring_read(&cache.ring, "sentinel-cache:b", &payload), SN_KEY_PRESENT);
    sn_credential_cache_clear(&cache);
    memset(kernel.keys, 0, sizeof(kernel.keys));
    kernel.quota_errors = 1000;
    assert_string_equal(call(), "ASIA3"); /* not kept, and no failure */
    assert_string_equal(call(), "ASIA4");
    assert_int_equal(world.warnings, 0);
}

static void take_lock(struct sn_lock_file *lock)
{
    struct sn_credential_cache cache;
    struct sn_error err;

    open_cache(&cache);
    assert_ok(sn_lock_file_open(lock, &test_env, cache.lock_name, &err), &err);
    assert_true(sn_lock_file_try(lock));
    sn_credential_cache_clear(&cache);
}

/* A holder that never ends: a minute, then an error that names it; nobody else is asked. */
static void locked_for_too_long(void **state)
{
    (void)state;
    SN_AUTO(sn_lock_file_close) struct sn_lock_file lock = SN_LOCK_FILE_INIT;
    SN_AUTO(sn_issued_clear) struct sn_issued issued = {0};
    struct sn_credential_cache cache;
    struct sn_error err;
    char expected[128];

    take_lock(&lock);
    open_cache(&cache);
    assert_fails(sn_credential_cache_get(&cache, vend, NULL, &issued, &err), &err, "CACHE_LOCKED");
    snprintf(expected, sizeof(expected), "process %d has been asking for the same credentials for more than 60 s",
        (int)getpid());
    assert_string_equal(err.message, expected);
    assert_int_equal(err.status, SN_TIMEOUT);
    assert_int_equal(world.vends, 0);
    assert_int_equal(world.mono_ms, 60000);
    sn_credential_cache_clear(&cache);
}

/* VLT-49: who waits takes what the holder has stored, and needs no lock for it. */
static void waits_for_the_holder(void **state)
{
    (void)state;
    SN_AUTO(sn_lock_file_close) struct sn_lock_file lock = SN_LOCK_FILE_INIT;
    struct sn_issued issued = {0};

    take_lock(&lock);
    fill(&issued, 50, 3600);
    world.stored_on_wait = &issued;
    assert_string_equal(call(), "ASIA50");
    assert_int_equal(world.waits, 3);
    assert_int_equal(world.vends, 0);
    sn_issued_clear(&issued);
}

/* VLT-52: what an early refresh that fails does to what is kept. */
static void early_refresh(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum sn_status fails;
        int http_status;
        const char *id;
        int warnings;
        bool is_kept;
    } rows[] = {
        {"new ones", SN_OK, 200, "ASIA2", 0, true},
        {"network", SN_UNAVAILABLE, 0, "ASIA1", 1, true},
        {"no base credentials", SN_NOT_FOUND, 0, "ASIA1", 1, true},
        {"timeout", SN_TIMEOUT, 408, "ASIA1", 1, true},
        {"load", SN_THROTTLED, 429, "ASIA1", 1, true},
        {"server", SN_UNAVAILABLE, 503, "ASIA1", 1, true},
        {"denied", SN_DENIED, 403, "", 0, false},
        {"unknown", SN_NOT_FOUND, 404, "", 0, false},
        {"bad request", SN_INVALID, 400, "", 0, false},
        {"not proved", SN_UNAUTHENTICATED, 401, "", 0, false},
    };

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        print_message("# %s\n", rows[i].name);
        memset(&kernel, 0, sizeof(kernel));
        world.vends = world.warnings = 0;
        world.fails = SN_OK;
        world.life_s = 2400;
        (void)call();
        /* The same end, but issued an hour ahead of it: 2400 s of 7200 are a third, so make it less. */
        char *issued = strstr(item()->payload, "issued=");
        assert_non_null(issued);
        memcpy(issued, "issued=1769900000", 17);
        char *expires = strstr(item()->payload, "expires=");
        memcpy(expires, "expires=1769940900", 18); /* 900 s left */
        world.fails = rows[i].fails;
        world.http_status = rows[i].http_status;
        world.life_s = 3600;
        assert_string_equal(call(), rows[i].id);
        assert_int_equal(world.vends, 2);
        assert_int_equal(world.warnings, rows[i].warnings);
        assert_int_equal(item() != NULL, rows[i].is_kept);
    }
}

/* VLT-52: while another process refreshes, what is there is used without waiting, also by the short way. */
static void early_refresh_by_another(void **state)
{
    (void)state;
    SN_AUTO(sn_lock_file_close) struct sn_lock_file lock = SN_LOCK_FILE_INIT;
    SN_AUTO(sn_issued_clear) struct sn_issued issued = {0};
    struct sn_credential_cache cache;

    (void)call();
    memcpy(strstr(item()->payload, "issued="), "issued=1769937300", 17);
    memcpy(strstr(item()->payload, "expires="), "expires=1769940900", 18);
    open_cache(&cache);
    assert_false(sn_credential_cache_peek(&cache, &issued)); /* it would be on us */
    take_lock(&lock);
    assert_true(sn_credential_cache_peek(&cache, &issued));
    sn_credential_cache_clear(&cache);
    assert_string_equal(call(), "ASIA1");
    assert_int_equal(world.vends, 1);
    assert_int_equal(world.waits, 0);
}

/* Refusals of calls that were made past the cache. */
static void failed_elsewhere(void **state)
{
    (void)state;
    static const struct {
        int http_status;
        bool is_kept;
    } rows[] = {{0, true}, {408, true}, {429, true}, {500, true}, {403, false}};

    (void)call();
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_credential_cache cache;
        open_cache(&cache);
        sn_credential_cache_failed(&cache, rows[i].http_status);
        assert_int_equal(item() != NULL, rows[i].is_kept);
        sn_credential_cache_clear(&cache);
    }
}

static void no_address(void **state)
{
    (void)state;
    static const char *const urls[] = {NULL, "http://far.example.org", "x"};

    for (size_t i = 0; i < SN_LEN(urls); i++) {
        const struct sn_credential_cache_options options = {
            .tvm_url = urls[i], .profile = "dev", .env = &test_env, .clock = &test_clock, .keyctl = &keyctl};
        struct sn_credential_cache cache;
        sn_credential_cache_open(&cache, &options);
        assert_false(cache.is_usable);
        assert_false(sn_credential_cache_tell_refused(&cache));
        sn_credential_cache_clear(&cache);
    }
    assert_int_equal(kernel.calls, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(hit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refused_by_the_kernel, set_up, tear_down),
        cmocka_unit_test_setup_teardown(spoiled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(quota, set_up, tear_down),
        cmocka_unit_test_setup_teardown(locked_for_too_long, set_up, tear_down),
        cmocka_unit_test_setup_teardown(waits_for_the_holder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(early_refresh, set_up, tear_down),
        cmocka_unit_test_setup_teardown(early_refresh_by_another, set_up, tear_down),
        cmocka_unit_test_setup_teardown(failed_elsewhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_address, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("vault credential cache", tests, NULL, NULL);
}

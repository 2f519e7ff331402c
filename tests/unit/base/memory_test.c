/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers, arenas, secrets and errors. */
#include "test.h"

#include "base/arena.h"
#include "base/random.h"
#include "base/secret.h"

static void buffer_limits(void **state)
{
    (void)state;
    SN_AUTO(sn_buf_clear) struct sn_buf buf = SN_BUF_INIT(8);
    struct sn_error err;

    sn_buf_add_str(&buf, "12345678");
    assert_ok(sn_buf_check(&buf, "the text", &err), &err);
    sn_buf_add_byte(&buf, '9');
    assert_slice_equal(sn_buf_slice(&buf), "12345678");
    sn_buf_reset(&buf);
    sn_buf_addf(&buf, "%s", "123456789");
    assert_int_equal(buf.len, 0);
    sn_buf_add_byte(&buf, '1'); /* an overflow stays until reset */
    assert_fails(sn_buf_check(&buf, "the text", &err), &err, "TOO_LARGE");
    assert_string_equal(err.message, "the text is larger than 8 bytes");
}

static void buffer_content(void **state)
{
    (void)state;
    SN_AUTO(sn_buf_clear) struct sn_buf buf = {0};

    assert_string_equal(sn_buf_str(&buf), "");
    sn_buf_add_int(&buf, INT64_MIN);
    sn_buf_add_byte(&buf, ' ');
    sn_buf_add_hex(&buf, "\x00\xff\x1a", 3);
    sn_buf_addf(&buf, " %0*d", 300, 7);
    assert_int_equal(buf.len, 20 + 1 + 6 + 1 + 300);
    sn_buf_remove(&buf, 28, 298);
    assert_slice_equal(sn_buf_slice(&buf), "-9223372036854775808 00ff1a 07");
    sn_buf_remove(&buf, 100, 5);
    assert_int_equal(buf.len, 30);
}

static void arena_blocks(void **state)
{
    (void)state;
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    char *small = sn_arena_alloc(&arena, 1, 10);
    char *large = sn_arena_alloc(&arena, 1, 100000);
    char *more = sn_arena_alloc(&arena, 1, 10);

    assert_int_equal((uintptr_t)small % 16, 0);
    assert_ptr_equal(more, small + 16); /* a large object leaves the current block in use */
    memset(large, 1, 100000);
    assert_int_equal(more[0], 0);
    assert_slice_equal(sn_arena_printf(&arena, "%d-%s", 7, "x"), "7-x");
    assert_slice_equal(sn_arena_dup(&arena, SN_S("abc")), "abc");
}

static void secrets(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 64, 65, 256, 2048, 8192, 8193, 100000};
    SN_AUTO(sn_secret_clear) struct sn_secret a = {0}, b = {0};

    for (size_t i = 0; i < SN_LEN(sizes); i++) {
        sn_secret_alloc(&a, sizes[i]);
        for (size_t j = 0; j < sizes[i]; j++) {
            assert_int_equal(a.bytes[j], 0); /* wiped before reuse */
        }
        memset(a.bytes, 0xa5, sizes[i]);
        sn_secret_set(&b, sn_secret_reveal(&a));
        assert_true(sn_secret_eq(&a, &b));
        b.bytes[sizes[i] - 1] ^= 1;
        assert_false(sn_secret_eq(&a, &b));
    }
    sn_secret_move(&b, &a);
    assert_false(sn_secret_is_set(&a));
    assert_int_equal(b.len, 100000);
    sn_secret_set(&b, sn_slice_sub(sn_secret_reveal(&b), 5, 10)); /* from its own bytes */
    assert_int_equal(b.len, 10);
    assert_true(sn_slice_eq_const_time(SN_S("token"), SN_S("token")));
    assert_false(sn_slice_eq_const_time(SN_S("token"), SN_S("tokem")));
    assert_false(sn_slice_eq_const_time(SN_S("token"), SN_S("toke")));
}

static void errors(void **state)
{
    (void)state;
    struct sn_error err;
    char path[32] = "x.yaml";

    assert_int_equal(sn_fail(&err, SN_NOT_FOUND, "UNKNOWN_PROFILE", "no profile '%s'", "prod"), SN_NOT_FOUND);
    assert_int_equal(sn_suggest(&err, "run '%s'", "sentinel profiles"), SN_NOT_FOUND);
    sn_error_context(&err, "policy '%s'", path);
    assert_string_equal(err.message, "policy 'x.yaml': no profile 'prod'");
    assert_string_equal(err.suggestion, "run 'sentinel profiles'");
    /* The arguments may be parts of the error itself. */
    sn_fail(&err, SN_INVALID, err.code, "again: %s", err.message);
    assert_string_equal(err.message, "again: policy 'x.yaml': no profile 'prod'");
    assert_string_equal(err.code, "UNKNOWN_PROFILE");
    assert_string_equal(err.suggestion, "");

    /* A message that is cut stays well-formed UTF-8. */
    char text[SN_ERROR_MESSAGE_MAX * 2];
    for (size_t start = 0; start < 3; start++) {
        memset(text, 'a', start);
        for (size_t i = start; i + 3 < sizeof(text); i += 3) {
            memcpy(text + i, "\xe2\x82\xac", 4);
        }
        sn_fail(&err, SN_INVALID, "X", "%s", text);
        assert_true(sn_slice_is_utf8(sn_slice_str(err.message)));
        assert_true(strlen(err.message) > SN_ERROR_MESSAGE_MAX - 5);
        sn_error_context(&err, "where");
        assert_true(sn_slice_is_utf8(sn_slice_str(err.message)));
        assert_int_equal(strncmp(err.message, "where: ", 7), 0);
    }
}

static enum sn_status count_up(void *ctx, void *bytes, size_t len, struct sn_error *err)
{
    (void)ctx;
    (void)err;
    for (size_t i = 0; i < len; i++) {
        ((unsigned char *)bytes)[i] = (unsigned char)(i * 37 + 1);
    }
    return SN_OK;
}

static enum sn_status no_random(void *ctx, void *bytes, size_t len, struct sn_error *err)
{
    (void)ctx;
    (void)bytes;
    (void)len;
    return sn_fail(err, SN_UNAVAILABLE, "RANDOM_UNAVAILABLE", "none");
}

/* ATK-07: a failing random source gives no id. The expected text is RFC 4648 grouping in Crockford's alphabet,
 * computed with an independent implementation over bytes 01 26 4b 70 95 ba df 04 29 4e. */
static void identifiers(void **state)
{
    (void)state;
    const struct sn_random fixed = {count_up, NULL}, broken = {no_random, NULL};
    struct sn_id id = {"unchanged"};
    struct sn_error err;

    assert_fails(sn_id_new(&broken, &id, &err), &err, "RANDOM_UNAVAILABLE");
    assert_string_equal(id.text, "unchanged");
    assert_ok(sn_id_new(&fixed, &id, &err), &err);
    assert_string_equal(id.text, "04k4pw4nqbfg8aae");
    assert_true(sn_id_is_valid(sn_id_slice(&id)));
    static const char *const bad[] = {"", "04k4pw4nqbfg8aa", "04k4pw4nqbfg8aaee", "04K4pw4nqbfg8aae",
        "i4k4pw4nqbfg8aae", "l4k4pw4nqbfg8aae", "o4k4pw4nqbfg8aae", "u4k4pw4nqbfg8aae"};
    for (size_t i = 0; i < SN_LEN(bad); i++) {
        assert_false(sn_id_is_valid(sn_slice_str(bad[i])));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffer_limits),
        cmocka_unit_test(buffer_content),
        cmocka_unit_test(arena_blocks),
        cmocka_unit_test(secrets),
        cmocka_unit_test(errors),
        cmocka_unit_test(identifiers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/codec/uri_test.c - percent encoding and query strings. */
#include "test.h"

#include "codec/uri.h"

static void encoding_is_that_of_aws(void **state)
{
    (void)state;
    struct sn_buf buf = {0};
    struct sn_buf back = {0};
    struct sn_error err;
    sn_uri_encode(&buf, SN_S("AZaz09-._~ /+%&=\xc3\xa9\x00"), false);
    assert_slice_equal(sn_buf_slice(&buf), "AZaz09-._~%20%2F%2B%25%26%3D%C3%A9%00");
    assert_ok(sn_uri_decode(sn_buf_slice(&buf), false, &back, &err), &err);
    assert_true(sn_slice_eq(sn_buf_slice(&back), SN_S("AZaz09-._~ /+%&=\xc3\xa9\x00")));
    sn_buf_reset(&buf);
    sn_uri_encode(&buf, SN_S("/a b/"), true);
    assert_slice_equal(sn_buf_slice(&buf), "/a%20b/");
    sn_buf_clear(&buf);
    sn_buf_clear(&back);
}

static void decoding_refuses_bad_escapes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool plus;
        const char *out; /* NULL: refused */
    } rows[] = {
        {"a+b%20c", true, "a b c"},
        {"a+b", false, "a+b"},
        {"%c3%A9", false, "\xc3\xa9"},
        {"%2525", false, "%25"},
        {"", false, ""},
        {"%", false, NULL},
        {"%4", false, NULL},
        {"a%", false, NULL},
        {"%zz", false, NULL},
        {"%4g", false, NULL},
        {"%g4", false, NULL},
        {"%%41", false, NULL},
        {"%+1", false, NULL},
        {"% 1", false, NULL},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        print_message("# %s\n", rows[i].text);
        struct sn_buf buf = {0};
        struct sn_error err;
        enum sn_status status = sn_uri_decode(sn_slice_str(rows[i].text), rows[i].plus, &buf, &err);
        assert_int_equal(status == SN_OK, rows[i].out != NULL);
        assert_string_equal(sn_buf_str(&buf), rows[i].out != NULL ? rows[i].out : "");
        assert_true(status == SN_OK || sn_error_is(&err, "INVALID_ESCAPE"));
        sn_buf_clear(&buf);
    }
}

/* ATK-02: the same parameter twice, in whatever spelling, is refused; ';' separates nothing. */
static void attack_02_query_parameters(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t count;
        const char *message; /* NULL: accepted */
    } rows[] = {
        {"", 0, NULL},
        {"profile=prod&duration=900", 2, NULL},
        {"a", 1, NULL},
        {"a=", 1, NULL},
        {"a=b=c", 1, NULL},
        {"a=1;b=2", 1, NULL},
        {"a=1&A=2", 2, NULL},
        {"a=1&a=1", 0, "repeated"},
        {"a=1&b=2&%61=3", 0, "repeated"},
        {"a&a", 0, "repeated"},
        {"a=1&&b=2", 0, "no name"},
        {"a=1&", 0, "no name"},
        {"&a=1", 0, "no name"},
        {"=1", 0, "no name"},
        {"a=%", 0, "not followed by two"},
        {"%zz=1", 0, "not followed by two"},
        {"a=%00", 0, "holds NUL"},
        {"a%00b=1", 0, "holds NUL"},
        {"a=%ff", 0, "not UTF-8"},
        {"a=%c0%af", 0, "not UTF-8"},
        {"a=\xff", 0, "not UTF-8"},
        {"a=1&b=2&c=3&d=4", 0, "too many"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        print_message("# %s\n", rows[i].text);
        struct sn_arena arena = {0};
        struct sn_query query = {0};
        struct sn_error err;
        enum sn_status status = sn_query_parse(sn_slice_str(rows[i].text), false, 3, &arena, &query, &err);
        assert_int_equal(status == SN_OK, rows[i].message == NULL);
        assert_int_equal(query.count, rows[i].count);
        if (rows[i].message != NULL) {
            assert_string_equal(err.code, "INVALID_REQUEST");
            assert_non_null(strstr(err.message, rows[i].message));
        }
        sn_arena_clear(&arena);
    }
}

static void parameters_are_decoded_and_found(void **state)
{
    (void)state;
    struct sn_arena arena = {0};
    struct sn_query query = {0};
    struct sn_error err;
    assert_ok(sn_query_parse(SN_S("a%26b=c%3Dd+e&x=&y=%2B&z=1;b=2"), true, 8, &arena, &query, &err), &err);
    assert_slice_equal(*sn_query_find(&query, "a&b"), "c=d e");
    assert_slice_equal(*sn_query_find(&query, "x"), "");
    assert_slice_equal(*sn_query_find(&query, "y"), "+");
    assert_slice_equal(*sn_query_find(&query, "z"), "1;b=2");
    assert_null(sn_query_find(&query, "b"));
    assert_null(sn_query_find(&query, "Z"));
    sn_arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encoding_is_that_of_aws),
        cmocka_unit_test(decoding_refuses_bad_escapes),
        cmocka_unit_test(attack_02_query_parameters),
        cmocka_unit_test(parameters_are_decoded_and_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

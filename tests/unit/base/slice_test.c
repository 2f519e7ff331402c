/* SPDX-License-Identifier: Apache-2.0 */
/* Slices: comparing, cutting, UTF-8 and globs. */
#include "test.h"

static void utf8(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
        bool valid;
    } rows[] = {
        {"ascii", "abc", true},
        {"two bytes", "\xc3\xa9", true},
        {"three bytes", "\xe2\x82\xac", true},
        {"four bytes", "\xf0\x9f\x94\x91", true},
        {"last code point", "\xf4\x8f\xbf\xbf", true},
        {"past the last", "\xf4\x90\x80\x80", false},
        {"overlong slash", "\xc0\xaf", false},
        {"overlong three", "\xe0\x9f\xbf", false},
        {"overlong four", "\xf0\x8f\xbf\xbf", false},
        {"surrogate", "\xed\xa0\x80", false},
        {"cut off", "\xe2\x82", false},
        {"lone continuation", "\x80", false},
        {"five bytes", "\xf8\x88\x80\x80\x80", false},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        print_message("# %s\n", rows[i].name);
        assert_int_equal(sn_slice_is_utf8(sn_slice_str(rows[i].text)), rows[i].valid);
    }
}

static void globs(void **state)
{
    (void)state;
    static const struct {
        const char *text, *glob;
        bool matches;
    } rows[] = {
        {"", "", true},
        {"", "*", true},
        {"a", "", false},
        {"CI-build", "CI-*", true},
        {"CI", "CI-*", false},
        {"abcabc", "*abc", true},
        {"abcabd", "*abc", false},
        {"a.b.c", "a*c", true},
        {"a.b.c", "a*b*d", false},
        {"aaaaaaaaaaaaaaaaaaaaaaaab", "a*a*a*a*a*a*a*c", false},
        {"x?", "x?", true},
        {"xy", "x?", false},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        print_message("# %s ~ %s\n", rows[i].text, rows[i].glob);
        assert_int_equal(
            sn_slice_matches_glob(sn_slice_str(rows[i].text), sn_slice_str(rows[i].glob)), rows[i].matches);
    }
}

static void cutting(void **state)
{
    (void)state;
    struct sn_slice before, after, part, rest = SN_S("a,,b");

    assert_true(sn_slice_cut(SN_S("k=v=w"), '=', &before, &after));
    assert_slice_equal(before, "k");
    assert_slice_equal(after, "v=w");
    assert_true(sn_slice_cut_last(SN_S("k=v=w"), '=', &before, &after));
    assert_slice_equal(before, "k=v");
    assert_slice_equal(after, "w");
    assert_false(sn_slice_cut(SN_S("kv"), '=', &before, &after));
    assert_slice_equal(before, "kv");
    assert_int_equal(after.len, 0);

    static const char *const parts[] = {"a", "", "b"};
    for (size_t i = 0; i < SN_LEN(parts); i++) {
        assert_true(sn_slice_next(&rest, ',', &part));
        assert_slice_equal(part, parts[i]);
    }
    assert_false(sn_slice_next(&rest, ',', &part));
}

static void comparing(void **state)
{
    (void)state;
    assert_true(sn_slice_eq((struct sn_slice){NULL, 0}, SN_S("")));
    assert_false(sn_slice_eq(SN_S("a"), SN_S("A")));
    assert_true(sn_slice_eq_nocase(SN_S("Host"), SN_S("hOST")));
    assert_false(sn_slice_eq_nocase(SN_S("\xc3\x84"), SN_S("\xc3\xa4")));
    assert_true(sn_slice_cmp(SN_S("a"), SN_S("ab")) < 0);
    assert_true(sn_slice_cmp(SN_S("b"), SN_S("ab")) > 0);
    assert_true(sn_slice_cmp(SN_S("\xff"), SN_S("a")) > 0);
    assert_int_equal(sn_slice_cmp(SN_S("ab"), SN_S("ab")), 0);
    assert_slice_equal(sn_slice_trim_space(SN_S(" \t x y \r\n")), "x y");
    assert_false(sn_slice_is_alnum_or(SN_S("a\0b"), "-"));
    assert_true(sn_slice_contains(SN_S("abc"), SN_S("bc")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8),
        cmocka_unit_test(globs),
        cmocka_unit_test(cutting),
        cmocka_unit_test(comparing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

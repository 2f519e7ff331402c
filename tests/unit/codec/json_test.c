/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/codec/json_test.c - reading JSON strictly and writing it in the one form that is signed. */
#include "test.h"

#include "base/alloc.h"
#include "codec/json.h"

static struct sn_slice text_of(const char *bytes, size_t len)
{
    return (struct sn_slice){bytes, len > 0 ? len : strlen(bytes)};
}

/* ATK-31: doubled keys, deep nesting, bad UTF-8, big numbers. */
static void attack_31_hostile_json(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
        size_t len; /* 0: up to the NUL */
        const char *message;
    } rows[] = {
        {"empty", "", 0, "line 1, column 0: it ends too early"},
        {"blanks only", " \n ", 0, "it ends too early"},
        {"doubled key", "{\"a\":1,\"a\":1}", 0, "same key twice"},
        {"doubled key in an inner object", "{\"x\":{\"a\":1,\"a\":1}}", 0, "same key twice"},
        {"doubled key, once escaped", "{\"a\":1,\"\\u0061\":2}", 0, "same key twice"},
        {"text behind", "{} {}", 0, "text follows"},
        {"NUL behind", "{}\0", 3, "text follows"},
        {"NUL in a string, escaped", "\"a\\u0000b\"", 0, "holds NUL"},
        {"NUL in a key, escaped", "{\"a\\u0000\":1}", 0, "holds NUL"},
        {"NUL in a string, raw", "\"a\0b\"", 5, "syntax error"},
        {"control byte in a string", "\"a\nb\"", 0, "syntax error"},
        {"overlong UTF-8", "\"\xc0\xaf\"", 0, "invalid UTF-8"},
        {"surrogate in UTF-8", "\"\xed\xa0\x80\"", 0, "invalid UTF-8"},
        {"beyond U+10FFFF", "\"\xf4\x90\x80\x80\"", 0, "invalid UTF-8"},
        {"cut UTF-8", "\"\xc3", 0, "invalid UTF-8"},
        {"lone surrogate escaped", "\"\\ud800\"", 0, "syntax error"},
        {"surrogates in wrong order", "\"\\udc00\\ud800\"", 0, "syntax error"},
        {"byte order mark", "\xef\xbb\xbf{}", 0, "syntax error"},
        {"integer past 2^63", "9223372036854775808", 0, "out of range"},
        {"integer past -2^63", "-9223372036854775809", 0, "out of range"},
        {"real past the largest", "1e999", 0, "out of range"},
        {"leading zero", "01", 0, ""},
        {"plus sign", "+1", 0, "syntax error"},
        {"hexadecimal", "0x10", 0, ""},
        {"not a number", "NaN", 0, "syntax error"},
        {"bare point", "1.", 0, "syntax error"},
        {"upper-case literal", "TRUE", 0, "syntax error"},
        {"single quotes", "{'a':1}", 0, "syntax error"},
        {"comment", "{/**/}", 0, "syntax error"},
        {"trailing comma", "[1,]", 0, "syntax error"},
        {"missing comma", "[1 2]", 0, "syntax error"},
        {"unclosed", "{\"a\":", 0, "it ends too early"},
        {"unclosed string", "\"a", 0, "it ends too early"},
        {"closing too much", "]", 0, "syntax error"},
        {"depth 9", "[[[[[[[[[]]]]]]]]]", 0, "nests deeper than 8 levels"},
        {"depth 9 of objects", "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}}}}", 0,
            "deeper than 8"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        print_message("# %s\n", rows[i].name);
        struct sn_json_doc *doc = NULL;
        struct sn_error err;
        assert_fails(sn_json_parse(text_of(rows[i].text, rows[i].len), &sn_json_limits_request, &doc, &err), &err,
            "INVALID_JSON");
        assert_int_equal(err.status, SN_INVALID);
        assert_non_null(strstr(err.message, rows[i].message));
        assert_null(doc);
    }
}

/* What is quoted in an error could be a password with a stray quote. */
static void errors_quote_nothing(void **state)
{
    (void)state;
    static const char *const texts[] = {"{\"password\": CANARY-1}", "{\"password\": \"CANARY-1\" CANARY-1}",
        "[\"CANARY-1]", "{\"CANARY-1\":1,\"CANARY-1\":2}"};
    for (size_t i = 0; i < SN_LEN(texts); i++) {
        struct sn_json_doc *doc = NULL;
        struct sn_error err = {0};
        assert_fails(sn_json_parse(sn_slice_str(texts[i]), &sn_json_limits_request, &doc, &err), &err, "INVALID_JSON");
        assert_null(strstr(err.message, "CANARY"));
        assert_null(strstr(err.suggestion, "CANARY"));
        for (size_t k = 0; k < err.detail_count; k++) {
            assert_null(strstr(err.details[k].value, "CANARY"));
        }
    }
}

static void errors_tell_the_place(void **state)
{
    (void)state;
    struct sn_json_doc *doc = NULL;
    struct sn_error err;
    assert_fails(
        sn_json_parse(SN_S("{\n  \"a\": 1,\n  b\n}"), &sn_json_limits_request, &doc, &err), &err, "INVALID_JSON");
    assert_int_equal(err.detail_count, 2);
    assert_string_equal(err.details[0].key, "line");
    assert_string_equal(err.details[0].value, "3");
    assert_string_equal(err.details[1].key, "column");
}

static enum sn_status parse_status(struct sn_slice text, const struct sn_json_limits *limits)
{
    struct sn_json_doc *doc = NULL;
    struct sn_error err;
    enum sn_status status = sn_json_parse(text, limits, &doc, &err);
    sn_json_doc_free(doc);
    return status;
}

/* The limits count exactly, and commas and brackets inside strings are not counted. */
static void limits_are_exact(void **state)
{
    (void)state;
    static const struct sn_json_limits limits = {.max_bytes = 40, .max_depth = 2, .max_members = 4};
    static const struct {
        const char *text;
        bool good;
    } rows[] = {
        {"[1,2,3,4]", true},
        {"[1,2,3,4,5]", false},
        {"{\"a\":1,\"b\":2,\"c\":3,\"d\":4}", true},
        {"{\"a\":[1,2],\"b\":1}", true},
        {"{\"a\":[1,2],\"b\":1,\"c\":1}", false},
        {"[[],[],[],[]]", true},
        {"[[ ] , { } , [ ],\t{\n}]", true},
        {"[[[]]]", false},
        {"[{}]", true},
        {"\"[[[[,,,,,,,,\\\"[[[,,,\\\\\"", true},
        {"[\"1,2,3,4,5,6\"]", true},
        {"\"0123456789012345678901234567890123456\"", true},
        {"\"0123456789012345678901234567890123456789\"", false},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        print_message("# %s\n", rows[i].text);
        assert_int_equal(parse_status(sn_slice_str(rows[i].text), &limits) == SN_OK, rows[i].good);
    }
}

/* Very deep text must not reach a recursive parser. */
static void limits_hold_for_large_text(void **state)
{
    (void)state;
    enum { LEN = 4 * 1024 * 1024 };
    char *text = sn_alloc(LEN + 1, 1);
    memset(text, '[', LEN);
    assert_int_equal(parse_status((struct sn_slice){text, LEN}, &sn_json_limits_document), SN_INVALID);
    assert_int_equal(parse_status((struct sn_slice){text, LEN + 1}, &sn_json_limits_document), SN_INVALID);
    sn_free(text);
    assert_int_equal(sn_json_limits_request.max_bytes, 65536);
    assert_int_equal(sn_json_limits_request.max_depth, 8);
    assert_int_equal(sn_json_limits_request.max_members, 64);
}

static void nodes_tell_kinds_and_values(void **state)
{
    (void)state;
    struct sn_json_doc *doc = NULL;
    struct sn_error err;
    assert_ok(sn_json_parse(SN_S("{\"z\":null,\"t\":true,\"f\":false,\"i\":-9223372036854775808,\"r\":9e2,"
                                 "\"s\":\"a\\u00e9\\ud83d\\ude00\\/\",\"a\":[1,[2],{}],\"\":0}"),
                  &sn_json_limits_request, &doc, &err),
        &err);
    const struct sn_json *root = sn_json_root(doc);
    static const struct {
        const char *key;
        enum sn_json_kind kind;
    } kinds[] = {{"z", SN_JSON_NULL}, {"t", SN_JSON_BOOL}, {"f", SN_JSON_BOOL}, {"i", SN_JSON_INT}, {"r", SN_JSON_REAL},
        {"s", SN_JSON_STRING}, {"a", SN_JSON_ARRAY}, {"", SN_JSON_INT}};
    assert_int_equal(sn_json_count(root), SN_LEN(kinds));
    for (size_t i = 0; i < SN_LEN(kinds); i++) {
        struct sn_slice key;
        const struct sn_json *member = sn_json_member_at(root, i, &key);
        assert_slice_equal(key, kinds[i].key);
        assert_ptr_equal(member, sn_json_get(root, kinds[i].key));
        assert_int_equal(sn_json_kind_of(member), kinds[i].kind);
        assert_true(strlen(sn_json_kind_name(kinds[i].kind)) > 0);
    }
    assert_int_equal(sn_json_int(sn_json_get(root, "i"), 0), INT64_MIN);
    assert_int_equal(sn_json_int(sn_json_get(root, "r"), -7), -7);
    assert_int_equal(sn_json_int(NULL, -7), -7);
    assert_true(sn_json_bool(sn_json_get(root, "t"), false));
    assert_true(sn_json_bool(sn_json_get(root, "s"), true));
    assert_slice_equal(sn_json_text(sn_json_get(root, "s")), "a\xc3\xa9\xf0\x9f\x98\x80/");
    assert_slice_equal(sn_json_text(sn_json_get(root, "i")), "");
    const struct sn_json *array = sn_json_get(root, "a");
    assert_int_equal(sn_json_count(array), 3);
    assert_int_equal(sn_json_int(sn_json_at(sn_json_at(array, 1), 0), 0), 2);
    assert_null(sn_json_at(array, 3));
    assert_null(sn_json_at(root, 0));
    assert_null(sn_json_get(array, "a"));
    assert_null(sn_json_get(NULL, "a"));
    assert_null(sn_json_get(root, "absent"));
    struct sn_slice ignored;
    assert_null(sn_json_member_at(root, SN_LEN(kinds), &ignored));
    assert_int_equal(sn_json_count(sn_json_get(root, "s")), 0);
    sn_json_doc_free(doc);
}

static void format_keeps_order_and_kinds(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } rows[] = {
        {" { \"b\" : 1 , \"a\" : [ ] , \"c\" : { } } ", "{\"b\":1,\"a\":[],\"c\":{}}"},
        {"[1.0,2.5,1e2,-0.0]", "[1.0,2.5,100.0,-0.0]"},
        {"1e300", "1.0000000000000001e+300"},
        {"\"a\\/b\\u0041\"", "\"a/bA\""},
        {"[true,false,null]", "[true,false,null]"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_json_doc *doc = NULL;
        struct sn_error err;
        struct sn_buf buf = {0};
        assert_ok(sn_json_parse(sn_slice_str(rows[i].in), &sn_json_limits_request, &doc, &err), &err);
        sn_json_format(&buf, sn_json_root(doc));
        assert_slice_equal(sn_buf_slice(&buf), rows[i].out);
        sn_buf_clear(&buf);
        sn_json_doc_free(doc);
    }
}

/* --- tables of members --- */

struct sample {
    struct sn_slice name;
    struct sn_secret token;
    int64_t count;
    bool flag;
    const struct sn_json *list;
    bool has_count;
};

static const struct sn_json_field sample_fields[] = {
    {.name = "name", .kind = SN_JSON_FIELD_TEXT, .offset = offsetof(struct sample, name), .required = true},
    {.name = "token", .kind = SN_JSON_FIELD_SECRET, .offset = offsetof(struct sample, token)},
    {.name = "count",
        .kind = SN_JSON_FIELD_INT,
        .offset = offsetof(struct sample, count),
        .nullable = true,
        .seen_offset_1 = offsetof(struct sample, has_count) + 1},
    {.name = "flag", .kind = SN_JSON_FIELD_BOOL, .offset = offsetof(struct sample, flag)},
    {.name = "list", .kind = SN_JSON_FIELD_NODE, .offset = offsetof(struct sample, list)},
    {.name = NULL},
};

static void tables_read_members(void **state)
{
    (void)state;
    struct sn_json_doc *doc = NULL;
    struct sn_error err;
    struct sample out = {.count = 5, .has_count = true};
    assert_ok(sn_json_parse(SN_S("{\"list\":[1],\"name\":\"n\",\"token\":\"CANARY-2\",\"flag\":true,\"count\":null}"),
                  &sn_json_limits_request, &doc, &err),
        &err);
    assert_ok(sn_json_read_object(sn_json_root(doc), sample_fields, false, &out, &err), &err);
    assert_slice_equal(out.name, "n");
    assert_true(sn_secret_eq_slice(&out.token, SN_S("CANARY-2")));
    assert_int_equal(out.count, 5);
    assert_false(out.has_count);
    assert_true(out.flag);
    assert_int_equal(sn_json_count(out.list), 1);
    sn_secret_clear(&out.token);
    sn_json_doc_free(doc);
}

static void tables_refuse(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool allow_unknown;
        const char *message; /* NULL: accepted */
    } rows[] = {
        {"{\"name\":\"n\"}", false, NULL},
        {"{\"name\":\"n\",\"other\":1}", true, NULL},
        {"{\"name\":\"n\",\"other\":1}", false, "unknown member 'other'"},
        {"{\"name\":\"n\",\"Name\":\"m\"}", false, "unknown member 'Name'"},
        {"{\"name\":\"n\",\"a\\u001bb\":1}", false, "unknown member '...'"},
        {"{}", false, "member 'name' is missing"},
        {"{\"name\":null}", false, "member 'name' must be a string, not a null"},
        {"{\"name\":1}", false, "must be a string, not a whole number"},
        {"{\"name\":\"n\",\"count\":9e2}", false, "member 'count' must be a whole number, not a fractional number"},
        {"{\"name\":\"n\",\"count\":900.0}", false, "not a fractional number"},
        {"{\"name\":\"n\",\"count\":\"900\"}", false, "not a string"},
        {"{\"name\":\"n\",\"flag\":\"true\"}", false, "must be a true or false"},
        {"{\"name\":\"n\",\"flag\":null}", false, "not a null"},
        {"{\"name\":\"n\",\"token\":[]}", false, "not a array"},
        {"[]", false, "a JSON object is expected, not a array"},
        {"null", false, "a JSON object is expected"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        print_message("# %s\n", rows[i].text);
        struct sn_json_doc *doc = NULL;
        struct sn_error err;
        struct sample out = {.count = 5};
        assert_ok(sn_json_parse(sn_slice_str(rows[i].text), &sn_json_limits_request, &doc, &err), &err);
        enum sn_status status =
            sn_json_read_object(sn_json_root(doc), sample_fields, rows[i].allow_unknown, &out, &err);
        assert_int_equal(status == SN_OK, rows[i].message == NULL);
        if (rows[i].message != NULL) {
            assert_string_equal(err.code, "INVALID_JSON");
            assert_non_null(strstr(err.message, rows[i].message));
            assert_null(out.name.ptr); /* nothing is written on failure */
        }
        sn_json_doc_free(doc);
    }
}

/* --- writing --- */

static void writer_escapes(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
        size_t len;
        const char *out;
    } rows[] = {
        {"the vector of the audit log", "a\"b\\c\n\x1b\x7f\xc2\x85\xc3\xa9\",\"effect\":\"allow", 0,
            "\"a\\\"b\\\\c\\u000a\\u001b\\u007f\\u0085\xc3\xa9\\\",\\\"effect\\\":\\\"allow\""},
        {"empty", "", 0, "\"\""},
        {"NUL", "a\0b", 3, "\"a\\u0000b\""},
        {"slash stands", "</a>", 0, "\"</a>\""},
        {"C1 ends at U+009F", "\xc2\x80\xc2\x9f\xc2\xa0", 0, "\"\\u0080\\u009f\xc2\xa0\""},
        {"line separators", "\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa", 0,
            "\"\xe2\x80\xa7\\u2028\\u2029\xe2\x80\xaa\""},
        {"above the plane", "\xf0\x9f\x98\x80", 0, "\"\xf0\x9f\x98\x80\""},
        {"bad byte",
            "a\xff"
            "b",
            0,
            "\"a\xef\xbf\xbd"
            "b\""},
        {"overlong quote", "\xc0\xa2", 0, "\"\xef\xbf\xbd\xef\xbf\xbd\""},
        {"cut at the end", "a\xe2\x80", 0, "\"a\xef\xbf\xbd\xef\xbf\xbd\""},
        {"surrogate", "\xed\xa0\x80", 0, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        print_message("# %s\n", rows[i].name);
        struct sn_buf buf = {0};
        struct sn_json_writer w;
        sn_json_writer_init(&w, &buf);
        sn_json_put_text(&w, text_of(rows[i].text, rows[i].len));
        assert_slice_equal(sn_buf_slice(&buf), rows[i].out);
        sn_buf_clear(&buf);
    }
}

static void writer_places_commas(void **state)
{
    (void)state;
    struct sn_buf buf = {0};
    struct sn_json_writer w;
    struct sn_secret secret = {0};
    sn_secret_set(&secret, SN_S("s\"1"));
    sn_json_writer_init(&w, &buf);
    sn_json_begin_object(&w);
    sn_json_member_text(&w, "t", SN_S("x"));
    sn_json_member_str(&w, "n", NULL);
    sn_json_member_int(&w, "i", INT64_MIN);
    sn_json_member_bool(&w, "b", true);
    sn_json_member_null(&w, "z");
    sn_json_member_secret(&w, "s", &secret);
    sn_json_key(&w, "a");
    sn_json_begin_array(&w);
    sn_json_begin_array(&w);
    sn_json_end_array(&w);
    sn_json_begin_object(&w);
    sn_json_end_object(&w);
    sn_json_put_str(&w, "y");
    sn_json_put_raw(&w, SN_S("{\"r\":1}"));
    sn_json_put_bool(&w, false);
    sn_json_put_null(&w);
    sn_json_put_int(&w, 0);
    sn_json_end_array(&w);
    sn_json_key_slice(&w, SN_S("k\""));
    sn_json_put_secret(&w, &secret);
    sn_json_end_object(&w);
    assert_slice_equal(sn_buf_slice(&buf),
        "{\"t\":\"x\",\"n\":null,\"i\":-9223372036854775808,\"b\":true,\"z\":null,\"s\":\"s\\\"1\","
        "\"a\":[[],{},\"y\",{\"r\":1},false,null,0],\"k\\\"\":\"s\\\"1\"}");
    sn_buf_clear(&buf);
    sn_secret_clear(&secret);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attack_31_hostile_json),
        cmocka_unit_test(errors_quote_nothing),
        cmocka_unit_test(errors_tell_the_place),
        cmocka_unit_test(limits_are_exact),
        cmocka_unit_test(limits_hold_for_large_text),
        cmocka_unit_test(nodes_tell_kinds_and_values),
        cmocka_unit_test(format_keeps_order_and_kinds),
        cmocka_unit_test(tables_read_members),
        cmocka_unit_test(tables_refuse),
        cmocka_unit_test(writer_escapes),
        cmocka_unit_test(writer_places_commas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

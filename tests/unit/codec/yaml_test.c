/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/codec/yaml_test.c - the strict subset of YAML: what is refused, where, and what is read. */
#include "test.h"

#include "base/alloc.h"
#include "codec/yaml.h"

static struct sn_slice text_of(const char *bytes, size_t len)
{
    return (struct sn_slice){bytes, len > 0 ? len : strlen(bytes)};
}

static const char *detail(const struct sn_error *err, const char *key)
{
    for (size_t i = 0; i < err->detail_count; i++) {
        if (strcmp(err->details[i].key, key) == 0) {
            return err->details[i].value;
        }
    }
    return "";
}

/* ATK-08: every document that is not of the strict subset fails to load, and the place is named. */
static void attack_08_refused_documents(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
        size_t len;
        const char *code, *line, *column;
    } rows[] = {
        {"empty", "", 0, "YAML_EMPTY", "", ""},
        {"only a byte order mark", "\xef\xbb\xbf", 0, "YAML_EMPTY", "", ""},
        {"blanks and comments", "  \n# x\n\n", 0, "YAML_EMPTY", "", ""},
        {"only a marker", "---\n", 0, "YAML_EMPTY", "", ""},
        {"anchor", "a: &x 1\n", 0, "YAML_FORBIDDEN", "1", "4"},
        {"anchor on a list", "a:\n  b: &x [1]\n", 0, "YAML_FORBIDDEN", "2", "6"},
        {"anchor on a mapping", "&x {a: 1}\n", 0, "YAML_FORBIDDEN", "1", "1"},
        {"anchor on a key", "&x a: 1\n", 0, "YAML_FORBIDDEN", "1", "1"},
        {"alias", "a: 1\nb: *a\n", 0, "YAML_FORBIDDEN", "2", "4"},
        {"alias as a key", "*a : 1\n", 0, "YAML_FORBIDDEN", "1", "1"},
        {"merge key", "<<: {a: 1}\n", 0, "YAML_FORBIDDEN", "1", "1"},
        {"merge key inside", "a:\n  <<: {b: 1}\n", 0, "YAML_FORBIDDEN", "2", "3"},
        {"tag of the core schema", "a: !!str 1\n", 0, "YAML_FORBIDDEN", "1", "4"},
        {"tag of one's own", "a: !x 1\n", 0, "YAML_FORBIDDEN", "1", "4"},
        {"verbatim tag", "a: !<tag:x,2000:y> 1\n", 0, "YAML_FORBIDDEN", "1", "4"},
        {"lone tag on text", "a: ! 1\n", 0, "YAML_FORBIDDEN", "1", "4"},
        {"lone tag behind wide letters", "\xc3\xa9\xc3\xa9: ! 1\n", 0, "YAML_FORBIDDEN", "1", "5"},
        {"lone tag on quoted text", "a: ! '1'\n", 0, "YAML_FORBIDDEN", "1", "4"},
        {"lone tag on nothing", "a: !\n", 0, "YAML_FORBIDDEN", "1", "4"},
        {"lone tag on a list", "a: ! [1]\n", 0, "YAML_FORBIDDEN", "1", "4"},
        {"lone tag on a key", "a: 1\n! b: 2\n", 0, "YAML_FORBIDDEN", "2", "1"},
        {"tag directive", "%TAG ! tag:x,2000:\n---\na: 1\n", 0, "YAML_FORBIDDEN", "1", "1"},
        {"YAML 1.1", "%YAML 1.1\n---\na: 1\n", 0, "YAML_FORBIDDEN", "1", "1"},
        {"second document", "a: 1\n---\nb: 2\n", 0, "YAML_FORBIDDEN", "2", "1"},
        {"second, empty document", "a: 1\n---\n", 0, "YAML_FORBIDDEN", "2", "1"},
        {"content behind the end", "a: 1\n...\nb: 2\n", 0, "", "", ""},
        {"duplicate key", "a: 1\nb: 2\na: 3\n", 0, "YAML_DUPLICATE_KEY", "3", "1"},
        {"duplicate key, once quoted", "a: 1\n\"a\": 2\n", 0, "YAML_DUPLICATE_KEY", "2", "1"},
        {"duplicate key, once escaped", "a: 1\n\"\\x61\": 2\n", 0, "YAML_DUPLICATE_KEY", "2", "1"},
        {"duplicate key in flow style", "{a: {b: 1, c: 2, b: 3}}\n", 0, "YAML_DUPLICATE_KEY", "1", "18"},
        {"duplicate key in a list", "- a: 1\n  a: 2\n", 0, "YAML_DUPLICATE_KEY", "2", "3"},
        {"list as a key", "? [a]\n: 1\n", 0, "YAML_FORBIDDEN", "1", "3"},
        {"mapping as a key", "{{a: 1}: 2}\n", 0, "YAML_FORBIDDEN", "1", "2"},
        {"no key", "?\n: 1\n", 0, "YAML_FORBIDDEN", "1", "2"},
        {"tab for indentation", "a:\n\tb: 1\n", 0, "YAML_SYNTAX", "2", "1"},
        {"unclosed quote", "a: 'x\n", 0, "YAML_SYNTAX", "2", "1"},
        {"unclosed list", "a: [1, 2\n", 0, "YAML_SYNTAX", "2", "1"},
        {"wrong indentation", "a:\n  b: 1\n c: 2\n", 0, "YAML_SYNTAX", "3", "2"},
        {"reserved letter", "a: @b\n", 0, "YAML_SYNTAX", "1", "4"},
        {"mapping in a plain value", "a: b: c\n", 0, "YAML_SYNTAX", "1", "5"},
        {"text behind quoted text", "a: \"x\" y\n", 0, "YAML_SYNTAX", "1", "8"},
        {"NUL", "a: x\0y\n", 7, "YAML_ENCODING", "1", "5"},
        {"NUL in a comment", "a: 1 # \0\n", 9, "YAML_ENCODING", "1", "8"},
        {"NUL by escape", "a: \"x\\0\"\n", 0, "YAML_ENCODING", "1", "4"},
        {"escape sequence", "a: 1\nb: \x1b[2J\n", 0, "YAML_ENCODING", "2", "4"},
        {"bell", "\a", 0, "YAML_ENCODING", "1", "1"},
        {"delete", "a: \x7f\n", 0, "YAML_ENCODING", "1", "4"},
        {"C1 control", "a: \xc2\x9b\n", 0, "YAML_ENCODING", "1", "4"},
        {"next line hides a rule",
            "# x\xc2\x85"
            "a: 1\n",
            0, "YAML_ENCODING", "1", "4"},
        {"line separator hides a rule",
            "# x\xe2\x80\xa8"
            "a: 1\n",
            0, "YAML_ENCODING", "1", "4"},
        {"paragraph separator", "a: x\xe2\x80\xa9\n", 0, "YAML_ENCODING", "1", "5"},
        {"lone CR hides a rule", "# x\ra: 1\n", 0, "YAML_ENCODING", "1", "4"},
        {"byte order mark inside", "a: \xef\xbb\xbfx\n", 0, "YAML_ENCODING", "1", "4"},
        {"two byte order marks",
            "\xef\xbb\xbf\xef\xbb\xbf"
            "a: 1\n",
            0, "YAML_ENCODING", "1", "1"},
        {"not UTF-8", "a: 1\nb: \xc3\xa9\xff\n", 0, "YAML_ENCODING", "2", "5"},
        {"overlong", "\xc0\xaf", 0, "YAML_ENCODING", "1", "1"},
        {"cut character", "abc: \xe2\x82", 0, "YAML_ENCODING", "1", "6"},
        {"surrogate", "a: \xed\xa0\x80\n", 0, "YAML_ENCODING", "1", "4"},
        {"UTF-16",
            "\xff\xfe"
            "a\0",
            4, "YAML_ENCODING", "1", "1"},
        {"depth 17 in flow style", "[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", 0, "YAML_LIMIT", "1", "17"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        print_message("# %s\n", rows[i].name);
        struct sn_arena arena = {0};
        struct sn_yaml_node *root = NULL;
        struct sn_error err = {0};
        enum sn_status status =
            sn_yaml_parse(text_of(rows[i].text, rows[i].len), &sn_yaml_limits_document, &arena, &root, &err);
        assert_int_not_equal(status, SN_OK);
        assert_null(root);
        if (rows[i].code[0] != '\0') {
            assert_string_equal(err.code, rows[i].code);
            assert_string_equal(detail(&err, "line"), rows[i].line);
            assert_string_equal(detail(&err, "column"), rows[i].column);
        }
        sn_arena_clear(&arena);
    }
}

static void duplicates_name_both_lines(void **state)
{
    (void)state;
    struct sn_arena arena = {0};
    struct sn_yaml_node *root = NULL;
    struct sn_error err;
    struct sn_buf text = {0};
    /* More keys than are compared with one another: the sorted way must find the same. */
    for (int i = 0; i < 100; i++) {
        sn_buf_addf(&text, "key%d: 1\n", (i * 37) % 100);
    }
    assert_ok(sn_yaml_parse(sn_buf_slice(&text), &sn_yaml_limits_document, &arena, &root, &err), &err);
    assert_int_equal(root->count, 100);
    sn_buf_add_str(&text, "key37: 2\n");
    assert_fails(
        sn_yaml_parse(sn_buf_slice(&text), &sn_yaml_limits_document, &arena, &root, &err), &err, "YAML_DUPLICATE_KEY");
    assert_string_equal(err.message, "line 101, column 1: key 'key37' stands on line 2 already");
    assert_string_equal(detail(&err, "first_line"), "2");
    sn_buf_clear(&text);
    sn_arena_clear(&arena);
}

static void limits_are_exact(void **state)
{
    (void)state;
    static const struct sn_yaml_limits limits = {.max_bytes = 24, .max_depth = 2, .max_nodes = 5};
    static const struct {
        const char *text, *code;
    } rows[] = {
        {"[1, 2, 3, 4]", ""},
        {"[1, 2, 3, 4, 5]", "YAML_LIMIT"},
        {"{a: 1, b: 2}", ""},
        {"{a: 1, b: [2]}", "YAML_LIMIT"},
        {"[[1]]", ""},
        {"[[[1]]]", "YAML_LIMIT"},
        {"'0123456789012345678901'", ""},
        {"'01234567890123456789012'", "YAML_TOO_LARGE"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        print_message("# %s\n", rows[i].text);
        struct sn_arena arena = {0};
        struct sn_yaml_node *root = NULL;
        struct sn_error err = {0};
        enum sn_status status = sn_yaml_parse(sn_slice_str(rows[i].text), &limits, &arena, &root, &err);
        assert_int_equal(status == SN_OK, rows[i].code[0] == '\0');
        assert_string_equal(err.code, rows[i].code);
        assert_true(status == SN_OK || err.status == SN_LIMIT);
        sn_arena_clear(&arena);
    }
    assert_int_equal(sn_yaml_limits_document.max_bytes, 1048576);
    assert_int_equal(sn_yaml_limits_document.max_depth, 16);
    assert_int_equal(sn_yaml_limits_document.max_nodes, 400000);
}

/* ATK-08: a megabyte of brackets, of keys, of quotes: refused or read within the limits, never slow or deep. */
static void attack_08_large_hostile_documents(void **state)
{
    (void)state;
    static const char *const patterns[] = {
        "[", "{", "- ", "? ", "a: {", "\"", "'x", "!", "&a ", "*a ", "[a, ", "%", "|\n", "# \n"};
    for (size_t i = 0; i < SN_LEN(patterns); i++) {
        print_message("# %s\n", patterns[i]);
        struct sn_buf text = {0};
        while (text.len + strlen(patterns[i]) <= sn_yaml_limits_document.max_bytes) {
            sn_buf_add_str(&text, patterns[i]);
        }
        struct sn_arena arena = {0};
        struct sn_yaml_node *root = NULL;
        struct sn_error err = {0};
        assert_int_not_equal(sn_yaml_parse(sn_buf_slice(&text), &sn_yaml_limits_document, &arena, &root, &err), SN_OK);
        assert_true(arena.total < 64u << 20);
        sn_arena_clear(&arena);
        sn_buf_clear(&text);
    }
}

static const struct sn_yaml_node *must_parse(struct sn_arena *arena, const char *text)
{
    struct sn_yaml_node *root = NULL;
    struct sn_error err;
    assert_ok(sn_yaml_parse(sn_slice_str(text), &sn_yaml_limits_document, arena, &root, &err), &err);
    return root;
}

static void trees_keep_text_and_place(void **state)
{
    (void)state;
    struct sn_arena arena = {0};
    const struct sn_yaml_node *root =
        must_parse(&arena, "\xef\xbb\xbf# head\r\nversion: '1'\r\nrules:\r\n  - {name: a, hours: 09:00}\r\n"
                           "  - name: \"b\\u00e9\"\r\n    reason: |\r\n      two\r\n      lines\r\n");
    assert_int_equal(root->kind, SN_YAML_MAPPING);
    assert_int_equal(root->count, 2);
    const struct sn_yaml_node *version = sn_yaml_get(root, "version");
    assert_slice_equal(version->text, "1");
    assert_false(version->plain);
    assert_int_equal(version->line, 2);
    assert_int_equal(version->column, 10);
    const struct sn_yaml_node *rules = sn_yaml_get(root, "rules");
    assert_int_equal(rules->kind, SN_YAML_SEQUENCE);
    assert_int_equal(rules->count, 2);
    const struct sn_yaml_node *hours = sn_yaml_get(rules->items[0], "hours");
    assert_slice_equal(hours->text, "09:00");
    assert_true(hours->plain);
    assert_int_equal(hours->line, 4);
    assert_slice_equal(sn_yaml_get(rules->items[1], "name")->text, "b\xc3\xa9");
    const struct sn_yaml_node *reason = sn_yaml_get(rules->items[1], "reason");
    assert_slice_equal(reason->text, "two\nlines\n");
    assert_false(reason->plain);
    assert_null(sn_yaml_get(root, "absent"));
    assert_null(sn_yaml_get(rules, "name"));
    assert_null(sn_yaml_get(NULL, "name"));
    sn_arena_clear(&arena);
}

static void accepted_forms(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
        enum sn_yaml_kind kind;
    } rows[] = {
        {"JSON", "{\"version\": \"1\", \"rules\": [{\"name\": \"a\\/b\"}]}", SN_YAML_MAPPING},
        {"YAML 1.2", "%YAML 1.2\n---\na: 1\n", SN_YAML_MAPPING},
        {"markers", "---\na: 1\n...\n", SN_YAML_MAPPING},
        {"comment behind the end", "a: 1\n...\n# x\n", SN_YAML_MAPPING},
        {"list", "- a\n- b\n", SN_YAML_SEQUENCE},
        {"scalar", "x\n", SN_YAML_SCALAR},
        {"quoted empty", "''\n", SN_YAML_SCALAR},
        {"exclamation mark inside", "a: b!\nc: \"!d\"\ne: ['!f']\n# ! g\n", SN_YAML_MAPPING},
        {"ampersand inside", "a: b & c\n", SN_YAML_MAPPING},
        {"quoted merge key", "\"<<\": 1\n", SN_YAML_MAPPING},
        {"no newline at the end", "a: 1", SN_YAML_MAPPING},
        {"depth 16", "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]", SN_YAML_SEQUENCE},
        {"tab as a separator", "a:\t1\n", SN_YAML_MAPPING},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        print_message("# %s\n", rows[i].name);
        struct sn_arena arena = {0};
        assert_int_equal(must_parse(&arena, rows[i].text)->kind, rows[i].kind);
        sn_arena_clear(&arena);
    }
}

static void nulls_are_told_from_text(void **state)
{
    (void)state;
    struct sn_arena arena = {0};
    const struct sn_yaml_node *root =
        must_parse(&arena, "nulls: [~, null, Null, NULL]\nempty:\ntexts: ['~', \"null\", nULL, none, '']\n");
    const struct sn_yaml_node *nulls = sn_yaml_get(root, "nulls");
    for (size_t i = 0; i < nulls->count; i++) {
        assert_true(sn_yaml_is_null(nulls->items[i]));
    }
    assert_true(sn_yaml_is_null(sn_yaml_get(root, "empty")));
    const struct sn_yaml_node *texts = sn_yaml_get(root, "texts");
    for (size_t i = 0; i < texts->count; i++) {
        assert_false(sn_yaml_is_null(texts->items[i]));
    }
    assert_false(sn_yaml_is_null(texts));
    assert_false(sn_yaml_is_null(NULL));
    assert_string_equal(sn_yaml_kind_name(SN_YAML_SCALAR), "text");
    assert_string_equal(sn_yaml_kind_name(SN_YAML_SEQUENCE), "list");
    assert_string_equal(sn_yaml_kind_name(SN_YAML_MAPPING), "mapping");
    sn_arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attack_08_refused_documents),
        cmocka_unit_test(duplicates_name_both_lines),
        cmocka_unit_test(limits_are_exact),
        cmocka_unit_test(attack_08_large_hostile_documents),
        cmocka_unit_test(trees_keep_text_and_place),
        cmocka_unit_test(accepted_forms),
        cmocka_unit_test(nulls_are_told_from_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

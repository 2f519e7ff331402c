/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/codec/xml_test.c - XML answers as trees, and what is refused. */
#include "test.h"

#include "codec/xml.h"

enum { MAX_BYTES = 64 * 1024 };

/* ATK-03: documents that a lenient reader would take for an answer. */
static void attack_03_hostile_xml(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *message;
    } rows[] = {
        {"empty", "", "line 1"},
        {"text only", "hello", "line 1"},
        {"JSON", "{\"Arn\":\"x\"}", "line 1"},
        {"unclosed", "<a><b></a>", "line 1"},
        {"two roots", "<a/><b/>", "line 1"},
        {"text behind", "<a/>x", "line 1"},
        {"doctype", "<!DOCTYPE a><a/>", "document type"},
        {"doctype with a system id", "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", "document type"},
        {"entity", "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", "document type"},
        {"undefined entity", "<a>&x;</a>", "line 1"},
        {"instruction inside", "<a><?x y?></a>", "processing instruction"},
        {"instruction behind", "<a/><?x y?>", "processing instruction"},
        {"other encoding declared", "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a/>", "not UTF-8"},
        {"other encoding", "<a>\xe9</a>", "not UTF-8"},
        {"control character", "<a>\x01</a>", "line 1"},
        {"undeclared prefix", "<p:a/>", "line 1"},
        {"separator in a namespace", "<p:a xmlns:p=\"u&#10;v\"/>", "line 1"},
        {"doubled attribute", "<a b=\"1\" b=\"2\"/>", "line 1"},
        {"depth 17",
            "<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a/></a></a></a></a></a></a></a></a></a></a></a></a>"
            "</a></a></a></a>",
            "nests too deep"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        print_message("# %s\n", rows[i].name);
        struct sn_arena arena = {0};
        struct sn_xml_node *root = NULL;
        struct sn_error err;
        assert_fails(sn_xml_parse(sn_slice_str(rows[i].text), MAX_BYTES, &arena, &root, &err), &err, "INVALID_XML");
        assert_int_equal(err.status, SN_PROTOCOL);
        assert_non_null(strstr(err.message, rows[i].message));
        assert_null(root);
        sn_arena_clear(&arena);
    }
}

static enum sn_status parse_elements(size_t count, size_t max_bytes)
{
    struct sn_arena arena = {0};
    struct sn_buf text = {0};
    struct sn_xml_node *root = NULL;
    struct sn_error err;
    sn_buf_add_str(&text, "<a>");
    for (size_t i = 1; i < count; i++) {
        sn_buf_add_str(&text, "<b/>");
    }
    sn_buf_add_str(&text, "</a>");
    enum sn_status status = sn_xml_parse(sn_buf_slice(&text), max_bytes, &arena, &root, &err);
    assert_true(status != SN_OK || root->child_count == count - 1);
    sn_buf_clear(&text);
    sn_arena_clear(&arena);
    return status;
}

static void limits_are_exact(void **state)
{
    (void)state;
    assert_int_equal(parse_elements(4096, MAX_BYTES), SN_OK);
    assert_int_equal(parse_elements(4097, MAX_BYTES), SN_PROTOCOL);
    assert_int_equal(parse_elements(3, 15), SN_OK);
    assert_int_equal(parse_elements(3, 14), SN_PROTOCOL);
}

static void trees_keep_names_and_text(void **state)
{
    (void)state;
    struct sn_arena arena = {0};
    struct sn_xml_node *root = NULL;
    struct sn_error err;
    assert_ok(
        sn_xml_parse(
            SN_S("<?xml version=\"1.0\" encoding=\"utf-8\"?><!-- x -->\n"
                 "<p:r xmlns:p=\"urn:p\" xmlns=\"urn:d\" a=\"1\" p:b=\"2\">x<Arn>a&amp;b<![CDATA[<c>]]>&#x41;</Arn>"
                 "y<Arn/><q xmlns=\"\">\n z </q></p:r>"),
            MAX_BYTES, &arena, &root, &err),
        &err);
    assert_slice_equal(root->ns, "urn:p");
    assert_slice_equal(root->name, "r");
    assert_slice_equal(root->text, "xy");
    assert_int_equal(root->attribute_count, 2);
    assert_int_equal(root->child_count, 3);
    assert_int_equal(sn_xml_count(root, "Arn"), 2);
    assert_int_equal(sn_xml_count(root, "arn"), 0);
    assert_int_equal(sn_xml_count(NULL, "Arn"), 0);
    const struct sn_xml_node *arn = sn_xml_child(root, "Arn");
    assert_ptr_equal(arn, root->first_child);
    assert_slice_equal(arn->ns, "urn:d");
    assert_slice_equal(sn_xml_child_text(root, "Arn"), "a&b<c>A");
    assert_slice_equal(arn->next->text, "");
    assert_slice_equal(sn_xml_child(root, "q")->ns, "");
    assert_slice_equal(sn_xml_child_text(root, "q"), "\n z ");
    assert_slice_equal(sn_xml_child_text(root, "absent"), "");
    assert_null(sn_xml_child(NULL, "a"));
    sn_arena_clear(&arena);
}

static void depth_16_is_read(void **state)
{
    (void)state;
    struct sn_arena arena = {0};
    struct sn_xml_node *root = NULL;
    struct sn_error err;
    assert_ok(
        sn_xml_parse(
            SN_S("<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a/></a></a></a></a></a></a></a></a></a></a></a></a>"
                 "</a></a></a>"),
            MAX_BYTES, &arena, &root, &err),
        &err);
    sn_arena_clear(&arena);
}

static void escape_covers_markup(void **state)
{
    (void)state;
    struct sn_buf buf = {0};
    sn_xml_escape(&buf, SN_S("a<b>&\"c\"'d'\xc3\xa9"));
    assert_slice_equal(sn_buf_slice(&buf), "a&lt;b&gt;&amp;&quot;c&quot;&apos;d&apos;\xc3\xa9");
    sn_buf_clear(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attack_03_hostile_xml),
        cmocka_unit_test(limits_are_exact),
        cmocka_unit_test(trees_keep_names_and_text),
        cmocka_unit_test(depth_16_is_read),
        cmocka_unit_test(escape_covers_markup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

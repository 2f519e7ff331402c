/* SPDX-License-Identifier: Apache-2.0 */
/* core/policy/document_name.c: names of documents, of signatures and of files. */
#include "test.h"

#include "core/policy/document_name.h"

/* POL-28: where a signature lies follows from the document's name alone. */
static void signature_names(void **state)
{
    (void)state;
    static const struct {
        const char *document, *signature;
    } rows[] = {
        {"/sentinel/policies/team/dev", "/sentinel/signatures/team/dev"},
        {"/acme/pol/prod", "/sentinel/signatures/acme/pol/prod"},
        {"/sentinel/catalog/billing", "/sentinel/signatures/sentinel/catalog/billing"},
        {"/sentinel/config/approval", "/sentinel/signatures/sentinel/config/approval"},
        {"/sentinel/policiesx/a", "/sentinel/signatures/sentinel/policiesx/a"},
        {"/a/b/c/d/e/f/g/h/i/j/k/l/m/n", NULL}, /* two parts more than fit */
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        char name[SN_DOCUMENT_NAME_MAX + 1] = "";
        struct sn_error err = {0};
        if (rows[i].signature == NULL) {
            assert_fails(sn_document_signature_name(rows[i].document, name, &err), &err, "INVALID_PARAMETER");
        } else {
            assert_ok(sn_document_signature_name(rows[i].document, name, &err), &err);
            assert_string_equal(name, rows[i].signature);
        }
    }
}

/* POL-51: what cannot be a parameter is refused before AWS is asked, saying which part is wrong. */
static void wrong_names(void **state)
{
    (void)state;
    char longest[1100];
    memset(longest, 'a', sizeof(longest));
    longest[0] = '/';
    longest[1012] = '\0';
    const struct {
        const char *name, *says;
    } rows[] = {
        {"", "begin with '/'"},
        {"sentinel/x", "begin with '/'"},
        {"/sentinel//x", "empty part"},
        {"/sentinel/x/", "ends with '/'"},
        {"/sentinel/a b", "letters, digits"},
        {"/sentinel/\xc3\xa4", "letters, digits"},
        {"/AWS/x", "AWS keeps for itself"},
        {"/ssmx", "AWS keeps for itself"},
        {"/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16", "15 parts"},
        {longest, "1011"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_error err = {0};
        assert_fails(sn_document_name_check(sn_slice_str(rows[i].name), &err), &err, "INVALID_PARAMETER");
        print_message("# %.60s\n", err.message);
        assert_non_null(strstr(err.message, rows[i].says));
        assert_int_equal(err.status, SN_USAGE);
    }
    struct sn_error err = {0};
    longest[1011] = '\0';
    assert_ok(sn_document_name_check(sn_slice_str(longest), &err), &err);
    assert_ok(sn_document_name_check(SN_S("/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15"), &err), &err);
}

static void joined_names(void **state)
{
    (void)state;
    char name[SN_DOCUMENT_NAME_MAX + 1];
    struct sn_error err = {0};
    assert_ok(sn_document_name_join(SN_S("/acme/policies//"), SN_S("team/dev"), name, &err), &err);
    assert_string_equal(name, "/acme/policies/team/dev");
    assert_fails(sn_document_name_join(SN_S("/aws/p"), SN_S("dev"), name, &err), &err, "INVALID_PARAMETER");
    assert_true(sn_document_name_is_below(SN_S("/a/b"), SN_S("/a/")));
    assert_true(sn_document_name_is_below(SN_S("/a"), SN_S("/a")));
    assert_false(sn_document_name_is_below(SN_S("/ab"), SN_S("/a")));
}

static void files(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"policy.yaml", "/sentinel/config/policy"},
        {"approval.yaml", "/sentinel/config/approval"},
        {"breakglass.yaml", "/sentinel/config/breakglass"},
        {"ratelimit.yaml", "/sentinel/config/ratelimit"},
        {"policies/team/dev.yaml", "/sentinel/policies/team/dev"},
        {"catalog.yaml", "/sentinel/catalog/catalog"},
        {"catalog.d/billing.yaml", "/sentinel/catalog/billing"},
    };
    char name[128], file[128];
    for (size_t i = 0; i < SN_LEN(pairs); i++) {
        sn_document_name_of_file(pairs[i][0], name, sizeof(name));
        assert_string_equal(name, pairs[i][1]);
        assert_true(sn_document_file_of_name(name, file, sizeof(file)));
        assert_string_equal(file, pairs[i][0]);
    }
    assert_false(sn_document_file_of_name("/sentinel/config/other", file, sizeof(file)));
    assert_false(sn_document_file_of_name("/sentinel/catalog/a/b", file, sizeof(file)));
    assert_false(sn_document_file_of_name("/acme/x", file, sizeof(file)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signature_names),
        cmocka_unit_test(wrong_names),
        cmocka_unit_test(joined_names),
        cmocka_unit_test(files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of core/record/attribute.c: values to text and back, and what is refused.
 */
#include "test.h"

#include "request_fixture.h"
#include "core/session/session.h"

/* Writes every attribute of a record as text and reads it into an empty one, which must then be sealed alike. */
static void copy_through_text(const struct sn_attribute *table, const void *from, struct sn_arena *arena, void *to)
{
    for (const struct sn_attribute *attribute = table; attribute->name != NULL; attribute++) {
        char scratch[SN_ATTRIBUTE_TEXT_MAX];
        struct sn_error err;
        struct sn_slice text = sn_attribute_format(attribute, from, scratch);
        assert_true(sn_attribute_is_absent(attribute, from) == (text.len == 0));
        assert_ok(sn_attribute_parse(attribute, text, arena, to, &err), &err);
        char again[SN_ATTRIBUTE_TEXT_MAX];
        assert_true(sn_slice_eq(sn_attribute_format(attribute, to, again), text));
    }
}

static void records_come_back(void **state)
{
    (void)state;
    struct sn_seal_keys keys;
    struct fixture f;
    struct sn_access_request request = {.rev = 0};
    struct sn_session first = {.id = {"4g7kq2m9x0v5c8za"},
        .rev = INT64_MAX,
        .user = SN_S("a:b\nc\x01"),
        .vouched = true,
        .kind = SN_ISSUE_BREAKGLASS,
        .server_instance_id = {"c4q9e2h7m1x5s8z3"},
        .status = SN_SESSION_EXPIRED,
        .started_at_ms = T0,
        .ttl_unix_s = 1};
    struct sn_session second = {.rev = 0};

    make_key(&keys);
    set_up(&f);
    char seal[SN_SEAL_MAX + 1];
    sn_access_request_seal(&keys, &f.request, seal);
    f.request.seal = sn_slice_str(seal);
    copy_through_text(sn_access_request_attributes, &f.request, &f.arena, &request);
    assert_true(sn_access_request_seal_is_valid(&keys, &request));
    assert_int_equal(request.ttl_unix_s, f.request.ttl_unix_s);
    copy_through_text(sn_session_attributes, &first, &f.arena, &second);
    assert_int_equal(second.kind, SN_ISSUE_BREAKGLASS);
    assert_int_equal(second.status, SN_SESSION_EXPIRED);
    assert_int_equal(second.rev, INT64_MAX);
    sn_seal_keys_clear(&keys);
    sn_arena_clear(&f.arena);
}

/* Only the one written form is read. */
static void refused_values(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
    } rows[] = {
        {"id", ""},
        {"id", "4G7KQ2M9X0V5C8ZA"},
        {"id", "4g7kq2m9x0v5c8z"},
        {"rev", ""},
        {"rev", "+1"},
        {"rev", "01"},
        {"rev", "1.0"},
        {"rev", "9223372036854775808"},
        {"vouched", ""},
        {"vouched", "True"},
        {"vouched", "1"},
        {"kind", ""},
        {"kind", "Direct"},
        {"status", "activ"},
        {"status", "active "},
        {"started_at", "2031-05-06T09:14:22Z"},
        {"started_at", "2031-05-06T09:14:22.0040Z"},
        {"started_at", "1935825262004"},
    };
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        const struct sn_attribute *attribute = sn_session_attributes;
        struct sn_session session = {.rev = 7};
        struct sn_error err;
        while (strcmp(attribute->name, rows[i].name) != 0) {
            attribute++;
        }
        print_message("# %s '%s'\n", rows[i].name, rows[i].text);
        assert_fails(
            sn_attribute_parse(attribute, sn_slice_str(rows[i].text), &arena, &session, &err), &err, "RECORD_INVALID");
        assert_non_null(strstr(err.message, rows[i].name));
        assert_int_equal(session.rev, 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_back),
        cmocka_unit_test(refused_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

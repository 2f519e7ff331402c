/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/validate.c, lab/fault.c, lab/directory.c and lab/event.c: limits, faults, forgetting and looking up.
 */
#include "test.h"

#include <stdio.h>

#include "codec/json.h"
#include "lab/directory.h"
#include "lab/event.h"
#include "lab/fault.h"
#include "lab/validate.h"

static void patterns(void **state)
{
    (void)state;
    static const struct {
        enum sn_lab_charset chars;
        const char *text;
        bool fits;
    } rows[] = {
        {SN_LAB_CHARS_NAME, "aZ09_+=,.@-", true},
        {SN_LAB_CHARS_NAME, "", true},
        {SN_LAB_CHARS_NAME, "a:b", false},
        {SN_LAB_CHARS_NAME, "a b", false},
        {SN_LAB_CHARS_NAME, "a\n", false},
        {SN_LAB_CHARS_NAME, "\xC3\xA9", false},
        {SN_LAB_CHARS_EXTERNAL, "a:b/c", true},
        {SN_LAB_CHARS_EXTERNAL, "a b", false},
        {SN_LAB_CHARS_SERIAL, "arn:aws:iam::1:mfa/a", true},
        {SN_LAB_CHARS_DIGITS, "0123456789", true},
        {SN_LAB_CHARS_DIGITS, "12a", false},
        {SN_LAB_CHARS_TAG_KEY, "a b_.:/=+-@\xC3\xA9", true},
        {SN_LAB_CHARS_TAG_KEY, "", false},
        {SN_LAB_CHARS_TAG_KEY, "a,b", false},
        {SN_LAB_CHARS_TAG_VALUE, "", true},
        {SN_LAB_CHARS_POLICY, "{\"\t\r\n\xC3\xBF\"}", true},
        {SN_LAB_CHARS_POLICY, "\x01", false},
        {SN_LAB_CHARS_POLICY, "\xC4\x80", false}, /* U+0100 */
        {SN_LAB_CHARS_PATH, "/a/", true},
        {SN_LAB_CHARS_PATH, "a", false},
        {SN_LAB_CHARS_ANY, "\x01", true},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_lab_validation v = {0};
        struct sn_lab_rule rule = {"member", 0, 0, rows[i].chars};
        struct sn_slice text = sn_slice_str(rows[i].text);
        print_message("# %d %s\n", (int)rows[i].chars, rows[i].text);
        sn_lab_validate(&v, &rule, &text, false);
        assert_int_equal(v.count == 0, rows[i].fits);
        sn_lab_validation_clear(&v);
    }
}

static void findings_in_words(void **state)
{
    (void)state;
    static const struct sn_lab_rule rule = {"roleSessionName", 2, 4, SN_LAB_CHARS_NAME};
    struct sn_lab_validation v = {0};
    struct sn_error err = {0};
    struct sn_slice texts[] = {SN_S("a"), SN_S("abcd"), SN_S("abcde"), SN_S("12"), SN_S("900"), SN_S("x")};
    int64_t number = 7;
    assert_ok(sn_lab_validation_result(&v, &err), &err);
    sn_lab_validate(&v, &rule, NULL, false);
    sn_lab_validate(&v, &rule, &texts[1], true);
    sn_lab_validate_int(&v, "n", NULL, 900, 3600, &number);
    sn_lab_validate_count(&v, "tags", 50, 50);
    assert_ok(sn_lab_validation_result(&v, &err), &err);
    assert_int_equal(number, 7);
    sn_lab_validate_int(&v, "n", &texts[4], 900, 3600, &number);
    assert_int_equal(number, 900);
    sn_lab_validate(&v, &rule, NULL, true);
    assert_fails(sn_lab_validation_result(&v, &err), &err, "ValidationError");
    assert_string_equal(err.message, "1 validation error detected: Value null at 'roleSessionName' failed to satisfy "
                                     "constraint: Member must not be null");
    sn_lab_validation_clear(&v);
    sn_lab_validate(&v, &rule, &texts[0], true);
    sn_lab_validate_item(&v, &rule, "tags", 2, "key", texts[2]);
    sn_lab_validate_int(&v, "n", &texts[3], 900, 3600, &number);
    sn_lab_validate_int(&v, "n", &texts[5], 900, 3600, &number);
    sn_lab_validate_count(&v, "tags", 51, 50);
    assert_fails(sn_lab_validation_result(&v, &err), &err, "ValidationError");
    assert_int_equal(number, 900);
    assert_true(sn_slice_has_prefix(sn_slice_str(err.message),
        SN_S("5 validation errors detected: Value 'a' at 'roleSessionName' failed to satisfy constraint: Member must "
             "have length greater than or equal to 2; Value 'abcde' at 'tags.2.member.key' failed to satisfy "
             "constraint: Member must have length less than or equal to 4; Value '12' at 'n' failed")));
    sn_lab_validation_clear(&v);
}

static void faults(void **state)
{
    (void)state;
    struct sn_error err = {0};
    struct sn_lab_faults *faults = sn_lab_faults_new();
    static const char *const wrong[] = {"", "x", "sts:AssumeRole", "sts:AssumeRole=", "sts:AssumeRole=boom",
        "AssumeRole=cut", "sts:AssumeRole=slow", "sts:AssumeRole=slow:0", "sts:AssumeRole=slow:301",
        "sts:AssumeRole=cut:1", "sts:AssumeRole=cut,0", "sts:AssumeRole=cut,x", "sts:AssumeRole=cut,1,2"};
    for (size_t i = 0; i < SN_LEN(wrong); i++) {
        print_message("# %s\n", wrong[i]);
        assert_fails(sn_lab_faults_set(faults, sn_slice_str(wrong[i]), &err), &err, "LAB_FAULT");
    }
    assert_ok(sn_lab_faults_set(faults, SN_S("sts:AssumeRole=slow:5,2"), &err), &err);
    assert_int_equal(sn_lab_faults_take(faults, SN_S("sts"), SN_S("GetCallerIdentity")).kind, SN_LAB_FAULT_NONE);
    assert_int_equal(sn_lab_faults_take(faults, SN_S("iam"), SN_S("AssumeRole")).kind, SN_LAB_FAULT_NONE);
    assert_int_equal(sn_lab_faults_take(faults, SN_S("sts"), SN_S("AssumeRole")).slow_s, 5);
    assert_int_equal(sn_lab_faults_take(faults, SN_S("sts"), SN_S("AssumeRole")).kind, SN_LAB_FAULT_SLOW);
    assert_int_equal(sn_lab_faults_take(faults, SN_S("sts"), SN_S("AssumeRole")).kind, SN_LAB_FAULT_NONE);
    assert_ok(sn_lab_faults_set(faults, SN_S("sts:AssumeRole=cut"), &err), &err);
    assert_ok(sn_lab_faults_set(faults, SN_S("sts:AssumeRole=html"), &err), &err);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(sn_lab_faults_take(faults, SN_S("sts"), SN_S("AssumeRole")).kind, SN_LAB_FAULT_HTML);
    }
    assert_ok(sn_lab_faults_set(faults, SN_S("sts:AssumeRole=none"), &err), &err);
    assert_int_equal(sn_lab_faults_take(faults, SN_S("sts"), SN_S("AssumeRole")).kind, SN_LAB_FAULT_NONE);
    for (int i = 0; i < SN_LAB_MAX_FAULTS; i++) {
        char text[64];
        snprintf(text, sizeof(text), "sts:A%d=cut", i);
        assert_ok(sn_lab_faults_set(faults, sn_slice_str(text), &err), &err);
    }
    assert_fails(sn_lab_faults_set(faults, SN_S("sts:More=cut"), &err), &err, "LAB_FAULT");
    assert_ok(sn_lab_faults_set(faults, SN_S("none"), &err), &err);
    assert_int_equal(sn_lab_faults_take(faults, SN_S("sts"), SN_S("A0")).kind, SN_LAB_FAULT_NONE);
    sn_lab_faults_free(faults);
}

/* Past the limit the oldest sessions go, but not those in use, and never long-term keys. */
static void sessions_are_forgotten(void **state)
{
    (void)state;
    struct sn_error err = {0};
    struct sn_lab_directory *directory = sn_lab_directory_new(sn_random_system());
    char ids[4][SN_LAB_ACCESS_KEY_LEN + 1];
    for (int i = 0; i < SN_LAB_MAX_SESSIONS + 3; i++) {
        struct sn_lab_key *key = NULL;
        assert_ok(sn_lab_key_new(sn_random_system(), i == 0 ? "AKIA" : "ASIA", i != 0, &key, &err), &err);
        key->expires_unix_s = i == 0 ? 0 : 1000;
        sn_lab_directory_add_key(directory, key);
        if (i < 4) {
            memcpy(ids[i], key->access_key, sizeof(ids[i]));
        }
        sn_lab_key_unref(key);
        if (i == 4) { /* the first session signs something */
            sn_lab_key_unref(sn_lab_directory_find_key(directory, sn_slice_str(ids[1])));
        }
    }
    static const bool known[] = {true, true, false, false};
    for (size_t i = 0; i < SN_LEN(known); i++) {
        struct sn_lab_key *key = sn_lab_directory_find_key(directory, sn_slice_str(ids[i]));
        assert_int_equal(key != NULL, known[i]);
        sn_lab_key_unref(key);
    }
    sn_lab_directory_free(directory);
}

static size_t look(struct sn_lab_events *events, struct sn_lab_lookup lookup, uint64_t *out_more)
{
    struct sn_buf out = {0};
    struct sn_error err = {0};
    struct sn_json_doc *doc = NULL;
    sn_buf_add_byte(&out, '[');
    *out_more = sn_lab_events_lookup(events, &lookup, &out);
    sn_buf_add_byte(&out, ']');
    assert_ok(sn_json_parse(sn_buf_slice(&out), &sn_json_limits_document, &doc, &err), &err);
    size_t count = sn_json_count(sn_json_root(doc));
    sn_json_doc_free(doc);
    sn_buf_clear(&out);
    return count;
}

static void events_ring(void **state)
{
    (void)state;
    struct sn_lab_events *events = sn_lab_events_new();
    struct sn_lab_lookup all = {.to_unix_s = INT64_MAX, .below = UINT64_MAX, .max = 50};
    uint64_t more = 0;
    assert_int_equal(look(events, all, &more), 0);
    for (int i = 0; i < SN_LAB_MAX_EVENTS + 10; i++) {
        struct sn_lab_event event = {.unix_s = i,
            .id = SN_S("id"),
            .name = i % 2 == 0 ? SN_S("AssumeRole") : SN_S("GetRole"),
            .source = SN_S("sts.amazonaws.com"),
            .username = SN_S("alice"),
            .json = SN_S("{\"a\":\"\\\"\"}"),
            .resources = {{SN_S("AWS::IAM::Role"), SN_S("arn")}},
            .resource_count = 1};
        sn_lab_events_add(events, &event);
    }
    assert_int_equal(look(events, all, &more), 50);
    assert_int_equal(more, SN_LAB_MAX_EVENTS + 10 - 49);
    all.below = more;
    assert_int_equal(look(events, all, &more), 50);
    struct sn_lab_lookup oldest = {.to_unix_s = 11, .below = UINT64_MAX, .max = 50};
    assert_int_equal(look(events, oldest, &more), 2); /* 10 and 11; the first ten are forgotten */
    assert_int_equal(more, 0);
    static const struct {
        enum sn_lab_attribute attribute;
        const char *value;
        size_t count;
    } rows[] = {
        {SN_LAB_BY_EVENT_NAME, "GetRole", 5},
        {SN_LAB_BY_USERNAME, "bob", 0},
        {SN_LAB_BY_READ_ONLY, "false", 10},
        {SN_LAB_BY_RESOURCE_TYPE, "AWS::IAM::Role", 10},
        {SN_LAB_BY_RESOURCE_NAME, "arn", 10},
        {SN_LAB_BY_RESOURCE_NAME, "arn2", 0},
        {SN_LAB_BY_EVENT_SOURCE, "sts.amazonaws.com", 10},
        {SN_LAB_BY_EVENT_ID, "id", 10},
        {SN_LAB_BY_ACCESS_KEY, "AKIA", 0},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_lab_lookup lookup = {.attribute = rows[i].attribute,
            .value = sn_slice_str(rows[i].value),
            .from_unix_s = 1000,
            .to_unix_s = 1009,
            .below = UINT64_MAX,
            .max = 50};
        print_message("# %s\n", rows[i].value);
        assert_int_equal(look(events, lookup, &more), rows[i].count);
    }
    sn_lab_events_free(events);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns),
        cmocka_unit_test(findings_in_words),
        cmocka_unit_test(faults),
        cmocka_unit_test(sessions_are_forgotten),
        cmocka_unit_test(events_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

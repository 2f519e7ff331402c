/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of the names and the text of cached credentials, in scripted environments.
 */
#include "test.h"

#include <stdio.h>

#include "vault/cache_item.h"

enum { NOW = 1769940000 };
#define EXAMPLE_HOME                                                                                                   \
    "/home"                                                                                                            \
    "/ana"
static const char item_head[] =
    "sentinel-cache 1\nkey=https://tvm.example.org dev AWS_PROFILE=ana\nduration=0\nid=4g7kq2m9x0v5c8za\n";
static const char item_tail[] = "region=eu-west-1\naccess_key_id=ASIA1\nsecret_access_key=s/+=\nsession_token=t/+=\n"
                                "file=0:0:0:/nowhere/config\nfile=0:0:0:/nowhere/credentials\n";

struct variable {
    const char *name, *value;
};

static const char *scripted(void *ctx, const char *name)
{
    for (const struct variable *v = ctx; v->name != NULL; v++) {
        if (strcmp(v->name, name) == 0) {
            return v->value;
        }
    }
    return strcmp(name, "HOME") == 0 ? "/nowhere" : NULL;
}

static void must_query(struct sn_cache_query *query, const char *url, const char *profile, const char *aws_profile,
    struct variable *variables)
{
    struct sn_env env = {scripted, variables};
    struct sn_error err;

    assert_ok(sn_cache_query_init(query, sn_slice_str(url), sn_slice_str(profile), aws_profile, 0, &env, &err), &err);
}

/* VLT-51: the key text and the description of the published example; what is encoded and in which order. */
static void keys(void **state)
{
    (void)state;
    static const struct {
        const char *name, *profile, *aws_profile;
        struct variable variables[4];
        const char *key, *hash;
    } rows[] = {
        {"published example", "prod/admin", NULL,
            {{"AWS_CONFIG_FILE", EXAMPLE_HOME "/aws config"}, {"AWS_PROFILE", "ana"}},
            "https://tvm.example.org prod/admin AWS_PROFILE=ana;AWS_CONFIG_FILE=" EXAMPLE_HOME "/aws%20config",
            "44a751b63035c10b"},
        {"nothing set", "dev", NULL, {{NULL, NULL}}, "https://tvm.example.org dev ", NULL},
        {"flag first, endpoints last", "dev", "p",
            {{"AWS_ENDPOINT_URL_STS", "http://h:1"}, {"AWS_ENDPOINT_URL", "http://g"}, {"AWS_ACCESS_KEY_ID", "A"}},
            "https://tvm.example.org dev "
            "aws-profile=p;AWS_ACCESS_KEY_ID=A;AWS_ENDPOINT_URL=http://g;AWS_ENDPOINT_URL_STS=http://h:1",
            NULL},
        {"what would look like another pair", "dev", "a;AWS_PROFILE=b", {{NULL, NULL}},
            "https://tvm.example.org dev aws-profile=a%3BAWS_PROFILE%3Db", NULL},
        {"bytes and the escape itself", "dev", "\xc3\xa4%\n", {{NULL, NULL}},
            "https://tvm.example.org dev aws-profile=%C3%A4%25%0A", NULL},
    };

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_cache_query query;
        struct variable variables[4];
        char hash[SN_CACHE_HASH_LEN + 1];
        print_message("# %s\n", rows[i].name);
        memcpy(variables, rows[i].variables, sizeof(variables));
        must_query(&query, "https://tvm.example.org", rows[i].profile, rows[i].aws_profile, variables);
        assert_slice_equal(sn_buf_slice(&query.key), rows[i].key);
        sn_cache_hash(sn_buf_slice(&query.key), hash);
        if (rows[i].hash != NULL) {
            assert_string_equal(hash, rows[i].hash);
        }
        sn_cache_query_clear(&query);
    }
}

/* FNV-1a, 64 bits: values published with the function. */
static void hashes(void **state)
{
    (void)state;
    static const struct {
        const char *text, *hash;
    } rows[] = {{"", "cbf29ce484222325"}, {"a", "af63dc4c8601ec8c"}, {"foobar", "85944171f73967e8"}};

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        char hash[SN_CACHE_HASH_LEN + 1];
        sn_cache_hash(sn_slice_str(rows[i].text), hash);
        assert_string_equal(hash, rows[i].hash);
    }
}

static void must_query_dev(struct sn_cache_query *query)
{
    static struct variable variables[] = {{"AWS_PROFILE", "ana"}, {"AWS_CONFIG_FILE", "/nowhere/config"},
        {"AWS_SHARED_CREDENTIALS_FILE", "/nowhere/credentials"}, {NULL, NULL}};

    must_query(query, "https://tvm.example.org", "dev", NULL, variables);
    sn_buf_clear(&query->key);
    sn_buf_add_str(&query->key, "https://tvm.example.org dev AWS_PROFILE=ana");
}

static void times(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int64_t issued, expires;
        enum sn_cache_verdict verdict;
    } rows[] = {
        {"300 s left", NOW - 600, NOW + 300, SN_CACHE_GOOD},
        {"299 s left", NOW - 600, NOW + 299, SN_CACHE_BAD},
        {"60 s ahead", NOW + 60, NOW + 900, SN_CACHE_GOOD},
        {"61 s ahead", NOW + 61, NOW + 900, SN_CACHE_BAD},
        {"twelve hours", NOW - 1, NOW + 43199, SN_CACHE_GOOD},
        {"more than twelve hours", NOW - 1, NOW + 43200, SN_CACHE_BAD},
        {"ends before it begins", NOW + 50, NOW + 50, SN_CACHE_BAD},
        {"long over", 0, 1, SN_CACHE_BAD},
    };

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_cache_query query;
        SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
        SN_AUTO(sn_issued_clear) struct sn_issued issued = {0};
        print_message("# %s\n", rows[i].name);
        must_query_dev(&query);
        sn_buf_addf(&text, "%sissued=%lld\nexpires=%lld\n%s", item_head, (long long)rows[i].issued,
            (long long)rows[i].expires, item_tail);
        assert_int_equal(sn_cache_item_read(sn_buf_slice(&text), &query, NOW, &issued), rows[i].verdict);
        if (rows[i].verdict == SN_CACHE_GOOD) {
            assert_string_equal(issued.credentials.access_key_id, "ASIA1");
            assert_slice_equal(sn_secret_reveal(&issued.credentials.secret_access_key), "s/+=");
            assert_slice_equal(sn_secret_reveal(&issued.credentials.session_token), "t/+=");
            assert_string_equal(issued.session_id, "ses-4g7kq2m9x0v5c8za");
            assert_string_equal(issued.region, "eu-west-1");
            assert_int_equal(issued.credentials.expires_unix_s, rows[i].expires);
            assert_int_equal(issued.duration_s, rows[i].expires - rows[i].issued);
        } else {
            assert_int_equal(issued.credentials.access_key_id[0], 0);
        }
        sn_cache_query_clear(&query);
    }
}

static void other_duration_is_neither_used_nor_removed(void **state)
{
    (void)state;
    struct sn_cache_query query;
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    SN_AUTO(sn_issued_clear) struct sn_issued issued = {0};

    must_query_dev(&query);
    query.duration_s = 1800;
    sn_buf_addf(&text, "%sissued=%d\nexpires=%d\n%s", item_head, NOW, NOW + 900, item_tail);
    assert_int_equal(sn_cache_item_read(sn_buf_slice(&text), &query, NOW, &issued), SN_CACHE_OTHER);
    sn_cache_query_clear(&query);
}

static void fill(struct sn_issued *issued, const char *token, int64_t life_s)
{
    snprintf(issued->credentials.access_key_id, sizeof(issued->credentials.access_key_id), "ASIA1");
    sn_secret_set(&issued->credentials.secret_access_key, SN_S("s/+="));
    sn_secret_set(&issued->credentials.session_token, sn_slice_str(token));
    issued->credentials.expires_unix_s = NOW + life_s;
    snprintf(issued->session_id, sizeof(issued->session_id), "ses-4g7kq2m9x0v5c8za");
    snprintf(issued->region, sizeof(issued->region), "eu-west-1");
}

/* What is written is the documented text; what would need escaping, or lives too short, is not. */
static void stored(void **state)
{
    (void)state;
    static const struct {
        const char *name, *token, *session_id;
        int64_t life_s;
        bool is_stored;
    } rows[] = {
        {"good", "t/+=", "ses-4g7kq2m9x0v5c8za", 301, true},
        {"five minutes", "t/+=", "ses-4g7kq2m9x0v5c8za", 300, false},
        {"more than twelve hours", "t/+=", "ses-4g7kq2m9x0v5c8za", 43201, false},
        {"quote", "t\"", "ses-4g7kq2m9x0v5c8za", 900, false},
        {"backslash", "t\\", "ses-4g7kq2m9x0v5c8za", 900, false},
        {"line feed", "t\nu", "ses-4g7kq2m9x0v5c8za", 900, false},
        {"no token", "", "ses-4g7kq2m9x0v5c8za", 900, false},
        {"no session", "t/+=", "4g7kq2m9x0v5c8za", 900, false},
        {"short session", "t/+=", "ses-4g7k", 900, false},
    };

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_cache_query query;
        SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
        SN_AUTO(sn_buf_clear) struct sn_buf expected = {0};
        SN_AUTO(sn_issued_clear) struct sn_issued issued = {0};
        print_message("# %s\n", rows[i].name);
        must_query_dev(&query);
        fill(&issued, rows[i].token, rows[i].life_s);
        snprintf(issued.session_id, sizeof(issued.session_id), "%s", rows[i].session_id);
        assert_int_equal(sn_cache_item_format(&query, &issued, NOW, &text), rows[i].is_stored);
        if (rows[i].is_stored) {
            sn_buf_addf(&expected, "%sissued=%d\nexpires=%lld\n%s", item_head, NOW, (long long)(NOW + rows[i].life_s),
                item_tail);
            assert_slice_equal(sn_buf_slice(&text), sn_buf_str(&expected));
            assert_int_equal(sn_cache_item_end(sn_buf_slice(&text)), NOW + rows[i].life_s);
        }
        sn_cache_query_clear(&query);
    }
}

/* VLT-52: the moment from which one caller asks early. */
static void early(void **state)
{
    (void)state;
    static const struct {
        int64_t life_s, left_s;
        bool is_due;
    } rows[] = {
        {3600, 960, false},
        {3600, 959, true},
        {43200, 959, true},
        {43200, 960, false},
        {1800, 600, false},
        {1800, 599, true},
        {900, 400, false},
        {900, 300, false},
    };

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_issued issued = {.duration_s = rows[i].life_s};
        issued.credentials.expires_unix_s = NOW + rows[i].left_s;
        assert_int_equal(sn_cache_is_due(&issued, NOW), rows[i].is_due);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys),
        cmocka_unit_test(hashes),
        cmocka_unit_test(times),
        cmocka_unit_test(other_duration_is_neither_used_nor_removed),
        cmocka_unit_test(stored),
        cmocka_unit_test(early),
    };

    return cmocka_run_group_tests_name("vault cache item", tests, NULL, NULL);
}

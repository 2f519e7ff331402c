/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws/endpoint.c: regions, partitions, hosts and overrides (ATK-01: the host comes from our own tables).
 */
#include "test.h"

#include <stdio.h>

#include "aws/endpoint.h"

static const char *get_from_pairs(void *ctx, const char *name)
{
    const char *const *pairs = ctx;

    for (; pairs[0] != NULL; pairs += 2) {
        if (strcmp(pairs[0], name) == 0) {
            return pairs[1];
        }
    }
    return NULL;
}

static void regions(void **state)
{
    (void)state;
    static const struct {
        const char *region, *partition;
        bool valid;
    } rows[] = {
        {"eu-west-1", "aws", true},
        {"us-gov-west-1", "aws-us-gov", true},
        {"cn-north-1", "aws-cn", true},
        {"us-iso-east-1", "aws-iso", true},
        {"us-isob-east-1", "aws-iso-b", true},
        {"ap-southeast-12", "aws", true},
        {"", "aws", false},
        {"e-west-1", "aws", false},
        {"eu-1", "aws", false},
        {"eu-west", "aws", false},
        {"eu-west-1-", "aws", false},
        {"eu--1", "aws", false},
        {"EU-WEST-1", "aws", false},
        {"eu-west-1a", "aws", false},
        {"eu-we5t-1", "aws", false},
        {"eu-west-1.evil.example", "aws", false},
        {"eu-west-1/", "aws", false},
        {"eu-west-1@evil", "aws", false},
        {"eu-verylongnameofaregionindeed-12", "aws", false},
    };

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        print_message("# '%s'\n", rows[i].region);
        assert_int_equal(sn_region_is_valid(sn_slice_str(rows[i].region)), rows[i].valid);
        assert_string_equal(sn_partition_of_region(sn_slice_str(rows[i].region)), rows[i].partition);
    }
}

static void attack_01_hosts_from_own_table(void **state)
{
    (void)state;
    static const struct {
        const char *service, *region, *url, *authority, *signing_region;
    } rows[] = {
        {"sts", "eu-west-1", "https://sts.eu-west-1.amazonaws.com", "sts.eu-west-1.amazonaws.com", "eu-west-1"},
        {"sts", "cn-north-1", "https://sts.cn-north-1.amazonaws.com.cn", "sts.cn-north-1.amazonaws.com.cn",
            "cn-north-1"},
        {"sts", "us-iso-east-1", "https://sts.us-iso-east-1.c2s.ic.gov", "sts.us-iso-east-1.c2s.ic.gov",
            "us-iso-east-1"},
        {"sts", "us-isob-east-1", "https://sts.us-isob-east-1.sc2s.sgov.gov", "sts.us-isob-east-1.sc2s.sgov.gov",
            "us-isob-east-1"},
        {"iam", "eu-west-1", "https://iam.amazonaws.com", "iam.amazonaws.com", "us-east-1"},
        {"iam", "us-gov-east-1", "https://iam.us-gov.amazonaws.com", "iam.us-gov.amazonaws.com", "us-gov-west-1"},
        {"iam", "cn-northwest-1", "https://iam.cn-north-1.amazonaws.com.cn", "iam.cn-north-1.amazonaws.com.cn",
            "cn-north-1"},
    };

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        char url[SN_ENDPOINT_MAX];
        struct sn_error err;

        assert_ok(sn_endpoint_url(rows[i].service, sn_slice_str(rows[i].region), NULL, url, &err), &err);
        assert_string_equal(url, rows[i].url);
        assert_slice_equal(sn_endpoint_authority(sn_slice_str(url)), rows[i].authority);
        assert_string_equal(sn_endpoint_signing_region(rows[i].service, rows[i].region), rows[i].signing_region);
    }
}

static void attack_01_overrides(void **state)
{
    (void)state;
    static const struct {
        const char *name, *of_service, *of_all, *expected, *authority;
    } rows[] = {
        {"the service's own wins", "http://127.0.0.1:4566", "https://x.example", "http://127.0.0.1:4566",
            "127.0.0.1:4566"},
        {"for all services", NULL, "https://aws.example.org:8443/", "https://aws.example.org:8443",
            "aws.example.org:8443"},
        {"plain http off loopback", "http://sts.example.org", NULL, NULL, NULL},
        {"userinfo", "https://sts.amazonaws.com@evil.example", NULL, NULL, NULL},
        {"trailing dot", "https://sts.amazonaws.com.", NULL, NULL, NULL},
        {"not ascii", "https://st\xd1\x95.amazonaws.com", NULL, NULL, NULL},
        {"a path", "https://evil.example/x", NULL, NULL, NULL},
        {"a query", "https://evil.example?x", NULL, NULL, NULL},
        {"a socket", "unix:/run/x", NULL, NULL, NULL},
        {"no url", "sts", NULL, NULL, NULL},
    };

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        const char *pairs[] = {rows[i].of_service == NULL ? "X" : "AWS_ENDPOINT_URL_STS", rows[i].of_service,
            "AWS_ENDPOINT_URL", rows[i].of_all, NULL, NULL};
        struct sn_env env = {.get = get_from_pairs, .ctx = (void *)pairs};
        char url[SN_ENDPOINT_MAX] = "unchanged";
        struct sn_error err;

        print_message("# %s\n", rows[i].name);
        if (rows[i].expected != NULL) {
            assert_ok(sn_endpoint_url("sts", SN_S("eu-west-1"), &env, url, &err), &err);
            assert_string_equal(url, rows[i].expected);
            assert_slice_equal(sn_endpoint_authority(sn_slice_str(url)), rows[i].authority);
        } else {
            assert_fails(sn_endpoint_url("sts", SN_S("eu-west-1"), &env, url, &err), &err, "INVALID_ENDPOINT");
            assert_string_equal(url, "unchanged");
        }
    }
}

static void bad_region(void **state)
{
    (void)state;
    char url[SN_ENDPOINT_MAX];
    struct sn_error err;

    assert_fails(sn_endpoint_url("sts", SN_S("evil.example/"), NULL, url, &err), &err, "CONFIG_INVALID_REGION");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(regions),
        cmocka_unit_test(attack_01_hosts_from_own_table),
        cmocka_unit_test(attack_01_overrides),
        cmocka_unit_test(bad_region),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

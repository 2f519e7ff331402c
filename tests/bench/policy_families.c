/* SPDX-License-Identifier: Apache-2.0 */
/* tests/bench/policy_families.c - see policy_families.h. */
#include "policy_families.h"

#include <stdio.h>
#include <string.h>

static void put_window(struct sn_buf *buf, size_t i)
{
    static const char *const zones[] = {"Europe/Berlin", "America/New_York", "Asia/Tokyo", "UTC"};
    sn_buf_addf(buf,
        ", time: {days: [monday, tuesday, wednesday, thursday, friday], hours: {start: \"%02zu:%02zu\", "
        "end: \"%02zu:%02zu\"}, timezone: %s}",
        i % 8, i % 60, 16 + i % 8, i % 60, zones[i % 4]);
}

static void rule_plain(struct sn_buf *buf, size_t i, size_t count)
{
    (void)count;
    sn_buf_addf(buf, "profiles: [p%zu], users: [u%zu]", i, i);
}
static void rule_window(struct sn_buf *buf, size_t i, size_t count)
{
    rule_plain(buf, i, count);
    put_window(buf, i);
}
static void rule_user(struct sn_buf *buf, size_t i, size_t count)
{
    (void)count;
    sn_buf_addf(buf, "profiles: [p], users: [u%zu]", i);
}
static void rule_group(struct sn_buf *buf, size_t i, size_t count)
{
    sn_buf_addf(buf, "profiles: [p%zu], users: [\"group:g%zu\"]", i, i % (count < 200 ? count : 200));
}
static void groups_of_rule_group(struct sn_buf *buf, size_t count)
{
    sn_buf_add_str(buf, "groups:\n");
    for (size_t g = 0; g < (count < 200 ? count : 200); g++) {
        sn_buf_addf(buf, "  g%zu: [everyone", g);
        for (size_t i = g; i < count; i += 200) {
            sn_buf_addf(buf, ", u%zu", i);
        }
        sn_buf_add_str(buf, "]\n");
    }
}
static void rule_device(struct sn_buf *buf, size_t i, size_t count)
{
    rule_plain(buf, i, count);
    sn_buf_addf(buf, ", device: {require_mdm_compliant: true, min_os_version: \"%zu.%zu\", allowed_os_types: [darwin]}",
        10 + i % 5, i % 7);
}
static void rule_closed_window(struct sn_buf *buf, size_t i, size_t count)
{
    (void)count;
    sn_buf_addf(buf,
        "profiles: [p], time: {days: [sunday], hours: {start: \"%02zu:%02zu\", end: \"%02zu:%02zu\"}, "
        "timezone: Europe/Berlin}",
        i / 60 % 12, i % 60, 12 + i / 720 % 12, i % 59);
}

const struct bench_family bench_families[] = {
    {.name = "one rule", .write_rule = rule_plain, .last_rule = true},
    {.name = "many profiles", .write_rule = rule_plain},
    {.name = "many users of one profile", .write_rule = rule_user, .same_profile = true},
    {.name = "groups", .write_rule = rule_group, .write_groups = groups_of_rule_group},
    {.name = "time windows", .write_rule = rule_window},
    {.name = "device rules", .write_rule = rule_device},
    {.name = "adversarial", .write_rule = rule_closed_window, .same_profile = true, .is_adversarial = true},
};
const size_t bench_family_count = SN_LEN(bench_families);

const struct bench_family *bench_family_find(const char *name)
{
    for (size_t i = 0; i < SN_LEN(bench_families); i++) {
        if (strcmp(bench_families[i].name, name) == 0) {
            return &bench_families[i];
        }
    }
    return NULL;
}

void bench_write_document(struct sn_buf *buf, const struct bench_family *family, size_t rules)
{
    sn_buf_add_str(buf, "version: \"1\"\n");
    if (family->write_groups != NULL) {
        family->write_groups(buf, rules);
    }
    sn_buf_add_str(buf, "rules:\n");
    for (size_t i = 0; i < rules; i++) {
        sn_buf_addf(buf, "- {name: r%zu, effect: allow, conditions: {", i);
        family->write_rule(buf, i, rules);
        sn_buf_add_str(buf, "}}\n");
    }
}

void bench_ask(struct bench_asked *asked, const struct bench_family *family, size_t count)
{
    static const struct sn_posture posture = {.mdm_enrolled = SN_TRUE,
        .mdm_compliant = SN_TRUE,
        .os_type = SN_S_INIT("darwin"),
        .os_version = SN_S_INIT("14.5.1")};
    uint64_t seed = 42;
    for (size_t i = 0; i < BENCH_REQUESTS; i++) {
        seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
        size_t rule = family->last_rule ? count - 1 : (size_t)(seed >> 33) % count;
        struct sn_principal *p = &asked->principals[i];
        *p = (struct sn_principal){.type = SN_PRINCIPAL_ASSUMED_ROLE, .vouched = true, .is_sso = true};
        snprintf(p->account, sizeof(p->account), "%s", BENCH_ACCOUNT);
        snprintf(p->role, sizeof(p->role), "AWSReservedSSO_Dev_0123456789abcdef");
        snprintf(p->name, sizeof(p->name), "u%zu", rule);
        snprintf(p->arn, sizeof(p->arn), "arn:aws:sts::%s:assumed-role/%s/%s", BENCH_ACCOUNT, p->role, p->name);
        snprintf(asked->profiles[i], sizeof(asked->profiles[i]), family->same_profile ? "p" : "p%zu", rule);
        asked->requests[i] = (struct sn_policy_request){.principal = p,
            .own_account = BENCH_ACCOUNT,
            .profile = sn_slice_str(asked->profiles[i]),
            .unix_s = 1769425200 + (int64_t)(seed >> 50), /* Monday 2026-01-26, 11:00Z and hours after */
            .session_store = SN_S("sessions"),
            .posture = &posture};
    }
}

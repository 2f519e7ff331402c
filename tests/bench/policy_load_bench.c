/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/bench/policy_load_bench.c - time to load documents, beside libyaml's bare events over the same bytes.
 *
 * A load is what a server does with a document that has changed: envelope and Ed25519 signature, reading, validation,
 * compiling. The worst inputs are those that cost the most for their size within the limits; most of them are refused.
 * One JSON line a figure, in milliseconds of processor time, the lower quartile of rounds taken in turn.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <yaml.h>

#include "base/secret.h"
#include "core/policy/envelope.h"
#include "core/policy/limits.h"
#include "policy_families.h"
#include "store/zoneinfo.h"

enum { ROUNDS = 21, RULES = 10000, DEEP = 10000, OTHER_KEYS = 60000 };
#define NAME "/sentinel/policies/bench"

struct signed_document {
    struct sn_buf text, envelope;
    struct sn_public_key *key;
};

static double now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void must(enum sn_status status, const struct sn_error *err)
{
    if (status != SN_OK) {
        fprintf(stderr, "policy_load_bench: %s\n", err->message);
        exit(1);
    }
}

static void put(const char *what, const char *which, double value)
{
    printf("{\"what\":\"%s\",\"input\":\"%s\",\"value\":%.3f}\n", what, which, value);
}

static int compare_doubles(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return left < right ? -1 : left > right;
}

static double lower_quartile(double *values)
{
    qsort(values, ROUNDS, sizeof(*values), compare_doubles);
    return values[ROUNDS / 4];
}

static void sign(struct signed_document *document)
{
    /* PKCS#8 of the private key 00 01 .. 1f, and its public half. */
    static const char pem[] = "-----BEGIN PRIVATE KEY-----\n"
                              "MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n"
                              "-----END PRIVATE KEY-----\n";
    static const unsigned char raw[32] = {0x03, 0xa1, 0x07, 0xbf, 0xf3, 0xce, 0x10, 0xbe, 0x1d, 0x70, 0xdd, 0x18, 0xe7,
        0x4b, 0xc0, 0x99, 0x67, 0xe4, 0xd6, 0x30, 0x9b, 0xa5, 0x0d, 0x5f, 0x1d, 0xdc, 0x86, 0x64, 0x12, 0x55, 0x31,
        0xb8};
    SN_AUTO(sn_secret_clear) struct sn_secret secret = {0};
    SN_AUTO(sn_private_key_free_p) struct sn_private_key *key = NULL;
    static struct sn_envelope envelope;
    struct sn_error err = {0};
    envelope = (struct sn_envelope){.is_bound = true, .parameter = NAME, .serial = 1767225600};
    snprintf(envelope.signed_at, sizeof(envelope.signed_at), "2026-01-01T00:00:00.000Z");
    sn_secret_set(&secret, sn_slice_str(pem));
    must(sn_private_key_parse(&secret, NULL, &key, &err), &err);
    must(sn_envelope_sign(&envelope, sn_buf_slice(&document->text), key, &err), &err);
    sn_envelope_format(&document->envelope, &envelope, true);
    must(sn_public_key_from_ed25519(raw, &document->key, &err), &err);
}

static double load_ms(const struct signed_document *document, const struct sn_tz_source *zones)
{
    static struct sn_envelope envelope;
    struct sn_policy *policy = NULL;
    struct sn_error err = {0};
    const struct sn_public_key *const keys[] = {document->key};
    const struct sn_public_key *used = NULL;
    struct sn_signature_rules rules = {.keys = keys, .key_count = 1, .parameter = NAME};
    double start = now_ms();
    must(sn_envelope_parse(sn_buf_slice(&document->envelope), &envelope, &err), &err);
    must(sn_envelope_verify(&envelope, sn_buf_slice(&document->text), &rules, &used, &err), &err);
    must(sn_policy_load(sn_buf_slice(&document->text), zones, NULL, &policy, &err), &err);
    double end = now_ms();
    sn_policy_unref(policy);
    return end - start;
}

/* Nothing but the library: every event is made and thrown away. */
static double events_ms(const struct sn_buf *text)
{
    yaml_parser_t parser;
    bool is_over = false;
    double start = now_ms();
    if (yaml_parser_initialize(&parser) == 0) {
        exit(1);
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text->ptr, text->len);
    while (!is_over) {
        yaml_event_t event;
        is_over = yaml_parser_parse(&parser, &event) == 0;
        if (!is_over) {
            is_over = event.type == YAML_STREAM_END_EVENT;
            yaml_event_delete(&event);
        }
    }
    yaml_parser_delete(&parser);
    return now_ms() - start;
}

static void measure_load(const struct sn_tz_source *zones)
{
    struct signed_document document = {0};
    double loads[ROUNDS], events[ROUNDS];
    bench_write_document(&document.text, bench_family_find("many profiles"), RULES);
    sign(&document);
    for (size_t i = 0; i < ROUNDS; i++) {
        events[i] = events_ms(&document.text);
        loads[i] = load_ms(&document, zones);
    }
    put("load", "10000 rules", lower_quartile(loads));
    put("events", "10000 rules", lower_quartile(events));
    sn_buf_clear(&document.text);
    sn_buf_clear(&document.envelope);
    sn_public_key_free(document.key);
}

/* --- the worst inputs --- */

static void repeat(struct sn_buf *buf, const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sn_buf_add_str(buf, text);
    }
}

static void write_deep(struct sn_buf *buf)
{
    sn_buf_add_str(buf, "version: \"1\"\nrules: ");
    repeat(buf, "[", DEEP);
    repeat(buf, "]", DEEP);
}
static void write_values(struct sn_buf *buf)
{
    sn_buf_add_str(buf, "version: \"1\"\nrules: [");
    repeat(buf, "a,", SN_POLICY_MAX_BYTES / 2 - 16);
    sn_buf_add_str(buf, "a]\n");
}
static void write_keys(struct sn_buf *buf)
{
    sn_buf_add_str(buf, "version: \"1\"\n");
    for (int i = 0; i < OTHER_KEYS; i++) {
        sn_buf_addf(buf, "k%d: 1\n", i);
    }
}
static void write_faults(struct sn_buf *buf)
{
    sn_buf_add_str(buf, "version: \"1\"\nrules:\n");
    for (int i = 0; i < RULES; i++) {
        sn_buf_addf(buf, "- {name: r%d, effect: alow, conditions: {profile: [p%d]}}\n", i, i);
    }
}
static void write_scalar(struct sn_buf *buf)
{
    sn_buf_add_str(buf, "version: \"1\"\nrules: \"");
    repeat(buf, "\\x41", SN_POLICY_MAX_BYTES / 4 - 16);
    sn_buf_add_str(buf, "\"\n");
}
static void write_classes(struct sn_buf *buf) /* every user a member of another choice of groups */
{
    enum { GROUPS = 100, MEMBERS = 500, RULES_OF_GROUP = 80 };
    sn_buf_add_str(buf, "version: \"1\"\ngroups:\n");
    for (int g = 0; g < GROUPS; g++) {
        sn_buf_addf(buf, "  g%d: [u%d", g, g);
        for (int i = 0; i < MEMBERS; i++) {
            if ((i * 7919 + g * 104729) % 3 == 0 && i != g) {
                sn_buf_addf(buf, ",u%d", i);
            }
        }
        sn_buf_add_str(buf, "]\n");
    }
    sn_buf_add_str(buf, "rules:\n");
    for (int i = 0; i < GROUPS * RULES_OF_GROUP; i++) {
        sn_buf_addf(
            buf, "- {name: r%d, effect: allow, conditions: {profiles: [p], users: [\"group:g%d\"]}}\n", i, i % GROUPS);
    }
}

static void measure_worst(const struct sn_tz_source *zones)
{
    static const struct {
        const char *name;
        void (*write)(struct sn_buf *buf);
    } inputs[] = {
        {"10,000 levels deep", write_deep},
        {"as many values as fit", write_values},
        {"60,000 unknown keys", write_keys},
        {"10,000 rules with two faults each", write_faults},
        {"1 MiB of escapes in one text", write_scalar},
        {"8,000 rules, each user in other groups", write_classes},
    };
    for (size_t i = 0; i < SN_LEN(inputs); i++) {
        struct sn_buf text = {0};
        double times[ROUNDS];
        inputs[i].write(&text);
        for (size_t round = 0; round < ROUNDS; round++) {
            struct sn_policy *policy = NULL;
            struct sn_findings findings = {0};
            struct sn_error err = {0};
            double start = now_ms();
            (void)!sn_policy_load(sn_buf_slice(&text), zones, &findings, &policy, &err);
            times[round] = now_ms() - start;
            sn_findings_clear(&findings);
            sn_policy_unref(policy);
        }
        put("worst", inputs[i].name, lower_quartile(times));
        sn_buf_clear(&text);
    }
}

int main(void)
{
    struct sn_zoneinfo zoneinfo;
    sn_zoneinfo_init(&zoneinfo, NULL);
    struct sn_tz_source zones = sn_zoneinfo_source(&zoneinfo);
    measure_load(&zones);
    measure_worst(&zones);
    sn_zoneinfo_clear(&zoneinfo);
    return 0;
}

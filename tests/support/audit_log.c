/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/audit_log.c - the published example log, and a maker of small logs.
 */
#include "audit_log.h"

#include <string.h>

#include "base/time.h"

/* clang-format off */
const char sn_test_published_log[] =
    "{\"v\":1,\"stream\":\"7c9e6679f3a04d1b\",\"seq\":1,\"prev\":\"00000000000000000000000000000000000000"
    "00000000000000000000000000\",\"timestamp\":\"2026-03-01T09:00:00.000Z\",\"key_id\":\"k1\",\"entry\":"
    "{\"timestamp\":\"2026-03-01T09:00:00.000Z\",\"event\":\"audit.opened\",\"reason\":\"new\",\"instance"
    "\":\"c4q9e2h7m1x5s8z3\",\"version\":\"1.0.0\"},\"signature\":\"7d5448a1dd23176f7981b0b7ff02ccb8feb4c"
    "a43d2e49855479443b93f71ef88\"}\n"
    "{\"v\":1,\"stream\":\"7c9e6679f3a04d1b\",\"seq\":2,\"prev\":\"7d5448a1dd23176f7981b0b7ff02ccb8feb4ca"
    "43d2e49855479443b93f71ef88\",\"timestamp\":\"2026-03-01T09:00:07.131Z\",\"key_id\":\"k1\",\"entry\":"
    "{\"timestamp\":\"2026-03-01T09:00:07.125Z\",\"event\":\"decision\",\"user\":\"bob\",\"profile\":\"pr"
    "od\",\"effect\":\"deny\",\"rule\":\"\",\"rule_index\":-1,\"reason\":\"no matching rule\",\"policy_pa"
    "th\":\"/sentinel/policies/prod\",\"request_id\":\"2x8m5k0t7v3r9w1q\",\"policy_effect\":\"deny\",\"ou"
    "tcome\":\"denied\",\"error_code\":\"POLICY_DENY\",\"caller_arn\":\"arn:aws:iam::123456789012:user/bo"
    "b\",\"account_id\":\"123456789012\",\"vouched\":true},\"signature\":\"839a2501ed0c0e64de8e644382fdbe"
    "57514885d68bbeb683612f35bf067a0be9\"}\n"
    "{\"v\":1,\"stream\":\"7c9e6679f3a04d1b\",\"seq\":3,\"prev\":\"839a2501ed0c0e64de8e644382fdbe57514885"
    "d68bbeb683612f35bf067a0be9\",\"timestamp\":\"2026-03-02T08:15:04.412Z\",\"key_id\":\"k1\",\"entry\":"
    "{\"timestamp\":\"2026-03-02T08:15:04.250Z\",\"event\":\"decision\",\"user\":\"mira@example.com\",\"p"
    "rofile\":\"billing-ro\",\"effect\":\"allow\",\"rule\":\"billing-readers\",\"rule_index\":3,\"reason"
    "\":\"month-end close\",\"policy_path\":\"/sentinel/policies/finance\",\"request_id\":\"5e0c91aa7j2k4"
    "m6n\",\"source_identity\":\"sentinel=mira@example.com=direct=5e0c91aa7j2k4m6n\",\"role_arn\":\"arn:a"
    "ws:iam::210987654321:role/SentinelProtected-BillingRO\",\"session_duration_seconds\":900,\"policy_ef"
    "fect\":\"allow\",\"outcome\":\"issued\",\"gateway_request_id\":\"JKJaXmPLvHcESHA=\",\"caller_arn\":"
    "\"arn:aws:sts::210987654321:assumed-role/AWSReservedSSO_Finance_0123456789abcdef/mira@example.com\","
    "\"account_id\":\"210987654321\",\"vouched\":true,\"access_key_id\":\"ASIAEXAMPLEKEYID0001\",\"policy"
    "_version\":\"7\"},\"signature\":\"012b61ce2ddda726b759d066d52fcb31529956676b9940d06ed52d0d316c7200\""
    "}\n"
    "{\"v\":1,\"stream\":\"7c9e6679f3a04d1b\",\"seq\":4,\"prev\":\"012b61ce2ddda726b759d066d52fcb31529956"
    "676b9940d06ed52d0d316c7200\",\"timestamp\":\"2026-04-01T00:00:00.000Z\",\"key_id\":\"k2\",\"entry\":"
    "{\"timestamp\":\"2026-04-01T00:00:00.000Z\",\"event\":\"audit.opened\",\"reason\":\"key_change\",\"i"
    "nstance\":\"c4q9e2h7m1x5s8z3\",\"version\":\"1.0.0\"},\"signature\":\"7a7c83ab9daa5f4ac39d4657ce0a0d"
    "c4888632839eb37a833863c80c37aa97c4\"}\n";
const char sn_test_published_anchor[] =
    "{\"v\":1,\"anchor\":\"7c9e6679f3a04d1b\",\"seq\":4,\"last\":\"7a7c83ab9daa5f4ac39d4657ce0a0dc4888632"
    "839eb37a833863c80c37aa97c4\",\"timestamp\":\"2026-04-01T00:00:01.000Z\",\"key_id\":\"k2\",\"signatur"
    "e\":\"635efbebf742e74a6124030966063c7d66ac27b2c992bdf78a7ed3105938f1fd\"}\n";
/* clang-format on */

struct sn_slice sn_test_published_line(size_t index)
{
    struct sn_slice rest = sn_slice_str(sn_test_published_log);

    for (size_t i = 0;; i++) {
        size_t len = (size_t)((const char *)memchr(rest.ptr, '\n', rest.len) - rest.ptr) + 1;
        if (i == index) {
            return sn_slice_sub(rest, 0, len);
        }
        rest = sn_slice_sub(rest, len, rest.len);
    }
}

struct sn_audit_keys sn_test_audit_keys(void)
{
    struct sn_audit_keys keys = {.count = 0};
    struct sn_error err;
    enum sn_status status =
        sn_audit_keys_parse(SN_S("k1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
                                 "k2:202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f\n"),
            "default", &keys, &err);

    SN_ASSERT(status == SN_OK);
    return keys;
}

void sn_test_log_start(struct sn_test_log *log, const char *stream, const struct sn_audit_position *previous)
{
    struct sn_id id = {{0}};

    *log = (struct sn_test_log){.keys = sn_test_audit_keys(), .now_ms = INT64_C(1772355600000)};
    log->previous = previous;
    memcpy(id.text, stream, SN_ID_LEN);
    sn_audit_position_start(&log->position, &id);
    sn_hmac_init(&log->hmac, &log->keys.keys[0].key);
}

void sn_test_log_add(struct sn_test_log *log, const char *entry)
{
    struct sn_error err;
    enum sn_status status = sn_audit_record_append(
        &log->text, &log->position, &log->keys.keys[0], &log->hmac, sn_slice_str(entry), log->now_ms++, &err);

    SN_ASSERT(status == SN_OK);
}

void sn_test_log_open(struct sn_test_log *log, const char *reason)
{
    SN_AUTO(sn_buf_clear) struct sn_buf entry = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf previous = {0};
    char time[SN_TIME_TEXT_MAX];

    if (log->previous != NULL) {
        sn_buf_addf(&previous, ",\"previous_stream\":\"%s\",\"previous_seq\":%lld,\"previous_signature\":\"%s\"",
            log->previous->stream, (long long)log->previous->seq, log->previous->signature);
    }
    sn_time_format_rfc3339_ms(log->now_ms, time);
    sn_buf_addf(&entry,
        "{\"timestamp\":\"%s\",\"event\":\"audit.opened\",\"reason\":\"%s\",\"instance\":\"c4q9e2h7m1x5s8z3\","
        "\"version\":\"1.0.0\"%s}",
        time, reason, sn_buf_str(&previous));
    sn_test_log_add(log, sn_buf_str(&entry));
}

void sn_test_log_clear(struct sn_test_log *log)
{
    sn_hmac_clear(&log->hmac);
    sn_buf_clear(&log->text);
    sn_audit_keys_clear(&log->keys);
}

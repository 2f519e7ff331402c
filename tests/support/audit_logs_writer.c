/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/audit_logs_writer.c - writes entries into a CloudWatch Logs that listens: ENDPOINT GROUP STREAM COUNT,
 * under the key of bytes 00..1f. Exits 1 when one was not acknowledged.
 */
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "store/audit_logs.h"

static const char key_text[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

static enum sn_status static_keys(void *ctx, struct sn_credentials *out, struct sn_error *err)
{
    (void)ctx;
    (void)err;
    memcpy(out->access_key_id, "AKIAEXAMPLE000000000", 21);
    sn_secret_set(&out->secret_access_key, SN_S("secret"));
    return SN_OK;
}

static void tell(void *ctx, enum sn_log_level level, const char *event, const char *message)
{
    (void)ctx;
    (void)level;
    fprintf(stderr, "%s: %s\n", event, message);
}

static enum sn_status append_all(struct sn_audit_sink sink, int64_t count, struct sn_error *err)
{
    for (int64_t i = 0; i < count; i++) {
        SN_AUTO(sn_buf_clear) struct sn_buf entry = {0};
        sn_buf_addf(&entry, "{\"event\":\"test.entry\",\"n\":%lld,\"text\":\"\xe2\x80\x94 \\\"\"}", (long long)i);
        SN_TRY(sink.append(sink.ctx, sn_buf_slice(&entry), SN_S("request"), 5000, err));
    }
    return SN_OK;
}

static enum sn_status run(char **argv, struct sn_error *err)
{
    struct sn_credential_source source = {.get = static_keys};
    const struct sn_json_client_options client = {.endpoint = argv[1], .region = "eu-west-1", .source = &source};
    struct sn_audit_logs_options options = {.group = argv[2],
        .stream = argv[3],
        .clock = sn_clock_system(),
        .random_source = sn_random_system(),
        .version = "test",
        .notify = tell};
    struct sn_audit_keys keys = {.count = 0};
    struct sn_audit_logs *log = NULL;
    int64_t count;

    SN_TRY(sn_parse_int(sn_slice_str(argv[4]), 1, 100000, &count, err));
    SN_TRY(sn_id_new(options.random_source, &options.instance, err));
    SN_TRY(sn_audit_keys_parse(sn_slice_str(key_text), "k1", &keys, err));
    SN_TRY(sn_logs_new(&client, &options.logs, err));
    options.keys = &keys;
    enum sn_status status = sn_audit_logs_new(&options, &log, err);
    if (status == SN_OK) {
        status = append_all(sn_audit_logs_sink(log), count, err);
    }
    sn_audit_logs_free(log);
    sn_logs_free(options.logs);
    sn_audit_keys_clear(&keys);
    return status;
}

int main(int argc, char **argv)
{
    struct sn_error err = {0};

    if (argc != 5) {
        fprintf(stderr, "usage: audit_logs_writer ENDPOINT GROUP STREAM COUNT\n");
        return 2;
    }
    if (run(argv, &err) != SN_OK) {
        fprintf(stderr, "%s: %s\n", err.code, err.message);
        return 1;
    }
    return 0;
}

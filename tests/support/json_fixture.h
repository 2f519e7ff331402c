/* SPDX-License-Identifier: Apache-2.0 */
/* tests/support/json_fixture.h - a scripted network in front of the clients that speak JSON. */
#ifndef SN_TESTS_SUPPORT_JSON_FIXTURE_H
#define SN_TESTS_SUPPORT_JSON_FIXTURE_H

#include "test.h"

#include "aws/json_client.h"
#include "scripted_transport.h"

#define JSON_TYPE "application/x-amz-json-1.1"
#define ANSWER(http, text)                                                                                             \
    {                                                                                                                  \
        .http_status = (http), .content_type = JSON_TYPE, .body = (text)                                               \
    }
#define FAULT(http, code) ANSWER(http, "{\"__type\":\"com.amazonaws#" code "\",\"message\":\"why\"}")
#define BROKEN(error_status, code)                                                                                     \
    {                                                                                                                  \
        .status = (error_status), .error_code = (code)                                                                 \
    }

struct json_fixture {
    struct script script;
    struct sn_transport transport;
    struct sn_clock clock;
    struct sn_credential_source source;
    struct sn_random random_source;
    int source_fails;
    struct sn_json_client_options options;
};

static inline enum sn_status json_keys(void *ctx, struct sn_credentials *out, struct sn_error *err)
{
    const struct json_fixture *f = ctx;

    if (f->source_fails != 0) {
        return sn_fail(err, SN_NOT_FOUND, "CONFIG_MISSING_CREDENTIALS", "none");
    }
    (void)snprintf(out->access_key_id, sizeof(out->access_key_id), "AKIDEXAMPLE000000000");
    sn_secret_set(&out->secret_access_key, SN_S("CANARY-secret"));
    sn_secret_set(&out->session_token, SN_S("TOKEN"));
    return SN_OK;
}

/* The lowest throw: waits are half of the longest. */
static inline enum sn_status json_dice(void *ctx, void *bytes, size_t len, struct sn_error *err)
{
    (void)ctx;
    (void)err;
    memset(bytes, 0, len);
    return SN_OK;
}

static inline void json_setup(struct json_fixture *f, const struct scripted_reply *replies, size_t count)
{
    memset(f, 0, sizeof(*f));
    f->script = (struct script){
        .replies = replies, .reply_count = count, .now_ns = 1769940000LL * 1000000000, .mono_ns = 5000000000};
    f->transport = script_transport(&f->script);
    f->clock = script_clock(&f->script);
    f->source = (struct sn_credential_source){json_keys, f};
    f->random_source = (struct sn_random){json_dice, NULL};
    f->options = (struct sn_json_client_options){.endpoint = "https://service.eu-west-1.amazonaws.com",
        .region = "eu-west-1",
        .source = &f->source,
        .clock = &f->clock,
        .random_source = &f->random_source,
        .transport = &f->transport};
}

#endif

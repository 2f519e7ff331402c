/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/vault/base_fixture.h - AWS files, an environment and a scripted STS for the resolver of base credentials.
 */
#ifndef SN_TESTS_UNIT_VAULT_BASE_FIXTURE_H
#define SN_TESTS_UNIT_VAULT_BASE_FIXTURE_H

#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fs.h"
#include "scripted_transport.h"
#include "vault/base_credentials.h"

#define NS " xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\""
#define IDENTITY                                                                                                       \
    "<GetCallerIdentityResponse" NS "><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/ops/alice</Arn>"    \
    "<UserId>AIDA</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
#define ASSUMED(role, session, expires)                                                                                \
    "<AssumeRoleResponse" NS "><AssumeRoleResult><Credentials><AccessKeyId>ASIA" role "</AccessKeyId><SecretAccessKey" \
    ">s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>" expires "</Expiration></Credentials>"             \
    "<AssumedRoleUser><AssumedRoleId>A:x</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/" role "/" session \
    "</Arn></AssumedRoleUser></AssumeRoleResult></AssumeRoleResponse>"
#define FAULT(code) "<ErrorResponse" NS "><Error><Code>" code "</Code><Message>why</Message></Error></ErrorResponse>"
#define ANSWER(http, text)                                                                                             \
    {                                                                                                                  \
        .http_status = (http), .content_type = "text/xml", .body = (text)                                              \
    }
#define ROLE(name) "role_arn = arn:aws:iam::123456789012:role/" name "\n"
#define KEYS "aws_access_key_id = AKIAFILE\naws_secret_access_key = CANARY-file\n"

enum { MAX_PAIRS = 12 };

struct fixture {
    char dir[64], config[96], credentials[96];
    const char *names[MAX_PAIRS], *values[MAX_PAIRS];
    size_t pairs;
    struct sn_env env;
    struct script script;
    struct sn_transport transport;
    struct sn_clock clock;
    struct sn_base *base;
};

static inline const char *fixture_env(void *ctx, const char *name)
{
    const struct fixture *f = ctx;

    for (size_t i = 0; i < f->pairs; i++) {
        if (strcmp(f->names[i], name) == 0) {
            return f->values[i];
        }
    }
    return NULL;
}

static inline void set_env(struct fixture *f, const char *name, const char *value)
{
    SN_ASSERT(f->pairs < MAX_PAIRS);
    f->names[f->pairs] = name;
    f->values[f->pairs++] = value;
}

static inline void write_file(const char *path, const char *text)
{
    struct sn_error err;

    assert_ok(sn_fs_write_atomic(path, 0600, sn_slice_str(text), &err), &err);
}

static inline void setup(
    struct fixture *f, const char *config, const char *credentials, const struct scripted_reply *replies, size_t count)
{
    memset(f, 0, sizeof(*f));
    (void)snprintf(f->dir, sizeof(f->dir), "/tmp/sn-base-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    (void)snprintf(f->config, sizeof(f->config), "%s/config", f->dir);
    (void)snprintf(f->credentials, sizeof(f->credentials), "%s/credentials", f->dir);
    write_file(f->config, config);
    write_file(f->credentials, credentials);
    set_env(f, "HOME", f->dir);
    set_env(f, "PATH", "/usr/bin:/bin");
    set_env(f, "AWS_CONFIG_FILE", f->config);
    set_env(f, "AWS_SHARED_CREDENTIALS_FILE", f->credentials);
    f->env = (struct sn_env){.get = fixture_env, .ctx = f};
    f->script = (struct script){
        .replies = replies, .reply_count = count, .now_ns = 1769940000LL * 1000000000, .mono_ns = 1000000000};
    f->transport = script_transport(&f->script);
    f->clock = script_clock(&f->script);
}

static inline void open_base(struct fixture *f, const char *profile)
{
    struct sn_base_options options = {
        .profile = profile, .env = &f->env, .clock = &f->clock, .transport = &f->transport};
    struct sn_error err;

    assert_ok(sn_base_new(&options, &f->base, &err), &err);
}

static inline enum sn_status get(struct fixture *f, struct sn_credentials *out, struct sn_error *err)
{
    const struct sn_credential_source *source = sn_base_source(f->base);

    return source->get(source->ctx, out, err);
}

static inline void teardown(struct fixture *f)
{
    sn_base_free(f->base);
    script_clear(&f->script);
    (void)unlink(f->config);
    (void)unlink(f->credentials);
    (void)rmdir(f->dir);
}

#endif

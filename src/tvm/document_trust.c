/* SPDX-License-Identifier: Apache-2.0 */
/* tvm/document_trust.c - see document_trust.h. */
#include "tvm/document_trust.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "core/policy/key_text.h"

enum {
    FILE_NAME_MAX = 512,
    WRITABLE_BY_OTHERS = 0022, /* who can write the key file decides whom the server believes */
};

/* --- Keys in KMS --- */

struct sn_kms_trust {
    struct sn_kms *kms;
    char *key_id; /* as it was given */
    pthread_mutex_t lock;
    bool is_described;
    struct sn_kms_key key; /* once described; never changes then */
    struct sn_remote_key table;
};

/* Once it was described a key stays what it is: neither its ARN nor its spec can change. */
static enum sn_status describe(
    void *ctx, const char **out_id, enum sn_sign_algorithm *out_algorithm, struct sn_error *err)
{
    struct sn_kms_trust *trust = ctx;
    enum sn_status status = SN_OK;

    pthread_mutex_lock(&trust->lock);
    if (!trust->is_described) {
        status = sn_kms_describe(trust->kms, trust->key_id, &trust->key, err);
        trust->is_described = status == SN_OK;
    }
    pthread_mutex_unlock(&trust->lock);
    SN_TRY(status);
    *out_id = trust->key.arn;
    *out_algorithm = trust->key.algorithm;
    return SN_OK;
}

static enum sn_status verify(
    void *ctx, struct sn_slice message, struct sn_slice signature, bool *out_valid, struct sn_error *err)
{
    struct sn_kms_trust *trust = ctx;
    unsigned char digest[SN_SHA256_LEN];

    SN_ASSERT(trust->is_described);
    sn_sha256(message, digest);
    return sn_kms_verify(trust->kms, &trust->key, digest, signature, out_valid, err);
}

struct sn_kms_trust *sn_kms_trust_new(struct sn_kms *kms, struct sn_slice key_id)
{
    struct sn_kms_trust *trust = sn_alloc(1, sizeof(*trust));

    trust->kms = kms;
    trust->key_id = sn_strdup(key_id);
    trust->table = (struct sn_remote_key){describe, verify, trust};
    pthread_mutex_init(&trust->lock, NULL);
    return trust;
}

void sn_kms_trust_free(struct sn_kms_trust *trust)
{
    if (trust != NULL) {
        pthread_mutex_destroy(&trust->lock);
        sn_free(trust->key_id);
        sn_free(trust);
    }
}

const struct sn_remote_key *sn_kms_trust_key(const struct sn_kms_trust *trust)
{
    return &trust->table;
}

/* --- Settings --- */

bool sn_document_trust_needs_kms(const struct sn_tvm_settings *settings)
{
    for (size_t i = 0; i < settings->policy_signing_keys.count; i++) {
        if (sn_kms_key_is_named(settings->policy_signing_keys.items[i])) {
            return true;
        }
    }
    return false;
}

static enum sn_status load_local(struct sn_slice text, struct sn_public_key **out_key, struct sn_error *err)
{
    SN_AUTO(sn_secret_clear) struct sn_secret pem = {0};
    char path[FILE_NAME_MAX];

    if (sn_slice_has_prefix(text, SN_S(SN_KEY_TEXT_ED25519))) {
        return sn_key_text_ed25519(text, out_key, err);
    }
    /* The form was checked with the settings. */
    struct sn_slice name = sn_slice_sub(text, strlen("file:"), text.len - strlen("file:"));
    if (name.len >= sizeof(path)) {
        return sn_fail(err, SN_LIMIT, "INVALID_KEY", "the path is too long");
    }
    snprintf(path, sizeof(path), "%.*s", SN_PRI(name));
    SN_TRY(sn_fs_read_secret(path, SN_SIGN_KEY_FILE_MAX, WRITABLE_BY_OTHERS, &pem, err));
    return sn_public_key_parse(sn_secret_reveal(&pem), out_key, err);
}

enum sn_status sn_document_trust_load(const struct sn_tvm_settings *settings, struct sn_kms *kms,
    struct sn_document_trust *out_trust, struct sn_error *err)
{
    struct sn_document_trust trust = {
        .enforce = strcmp(settings->enforce_policy_signing, "false") != 0,
        .allow_unbound = settings->allow_unbound_signatures,
        .min_serial = settings->policy_min_serial,
        .retry_ms = SN_TRUST_RETRY_MS,
    };

    for (size_t i = 0; i < settings->policy_signing_keys.count; i++) {
        struct sn_slice text = settings->policy_signing_keys.items[i];
        struct sn_error cause = {0};
        if (sn_kms_key_is_named(text)) {
            SN_ASSERT(kms != NULL);
            trust.owned_remote[i] = sn_kms_trust_new(kms, text);
            trust.keys[i].remote = sn_kms_trust_key(trust.owned_remote[i]);
        } else if (load_local(text, &trust.owned[i], &cause) != SN_OK) {
            sn_document_trust_clear(&trust);
            sn_fail(
                err, SN_USAGE, "INVALID_SETTING", "SENTINEL_POLICY_SIGNING_KEY: entry %zu: %s", i + 1, cause.message);
            return cause.suggestion[0] != '\0' ? sn_suggest(err, "%s", cause.suggestion) : err->status;
        } else {
            trust.keys[i].local = trust.owned[i];
        }
        trust.key_count = i + 1;
    }
    *out_trust = trust;
    return SN_OK;
}

void sn_document_trust_clear(struct sn_document_trust *trust)
{
    for (size_t i = 0; i < trust->key_count; i++) {
        sn_public_key_free(trust->owned[i]);
        sn_kms_trust_free(trust->owned_remote[i]);
    }
    *trust = (struct sn_document_trust){0};
}

const char *sn_document_trust_name(const struct sn_document_trust *trust, size_t index)
{
    return trust->keys[index].local != NULL ? sn_public_key_id(trust->keys[index].local)
                                            : trust->owned_remote[index]->key_id;
}

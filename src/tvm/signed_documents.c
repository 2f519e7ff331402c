/* SPDX-License-Identifier: Apache-2.0 */
/* tvm/signed_documents.c - see signed_documents.h. */
#include "tvm/signed_documents.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "base/log.h"
#include "core/policy/envelope.h"
#include "core/policy/key_text.h"
#include "core/policy/strtab.h"
#include "tvm/dir_reader.h"

enum {
    TRIES = 3,
    FILE_NAME_MAX = 512,
    WRITABLE_BY_OTHERS = 0022, /* who can write the key file decides whom the server believes */
};

/* --- Trust --- */

static enum sn_status load_key(struct sn_slice text, struct sn_public_key **out_key, struct sn_error *err)
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

enum sn_status sn_document_trust_load(
    const struct sn_tvm_settings *settings, struct sn_document_trust *out_trust, struct sn_error *err)
{
    struct sn_document_trust trust = {
        .enforce = strcmp(settings->enforce_policy_signing, "false") != 0,
        .allow_unbound = settings->allow_unbound_signatures,
        .min_serial = settings->policy_min_serial,
        .retry_ms = SN_TRUST_RETRY_MS,
    };

    for (size_t i = 0; i < settings->policy_signing_keys.count; i++) {
        struct sn_error cause = {0};
        if (load_key(settings->policy_signing_keys.items[i], &trust.keys[i], &cause) != SN_OK) {
            sn_document_trust_clear(&trust);
            sn_fail(
                err, SN_USAGE, "INVALID_SETTING", "SENTINEL_POLICY_SIGNING_KEY: entry %zu: %s", i + 1, cause.message);
            return cause.suggestion[0] != '\0' ? sn_suggest(err, "%s", cause.suggestion) : err->status;
        }
        trust.key_count = i + 1;
    }
    *out_trust = trust;
    return SN_OK;
}

void sn_document_trust_clear(struct sn_document_trust *trust)
{
    for (size_t i = 0; i < trust->key_count; i++) {
        sn_public_key_free(trust->keys[i]);
    }
    *trust = (struct sn_document_trust){0};
}

/* --- Serials --- */

struct sn_signed_documents {
    const char *dir;
    const struct sn_document_trust *trust;
    pthread_mutex_t lock; /* over what follows */
    struct sn_arena arena;
    struct sn_strtab names; /* only of documents whose signature was good, so their number is the signer's concern */
    int64_t *serials;       /* by number in names */
    size_t capacity;
};

struct sn_signed_documents *sn_signed_documents_new(const char *dir, const struct sn_document_trust *trust)
{
    struct sn_signed_documents *documents = sn_alloc(1, sizeof(*documents));

    documents->dir = dir;
    documents->trust = trust;
    pthread_mutex_init(&documents->lock, NULL);
    return documents;
}

void sn_signed_documents_free(struct sn_signed_documents *documents)
{
    if (documents != NULL) {
        pthread_mutex_destroy(&documents->lock);
        sn_strtab_clear(&documents->names);
        sn_arena_clear(&documents->arena);
        sn_free(documents->serials);
        sn_free(documents);
    }
}

static int64_t floor_of(struct sn_signed_documents *documents, const char *name)
{
    int64_t serial = documents->trust->min_serial;

    pthread_mutex_lock(&documents->lock);
    uint32_t number = sn_strtab_find(&documents->names, 0, sn_slice_str(name));
    if (number != SN_STRTAB_NONE && documents->serials[number] > serial) {
        serial = documents->serials[number];
    }
    pthread_mutex_unlock(&documents->lock);
    return serial;
}

static void raise_floor(struct sn_signed_documents *documents, const char *name, int64_t serial)
{
    pthread_mutex_lock(&documents->lock);
    uint32_t number = sn_strtab_find(&documents->names, 0, sn_slice_str(name));
    if (number == SN_STRTAB_NONE) {
        number = sn_strtab_add(&documents->names, 0, sn_arena_dup(&documents->arena, sn_slice_str(name)));
        if (number >= documents->capacity) {
            documents->capacity = documents->capacity == 0 ? 16 : documents->capacity * 2;
            documents->serials = sn_realloc(documents->serials, documents->capacity, sizeof(*documents->serials));
        }
        documents->serials[number] = serial;
    } else if (serial > documents->serials[number]) {
        documents->serials[number] = serial;
    }
    pthread_mutex_unlock(&documents->lock);
}

/* --- Reading --- */

void sn_document_name_of(const char *name, char *out, size_t out_size)
{
    struct sn_slice text = sn_slice_str(name);

    if (sn_slice_has_suffix(text, SN_S(".yaml"))) {
        text.len -= strlen(".yaml");
    }
    if (sn_slice_eq_str(text, "policy")) {
        snprintf(out, out_size, "/sentinel/config/policy");
    } else if (sn_slice_eq_str(text, "catalog")) {
        snprintf(out, out_size, "/sentinel/catalog/catalog");
    } else if (sn_slice_has_prefix(text, SN_S("catalog.d/"))) {
        text = sn_slice_sub(text, strlen("catalog.d/"), text.len);
        snprintf(out, out_size, "/sentinel/catalog/%.*s", SN_PRI(text));
    } else {
        snprintf(out, out_size, "/sentinel/%.*s", SN_PRI(text));
    }
}

bool sn_document_is_bad(const struct sn_error *err)
{
    return sn_error_is(err, "INVALID_POLICY") || sn_error_is(err, "INVALID_CATALOG") ||
           sn_slice_has_prefix(sn_slice_str(err->code), SN_S("SIGNATURE_"));
}

/* What one try has read. */
struct attempt {
    struct sn_buf *text;
    struct sn_buf envelope_text;
    bool has_document, has_envelope;
    struct sn_envelope envelope; /* zeroed until it was read */
};

static enum sn_status read_both(
    struct sn_signed_documents *documents, const char *name, struct attempt *attempt, struct sn_error *err)
{
    char envelope_name[FILE_NAME_MAX];
    int len = snprintf(envelope_name, sizeof(envelope_name), "%s.sig.json", name);

    if (len < 0 || (size_t)len >= sizeof(envelope_name)) {
        return sn_fail(err, SN_LIMIT, "DOCUMENT_UNREADABLE", "a path is too long");
    }
    sn_buf_clear(attempt->text);
    sn_buf_clear(&attempt->envelope_text);
    attempt->envelope = (struct sn_envelope){0};
    attempt->has_envelope = false;
    SN_TRY(sn_dir_read(documents->dir, name, attempt->text, &attempt->has_document, err));
    if (!attempt->has_document || documents->trust->key_count == 0) {
        return SN_OK;
    }
    return sn_dir_read(documents->dir, envelope_name, &attempt->envelope_text, &attempt->has_envelope, err);
}

static enum sn_status verify(
    struct sn_signed_documents *documents, const char *parameter, struct attempt *attempt, struct sn_error *err)
{
    const struct sn_document_trust *trust = documents->trust;
    const struct sn_public_key *used = NULL;
    const struct sn_public_key *keys[SN_TRUST_KEYS_MAX] = {trust->keys[0], trust->keys[1], trust->keys[2]};
    struct sn_signature_rules rules = {.keys = keys,
        .key_count = trust->key_count,
        .parameter = parameter,
        .min_serial = floor_of(documents, parameter),
        .allow_unbound = trust->allow_unbound};

    if (!attempt->has_envelope) {
        if (trust->enforce) {
            sn_fail(err, SN_DENIED, "SIGNATURE_MISSING", "the document is not signed");
            return sn_suggest(err, "sign it with: sentinel policy sign");
        }
        sn_log_warn("policy.unsigned", "a document without signature is used", SN_STR("parameter", parameter));
        return SN_OK;
    }
    SN_TRY(sn_envelope_parse(sn_buf_slice(&attempt->envelope_text), &attempt->envelope, err));
    SN_TRY(sn_envelope_verify(&attempt->envelope, sn_buf_slice(attempt->text), &rules, &used, err));
    if (attempt->envelope.is_bound) {
        raise_floor(documents, parameter, attempt->envelope.serial);
    } else {
        sn_log_warn("policy.unbound", "a signature without document name and serial is accepted",
            SN_STR("parameter", parameter));
    }
    return SN_OK;
}

static void log_refusal(const char *parameter, const struct attempt *attempt, const struct sn_error *err)
{
    char hash[SN_SHA256_HEX_LEN + 1];

    sn_sha256_hex(sn_buf_slice(attempt->text), hash);
    sn_log_error("security.document_signature", "a document is refused because of its signature",
        SN_STR("parameter", parameter), SN_STR("reason", err->code), SN_STR("detail", err->message),
        SN_STR("computed_hash", hash), SN_STR("claimed_hash", attempt->envelope.policy_hash),
        SN_STR("claimed_key_id", attempt->envelope.key_id));
}

static void wait_ms(int ms)
{
    struct timespec rest = {ms / 1000, (long)(ms % 1000) * 1000000};

    while (ms > 0 && nanosleep(&rest, &rest) != 0) {
    }
}

enum sn_status sn_signed_documents_read(struct sn_signed_documents *documents, const char *name,
    struct sn_buf *out_text, bool *out_found, struct sn_error *err)
{
    char parameter[FILE_NAME_MAX];
    struct attempt attempt = {.text = out_text};
    enum sn_status status = SN_OK;

    sn_document_name_of(name, parameter, sizeof(parameter));
    for (int i = 0; i < TRIES; i++) {
        status = read_both(documents, name, &attempt, err);
        if (status != SN_OK || !attempt.has_document || documents->trust->key_count == 0) {
            break;
        }
        status = verify(documents, parameter, &attempt, err);
        if (status == SN_OK || !sn_error_is(err, "SIGNATURE_HASH") || i == TRIES - 1) {
            break;
        }
        wait_ms(documents->trust->retry_ms);
    }
    if (status != SN_OK && sn_document_is_bad(err)) {
        log_refusal(parameter, &attempt, err);
        sn_error_context(err, "document '%s'", name);
    }
    if (status != SN_OK) {
        sn_buf_clear(out_text);
    }
    sn_buf_clear(&attempt.envelope_text);
    *out_found = attempt.has_document;
    return status;
}

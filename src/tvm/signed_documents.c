/* SPDX-License-Identifier: Apache-2.0 */
/* tvm/signed_documents.c - see signed_documents.h. */
#include "tvm/signed_documents.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/log.h"
#include "core/policy/strtab.h"

enum { TRIES = 3 };

/* --- Serials --- */

struct sn_signed_documents {
    const struct sn_document_source *source;
    const struct sn_document_trust *trust;
    pthread_mutex_t lock; /* over what follows */
    struct sn_arena arena;
    struct sn_strtab names; /* only of documents whose signature was good, so their number is the signer's concern */
    int64_t *serials;       /* by number in names */
    size_t capacity;
};

struct sn_signed_documents *sn_signed_documents_new(
    const struct sn_document_source *source, const struct sn_document_trust *trust)
{
    struct sn_signed_documents *documents = sn_alloc(1, sizeof(*documents));

    documents->source = source;
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

bool sn_document_is_bad(const struct sn_error *err)
{
    return sn_error_is(err, "INVALID_POLICY") || sn_error_is(err, "INVALID_CATALOG") ||
           sn_slice_has_prefix(sn_slice_str(err->code), SN_S("SIGNATURE_"));
}

/* What one try has read. */
struct attempt {
    struct sn_document_read reading;
    struct sn_envelope envelope; /* zeroed until it was read */
};

/* Text that came with a list is not read again; for a later try, listed is NULL. */
static enum sn_status read_both(struct sn_signed_documents *documents, const char *name,
    const struct sn_document_listed *listed, struct attempt *attempt, struct sn_error *err)
{
    const struct sn_document_source *source = documents->source;
    bool with_signature = documents->trust->key_count > 0;

    sn_document_read_clear(&attempt->reading);
    attempt->envelope = (struct sn_envelope){0};
    if (listed == NULL || !listed->has_text) {
        return source->read(source->ctx, name, with_signature, &attempt->reading, err);
    }
    sn_buf_add(&attempt->reading.text, listed->text);
    snprintf(attempt->reading.version, sizeof(attempt->reading.version), "%s", listed->version);
    attempt->reading.is_found = true;
    return with_signature ? source->read_signature(source->ctx, name, &attempt->reading, err) : SN_OK;
}

static enum sn_status verify(struct sn_signed_documents *documents, const char *name, struct attempt *attempt,
    struct sn_document_origin *origin, struct sn_error *err)
{
    const struct sn_document_trust *trust = documents->trust;
    const char *key_id = NULL;
    struct sn_signature_rules rules = {.keys = trust->keys,
        .key_count = trust->key_count,
        .parameter = name,
        .min_serial = floor_of(documents, name),
        .allow_unbound = trust->allow_unbound};

    if (!attempt->reading.has_signature) {
        if (trust->enforce) {
            sn_fail(err, SN_DENIED, "SIGNATURE_MISSING", "the document is not signed");
            return sn_suggest(err, "sign it with: sentinel policy sign");
        }
        sn_log_warn("policy.unsigned", "a document without signature is used", SN_STR("parameter", name));
        return SN_OK;
    }
    SN_TRY(sn_envelope_parse(sn_buf_slice(&attempt->reading.signature), &attempt->envelope, err));
    SN_TRY(sn_envelope_verify(&attempt->envelope, sn_buf_slice(&attempt->reading.text), &rules, &key_id, err));
    snprintf(origin->key_id, sizeof(origin->key_id), "%s", key_id);
    if (attempt->envelope.is_bound) {
        raise_floor(documents, name, attempt->envelope.serial);
    } else {
        sn_log_warn(
            "policy.unbound", "a signature without document name and serial is accepted", SN_STR("parameter", name));
    }
    return SN_OK;
}

static void log_refusal(const char *name, const struct attempt *attempt, const struct sn_error *err)
{
    char hash[SN_SHA256_HEX_LEN + 1];

    sn_sha256_hex(sn_buf_slice(&attempt->reading.text), hash);
    sn_log_error("security.document_signature", "a document is refused because of its signature",
        SN_STR("parameter", name), SN_STR("reason", err->code), SN_STR("detail", err->message),
        SN_STR("computed_hash", hash), SN_STR("claimed_hash", attempt->envelope.policy_hash),
        SN_STR("claimed_key_id", attempt->envelope.key_id));
}

static void wait_ms(int ms)
{
    struct timespec rest = {ms / 1000, (long)(ms % 1000) * 1000000};

    while (ms > 0 && nanosleep(&rest, &rest) != 0) {
    }
}

static void fill_origin(const char *name, const struct attempt *attempt, struct sn_document_origin *origin)
{
    snprintf(origin->name, sizeof(origin->name), "%s", name);
    snprintf(origin->version, sizeof(origin->version), "%s", attempt->reading.version);
    sn_sha256_hex(sn_buf_slice(&attempt->reading.text), origin->hash);
}

/* Reads and verifies, again while only the hash differs. *out_judged: a signature was looked at. */
static enum sn_status try_read(struct sn_signed_documents *documents, const char *name,
    const struct sn_document_listed *listed, struct attempt *attempt, struct sn_document_origin *origin,
    bool *out_judged, struct sn_error *err)
{
    for (int i = 0;; i++) {
        *out_judged = false;
        SN_TRY(read_both(documents, name, i == 0 ? listed : NULL, attempt, err));
        if (!attempt->reading.is_found || documents->trust->key_count == 0) {
            return SN_OK;
        }
        *out_judged = true;
        enum sn_status status = verify(documents, name, attempt, origin, err);
        if (status == SN_OK || !sn_error_is(err, "SIGNATURE_HASH") || i == TRIES - 1) {
            return status;
        }
        wait_ms(documents->trust->retry_ms);
    }
}

enum sn_status sn_signed_documents_read(struct sn_signed_documents *documents, const char *name,
    const struct sn_document_listed *listed, struct sn_buf *out_text, bool *out_found,
    struct sn_document_origin *out_origin, struct sn_error *err)
{
    struct attempt attempt = {0};
    bool is_judged = false;

    *out_origin = (struct sn_document_origin){0};
    enum sn_status status = try_read(documents, name, listed, &attempt, out_origin, &is_judged, err);
    if (status != SN_OK && is_judged) {
        log_refusal(name, &attempt, err);
        sn_error_context(err, "document '%s'", name);
    }
    sn_buf_clear(out_text);
    if (status == SN_OK) {
        *out_found = attempt.reading.is_found;
        if (attempt.reading.is_found) {
            fill_origin(name, &attempt, out_origin);
            *out_text = attempt.reading.text;
            attempt.reading.text = (struct sn_buf){0};
        }
    }
    sn_document_read_clear(&attempt.reading);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* core/policy/envelope.c - see envelope.h. */
#include "core/policy/envelope.h"

#include <string.h>

#include "codec/base64.h"
#include "codec/json.h"

enum { BOUND_VERSION = 2 };

/* --- Reading --- */

struct outer {
    int64_t version;
    bool has_version;
    struct sn_slice signature;
    const struct sn_json *metadata;
};
static const struct sn_json_field outer_fields[] = {
    {.name = "version",
        .kind = SN_JSON_FIELD_INT,
        .offset = offsetof(struct outer, version),
        .seen_offset_1 = offsetof(struct outer, has_version) + 1},
    {.name = "signature", .kind = SN_JSON_FIELD_TEXT, .offset = offsetof(struct outer, signature), .required = true},
    {.name = "metadata", .kind = SN_JSON_FIELD_NODE, .offset = offsetof(struct outer, metadata), .required = true},
    {0},
};

struct metadata {
    struct sn_slice key_id, algorithm, signed_at, policy_hash, parameter;
    int64_t serial;
    bool has_parameter, has_serial;
};
static const struct sn_json_field metadata_fields[] = {
    {.name = "key_id", .kind = SN_JSON_FIELD_TEXT, .offset = offsetof(struct metadata, key_id), .required = true},
    {.name = "algorithm", .kind = SN_JSON_FIELD_TEXT, .offset = offsetof(struct metadata, algorithm), .required = true},
    {.name = "signed_at", .kind = SN_JSON_FIELD_TEXT, .offset = offsetof(struct metadata, signed_at), .required = true},
    {.name = "policy_hash",
        .kind = SN_JSON_FIELD_TEXT,
        .offset = offsetof(struct metadata, policy_hash),
        .required = true},
    {.name = "parameter",
        .kind = SN_JSON_FIELD_TEXT,
        .offset = offsetof(struct metadata, parameter),
        .seen_offset_1 = offsetof(struct metadata, has_parameter) + 1},
    {.name = "serial",
        .kind = SN_JSON_FIELD_INT,
        .offset = offsetof(struct metadata, serial),
        .seen_offset_1 = offsetof(struct metadata, has_serial) + 1},
    {0},
};

static enum sn_status malformed(struct sn_error *err, const char *what)
{
    return sn_fail(err, SN_INVALID, "SIGNATURE_MALFORMED", "the signature envelope %s", what);
}

static bool copy(char *out, size_t out_size, struct sn_slice text)
{
    if (text.len == 0 || text.len >= out_size || sn_slice_has_byte(text, '\0')) {
        return false;
    }
    memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
    return true;
}

/* Printable ASCII, so that it may stand in a log and in the signed lines. */
static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text <= ' ' || *text > '~') {
            return false;
        }
    }
    return true;
}

static bool find_algorithm(struct sn_slice word, enum sn_sign_algorithm *out)
{
    for (size_t i = 0; i < SN_SIGN_ALGORITHMS; i++) {
        if (sn_slice_eq_str(word, sn_sign_algorithm_words[i])) {
            *out = (enum sn_sign_algorithm)i;
            return true;
        }
    }
    return false;
}

static enum sn_status read_binding(
    const struct outer *outer, const struct metadata *metadata, struct sn_envelope *e, struct sn_error *err)
{
    e->is_bound = outer->has_version;
    if (e->is_bound && outer->version != BOUND_VERSION) {
        return malformed(err, "has another version than 2");
    }
    if (metadata->has_parameter != e->is_bound || metadata->has_serial != e->is_bound) {
        return malformed(err, e->is_bound ? "lacks parameter or serial" : "has a parameter or a serial and no version");
    }
    if (!e->is_bound) {
        return SN_OK;
    }
    if (!sn_document_name_is_valid(metadata->parameter) ||
        !copy(e->parameter, sizeof(e->parameter), metadata->parameter)) {
        return malformed(err, "names no document");
    }
    if (metadata->serial < 1 || metadata->serial >= SN_SERIAL_MAX) {
        return malformed(err, "has a serial that is none");
    }
    e->serial = metadata->serial;
    return SN_OK;
}

static enum sn_status read_metadata(const struct metadata *metadata, struct sn_envelope *e, struct sn_error *err)
{
    int64_t unix_ms;
    unsigned char hash[SN_SHA256_LEN];
    struct sn_error ignored = {0};

    if (!copy(e->key_id, sizeof(e->key_id), metadata->key_id) || !is_plain(e->key_id)) {
        return malformed(err, "has no key_id");
    }
    if (!find_algorithm(metadata->algorithm, &e->algorithm)) {
        return malformed(err, "has an unknown algorithm");
    }
    if (sn_time_parse_stored(metadata->signed_at, &unix_ms, &ignored) != SN_OK ||
        !copy(e->signed_at, sizeof(e->signed_at), metadata->signed_at)) {
        return malformed(err, "has a signed_at that is no time with three fraction digits");
    }
    if (metadata->policy_hash.len != SN_SHA256_HEX_LEN ||
        sn_hex_decode(metadata->policy_hash, false, hash, sizeof(hash), &ignored) != SN_OK ||
        !copy(e->policy_hash, sizeof(e->policy_hash), metadata->policy_hash)) {
        return malformed(err, "has a policy_hash that is not 64 lower-case hexadecimal digits");
    }
    return SN_OK;
}

static enum sn_status read_signature(struct sn_slice text, struct sn_envelope *e, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf bytes = SN_BUF_INIT(SN_SIGNATURE_MAX);
    struct sn_error ignored = {0};

    if (sn_base64_decode(text, &bytes, &ignored) != SN_OK || bytes.overflow || bytes.len == 0) {
        return malformed(err, "has a signature that is no base64 of a signature");
    }
    memcpy(e->signature, bytes.ptr, bytes.len);
    e->signature_len = bytes.len;
    return SN_OK;
}

enum sn_status sn_envelope_parse(struct sn_slice text, struct sn_envelope *out_envelope, struct sn_error *err)
{
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    struct sn_json_limits limits = {.max_bytes = SN_ENVELOPE_MAX_BYTES, .max_depth = 2, .max_members = 16};
    struct outer outer = {0};
    struct metadata metadata = {0};
    struct sn_envelope envelope = {0};
    struct sn_error cause = {0};

    if (text.len > SN_ENVELOPE_MAX_BYTES) {
        return malformed(err, "is larger than 4096 bytes");
    }
    if (sn_json_parse(text, &limits, &doc, &cause) != SN_OK ||
        sn_json_read_object(sn_json_root(doc), outer_fields, false, &outer, &cause) != SN_OK ||
        sn_json_read_object(outer.metadata, metadata_fields, false, &metadata, &cause) != SN_OK) {
        return sn_fail(
            err, SN_INVALID, "SIGNATURE_MALFORMED", "the signature envelope is malformed: %.200s", cause.message);
    }
    SN_TRY(read_metadata(&metadata, &envelope, err));
    SN_TRY(read_binding(&outer, &metadata, &envelope, err));
    SN_TRY(read_signature(outer.signature, &envelope, err));
    *out_envelope = envelope;
    return SN_OK;
}

/* --- Writing --- */

void sn_envelope_format(struct sn_buf *buf, const struct sn_envelope *e, bool is_file)
{
    SN_AUTO(sn_buf_clear) struct sn_buf signature = {0};
    const char *nl = is_file ? "\n" : "", *in1 = is_file ? "  " : "", *in2 = is_file ? "    " : "";
    const char *sp = is_file ? " " : "";

    /* Nothing here needs an escape: the parts were checked when they were read or made. */
    sn_base64_encode(&signature, e->signature, e->signature_len);
    sn_buf_addf(buf, "{%s", nl);
    if (e->is_bound) {
        sn_buf_addf(buf, "%s\"version\":%s%d,%s", in1, sp, BOUND_VERSION, nl);
    }
    sn_buf_addf(
        buf, "%s\"signature\":%s\"%s\",%s%s\"metadata\":%s{%s", in1, sp, sn_buf_str(&signature), nl, in1, sp, nl);
    sn_buf_addf(buf, "%s\"key_id\":%s\"", in2, sp);
    for (const char *c = e->key_id; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\') {
            sn_buf_add_byte(buf, '\\');
        }
        sn_buf_add_byte(buf, *c);
    }
    sn_buf_addf(buf, "\",%s%s\"algorithm\":%s\"%s\",%s", nl, in2, sp, sn_sign_algorithm_words[e->algorithm], nl);
    sn_buf_addf(buf, "%s\"signed_at\":%s\"%s\",%s", in2, sp, e->signed_at, nl);
    sn_buf_addf(buf, "%s\"policy_hash\":%s\"%s\"", in2, sp, e->policy_hash);
    if (e->is_bound) {
        sn_buf_addf(buf, ",%s%s\"parameter\":%s\"%s\",%s", nl, in2, sp, e->parameter, nl);
        sn_buf_addf(buf, "%s\"serial\":%s%lld", in2, sp, (long long)e->serial);
    }
    sn_buf_addf(buf, "%s%s}%s}%s", nl, in1, nl, nl);
}

void sn_envelope_message(struct sn_buf *buf, const struct sn_envelope *e, struct sn_slice document)
{
    if (!e->is_bound) {
        sn_buf_add(buf, document);
        return;
    }
    sn_buf_addf(buf,
        "SENTINEL-POLICY-SIGNATURE-V2\nparameter=%s\npolicy-sha256=%s\nalgorithm=%s\nserial=%lld\nsigned-at=%s\n",
        e->parameter, e->policy_hash, sn_sign_algorithm_words[e->algorithm], (long long)e->serial, e->signed_at);
}

enum sn_status sn_envelope_prepare(struct sn_envelope *envelope, struct sn_slice document, const char *key_id,
    enum sn_sign_algorithm algorithm, struct sn_buf *out_message, struct sn_error *err)
{
    if (!copy(envelope->key_id, sizeof(envelope->key_id), sn_slice_str(key_id)) || !is_plain(envelope->key_id)) {
        return sn_fail(err, SN_INVALID, "INVALID_KEY", "the id of the key cannot stand in a signature");
    }
    envelope->algorithm = algorithm;
    sn_sha256_hex(document, envelope->policy_hash);
    sn_envelope_message(out_message, envelope, document);
    return SN_OK;
}

enum sn_status sn_envelope_sign(
    struct sn_envelope *envelope, struct sn_slice document, const struct sn_private_key *key, struct sn_error *err)
{
    SN_AUTO(sn_public_key_free_p) struct sn_public_key *public_key = NULL;
    SN_AUTO(sn_buf_clear) struct sn_buf message = {0};

    SN_TRY(sn_private_key_public(key, &public_key, err));
    SN_TRY(sn_envelope_prepare(
        envelope, document, sn_public_key_id(public_key), sn_public_key_algorithm(public_key), &message, err));
    sn_private_key_sign(key, sn_buf_slice(&message), envelope->signature);
    envelope->signature_len = SN_ED25519_SIGNATURE_LEN;
    return SN_OK;
}

/* --- Checking --- */

static bool hashes_are_equal(const char *a, const char *b)
{
    unsigned char difference = 0;

    for (size_t i = 0; i < SN_SHA256_HEX_LEN; i++) {
        difference |= (unsigned char)(a[i] ^ b[i]);
    }
    return difference == 0;
}

static enum sn_status check_binding(
    const struct sn_envelope *e, const struct sn_signature_rules *rules, struct sn_error *err)
{
    if (!e->is_bound) {
        return rules->allow_unbound
                   ? SN_OK
                   : sn_fail(err, SN_DENIED, "SIGNATURE_UNBOUND", "the signature names no document and has no serial");
    }
    if (rules->parameter != NULL && strcmp(rules->parameter, e->parameter) != 0) {
        return sn_fail(err, SN_DENIED, "SIGNATURE_BINDING", "the signature is of '%.200s', not of '%.200s'",
            e->parameter, rules->parameter);
    }
    if (e->serial < rules->min_serial) {
        return sn_fail(err, SN_DENIED, "SIGNATURE_SERIAL", "the signature has serial %lld; at least %lld is needed",
            (long long)e->serial, (long long)rules->min_serial);
    }
    return SN_OK;
}

/* What is known of a key once it was looked at. */
struct candidate {
    const struct sn_signature_key *key;
    const char *id;
    enum sn_sign_algorithm algorithm;
    bool is_known; /* false: it could not be asked */
};

static enum sn_status look_at_keys(const struct sn_signature_rules *rules, struct candidate out[SN_SIGNATURE_KEYS_MAX],
    struct sn_error *out_unknown, struct sn_error *err)
{
    for (size_t i = 0; i < rules->key_count; i++) {
        const struct sn_signature_key *key = &rules->keys[i];
        out[i] = (struct candidate){.key = key, .is_known = true};
        if (key->local != NULL) {
            out[i].id = sn_public_key_id(key->local);
            out[i].algorithm = sn_public_key_algorithm(key->local);
            continue;
        }
        struct sn_error cause = {0};
        if (key->remote->describe(key->remote->ctx, &out[i].id, &out[i].algorithm, &cause) != SN_OK) {
            if (sn_error_is(&cause, "KMS_KEY_UNUSABLE")) {
                *err = cause;
                return cause.status;
            }
            out[i].is_known = false;
            *out_unknown = cause;
        }
    }
    return SN_OK;
}

static bool try_key(
    const struct candidate *candidate, struct sn_slice message, struct sn_slice signature, struct sn_error *out_unknown)
{
    const struct sn_remote_key *remote = candidate->key->remote;
    struct sn_error cause = {0};
    bool is_valid = false;

    if (candidate->key->local != NULL) {
        return sn_public_key_verify(candidate->key->local, message, signature);
    }
    if (remote->verify(remote->ctx, message, signature, &is_valid, &cause) != SN_OK) {
        *out_unknown = cause;
        return false;
    }
    return is_valid;
}

/* Of the keys whose kind fits, the one that the envelope names comes first. NULL: none of them signed it. */
static const char *find_signer(const struct sn_envelope *e, struct sn_slice message, const struct candidate *candidates,
    size_t count, struct sn_error *out_unknown)
{
    struct sn_slice signature = sn_slice_bytes(e->signature, e->signature_len);

    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < count; i++) {
            const struct candidate *candidate = &candidates[i];
            bool is_named = candidate->is_known && strcmp(candidate->id, e->key_id) == 0;
            if (candidate->is_known && candidate->algorithm == e->algorithm && is_named == (pass == 0) &&
                try_key(candidate, message, signature, out_unknown)) {
                return candidate->id;
            }
        }
    }
    return NULL;
}

/* True when a key that could be looked at is of the envelope's kind. */
static bool fits_a_key(const struct sn_envelope *e, const struct candidate *candidates, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (candidates[i].is_known && candidates[i].algorithm == e->algorithm) {
            return true;
        }
    }
    return false;
}

enum sn_status sn_envelope_verify(const struct sn_envelope *envelope, struct sn_slice document,
    const struct sn_signature_rules *rules, const char **out_key_id, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf message = {0};
    struct candidate candidates[SN_SIGNATURE_KEYS_MAX] = {0};
    struct sn_error unknown = {0}; /* what kept a key from being asked */
    char hash[SN_SHA256_HEX_LEN + 1];

    SN_ASSERT(rules->key_count <= SN_SIGNATURE_KEYS_MAX);
    sn_sha256_hex(document, hash);
    if (!hashes_are_equal(hash, envelope->policy_hash)) {
        return sn_fail(err, SN_DENIED, "SIGNATURE_HASH", "the document is not the one that was signed");
    }
    SN_TRY(check_binding(envelope, rules, err)); /* what can be told here costs no question to others */
    SN_TRY(look_at_keys(rules, candidates, &unknown, err));
    sn_envelope_message(&message, envelope, document);
    const char *signer = find_signer(envelope, sn_buf_slice(&message), candidates, rules->key_count, &unknown);
    if (signer != NULL) {
        *out_key_id = signer;
        return SN_OK;
    }
    if (unknown.status != SN_OK) {
        *err = unknown;
        return unknown.status;
    }
    if (!fits_a_key(envelope, candidates, rules->key_count)) {
        return sn_fail(err, SN_DENIED, "SIGNATURE_ALGORITHM", "no key is of the kind of the signature, %s",
            sn_sign_algorithm_words[envelope->algorithm]);
    }
    return sn_fail(err, SN_DENIED, "SIGNATURE_INVALID", "the signature is not one of a key that is trusted");
}

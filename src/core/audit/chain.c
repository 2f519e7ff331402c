/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/audit/chain.c - records and anchors, built and read byte by byte.
 */
#include "core/audit/chain.h"

#include <string.h>

#include "base/time.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "crypto/hash.h"

static const char zeros[] = "0000000000000000000000000000000000000000000000000000000000000000";
static const struct sn_slice record_head = SN_S_INIT("{\"v\":1,\"stream\":\"");
static const struct sn_slice anchor_head = SN_S_INIT("{\"v\":1,\"anchor\":\"");
static const struct sn_slice signature_head = SN_S_INIT(",\"signature\":\"");

void sn_audit_position_start(struct sn_audit_position *position, const struct sn_id *stream)
{
    *position = (struct sn_audit_position){.seq = 0};
    memcpy(position->stream, stream->text, sizeof(position->stream));
    memcpy(position->signature, zeros, sizeof(position->signature));
}

/* Signs what buf holds from start on and appends the signature part with its LF. */
static void sign(struct sn_buf *buf, size_t start, struct sn_hmac *hmac, char out_hex[SN_AUDIT_SIGNATURE_LEN + 1])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char mac[SN_SHA256_LEN];

    sn_hmac_begin(hmac);
    sn_hmac_update(hmac, sn_slice_sub(sn_buf_slice(buf), start, buf->len));
    sn_hmac_finish(hmac, mac);
    for (size_t i = 0; i < sizeof(mac); i++) {
        out_hex[2 * i] = digits[mac[i] >> 4];
        out_hex[2 * i + 1] = digits[mac[i] & 15];
    }
    out_hex[SN_AUDIT_SIGNATURE_LEN] = '\0';
    sn_buf_add(buf, signature_head);
    sn_buf_add_bytes(buf, out_hex, SN_AUDIT_SIGNATURE_LEN);
    sn_buf_add_bytes(buf, "\"}\n", 3);
}

enum sn_status sn_audit_record_append(struct sn_buf *buf, struct sn_audit_position *position,
    const struct sn_audit_key *key, struct sn_hmac *hmac, struct sn_slice entry, int64_t now_ms, struct sn_error *err)
{
    char text[SN_TIME_TEXT_MAX];
    size_t start = buf->len;
    int64_t unix_ms = now_ms > position->unix_ms ? now_ms : position->unix_ms;

    if (entry.len > SN_AUDIT_RECORD_MAX - 1024 || position->seq >= SN_AUDIT_SEQ_MAX) {
        return sn_fail(err, SN_LIMIT, "AUDIT_RECORD_TOO_LARGE", "an audit record would pass its limit");
    }
    sn_buf_add(buf, record_head);
    sn_buf_add_bytes(buf, position->stream, SN_ID_LEN);
    sn_buf_add_str(buf, "\",\"seq\":");
    sn_buf_add_int(buf, position->seq + 1);
    sn_buf_add_str(buf, ",\"prev\":\"");
    sn_buf_add_bytes(buf, position->signature, SN_AUDIT_SIGNATURE_LEN);
    sn_buf_add_str(buf, "\",\"timestamp\":\"");
    sn_buf_add(buf, sn_time_format_rfc3339_ms(unix_ms, text));
    sn_buf_add_str(buf, "\",\"key_id\":\"");
    sn_buf_add_str(buf, key->id);
    sn_buf_add_str(buf, "\",\"entry\":");
    sn_buf_add(buf, entry);
    if (buf->overflow) {
        return sn_buf_check(buf, "the audit batch", err);
    }
    sign(buf, start, hmac, position->signature);
    SN_TRY(sn_buf_check(buf, "the audit batch", err));
    position->seq++;
    position->unix_ms = unix_ms;
    return SN_OK;
}

/* Takes a fixed text off the front. */
static bool take(struct sn_slice *rest, struct sn_slice text)
{
    if (rest->len < text.len || memcmp(rest->ptr, text.ptr, text.len) != 0) {
        return false;
    }
    rest->ptr += text.len;
    rest->len -= text.len;
    return true;
}

static struct sn_slice take_len(struct sn_slice *rest, size_t len)
{
    struct sn_slice part = sn_slice_sub(*rest, 0, len);

    rest->ptr += part.len;
    rest->len -= part.len;
    return part;
}

/* Up to the next quote, at most max bytes. */
static struct sn_slice take_quoted(struct sn_slice *rest, size_t max)
{
    const char *quote = rest->len > 0 ? memchr(rest->ptr, '"', rest->len < max + 1 ? rest->len : max + 1) : NULL;

    return take_len(rest, quote == NULL ? 0 : (size_t)(quote - rest->ptr));
}

/* Decimal, 1 to SN_AUDIT_SEQ_MAX, no leading zero; 0 when there is none. */
static int64_t take_seq(struct sn_slice *rest)
{
    int64_t value = 0;
    size_t len = 0;

    while (len < rest->len && len <= 16 && rest->ptr[len] >= '0' && rest->ptr[len] <= '9') {
        value = value * 10 + (rest->ptr[len] - '0');
        len++;
    }
    if (len == 0 || rest->ptr[0] == '0' || value > SN_AUDIT_SEQ_MAX) {
        return 0;
    }
    take_len(rest, len);
    return value;
}

/* One more than the value of a lower-case hex digit; 0 for any other byte, which so becomes larger than 15. */
static const unsigned char hex_plus_one[256] = {['0'] = 1,
    ['1'] = 2,
    ['2'] = 3,
    ['3'] = 4,
    ['4'] = 5,
    ['5'] = 6,
    ['6'] = 7,
    ['7'] = 8,
    ['8'] = 9,
    ['9'] = 10,
    ['a'] = 11,
    ['b'] = 12,
    ['c'] = 13,
    ['d'] = 14,
    ['e'] = 15,
    ['f'] = 16};

static unsigned hex_value(char digit)
{
    return hex_plus_one[(unsigned char)digit] - 1U;
}

static bool is_hex(struct sn_slice text)
{
    unsigned seen = 0;

    for (size_t i = 0; i < text.len; i++) {
        seen |= hex_value(text.ptr[i]);
    }
    return seen <= 15;
}

/* Splits off the last 80 bytes; the digits may still be anything. */
static bool split_signature(struct sn_slice line, struct sn_slice *out_signed, struct sn_slice *out_signature)
{
    if (line.len < SN_AUDIT_SIGNATURE_PART_LEN) {
        return false;
    }
    struct sn_slice tail = sn_slice_sub(line, line.len - SN_AUDIT_SIGNATURE_PART_LEN, SN_AUDIT_SIGNATURE_PART_LEN);
    *out_signed = sn_slice_sub(line, 0, line.len - SN_AUDIT_SIGNATURE_PART_LEN);
    if (!take(&tail, signature_head)) {
        return false;
    }
    *out_signature = take_len(&tail, SN_AUDIT_SIGNATURE_LEN);
    return sn_slice_eq(tail, SN_S("\"}"));
}

/*
 * The first byte of [at, end) that cannot be passed over inside a string: a quote, a backslash or a control. Eight
 * bytes at a time: verification is to cost little more than the hash. In each term the lowest bit set is exact.
 */
static const char *skip_plain(const char *at, const char *end)
{
    static const uint64_t ones = 0x0101010101010101ULL;

    while (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && end - at >= 8) {
        uint64_t word = 0;
        memcpy(&word, at, sizeof(word));
        uint64_t quote = word ^ (ones * '"');
        uint64_t backslash = word ^ (ones * '\\');
        uint64_t hit = ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) | ((word - ones * 0x20) & ~word);
        hit &= ones * 0x80;
        if (hit != 0) {
            return at + __builtin_ctzll(hit) / 8;
        }
        at += 8;
    }
    while (at < end && *at != '"' && *at != '\\' && (unsigned char)*at >= 0x20) {
        at++;
    }
    return at;
}

/* Behind the closing quote of the string that begins behind at; NULL when it does not end. */
static const char *skip_string(const char *at, const char *end)
{
    for (;;) {
        at = skip_plain(at, end);
        if (at >= end || (unsigned char)*at < 0x20) {
            return NULL;
        }
        if (*at == '"') {
            return at + 1;
        }
        at += 2; /* a backslash and what it escapes */
        if (at > end || (unsigned char)at[-1] < 0x20) {
            return NULL;
        }
    }
}

/*
 * True if text is one JSON object without white space outside strings. Not a full JSON reader: it makes sure that the
 * brackets close and that strings end, so that no second member of the record hides in the entry.
 */
static bool is_compact_object(struct sn_slice text)
{
    const char *at = text.ptr;
    const char *end = text.ptr + text.len;
    size_t depth = 0;

    if (text.len < 2 || *at != '{') {
        return false;
    }
    while (at < end) {
        unsigned char c = (unsigned char)*at++;
        if (c == '"') {
            at = skip_string(at, end);
            if (at == NULL) {
                return false;
            }
        } else if (c == '{' || c == '[') {
            depth++;
        } else if (c == '}' || c == ']') {
            if (--depth == 0) {
                return c == '}' && at == end;
            }
        } else if (c <= 0x20 || c > 0x7e) {
            return false;
        }
    }
    return false;
}

static enum sn_status not_a_record(struct sn_error *err, const char *problem)
{
    return sn_fail(err, SN_INVALID, "NOT_A_RECORD", "not a record: %s", problem);
}

static enum sn_status wrong_start(struct sn_slice line, struct sn_error *err)
{
    struct sn_slice rest = line;

    if (take(&rest, SN_S("{\"v\":"))) {
        int64_t version = take_seq(&rest);
        if (version > 1 && rest.len > 0 && rest.ptr[0] == ',') {
            return sn_fail(
                err, SN_INVALID, "NOT_A_RECORD", "not a record: version %lld is not known", (long long)version);
        }
    }
    return not_a_record(err, "it does not begin with version and stream");
}

enum sn_status sn_audit_record_parse(struct sn_slice line, struct sn_audit_record *out_record, struct sn_error *err)
{
    struct sn_audit_record record = {.seq = 0};
    struct sn_slice rest = line;

    if (!take(&rest, record_head)) {
        return wrong_start(line, err);
    }
    if (!split_signature(line, &record.signed_part, &record.signature)) {
        return not_a_record(err, "it does not end with a signature");
    }
    if (record.signed_part.len < record_head.len) {
        return not_a_record(err, "it has no entry");
    }
    rest = sn_slice_sub(record.signed_part, record_head.len, record.signed_part.len);
    record.stream = take_len(&rest, SN_ID_LEN);
    if (!sn_id_is_valid(record.stream) || !take(&rest, SN_S("\",\"seq\":"))) {
        return not_a_record(err, "the stream is not 16 characters of the id alphabet");
    }
    record.seq = take_seq(&rest);
    if (record.seq == 0 || !take(&rest, SN_S(",\"prev\":\""))) {
        return not_a_record(err, "the number is not a decimal from 1 on");
    }
    record.prev = take_len(&rest, SN_AUDIT_SIGNATURE_LEN);
    if (record.prev.len != SN_AUDIT_SIGNATURE_LEN || !is_hex(record.prev) ||
        !take(&rest, SN_S("\",\"timestamp\":\""))) {
        return not_a_record(err, "the signature of the record before is not 64 hex digits");
    }
    record.timestamp = take_len(&rest, SN_TIME_RFC3339_MS_LEN);
    if (sn_time_parse_stored(record.timestamp, &record.unix_ms, err) != SN_OK ||
        !take(&rest, SN_S("\",\"key_id\":\""))) {
        return not_a_record(err, "the time is not of the stored form");
    }
    record.key_id = take_quoted(&rest, SN_AUDIT_KEY_ID_MAX);
    if (!sn_audit_key_id_is_valid(record.key_id) || !take(&rest, SN_S("\",\"entry\":"))) {
        return not_a_record(err, "the key id is not of its form");
    }
    record.entry = rest;
    if (!is_compact_object(record.entry)) {
        return not_a_record(err, "the entry is not one compact JSON object");
    }
    *out_record = record;
    return SN_OK;
}

void sn_audit_record_glimpse(struct sn_slice line, struct sn_audit_record *out_record)
{
    struct sn_audit_record record = {.seq = 0};
    struct sn_slice rest = line;

    if (take(&rest, record_head)) {
        record.stream = take_len(&rest, SN_ID_LEN);
        if (sn_id_is_valid(record.stream) && take(&rest, SN_S("\",\"seq\":"))) {
            record.seq = take_seq(&rest);
        } else {
            record.stream = SN_S("");
        }
    }
    if (!split_signature(line, &record.signed_part, &record.signature)) {
        record.signature = SN_S("");
    }
    *out_record = record;
}

static bool decode_hex(struct sn_slice hex, unsigned char out[SN_SHA256_LEN])
{
    unsigned seen = 0;

    if (hex.len != SN_AUDIT_SIGNATURE_LEN) {
        return false;
    }
    for (size_t i = 0; i < SN_SHA256_LEN; i++) {
        unsigned high = hex_value(hex.ptr[2 * i]);
        unsigned low = hex_value(hex.ptr[2 * i + 1]);
        seen |= high | low;
        out[i] = (unsigned char)(high << 4 | (low & 15));
    }
    return seen <= 15;
}

bool sn_audit_signature_is_valid(struct sn_hmac *hmac, struct sn_slice signed_part, struct sn_slice signature)
{
    unsigned char shown[SN_SHA256_LEN];
    unsigned char mac[SN_SHA256_LEN];

    if (!decode_hex(signature, shown)) {
        return false;
    }
    sn_hmac_begin(hmac);
    sn_hmac_update(hmac, signed_part);
    sn_hmac_finish(hmac, mac);
    return sn_slice_eq_const_time(sn_slice_bytes(shown, sizeof(shown)), sn_slice_bytes(mac, sizeof(mac)));
}

bool sn_audit_record_is_valid(const struct sn_audit_keys *keys, const struct sn_audit_record *record)
{
    const struct sn_audit_key *key = sn_audit_keys_find(keys, record->key_id);
    SN_AUTO(sn_hmac_clear) struct sn_hmac hmac = {0};

    if (key == NULL) {
        return false;
    }
    sn_hmac_init(&hmac, &key->key);
    return sn_audit_signature_is_valid(&hmac, record->signed_part, record->signature);
}

static bool copy_exact(char *out, size_t size, struct sn_slice text)
{
    if (text.len >= size) {
        return false;
    }
    if (text.len > 0) {
        memcpy(out, text.ptr, text.len);
    }
    out[text.len] = '\0';
    return true;
}

void sn_audit_opening_parse(struct sn_slice entry, struct sn_audit_opening *out_opening)
{
    static const struct sn_slice event = SN_S_INIT("\",\"event\":\"audit.opened\",");
    static const struct sn_slice head = SN_S_INIT("{\"timestamp\":\"");
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    struct sn_slice rest = entry;
    struct sn_error err;

    *out_opening = (struct sn_audit_opening){.is_opened = false};
    if (!take(&rest, head) || take_len(&rest, SN_TIME_RFC3339_MS_LEN).len != SN_TIME_RFC3339_MS_LEN ||
        !take(&rest, event) || sn_json_parse(entry, &sn_json_limits_document, &doc, &err) != SN_OK) {
        return;
    }
    const struct sn_json *root = sn_json_root(doc);
    struct sn_audit_opening opening = {.is_opened = true};
    opening.previous.seq = sn_json_int(sn_json_get(root, "previous_seq"), 0);
    struct sn_slice stream = sn_json_text(sn_json_get(root, "previous_stream"));
    struct sn_slice signature = sn_json_text(sn_json_get(root, "previous_signature"));
    if (!copy_exact(opening.reason, sizeof(opening.reason), sn_json_text(sn_json_get(root, "reason")))) {
        return;
    }
    opening.has_previous = sn_id_is_valid(stream) && opening.previous.seq > 0 &&
                           signature.len == SN_AUDIT_SIGNATURE_LEN && is_hex(signature) &&
                           copy_exact(opening.previous.stream, sizeof(opening.previous.stream), stream) &&
                           copy_exact(opening.previous.signature, sizeof(opening.previous.signature), signature);
    *out_opening = opening;
}

void sn_audit_anchor_append(
    struct sn_buf *buf, const struct sn_audit_position *position, const struct sn_audit_key *key, int64_t now_ms)
{
    SN_AUTO(sn_hmac_clear) struct sn_hmac hmac = {0};
    char text[SN_TIME_TEXT_MAX];
    char hex[SN_AUDIT_SIGNATURE_LEN + 1];
    size_t start = buf->len;

    sn_hmac_init(&hmac, &key->key);
    sn_buf_add(buf, anchor_head);
    sn_buf_add_bytes(buf, position->stream, SN_ID_LEN);
    sn_buf_add_str(buf, "\",\"seq\":");
    sn_buf_add_int(buf, position->seq);
    sn_buf_add_str(buf, ",\"last\":\"");
    sn_buf_add_bytes(buf, position->signature, SN_AUDIT_SIGNATURE_LEN);
    sn_buf_add_str(buf, "\",\"timestamp\":\"");
    sn_buf_add(buf, sn_time_format_rfc3339_ms(now_ms, text));
    sn_buf_add_str(buf, "\",\"key_id\":\"");
    sn_buf_add_str(buf, key->id);
    sn_buf_add_byte(buf, '"');
    sign(buf, start, &hmac, hex);
}

enum sn_status sn_audit_anchor_parse(struct sn_slice line, const struct sn_audit_keys *keys,
    struct sn_audit_position *out_position, struct sn_error *err)
{
    struct sn_audit_position position = {.seq = 0};
    struct sn_audit_record as_record = {.seq = 0};
    struct sn_slice rest = {0};
    struct sn_slice stream = {0};
    struct sn_slice last = {0};

    bool is_anchor = split_signature(line, &as_record.signed_part, &as_record.signature);
    rest = as_record.signed_part;
    is_anchor = is_anchor && take(&rest, anchor_head);
    if (is_anchor) {
        stream = take_len(&rest, SN_ID_LEN);
        is_anchor = sn_id_is_valid(stream) && take(&rest, SN_S("\",\"seq\":"));
    }
    if (is_anchor) {
        position.seq = take_seq(&rest);
        is_anchor = position.seq > 0 && take(&rest, SN_S(",\"last\":\""));
    }
    if (is_anchor) {
        last = take_len(&rest, SN_AUDIT_SIGNATURE_LEN);
        is_anchor = last.len == SN_AUDIT_SIGNATURE_LEN && is_hex(last) && take(&rest, SN_S("\",\"timestamp\":\"")) &&
                    sn_time_parse_stored(take_len(&rest, SN_TIME_RFC3339_MS_LEN), &position.unix_ms, err) == SN_OK &&
                    take(&rest, SN_S("\",\"key_id\":\""));
    }
    if (is_anchor) {
        as_record.key_id = take_quoted(&rest, SN_AUDIT_KEY_ID_MAX);
        is_anchor = sn_audit_key_id_is_valid(as_record.key_id) && sn_slice_eq(rest, SN_S("\""));
    }
    if (!is_anchor) {
        return sn_fail(err, SN_INVALID, "INVALID_ANCHOR", "not an anchor line");
    }
    if (sn_audit_keys_find(keys, as_record.key_id) == NULL) {
        return sn_fail(err, SN_INVALID, "INVALID_ANCHOR", "the anchor is signed with an unknown key '%.*s'",
            SN_PRI(as_record.key_id));
    }
    if (!sn_audit_record_is_valid(keys, &as_record)) {
        return sn_fail(err, SN_INVALID, "INVALID_ANCHOR", "the signature of the anchor is wrong");
    }
    copy_exact(position.stream, sizeof(position.stream), stream);
    copy_exact(position.signature, sizeof(position.signature), last);
    *out_position = position;
    return SN_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/audit/entry.c - entries as the exact bytes that are signed.
 *
 * The encoder is separate from codec/json on purpose: the bytes of the log are a format of their own and must not move
 * when the JSON writer does.
 */
#include "core/audit/entry.h"

#include <string.h>

#include "base/time.h"

enum {
    TEXT_MAX = 512,
    LONG_TEXT_MAX = 1024, /* reasons and document names */
    ARN_TEXT_MAX = 2048,
};

static const char ellipsis[] = "\xe2\x80\xa6";
static const char replacement[] = "\xef\xbf\xbd";

/* Length of the well-formed UTF-8 character at the start of text, with its code point; 0 when there is none. */
static size_t next_char(struct sn_slice text, uint32_t *out_point)
{
    unsigned char lead = (unsigned char)text.ptr[0];
    size_t len = lead < 0x80 ? 1 : (lead & 0xe0U) == 0xc0U ? 2 : (lead & 0xf0U) == 0xe0U ? 3 : 4;

    if (text.len < len || !sn_slice_is_utf8(sn_slice_sub(text, 0, len))) {
        return 0;
    }
    uint32_t point = len == 1 ? lead : lead & (0xffU >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        point = point << 6 | ((unsigned char)text.ptr[i] & 0x3fU);
    }
    *out_point = point;
    return len;
}

static bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

static void add_char(struct sn_buf *buf, struct sn_slice bytes, uint32_t point)
{
    if (point == '"' || point == '\\') {
        sn_buf_add_byte(buf, '\\');
        sn_buf_add_byte(buf, (char)point);
    } else if (point < 0x20 || (point >= 0x7f && point <= 0x9f) || point == 0x2028 || point == 0x2029) {
        sn_buf_addf(buf, "\\u%04x", (unsigned)point);
    } else {
        sn_buf_add(buf, bytes);
    }
}

/* At most max bytes, cut at a character's edge; the mark of a cut counts among them. */
static struct sn_slice bound(struct sn_slice text, size_t max, bool *out_is_cut)
{
    *out_is_cut = text.len > max;
    if (!*out_is_cut) {
        return text;
    }
    size_t len = max - (sizeof(ellipsis) - 1);
    for (size_t back = 0; back < 3 && len > 0 && ((unsigned char)text.ptr[len] & 0xc0U) == 0x80U; back++) {
        len--;
    }
    return sn_slice_sub(text, 0, len);
}

void sn_audit_text_format(struct sn_buf *buf, struct sn_slice text, size_t max)
{
    bool is_cut = false;
    struct sn_slice rest = bound(text, max, &is_cut);

    sn_buf_add_byte(buf, '"');
    while (rest.len > 0) {
        size_t run = 0;
        while (run < rest.len && is_plain((unsigned char)rest.ptr[run])) {
            run++;
        }
        sn_buf_add(buf, sn_slice_sub(rest, 0, run));
        rest = sn_slice_sub(rest, run, rest.len);
        if (rest.len == 0) {
            break;
        }
        uint32_t point = 0;
        size_t len = next_char(rest, &point);
        if (len == 0) {
            sn_buf_add_str(buf, replacement);
            len = 1;
        } else {
            add_char(buf, sn_slice_sub(rest, 0, len), point);
        }
        rest = sn_slice_sub(rest, len, rest.len);
    }
    if (is_cut) {
        sn_buf_add_str(buf, ellipsis);
    }
    sn_buf_add_byte(buf, '"');
}

static void add_key(struct sn_buf *buf, const char *key)
{
    sn_buf_add_str(buf, ",\"");
    sn_buf_add_str(buf, key);
    sn_buf_add_str(buf, "\":");
}

static void add_text(struct sn_buf *buf, const char *key, struct sn_slice text, size_t max)
{
    add_key(buf, key);
    sn_audit_text_format(buf, text, max);
}

/* Facts that are left out when absent. */
static void add_text_if(struct sn_buf *buf, const char *key, struct sn_slice text, size_t max)
{
    if (text.len > 0) {
        add_text(buf, key, text, max);
    }
}

static void add_str_if(struct sn_buf *buf, const char *key, const char *text)
{
    if (text != NULL) {
        add_text(buf, key, sn_slice_str(text), TEXT_MAX);
    }
}

static void add_int(struct sn_buf *buf, const char *key, int64_t value)
{
    add_key(buf, key);
    sn_buf_add_int(buf, value);
}

static void add_bool(struct sn_buf *buf, const char *key, bool value)
{
    add_key(buf, key);
    sn_buf_add_str(buf, value ? "true" : "false");
}

static void add_tristate(struct sn_buf *buf, const char *key, enum sn_tristate value)
{
    switch (value) {
    case SN_UNKNOWN:
        break;
    case SN_FALSE:
        add_bool(buf, key, false);
        break;
    case SN_TRUE:
        add_bool(buf, key, true);
        break;
    }
}

static void begin(struct sn_buf *buf, int64_t unix_ms, const char *event)
{
    char text[SN_TIME_TEXT_MAX];

    sn_buf_add_str(buf, "{\"timestamp\":\"");
    sn_buf_add(buf, sn_time_format_rfc3339_ms(unix_ms, text));
    sn_buf_add_byte(buf, '"');
    add_str_if(buf, "event", event);
}

static void add_device(struct sn_buf *buf, const struct sn_audit_decision *d)
{
    add_text_if(buf, "device_id", d->device_id, TEXT_MAX);
    add_text_if(buf, "device_status", d->device_status, TEXT_MAX);
    if (d->posture == NULL) {
        return;
    }
    add_tristate(buf, "device_disk_encrypted", d->posture->disk_encrypted);
    add_tristate(buf, "device_mdm_enrolled", d->posture->mdm_enrolled);
    add_tristate(buf, "device_mdm_compliant", d->posture->mdm_compliant);
    add_tristate(buf, "device_firewall_enabled", d->posture->firewall_enabled);
    add_text_if(buf, "device_os_type", d->posture->os_type, TEXT_MAX);
    add_text_if(buf, "device_os_version", d->posture->os_version, TEXT_MAX);
}

void sn_audit_decision_format(struct sn_buf *buf, const struct sn_audit_decision *d)
{
    begin(buf, d->unix_ms, "decision");
    add_text(buf, "user", d->user, TEXT_MAX);
    add_text(buf, "profile", d->profile, TEXT_MAX);
    add_str_if(buf, "effect", d->allowed ? "allow" : "deny");
    add_text(buf, "rule", d->rule, TEXT_MAX);
    add_int(buf, "rule_index", d->rule_index);
    add_text(buf, "reason", d->reason, LONG_TEXT_MAX);
    add_text(buf, "policy_path", d->policy_path, LONG_TEXT_MAX);
    add_text(buf, "request_id", d->request_id, TEXT_MAX);
    add_text_if(buf, "source_identity", d->source_identity, TEXT_MAX);
    add_text_if(buf, "role_arn", d->role_arn, ARN_TEXT_MAX);
    if (d->session_duration_s > 0) {
        add_int(buf, "session_duration_seconds", d->session_duration_s);
    }
    add_text_if(buf, "approved_request_id", d->approved_request_id, TEXT_MAX);
    add_text_if(buf, "break_glass_event_id", d->break_glass_event_id, TEXT_MAX);
    add_device(buf, d);
    if (d->policy_evaluated) {
        add_str_if(buf, "policy_effect", sn_effect_name(d->policy_effect));
    }
    add_str_if(buf, "outcome", d->outcome);
    add_str_if(buf, "override", d->override);
    if (d->mfa_known) {
        add_bool(buf, "mfa_verified", d->mfa_verified);
    }
    add_text_if(buf, "gateway_request_id", d->gateway_request_id, TEXT_MAX);
    add_str_if(buf, "error_code", d->error_code);
    add_text(buf, "caller_arn", d->caller_arn, ARN_TEXT_MAX);
    add_text(buf, "account_id", d->account_id, TEXT_MAX);
    add_bool(buf, "vouched", d->vouched);
    add_text_if(buf, "access_key_id", d->access_key_id, TEXT_MAX);
    add_text_if(buf, "policy_version", d->policy_version, TEXT_MAX);
    add_text_if(buf, "policy_hash", d->policy_hash, TEXT_MAX);
    add_text_if(buf, "policy_key_id", d->policy_key_id, TEXT_MAX);
    sn_buf_add_byte(buf, '}');
}

void sn_audit_opened_format(struct sn_buf *buf, const struct sn_audit_opened *o)
{
    begin(buf, o->unix_ms, "audit.opened");
    add_str_if(buf, "reason", o->reason);
    add_text(buf, "instance", o->instance, TEXT_MAX);
    add_text(buf, "version", o->version, TEXT_MAX);
    add_text_if(buf, "previous_file", o->previous_file, TEXT_MAX);
    add_text_if(buf, "previous_stream", o->previous_stream, TEXT_MAX);
    if (o->previous_seq > 0) {
        add_int(buf, "previous_seq", o->previous_seq);
    }
    add_text_if(buf, "previous_signature", o->previous_signature, TEXT_MAX);
    if (o->torn_bytes > 0) {
        add_int(buf, "torn_bytes", o->torn_bytes);
        add_text(buf, "torn_sha256", o->torn_sha256, TEXT_MAX);
    }
    sn_buf_add_byte(buf, '}');
}

void sn_audit_recovered_format(struct sn_buf *buf, int64_t unix_ms, struct sn_slice instance)
{
    begin(buf, unix_ms, "audit.recovered");
    add_text(buf, "instance", instance, TEXT_MAX);
    sn_buf_add_byte(buf, '}');
}

void sn_audit_undelivered_format(struct sn_buf *buf, int64_t unix_ms, struct sn_slice request_id, const char *reason)
{
    begin(buf, unix_ms, "audit.undelivered");
    add_text(buf, "request_id", request_id, TEXT_MAX);
    add_str_if(buf, "reason", reason);
    sn_buf_add_byte(buf, '}');
}

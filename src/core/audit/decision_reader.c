/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/audit/decision_reader.c - see decision_reader.h.
 *
 * Both ways of reading fill the same struct of raw facts, and one function says what they mean. The fast way accepts a
 * part of what the other accepts, never more.
 */
#include "core/audit/decision_reader.h"

#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "core/audit/chain.h"

enum { DAY_LEN = 10, INT_DIGITS_MAX = 15, ESCAPE_LEN = 6 };
#define DAY_MS INT64_C(86400000)

/* The members of an entry, in the order in which they are written (core/audit/entry.c). */
enum member {
    M_TIMESTAMP,
    M_EVENT,
    M_USER,
    M_PROFILE,
    M_EFFECT,
    M_RULE,
    M_RULE_INDEX,
    M_REASON,
    M_POLICY_PATH,
    M_REQUEST_ID,
    M_SOURCE_IDENTITY,
    M_ROLE_ARN,
    M_SESSION_DURATION,
    M_APPROVED_REQUEST_ID,
    M_BREAK_GLASS_EVENT_ID,
    M_DEVICE_ID,
    M_DEVICE_STATUS,
    M_DISK_ENCRYPTED,
    M_MDM_ENROLLED,
    M_MDM_COMPLIANT,
    M_FIREWALL_ENABLED,
    M_OS_TYPE,
    M_OS_VERSION,
    M_POLICY_EFFECT,
    M_OUTCOME,
    M_OVERRIDE,
    M_MFA_VERIFIED,
    M_GATEWAY_REQUEST_ID,
    M_ERROR_CODE,
    M_CALLER_ARN,
    M_ACCOUNT_ID,
    M_VOUCHED,
    M_ACCESS_KEY_ID,
    M_POLICY_VERSION,
    M_POLICY_HASH,
    M_POLICY_KEY_ID,
    MEMBERS
};

enum value { TEXT, KEPT_TEXT, INTEGER, BOOLEAN, KEPT_BOOLEAN };

static const struct {
    struct sn_slice name; /* with its quotes and colon */
    enum value value;
} members[MEMBERS] = {
#define MEMBER(number, text, kind) [number] = {SN_S_INIT("\"" text "\":"), kind}
    MEMBER(M_TIMESTAMP, "timestamp", KEPT_TEXT),
    MEMBER(M_EVENT, "event", KEPT_TEXT),
    MEMBER(M_USER, "user", TEXT),
    MEMBER(M_PROFILE, "profile", KEPT_TEXT),
    MEMBER(M_EFFECT, "effect", KEPT_TEXT),
    MEMBER(M_RULE, "rule", KEPT_TEXT),
    MEMBER(M_RULE_INDEX, "rule_index", INTEGER),
    MEMBER(M_REASON, "reason", TEXT),
    MEMBER(M_POLICY_PATH, "policy_path", KEPT_TEXT),
    MEMBER(M_REQUEST_ID, "request_id", TEXT),
    MEMBER(M_SOURCE_IDENTITY, "source_identity", TEXT),
    MEMBER(M_ROLE_ARN, "role_arn", TEXT),
    MEMBER(M_SESSION_DURATION, "session_duration_seconds", INTEGER),
    MEMBER(M_APPROVED_REQUEST_ID, "approved_request_id", KEPT_TEXT),
    MEMBER(M_BREAK_GLASS_EVENT_ID, "break_glass_event_id", KEPT_TEXT),
    MEMBER(M_DEVICE_ID, "device_id", TEXT),
    MEMBER(M_DEVICE_STATUS, "device_status", TEXT),
    MEMBER(M_DISK_ENCRYPTED, "device_disk_encrypted", KEPT_BOOLEAN),
    MEMBER(M_MDM_ENROLLED, "device_mdm_enrolled", KEPT_BOOLEAN),
    MEMBER(M_MDM_COMPLIANT, "device_mdm_compliant", KEPT_BOOLEAN),
    MEMBER(M_FIREWALL_ENABLED, "device_firewall_enabled", KEPT_BOOLEAN),
    MEMBER(M_OS_TYPE, "device_os_type", KEPT_TEXT),
    MEMBER(M_OS_VERSION, "device_os_version", KEPT_TEXT),
    MEMBER(M_POLICY_EFFECT, "policy_effect", KEPT_TEXT),
    MEMBER(M_OUTCOME, "outcome", TEXT),
    MEMBER(M_OVERRIDE, "override", TEXT),
    MEMBER(M_MFA_VERIFIED, "mfa_verified", BOOLEAN),
    MEMBER(M_GATEWAY_REQUEST_ID, "gateway_request_id", TEXT),
    MEMBER(M_ERROR_CODE, "error_code", TEXT),
    MEMBER(M_CALLER_ARN, "caller_arn", KEPT_TEXT),
    MEMBER(M_ACCOUNT_ID, "account_id", TEXT),
    MEMBER(M_VOUCHED, "vouched", KEPT_BOOLEAN),
    MEMBER(M_ACCESS_KEY_ID, "access_key_id", TEXT),
    MEMBER(M_POLICY_VERSION, "policy_version", TEXT),
    MEMBER(M_POLICY_HASH, "policy_hash", TEXT),
    MEMBER(M_POLICY_KEY_ID, "policy_key_id", TEXT),
#undef MEMBER
};

/* What stands in the line, for the members that are kept. */
struct facts {
    uint64_t present; /* bit per member */
    uint64_t truths;  /* of booleans */
    struct sn_slice texts[MEMBERS];
};

static const uint64_t kept_texts = UINT64_C(1) << M_TIMESTAMP | UINT64_C(1) << M_EVENT | UINT64_C(1) << M_PROFILE |
                                   UINT64_C(1) << M_EFFECT | UINT64_C(1) << M_RULE | UINT64_C(1) << M_POLICY_PATH |
                                   UINT64_C(1) << M_APPROVED_REQUEST_ID | UINT64_C(1) << M_BREAK_GLASS_EVENT_ID |
                                   UINT64_C(1) << M_OS_TYPE | UINT64_C(1) << M_OS_VERSION |
                                   UINT64_C(1) << M_POLICY_EFFECT | UINT64_C(1) << M_CALLER_ARN;

static bool has(const struct facts *facts, enum member member)
{
    return (facts->present >> member & 1) != 0;
}

void sn_decision_reader_clear(struct sn_decision_reader *reader)
{
    sn_json_doc_free(reader->document);
    *reader = (struct sn_decision_reader){0};
}

/* --- What the facts mean --- */

static enum sn_logged_kind broken(struct sn_decision_reader *reader, const char *why)
{
    snprintf(reader->why, sizeof(reader->why), "%s", why);
    return SN_LOGGED_BROKEN;
}

static int two_digits(const char *at)
{
    unsigned tens = (unsigned)(at[0] - '0'), ones = (unsigned)(at[1] - '0');
    return tens > 9 || ones > 9 ? -1 : (int)(tens * 10 + ones);
}

/* Any time; its date is remembered. A function of its own, since the error takes long to clear. */
static __attribute__((noinline)) bool read_new_time(
    struct sn_decision_reader *reader, struct sn_slice text, int64_t *out_unix_ms)
{
    struct sn_error ignored = {0};

    if (sn_time_parse_rfc3339(text, out_unix_ms, &ignored) != SN_OK) {
        return false;
    }
    if (text.len == SN_TIME_RFC3339_MS_LEN && text.ptr[text.len - 1] == 'Z') {
        memcpy(reader->day, text.ptr, DAY_LEN);
        reader->day_ms = *out_unix_ms - ((*out_unix_ms % DAY_MS) + DAY_MS) % DAY_MS;
    }
    return true;
}

/* The stored form of times; the date, which is mostly that of the line before, is not read again. */
static bool read_time(struct sn_decision_reader *reader, struct sn_slice text, int64_t *out_unix_ms)
{
    if (text.len != SN_TIME_RFC3339_MS_LEN || memcmp(text.ptr, reader->day, 8) != 0 ||
        memcmp(text.ptr + 8, reader->day + 8, DAY_LEN - 8) != 0) {
        return read_new_time(reader, text, out_unix_ms);
    }
    const char *at = text.ptr + DAY_LEN;
    int hour = two_digits(at + 1), minute = two_digits(at + 4), second = two_digits(at + 7);
    int hundredths = two_digits(at + 10), last = two_digits(at + 11);
    bool is_time = at[0] == 'T' && at[3] == ':' && at[6] == ':' && at[9] == '.' && at[13] == 'Z' && hour >= 0 &&
                   hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second < 60 && hundredths >= 0 &&
                   last >= 0;
    if (!is_time) {
        return read_new_time(reader, text, out_unix_ms);
    }
    *out_unix_ms = reader->day_ms + ((int64_t)hour * 3600 + minute * 60 + second) * 1000 + hundredths * 10 + last % 10;
    return true;
}

static bool read_effect(struct sn_slice text, enum sn_effect *out_effect)
{
    static const struct {
        struct sn_slice word;
        enum sn_effect effect;
    } rows[] = {{SN_S_INIT("allow"), SN_EFFECT_ALLOW}, {SN_S_INIT("deny"), SN_EFFECT_DENY},
        {SN_S_INIT("require_approval"), SN_EFFECT_REQUIRE_APPROVAL}};
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        if (text.len == rows[i].word.len && memcmp(text.ptr, rows[i].word.ptr, text.len) == 0) {
            *out_effect = rows[i].effect;
            return true;
        }
    }
    return false;
}

static enum sn_tristate tristate(const struct facts *facts, enum member member)
{
    return !has(facts, member) ? SN_UNKNOWN : (facts->truths >> member & 1) != 0 ? SN_TRUE : SN_FALSE;
}

static void read_posture(const struct facts *facts, struct sn_logged_decision *out)
{
    static const uint64_t all = UINT64_C(1) << M_DISK_ENCRYPTED | UINT64_C(1) << M_MDM_ENROLLED |
                                UINT64_C(1) << M_MDM_COMPLIANT | UINT64_C(1) << M_FIREWALL_ENABLED |
                                UINT64_C(1) << M_OS_TYPE | UINT64_C(1) << M_OS_VERSION;
    out->has_posture = (facts->present & all) != 0;
    if (out->has_posture) {
        out->posture = (struct sn_posture){.disk_encrypted = tristate(facts, M_DISK_ENCRYPTED),
            .mdm_enrolled = tristate(facts, M_MDM_ENROLLED),
            .mdm_compliant = tristate(facts, M_MDM_COMPLIANT),
            .firewall_enabled = tristate(facts, M_FIREWALL_ENABLED),
            .os_type = facts->texts[M_OS_TYPE],
            .os_version = facts->texts[M_OS_VERSION]};
    }
}

static enum sn_logged_kind judge(
    struct sn_decision_reader *reader, const struct facts *facts, struct sn_logged_decision *out)
{
    if (!has(facts, M_EVENT)) {
        return broken(reader, "there is no 'event'");
    }
    if (!sn_slice_eq(facts->texts[M_EVENT], SN_S("decision"))) {
        return SN_LOGGED_OTHER;
    }
    *out = (struct sn_logged_decision){.profile = facts->texts[M_PROFILE],
        .caller_arn = facts->texts[M_CALLER_ARN],
        .rule = facts->texts[M_RULE],
        .policy_path = facts->texts[M_POLICY_PATH],
        .vouched = tristate(facts, M_VOUCHED)};
    if (!has(facts, M_TIMESTAMP) || !read_time(reader, facts->texts[M_TIMESTAMP], &out->unix_ms)) {
        return broken(reader, has(facts, M_TIMESTAMP) ? "'timestamp' is no time" : "there is no 'timestamp'");
    }
    if (!has(facts, M_PROFILE)) {
        return broken(reader, "there is no 'profile'");
    }
    if (!has(facts, M_POLICY_EFFECT)) {
        return SN_LOGGED_NOT_EVALUATED;
    }
    enum sn_effect effect = SN_EFFECT_DENY;
    if (!has(facts, M_EFFECT) || !read_effect(facts->texts[M_EFFECT], &effect) ||
        !read_effect(facts->texts[M_POLICY_EFFECT], &out->policy_effect)) {
        return broken(reader, "'effect' or 'policy_effect' is none");
    }
    if (!has(facts, M_CALLER_ARN) || !has(facts, M_RULE)) {
        return broken(reader, has(facts, M_RULE) ? "there is no 'caller_arn'" : "there is no 'rule'");
    }
    out->is_allowed = effect == SN_EFFECT_ALLOW;
    out->override = has(facts, M_APPROVED_REQUEST_ID)    ? SN_LOGGED_APPROVAL
                    : has(facts, M_BREAK_GLASS_EVENT_ID) ? SN_LOGGED_BREAK_GLASS
                                                         : SN_LOGGED_NO_OVERRIDE;
    read_posture(facts, out);
    return SN_LOGGED_DECISION;
}

/* --- The project's own form --- */

/* The first byte at or behind at that is a quote, a backslash, a control or no ASCII. */
#ifdef __SSE2__
typedef signed char lanes __attribute__((vector_size(16)));
typedef char masks __attribute__((vector_size(16)));

static inline const char *find_special(const char *at)
{
    for (;; at += sizeof(lanes)) {
        lanes bytes;
        memcpy(&bytes, at, sizeof(bytes));
        /* Signed: what is no ASCII is below the blank, as controls are. */
        lanes found = (bytes == '"') | (bytes == '\\') | (bytes < ' ');
        unsigned marks = (unsigned)__builtin_ia32_pmovmskb128((masks)found);
        if (marks != 0) {
            return at + __builtin_ctz(marks);
        }
    }
}
#else
#define BYTES(b) (UINT64_C(0x0101010101010101) * (b))
static inline const char *find_special(const char *at)
{
    for (;; at += 8) {
        uint64_t word;
        memcpy(&word, at, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        word = __builtin_bswap64(word);
#endif
        uint64_t quote = word ^ BYTES(0x22), backslash = word ^ BYTES(0x5c);
        /* Borrows run upwards only, so the lowest mark is always right. */
        uint64_t marks = ((quote - BYTES(1)) & ~quote) | ((backslash - BYTES(1)) & ~backslash) |
                         ((word - BYTES(0x20)) & ~word) | word;
        marks &= BYTES(0x80);
        if (marks != 0) {
            return at + __builtin_ctzll(marks) / 8;
        }
    }
}
#endif

/* An escape as the log has it; 0 when it is another one. \u0000 and halves of pairs are not for this reader. */
static size_t escape_len(const char *at, const char *end)
{
    if (at[1] == '"' || at[1] == '\\') {
        return 2;
    }
    if (at[1] != 'u' || end - at < ESCAPE_LEN) {
        return 0;
    }
    unsigned code = 0;
    for (int i = 2; i < ESCAPE_LEN; i++) {
        char c = at[i];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                                                : 16;
        if (digit == 16) {
            return 0;
        }
        code = code << 4 | digit;
    }
    return code == 0 || (code >= 0xd800 && code <= 0xdfff) ? 0 : ESCAPE_LEN;
}

/* From the first special byte of a string on. */
static __attribute__((noinline)) const char *string_end_slowly(const char *at, const char *end, bool is_kept)
{
    while (*at != '"') {
        size_t len = 0;
        if (at >= end) {
            return NULL;
        }
        if (*at == '\\') {
            len = is_kept ? 0 : escape_len(at, end);
        } else if (((unsigned char)*at & 0x80) != 0) {
            len = sn_utf8_sequence(sn_slice_bytes(at, (size_t)(end - at)));
        }
        if (len == 0) {
            return NULL;
        }
        at = find_special(at + len);
    }
    return at < end ? at : NULL;
}

/* Behind the opening quote: the closing one, or NULL. Kept text stands for itself, so that it may not hold escapes. */
static inline const char *string_end(const char *at, const char *end, bool is_kept)
{
    at = find_special(at);
    if (*at == '"' && at < end) {
        return at;
    }
    return string_end_slowly(at, end, is_kept);
}

/* Behind a decimal number that fits. */
static const char *integer_end(const char *at)
{
    at += *at == '-';
    const char *digits = at;
    while (*at >= '0' && *at <= '9') {
        at++;
    }
    bool is_plain = at > digits && at - digits <= INT_DIGITS_MAX && (*digits != '0' || at - digits == 1);
    return is_plain && !(digits[-1] == '-' && *digits == '0') ? at : NULL;
}

static const char *boolean_end(const char *at, const char *end)
{
    if (end - at >= 5 && memcmp(at, "true", 4) == 0) {
        return at + 4;
    }
    return end - at >= 6 && memcmp(at, "false", 5) == 0 ? at + 5 : NULL;
}

/* Where lit ends if it stands at at. */
#define AFTER(at, end, lit) (at = starts_with(at, end, lit, sizeof(lit) - 1))
static inline __attribute__((always_inline)) const char *starts_with(
    const char *at, const char *end, const char *text, size_t len)
{
    return at != NULL && (size_t)(end - at) >= len && memcmp(at, text, len) == 0 ? at + len : NULL;
}

static const char *skip_string(const char *at, const char *end)
{
    return at != NULL && (at = string_end(at, end, false)) != NULL ? at + 1 : NULL;
}

/* From the start of a record to that of its entry. */
static const char *record_head(const char *at, const char *end)
{
    AFTER(at, end, "{\"v\":1,\"stream\":\"");
    at = skip_string(at, end);
    AFTER(at, end, ",\"seq\":");
    at = at != NULL ? integer_end(at) : NULL;
    AFTER(at, end, ",\"prev\":\"");
    at = skip_string(at, end);
    AFTER(at, end, ",\"timestamp\":\"");
    at = skip_string(at, end);
    AFTER(at, end, ",\"key_id\":\"");
    at = skip_string(at, end);
    return AFTER(at, end, ",\"entry\":");
}

static inline bool same_word(const char *a, const char *b, size_t at)
{
    uint64_t left, right;
    memcpy(&left, a + at, sizeof(left));
    memcpy(&right, b + at, sizeof(right));
    return left == right;
}

static inline bool same_half(const char *a, const char *b, size_t at)
{
    uint32_t left, right;
    memcpy(&left, a + at, sizeof(left));
    memcpy(&right, b + at, sizeof(right));
    return left == right;
}

/* Where the name of a member, quotes and colon included, ends if it stands at at. There are some thirty names in a
 * line, so they are compared by words that overlap. */
static inline const char *after_name(const char *at, enum member member)
{
    /* The shortest has 7 bytes and the longest 27, which may lie in the slack; a value behind end is none. */
    const char *name = members[member].name.ptr;
    size_t len = members[member].name.len;
    bool is_same = len < 8 ? same_half(at, name, 0) && same_half(at, name, len - 4)
                           : same_word(at, name, 0) && same_word(at, name, len - 8) &&
                                 (len <= 16 || same_word(at, name, 8)) && (len <= 24 || same_word(at, name, 16));
    return is_same ? at + len : NULL;
}

static const char *read_value(const char *at, const char *end, enum member member, struct facts *facts)
{
    const char *next = NULL;
    switch (members[member].value) {
    case TEXT:
    case KEPT_TEXT:
        if (*at != '"') {
            return NULL;
        }
        next = string_end(at + 1, end, members[member].value == KEPT_TEXT);
        if (next != NULL) {
            facts->texts[member] = sn_slice_bytes(at + 1, (size_t)(next - at) - 1);
            next++;
        }
        break;
    case INTEGER:
        next = integer_end(at);
        break;
    case BOOLEAN:
    case KEPT_BOOLEAN:
        next = boolean_end(at, end);
        facts->truths |= (uint64_t)(*at == 't') << member;
        break;
    }
    facts->present |= UINT64_C(1) << member;
    return next;
}

/* The members in their order, each at most once; behind the closing brace, or NULL. */
static const char *read_entry(const char *at, const char *end, struct facts *facts)
{
    AFTER(at, end, "{");
    for (unsigned member = 0; at != NULL; member++) {
        const char *value = NULL;
        while (member < MEMBERS && value == NULL) {
            value = after_name(at, (enum member)member);
            member += value == NULL;
        }
        if (value == NULL || value >= end || (at = read_value(value, end, (enum member)member, facts)) == NULL) {
            return NULL;
        }
        if (*at == '}') {
            return at + 1;
        }
        at = *at == ',' ? at + 1 : NULL;
    }
    return NULL;
}

size_t sn_decision_read_own(struct sn_decision_reader *reader, const char *start, const char *end,
    enum sn_logged_kind *out_kind, struct sn_logged_decision *out_decision)
{
    struct facts facts __attribute__((uninitialized)); /* zeroing it costs a tenth of the time; see the end */
    const char *at = start;
    bool is_record = end - start > 4 && start[2] == 'v';

    facts.present = facts.truths = 0;
    if (is_record) {
        at = record_head(at, end);
    }
    at = at != NULL ? read_entry(at, end, &facts) : NULL;
    if (is_record && at != NULL) {
        AFTER(at, end, ",\"signature\":\"");
        at = skip_string(at, end);
        AFTER(at, end, "}");
    }
    if (at == NULL || at >= end || *at != '\n' || at - start > SN_AUDIT_LINE_MAX) {
        return 0;
    }
    /* Texts that are absent are empty; all others were written. */
    for (uint64_t absent = ~facts.present & kept_texts; absent != 0; absent &= absent - 1) {
        facts.texts[__builtin_ctzll(absent)] = (struct sn_slice){0};
    }
    *out_kind = judge(reader, &facts, out_decision);
    return (size_t)(at - start) + 1;
}

/* --- Any other line --- */

/* False when a member has a value of another kind. */
static bool read_member(const struct sn_json *node, enum member member, struct facts *facts)
{
    struct sn_slice quoted = members[member].name;
    char name[64];

    snprintf(name, sizeof(name), "%.*s", (int)quoted.len - 3, quoted.ptr + 1);
    const struct sn_json *value = sn_json_get(node, name);
    if (value == NULL) {
        return true;
    }
    facts->present |= UINT64_C(1) << member;
    switch (members[member].value) {
    case KEPT_TEXT:
        facts->texts[member] = sn_json_text(value);
        return sn_json_kind_of(value) == SN_JSON_STRING;
    case KEPT_BOOLEAN:
        facts->truths |= (uint64_t)sn_json_bool(value, false) << member;
        return sn_json_kind_of(value) == SN_JSON_BOOL;
    case TEXT:
    case INTEGER:
    case BOOLEAN:
        return true; /* not looked at */
    }
    return false;
}

enum sn_logged_kind sn_decision_read_line(
    struct sn_decision_reader *reader, struct sn_slice line, struct sn_logged_decision *out_decision)
{
    struct facts facts = {0};
    struct sn_error err = {0};

    sn_json_doc_free_p(&reader->document);
    reader->document = NULL;
    if (line.len > SN_AUDIT_LINE_MAX) {
        return broken(reader, "the line is longer than 4 MiB");
    }
    if (sn_json_parse(line, &sn_json_limits_document, &reader->document, &err) != SN_OK) {
        return broken(reader, "it is no JSON object");
    }
    const struct sn_json *entry = sn_json_root(reader->document), *inner = sn_json_get(entry, "entry");
    entry = inner != NULL ? inner : entry;
    if (sn_json_kind_of(entry) != SN_JSON_OBJECT) {
        return broken(reader, "it is no JSON object");
    }
    for (unsigned member = 0; member < MEMBERS; member++) {
        if (!read_member(entry, (enum member)member, &facts)) {
            snprintf(reader->why, sizeof(reader->why), "%.*s has a value of another kind",
                (int)members[member].name.len - 1, members[member].name.ptr);
            return SN_LOGGED_BROKEN;
        }
    }
    return judge(reader, &facts, out_decision);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/audit/streams.c - chains of records and what breaks them.
 *
 * Per stream the first 64 bits of the last 10,000 signatures are kept: enough to tell a repeat from a fork and to check
 * the position that a following stream names. Whoever could make two records agree in them has the key.
 */
#include "core/audit/streams.h"

#include <string.h>

#include "base/alloc.h"
#include "core/audit/verifier.h"

enum { HISTORY_MAX = 10000, HISTORY_MIN = 64, TABLE_LEN = 4096 };

static const char zeros[SN_AUDIT_SIGNATURE_LEN + 1] =
    "0000000000000000000000000000000000000000000000000000000000000000";

/* One record, as much of it as the chain needs. */
struct link {
    int64_t seq;
    int64_t unix_ms;
    char prev[SN_AUDIT_SIGNATURE_LEN];
    char signature[SN_AUDIT_SIGNATURE_LEN];
    struct sn_audit_place place;
    bool is_damaged; /* its own line was reported already */
    bool has_signature;
};

struct anchor {
    struct sn_audit_position position;
    bool is_met;
};

struct stream {
    char id[SN_ID_LEN + 1];
    bool is_verified; /* has a record with a good signature */
    int64_t first_seq, last_seq, last_ms;
    char last_signature[SN_AUDIT_SIGNATURE_LEN];
    uint64_t *history; /* of seq at [seq % history_cap]; 0: not seen */
    size_t history_cap;
    bool has_anchor;
    /* A log: damage since last_seq. */
    uint64_t damaged_count;
    int64_t shown_seq;
    bool has_shown_signature;
    char shown_signature[SN_AUDIT_SIGNATURE_LEN];
    /* An export: records ahead of their turn, by number. */
    struct link *pending;
    size_t pending_count, pending_cap;
    bool last_is_damaged;
    bool has_previous;
    struct sn_audit_position previous;
    struct stream *next_in_chain, *next;
};

struct sn_audit_streams {
    bool is_export;
    sn_audit_break_fn *report;
    void *ctx;
    struct stream *first, *last; /* in order of appearance */
    struct stream *table[TABLE_LEN];
    struct stream *current; /* of a log */
    uint64_t damaged_before_start;
    char other_stream[SN_ID_LEN + 1]; /* a damaged line showed the start of another stream */
    struct anchor *anchors;
    size_t anchor_count;
    bool has_start;
    struct sn_audit_position start; /* the anchor that allowed the log to start where it does */
    uint64_t stream_count, unacknowledged, duplicates;
};

struct sn_audit_streams *sn_audit_streams_new(bool is_export, sn_audit_break_fn *report, void *ctx)
{
    struct sn_audit_streams *streams = sn_alloc(1, sizeof(*streams));

    streams->is_export = is_export;
    streams->report = report;
    streams->ctx = ctx;
    return streams;
}

void sn_audit_streams_free(struct sn_audit_streams *streams)
{
    if (streams == NULL) {
        return;
    }
    for (struct stream *s = streams->first; s != NULL;) {
        struct stream *next = s->next;
        sn_free(s->history);
        sn_free(s->pending);
        sn_free(s);
        s = next;
    }
    sn_free(streams->anchors);
    sn_free(streams);
}

void sn_audit_streams_add_anchor(struct sn_audit_streams *streams, const struct sn_audit_position *anchor)
{
    streams->anchors = sn_realloc(streams->anchors, streams->anchor_count + 1, sizeof(*streams->anchors));
    streams->anchors[streams->anchor_count++] = (struct anchor){.position = *anchor};
}

/* --- Streams and their history --- */

static size_t table_index(const char *id)
{
    uint64_t hash = 1469598103934665603ULL;

    for (size_t i = 0; i < SN_ID_LEN; i++) {
        hash = (hash ^ (unsigned char)id[i]) * 1099511628211ULL;
    }
    return (size_t)(hash >> 17) % TABLE_LEN;
}

static struct stream *find_stream(const struct sn_audit_streams *streams, const char *id)
{
    struct stream *s = streams->table[table_index(id)];

    while (s != NULL && memcmp(s->id, id, SN_ID_LEN) != 0) {
        s = s->next_in_chain;
    }
    return s;
}

static struct stream *add_stream(struct sn_audit_streams *streams, const char *id)
{
    struct stream *s = sn_alloc(1, sizeof(*s));
    struct stream **chain = &streams->table[table_index(id)];

    memcpy(s->id, id, SN_ID_LEN);
    s->next_in_chain = *chain;
    *chain = s;
    *(streams->last != NULL ? &streams->last->next : &streams->first) = s;
    streams->last = s;
    for (size_t i = 0; i < streams->anchor_count; i++) {
        s->has_anchor = s->has_anchor || memcmp(streams->anchors[i].position.stream, id, SN_ID_LEN) == 0;
    }
    memcpy(s->last_signature, zeros, sizeof(s->last_signature));
    return s;
}

/* The first 16 digits as a number that is never 0. */
static uint64_t digest_of(const char *signature)
{
    uint64_t value = 0;

    for (size_t i = 0; i < 16; i++) {
        char c = signature[i];
        value = value << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return value | 1U;
}

static void remember(struct stream *s, int64_t seq, const char *signature)
{
    if (s->history_cap < HISTORY_MAX && seq - s->first_seq >= (int64_t)s->history_cap) {
        size_t cap = s->history_cap == 0 ? HISTORY_MIN : s->history_cap * 4;
        cap = cap > HISTORY_MAX ? HISTORY_MAX : cap;
        uint64_t *history = sn_alloc(cap, sizeof(*history));
        for (size_t i = 0; i < s->history_cap; i++) {
            int64_t old = s->last_seq - (int64_t)i;
            if (old >= s->first_seq && old > 0) {
                history[(size_t)old % cap] = s->history[(size_t)old % s->history_cap];
            }
        }
        sn_free(s->history);
        s->history = history;
        s->history_cap = cap;
    }
    /* Numbers that were skipped must not be answered with what stood in their places before. */
    int64_t skipped = seq - s->last_seq - 1;
    for (int64_t i = 1; i <= skipped && i <= (int64_t)s->history_cap; i++) {
        s->history[(size_t)(seq - i) % s->history_cap] = 0;
    }
    s->history[(size_t)seq % s->history_cap] = signature == NULL ? 0 : digest_of(signature);
}

static uint64_t recall(const struct stream *s, int64_t seq)
{
    bool is_kept = seq > 0 && seq <= s->last_seq && seq >= s->first_seq && seq > s->last_seq - (int64_t)s->history_cap;

    return is_kept ? s->history[(size_t)seq % s->history_cap] : 0;
}

/* --- Anchors --- */

static void check_anchors(struct sn_audit_streams *streams, const struct stream *s,
    const struct sn_audit_record *record, struct sn_audit_place place)
{
    for (size_t i = 0; i < streams->anchor_count; i++) {
        struct anchor *anchor = &streams->anchors[i];
        if (anchor->is_met || anchor->position.seq != record->seq ||
            memcmp(anchor->position.stream, s->id, SN_ID_LEN) != 0) {
            continue;
        }
        anchor->is_met = true;
        if (!sn_slice_eq_str(record->signature, anchor->position.signature)) {
            streams->report(streams->ctx, place, "record %lld differs from anchor", (long long)record->seq);
        }
    }
}

/* True if an anchor names exactly this position, so that the log may begin behind it. */
static bool start_is_anchored(struct sn_audit_streams *streams, const char *stream, int64_t seq, const char *signature)
{
    for (size_t i = 0; i < streams->anchor_count; i++) {
        struct anchor *anchor = &streams->anchors[i];
        if (anchor->position.seq == seq && memcmp(anchor->position.stream, stream, SN_ID_LEN) == 0 &&
            memcmp(anchor->position.signature, signature, SN_AUDIT_SIGNATURE_LEN) == 0) {
            anchor->is_met = true;
            streams->has_start = true;
            streams->start = anchor->position;
            return true;
        }
    }
    return false;
}

/* --- Common to both orders --- */

static void accept(struct stream *s, const struct link *link)
{
    if (s->first_seq == 0) {
        s->first_seq = link->seq;
        s->last_seq = link->seq - 1;
    }
    remember(s, link->seq, link->has_signature ? link->signature : NULL);
    s->last_seq = link->seq;
    s->last_is_damaged = link->is_damaged;
    if (link->has_signature) {
        memcpy(s->last_signature, link->signature, sizeof(s->last_signature));
    }
    s->last_ms = link->unix_ms > 0 ? link->unix_ms : s->last_ms;
    s->damaged_count = 0;
    s->has_shown_signature = false;
    s->shown_seq = 0;
}

static struct link link_of(const struct sn_audit_record *record, struct sn_audit_place place)
{
    struct link link = {.seq = record->seq, .unix_ms = record->unix_ms, .place = place, .has_signature = true};

    memcpy(link.prev, record->prev.ptr, sizeof(link.prev));
    memcpy(link.signature, record->signature.ptr, sizeof(link.signature));
    return link;
}

/* What the first record of a stream must be; NULL when it is. */
static const char *check_first(const struct link *link, const struct sn_audit_opening *opening)
{
    if (memcmp(link->prev, zeros, sizeof(link->prev)) != 0) {
        return "the first record of a stream names a record before it";
    }
    return opening->is_opened ? NULL : "a stream does not begin with audit.opened";
}

#define BREAK(streams, place, ...) ((streams)->report((streams)->ctx, (place), __VA_ARGS__), false)

/* --- A log --- */

/* The very first good record. */
static bool start_log(struct sn_audit_streams *streams, const struct sn_audit_record *record, const struct link *link)
{
    struct sn_audit_opening opening;
    struct stream *s = add_stream(streams, record->stream.ptr);

    streams->current = s;
    accept(s, link);
    if (record->seq > 1) {
        if (streams->damaged_before_start > 0 && record->seq <= (int64_t)streams->damaged_before_start + 1) {
            return true;
        }
        return start_is_anchored(streams, s->id, record->seq - 1, record->prev.ptr) ||
               BREAK(streams, link->place, "records before %lld missing", (long long)record->seq);
    }
    sn_audit_opening_parse(record->entry, &opening);
    const char *problem = check_first(link, &opening);
    if (problem != NULL) {
        return BREAK(streams, link->place, "%s", problem);
    }
    if (strcmp(opening.reason, "new") == 0 || streams->damaged_before_start > 0) {
        return true;
    }
    if (opening.has_previous &&
        start_is_anchored(streams, opening.previous.stream, opening.previous.seq, opening.previous.signature)) {
        return true;
    }
    return BREAK(streams, link->place, "records missing before a new stream: it follows another that is not here");
}

/* Numbers that a damaged line stood for, or that it shows, are not missed again. */
static bool follows_damage(const struct stream *s, const struct link *link)
{
    if (s->damaged_count == 0) {
        return false;
    }
    bool is_near = link->seq > s->last_seq && link->seq <= s->last_seq + (int64_t)s->damaged_count + 1;
    bool follows_shown = s->shown_seq > 0 && link->seq == s->shown_seq + 1;
    bool names_shown =
        s->has_shown_signature && memcmp(link->prev, s->shown_signature, sizeof(s->shown_signature)) == 0;
    return is_near || (follows_shown && link->seq > s->last_seq) || (names_shown && link->seq > s->last_seq);
}

/* A number at or before the newest one: told by what stood there; the position stays. */
static bool break_back(struct sn_audit_streams *streams, const struct stream *s, const struct link *link)
{
    uint64_t seen = recall(s, link->seq);
    long long seq = (long long)link->seq;

    if (seen != 0 && seen == digest_of(link->signature)) {
        return BREAK(streams, link->place, "repeat: record %lld stands here again", seq);
    }
    if (seen != 0) {
        return BREAK(streams, link->place, "fork: a second record %lld with another signature", seq);
    }
    return BREAK(streams, link->place, "reorder: record %lld stands after record %lld", seq, (long long)s->last_seq);
}

static bool follow(struct sn_audit_streams *streams, struct stream *s, const struct link *link)
{
    bool is_next = link->seq == s->last_seq + 1;
    bool names_last = memcmp(link->prev, s->last_signature, sizeof(s->last_signature)) == 0;
    int64_t last_seq = s->last_seq;

    if ((is_next && names_last && s->damaged_count == 0) || follows_damage(s, link)) {
        bool is_late = link->unix_ms >= s->last_ms;
        accept(s, link);
        return is_late ||
               BREAK(streams, link->place, "record %lld is dated before the one before it", (long long)link->seq);
    }
    if (link->seq <= s->last_seq) {
        return break_back(streams, s, link);
    }
    accept(s, link);
    if (is_next) {
        return BREAK(streams, link->place, "record %lld does not follow the record before it", (long long)link->seq);
    }
    if (link->seq == last_seq + 2) {
        return BREAK(streams, link->place, "gap: record %lld missing", (long long)link->seq - 1);
    }
    return BREAK(
        streams, link->place, "gap: records %lld to %lld missing", (long long)last_seq + 1, (long long)link->seq - 1);
}

/* The position that a new stream names, held against the stream that stands before it. */
static bool check_previous(struct sn_audit_streams *streams, const struct stream *before,
    const struct sn_audit_position *previous, struct sn_audit_place place)
{
    if (previous->seq > before->last_seq + (int64_t)before->damaged_count) {
        return BREAK(streams, place,
            "records missing before a new stream: it follows record %lld, the last one is %lld",
            (long long)previous->seq, (long long)before->last_seq);
    }
    if (previous->seq > before->last_seq) {
        return true; /* the damaged line */
    }
    uint64_t seen = recall(before, previous->seq);
    bool fits = previous->seq == before->last_seq
                    ? memcmp(previous->signature, before->last_signature, SN_AUDIT_SIGNATURE_LEN) == 0
                    : seen == digest_of(previous->signature);
    if (!fits && !before->last_is_damaged) {
        return BREAK(streams, place, "splice: the new stream follows another record %lld than stands here",
            (long long)previous->seq);
    }
    /* Written but never acknowledged: nothing was issued under them. */
    streams->unacknowledged += (uint64_t)(before->last_seq - previous->seq);
    return true;
}

static bool change_stream(
    struct sn_audit_streams *streams, const struct sn_audit_record *record, const struct link *link)
{
    struct sn_audit_opening opening = {.is_opened = false};
    struct stream *before = streams->current;
    bool is_shown = memcmp(streams->other_stream, record->stream.ptr, SN_ID_LEN) == 0 && before->damaged_count > 0;

    if (record->seq == 1) {
        sn_audit_opening_parse(record->entry, &opening);
    }
    if (!is_shown && (record->seq != 1 || !opening.has_previous)) {
        return BREAK(streams, link->place,
            record->seq == 1 ? "splice: a second stream that follows nothing" : "splice: a record of another stream");
    }
    if (find_stream(streams, record->stream.ptr) != NULL) {
        return BREAK(streams, link->place, "splice: a stream that stood before begins again");
    }
    struct stream *s = add_stream(streams, record->stream.ptr);
    streams->current = s;
    accept(s, link);
    if (is_shown && record->seq > 1) {
        return true;
    }
    const char *problem = check_first(link, &opening);
    if (problem != NULL) {
        return BREAK(streams, link->place, "%s", problem);
    }
    if (memcmp(opening.previous.stream, before->id, SN_ID_LEN) != 0) {
        return BREAK(streams, link->place, "splice: a stream that follows a third one, which does not stand here");
    }
    return check_previous(streams, before, &opening.previous, link->place);
}

static bool add_to_log(struct sn_audit_streams *streams, const struct sn_audit_record *record, const struct link *link)
{
    if (streams->current == NULL) {
        return start_log(streams, record, link);
    }
    if (memcmp(streams->current->id, record->stream.ptr, SN_ID_LEN) == 0) {
        return follow(streams, streams->current, link);
    }
    return change_stream(streams, record, link);
}

/* --- An export --- */

/* Takes a link whose turn it is. */
static bool take_turn(struct sn_audit_streams *streams, struct stream *s, const struct link *link)
{
    bool is_blind = link->is_damaged || s->last_is_damaged || s->last_seq == 0;
    bool follows = is_blind || memcmp(link->prev, s->last_signature, sizeof(s->last_signature)) == 0;
    bool is_late = is_blind || link->unix_ms >= s->last_ms;

    accept(s, link);
    if (!follows) {
        return BREAK(streams, link->place, "record %lld does not follow the record before it", (long long)link->seq);
    }
    return is_late ||
           BREAK(streams, link->place, "record %lld is dated before the one before it", (long long)link->seq);
}

/* The first pending record is taken although others before it never came. */
static void give_up_gap(struct sn_audit_streams *streams, struct stream *s)
{
    const struct link *link = &s->pending[0];

    if (s->last_seq == 0) {
        if (!start_is_anchored(streams, s->id, link->seq - 1, link->prev)) {
            streams->report(streams->ctx, link->place, "records before %lld missing", (long long)link->seq);
        }
    } else {
        streams->report(streams->ctx, link->place, "gap: records %lld to %lld missing", (long long)s->last_seq + 1,
            (long long)link->seq - 1);
    }
    s->last_is_damaged = true; /* its predecessor is not known */
    s->last_seq = link->seq - 1;
    s->first_seq = s->first_seq == 0 ? link->seq : s->first_seq;
}

static void drain(struct sn_audit_streams *streams, struct stream *s, size_t keep)
{
    size_t taken = 0;

    while (s->pending_count > taken) {
        struct link *link = &s->pending[taken];
        if (link->seq != s->last_seq + 1) {
            if (s->pending_count - taken <= keep) {
                break;
            }
            memmove(s->pending, link, (s->pending_count - taken) * sizeof(*link));
            s->pending_count -= taken;
            taken = 0;
            give_up_gap(streams, s);
        }
        take_turn(streams, s, &s->pending[taken]);
        taken++;
    }
    if (taken > 0) {
        memmove(s->pending, &s->pending[taken], (s->pending_count - taken) * sizeof(*s->pending));
        s->pending_count -= taken;
    }
}

/* The same number again: the repeat of a retried call, or a fork. */
static bool add_again(struct sn_audit_streams *streams, uint64_t seen, const struct link *link, const struct stream *s)
{
    if (seen != 0 && seen == digest_of(link->signature)) {
        streams->duplicates++;
        return true;
    }
    if (seen != 0) {
        return BREAK(streams, link->place, "fork: a second record %lld with another signature", (long long)link->seq);
    }
    return BREAK(streams, link->place, "reorder: record %lld came too late, after record %lld", (long long)link->seq,
        (long long)s->last_seq);
}

static bool insert_pending(struct sn_audit_streams *streams, struct stream *s, const struct link *link)
{
    size_t at = s->pending_count;

    while (at > 0 && s->pending[at - 1].seq > link->seq) {
        at--;
    }
    if (at > 0 && s->pending[at - 1].seq == link->seq) {
        struct link *there = &s->pending[at - 1];
        if (there->is_damaged || link->is_damaged) {
            *there = there->is_damaged ? *link : *there;
            return true;
        }
        return add_again(streams, digest_of(there->signature), link, s);
    }
    if (s->pending_count == s->pending_cap) {
        s->pending_cap = s->pending_cap == 0 ? 16 : s->pending_cap * 2;
        s->pending = sn_realloc(s->pending, s->pending_cap, sizeof(*s->pending));
    }
    memmove(&s->pending[at + 1], &s->pending[at], (s->pending_count - at) * sizeof(*s->pending));
    s->pending[at] = *link;
    s->pending_count++;
    return true;
}

static bool add_to_stream(struct sn_audit_streams *streams, struct stream *s, const struct link *link)
{
    if (link->seq <= s->last_seq) {
        return link->is_damaged || add_again(streams, recall(s, link->seq), link, s);
    }
    if (s->pending_count == 0 && link->seq == s->last_seq + 1) {
        return take_turn(streams, s, link);
    }
    bool is_good = insert_pending(streams, s, link);
    drain(streams, s, SN_AUDIT_REORDER_MAX);
    return is_good;
}

static bool add_to_export(
    struct sn_audit_streams *streams, const struct sn_audit_record *record, const struct link *link)
{
    struct stream *s = find_stream(streams, record->stream.ptr);

    if (s == NULL) {
        s = add_stream(streams, record->stream.ptr);
    }
    if (record->seq == 1 && s->last_seq == 0) {
        struct sn_audit_opening opening;
        sn_audit_opening_parse(record->entry, &opening);
        const char *problem = check_first(link, &opening);
        s->has_previous = opening.has_previous;
        s->previous = opening.previous;
        if (problem != NULL) {
            return BREAK(streams, link->place, "%s", problem);
        }
    }
    return add_to_stream(streams, s, link);
}

/* --- Entry points --- */

bool sn_audit_streams_add(
    struct sn_audit_streams *streams, const struct sn_audit_record *record, struct sn_audit_place place)
{
    struct link link = link_of(record, place);
    bool fits = streams->is_export ? add_to_export(streams, record, &link) : add_to_log(streams, record, &link);
    struct stream *s = find_stream(streams, record->stream.ptr);

    if (s != NULL) {
        streams->stream_count += !s->is_verified;
        s->is_verified = true;
        if (s->has_anchor) {
            check_anchors(streams, s, record, place);
        }
    }
    return fits;
}

void sn_audit_streams_add_damaged(
    struct sn_audit_streams *streams, const struct sn_audit_record *shown, struct sn_audit_place place)
{
    bool has_signature = shown->signature.len == SN_AUDIT_SIGNATURE_LEN;

    if (streams->is_export) {
        struct link link = {.seq = shown->seq, .place = place, .is_damaged = true};
        struct stream *s = shown->stream.len == SN_ID_LEN ? find_stream(streams, shown->stream.ptr) : NULL;
        if (s != NULL && shown->seq > 0) {
            add_to_stream(streams, s, &link);
        }
        return;
    }
    if (shown->stream.len == SN_ID_LEN && (shown->seq == 1 || streams->current == NULL)) {
        memcpy(streams->other_stream, shown->stream.ptr, SN_ID_LEN);
    }
    struct stream *s = streams->current;
    if (s == NULL) {
        streams->damaged_before_start++;
        return;
    }
    s->damaged_count++;
    s->shown_seq = shown->seq;
    s->has_shown_signature = has_signature;
    if (has_signature) {
        memcpy(s->shown_signature, shown->signature.ptr, SN_AUDIT_SIGNATURE_LEN);
    }
}

static void finish_export(struct sn_audit_streams *streams)
{
    const struct sn_audit_place end = {.file = SIZE_MAX};

    for (struct stream *s = streams->first; s != NULL; s = s->next) {
        drain(streams, s, 0);
    }
    for (struct stream *s = streams->first; s != NULL; s = s->next) {
        const struct stream *before = s->has_previous ? find_stream(streams, s->previous.stream) : NULL;
        if (before != NULL) {
            check_previous(streams, before, &s->previous, end);
        }
    }
}

void sn_audit_streams_finish(struct sn_audit_streams *streams)
{
    const struct sn_audit_place end = {.file = SIZE_MAX};

    if (streams->is_export) {
        finish_export(streams);
    }
    for (size_t i = 0; i < streams->anchor_count; i++) {
        const struct anchor *anchor = &streams->anchors[i];
        const struct stream *s = find_stream(streams, anchor->position.stream);
        if (anchor->is_met) {
            continue;
        }
        if (s == NULL || !s->is_verified) {
            streams->report(streams->ctx, end, "stream missing: the anchor names stream %s", anchor->position.stream);
        } else if (anchor->position.seq > s->last_seq) {
            streams->report(streams->ctx, end, "tail missing: the anchor names record %lld, the log ends at %lld",
                (long long)anchor->position.seq, (long long)s->last_seq);
        }
    }
}

void sn_audit_streams_count(const struct sn_audit_streams *streams, uint64_t *out_streams, uint64_t *out_unacknowledged,
    uint64_t *out_duplicates)
{
    *out_streams = streams->stream_count;
    *out_unacknowledged = streams->unacknowledged;
    *out_duplicates = streams->duplicates;
}

void sn_audit_streams_each(const struct sn_audit_streams *streams, sn_audit_stream_fn *visit, void *ctx)
{
    for (const struct stream *s = streams->first; s != NULL; s = s->next) {
        const struct sn_audit_stream_facts facts = {.stream = sn_slice_str(s->id),
            .last_signature = sn_slice_bytes(s->last_signature, sizeof(s->last_signature)),
            .first_seq = s->first_seq,
            .last_seq = s->last_seq};
        if (s->is_verified) {
            visit(ctx, &facts);
        }
    }
}

void sn_audit_streams_format_anchors(
    const struct sn_audit_streams *streams, const struct sn_audit_key *key, int64_t now_ms, struct sn_buf *out_text)
{
    if (streams->has_start) {
        sn_audit_anchor_append(out_text, &streams->start, key, now_ms);
    }
    for (const struct stream *s = streams->first; s != NULL; s = s->next) {
        struct sn_audit_position position = {.seq = s->last_seq};
        memcpy(position.stream, s->id, sizeof(position.stream));
        memcpy(position.signature, s->last_signature, SN_AUDIT_SIGNATURE_LEN);
        if (s->is_verified) {
            sn_audit_anchor_append(out_text, &position, key, now_ms);
        }
    }
}

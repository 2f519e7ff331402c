/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/tz.c - see tz.h.
 *
 * A zone is one sorted table of offset changes. The rule at the end of the data is written out into it up to a fixed
 * year, and a coarse index from 1970 on leads to the right row in one step; later instants are computed from the rule.
 */
#include "core/policy/tz.h"

#include <string.h>

#include "base/alloc.h"
#include "base/time.h"
#include "core/policy/limits.h"
#include "core/policy/tz_posix.h"

enum {
    HEADER_LEN = 44,
    WRITTEN_OUT_YEAR = 2100, /* last year whose changes are in the table */
    BUCKET_BITS = 22,        /* an index bucket is about 48 days */
    BUCKETS = 990,           /* from 1970 to the end of WRITTEN_OUT_YEAR */
    MAX_UTOFF_S = 26 * 3600, /* RFC 8536 section 3.2: -25 h to 26 h */
    MIN_UTOFF_S = -25 * 3600,
};

struct change {
    int64_t at;
    int32_t offset_s; /* from at on */
};

struct sn_tz {
    int32_t first_offset_s; /* before the first change */
    bool has_rule;
    struct sn_tz_rule rule;
    int64_t rule_from; /* from here on the rule is computed */
    struct change *changes;
    size_t count;
    uint16_t *buckets; /* number of changes at or before the start of the bucket; NULL without changes */
};

static const struct sn_tz utc = {.rule_from = INT64_MAX};

const struct sn_tz *sn_tz_utc(void)
{
    return &utc;
}

bool sn_tz_name_is_valid(struct sn_slice name)
{
    size_t parts = 0;
    struct sn_slice rest = name, part;
    if (name.len == 0 || name.len > SN_TZ_MAX_NAME || sn_slice_eq_str(name, "Local") || name.ptr[name.len - 1] == '/') {
        return false;
    }
    while (sn_slice_next(&rest, '/', &part)) {
        if (part.len == 0 || ++parts > 4 || !sn_slice_is_alnum_or(part, "_+-")) {
            return false;
        }
    }
    return true;
}

/* --- reading --- */

struct counts {
    uint32_t isut, isstd, leap, time, type, chars;
};

static uint32_t be32(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;
    return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

static int64_t be_time(const char *p, size_t width)
{
    if (width == 4) {
        return (int32_t)be32(p);
    }
    return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

static enum sn_status bad(struct sn_error *err, const char *what)
{
    return sn_fail(err, SN_INVALID, "INVALID_ZONE_DATA", "the time zone data is damaged: %s", what);
}

static enum sn_status read_header(struct sn_slice data, struct counts *out, char *out_version, struct sn_error *err)
{
    if (data.len < HEADER_LEN || memcmp(data.ptr, "TZif", 4) != 0) {
        return bad(err, "no TZif header");
    }
    *out_version = data.ptr[4];
    if (*out_version != '\0' && (*out_version < '2' || *out_version > '9')) {
        return bad(err, "unknown version");
    }
    *out = (struct counts){be32(data.ptr + 20), be32(data.ptr + 24), be32(data.ptr + 28), be32(data.ptr + 32),
        be32(data.ptr + 36), be32(data.ptr + 40)};
    if (out->time > SN_TZ_MAX_TRANSITIONS || out->type == 0 || out->type > SN_TZ_MAX_TYPES || out->chars == 0 ||
        out->chars > SN_TZ_MAX_TYPES || out->leap > SN_TZ_MAX_TYPES || (out->isut != 0 && out->isut != out->type) ||
        (out->isstd != 0 && out->isstd != out->type)) {
        return bad(err, "counts out of range");
    }
    return SN_OK;
}

static size_t body_len(const struct counts *c, size_t width)
{
    return c->time * (width + 1) + c->type * 6u + c->chars + c->leap * (width + 4) + c->isstd + c->isut;
}

/* The offset behind all changes so far. */
static int32_t last_offset_s(const struct sn_tz *zone)
{
    return zone->count > 0 ? zone->changes[zone->count - 1].offset_s : zone->first_offset_s;
}

static void push_change(struct sn_tz *zone, int64_t at, int32_t offset_s)
{
    if (last_offset_s(zone) != offset_s) { /* a change of the abbreviation only is none of ours */
        zone->changes[zone->count++] = (struct change){at, offset_s};
    }
}

static enum sn_status read_body(
    const char *body, const struct counts *c, size_t width, struct sn_tz *zone, struct sn_error *err)
{
    const char *indexes = body + c->time * width;
    const char *types = indexes + c->time;
    int32_t offsets[SN_TZ_MAX_TYPES] = {0};

    for (uint32_t i = 0; i < c->type; i++) {
        offsets[i] = (int32_t)be32(types + i * 6u);
        unsigned char is_dst = (unsigned char)types[i * 6u + 4], name = (unsigned char)types[i * 6u + 5];
        if (offsets[i] < MIN_UTOFF_S || offsets[i] > MAX_UTOFF_S || is_dst > 1 || name >= c->chars) {
            return bad(err, "a local time type is out of range");
        }
    }
    zone->first_offset_s = offsets[0];
    for (uint32_t i = 0; i < c->time; i++) {
        int64_t at = be_time(body + i * width, width);
        unsigned char type = (unsigned char)indexes[i];
        if (type >= c->type || (i > 0 && at <= be_time(body + (i - 1) * width, width))) {
            return bad(err, "transitions are out of order");
        }
        push_change(zone, at, offsets[type]);
    }
    return SN_OK;
}

static enum sn_status read_footer(struct sn_slice footer, struct sn_tz *zone, struct sn_error *err)
{
    if (footer.len < 2 || footer.ptr[0] != '\n') {
        return bad(err, "no footer");
    }
    struct sn_slice line, rest, body = sn_slice_sub(footer, 1, footer.len - 1);
    if (!sn_slice_cut(body, '\n', &line, &rest) || line.len > SN_TZ_MAX_FOOTER) {
        return bad(err, "no footer");
    }
    zone->has_rule = line.len > 0;
    if (zone->has_rule && !sn_tz_rule_parse(line, &zone->rule)) {
        return bad(err, "the rule for later years cannot be read");
    }
    return SN_OK;
}

/* True if a year's changes reach into those of the next: such a rule is computed, as no list of it is in order. */
static bool years_overlap(const struct sn_tz_rule *rule, int first_year)
{
    int64_t latest = INT64_MIN;
    for (int year = first_year; rule->has_dst && year <= WRITTEN_OUT_YEAR + 1; year++) {
        int64_t start, end;
        sn_tz_rule_year(rule, year, &start, &end);
        if (start <= latest || end <= latest) {
            return true;
        }
        latest = start > end ? start : end;
    }
    return false;
}

/* Writes the rule's changes after the last listed instant into the table. */
static void write_out_rule(struct sn_tz *zone, int64_t last_listed)
{
    zone->rule_from = INT64_MAX;
    if (!zone->has_rule) {
        return;
    }
    if (last_listed == INT64_MIN) { /* nothing listed: the rule tells all there is */
        zone->first_offset_s = zone->rule.std_s;
    }
    static const int64_t epoch = 0;
    int64_t from = last_listed > epoch ? last_listed : epoch;
    int first_year = sn_civil_from_unix(from < 253402300799 ? from : 253402300799).year;
    if (years_overlap(&zone->rule, first_year - 1)) {
        /* Years before 1 are nobody's: the offset of the first instant of year 1 is a change like any other. */
        static const int64_t year_one = -62135596800;
        int64_t behind = last_listed < INT64_MAX ? last_listed + 1 : INT64_MAX;
        zone->rule_from = behind > year_one ? behind : year_one;
        push_change(zone, zone->rule_from, sn_tz_rule_offset_s(&zone->rule, zone->rule_from));
        return;
    }
    for (int year = first_year - 1; zone->rule.has_dst && year <= WRITTEN_OUT_YEAR; year++) {
        int64_t start, end;
        sn_tz_rule_year(&zone->rule, year, &start, &end);
        bool start_first = start < end;
        int64_t at[2] = {start_first ? start : end, start_first ? end : start};
        for (int i = 0; i < 2; i++) {
            if (at[i] > last_listed && (zone->count == 0 || at[i] > zone->changes[zone->count - 1].at)) {
                push_change(zone, at[i], sn_tz_rule_offset_s(&zone->rule, at[i]));
            }
        }
    }
    int64_t table_end = sn_days_from_civil(WRITTEN_OUT_YEAR, 12, 1) * 86400;
    zone->rule_from = last_listed > table_end ? last_listed : table_end;
}

static void build_buckets(struct sn_tz *zone)
{
    if (zone->count == 0) {
        return;
    }
    zone->buckets = sn_alloc(BUCKETS, sizeof(*zone->buckets));
    size_t passed = 0;
    for (size_t i = 0; i < BUCKETS; i++) {
        while (passed < zone->count && zone->changes[passed].at <= (int64_t)i << BUCKET_BITS) {
            passed++;
        }
        zone->buckets[i] = (uint16_t)passed;
    }
}

static enum sn_status parse_into(struct sn_slice data, struct sn_tz *zone, struct sn_error *err)
{
    struct counts counts;
    char version;
    size_t width = 4;
    SN_TRY(read_header(data, &counts, &version, err));
    if (version != '\0') { /* the first block is for old readers */
        size_t skip = HEADER_LEN + body_len(&counts, 4);
        if (skip > data.len) {
            return bad(err, "cut off");
        }
        data = sn_slice_sub(data, skip, data.len - skip);
        SN_TRY(read_header(data, &counts, &version, err));
        width = 8;
    }
    size_t len = body_len(&counts, width);
    if (data.len - HEADER_LEN < len) {
        return bad(err, "cut off");
    }
    if (counts.leap != 0) {
        return sn_fail(
            err, SN_INVALID, "INVALID_ZONE_DATA", "the time zone counts leap seconds, which is not supported");
    }
    zone->changes = sn_alloc(counts.time + 2u * (WRITTEN_OUT_YEAR - 1900), sizeof(*zone->changes));
    SN_TRY(read_body(data.ptr + HEADER_LEN, &counts, width, zone, err));
    int64_t last_listed =
        counts.time > 0 ? be_time(data.ptr + HEADER_LEN + (counts.time - 1) * width, width) : INT64_MIN;
    if (width == 8) {
        SN_TRY(read_footer(sn_slice_sub(data, HEADER_LEN + len, data.len - HEADER_LEN - len), zone, err));
    }
    /* RFC 8536 section 3.3: the rule agrees with the last listed change. */
    if (zone->has_rule && counts.time > 0 && sn_tz_rule_offset_s(&zone->rule, last_listed) != last_offset_s(zone)) {
        return bad(err, "the rule for later years contradicts the last listed change");
    }
    write_out_rule(zone, last_listed);
    build_buckets(zone);
    return SN_OK;
}

enum sn_status sn_tz_parse(struct sn_slice tzif, struct sn_tz **out_zone, struct sn_error *err)
{
    if (tzif.len > SN_TZ_MAX_BYTES) {
        return bad(err, "larger than any zone");
    }
    SN_AUTO(sn_tz_free_p) struct sn_tz *zone = sn_alloc(1, sizeof(*zone));
    SN_TRY(parse_into(tzif, zone, err));
    *out_zone = SN_TAKE(zone);
    return SN_OK;
}

void sn_tz_free(struct sn_tz *zone)
{
    if (zone == NULL || zone == &utc) {
        return;
    }
    sn_free(zone->changes);
    sn_free(zone->buckets);
    sn_free(zone);
}

void sn_tz_free_p(struct sn_tz **zone)
{
    sn_tz_free(*zone);
}

/* --- asking --- */

/* Number of changes at or before unix_s. */
static size_t changes_until(const struct sn_tz *zone, int64_t unix_s)
{
    size_t low = 0, high = zone->count;
    if (unix_s >= 0 && zone->buckets != NULL) {
        uint64_t bucket = (uint64_t)unix_s >> BUCKET_BITS;
        low = zone->buckets[bucket < BUCKETS ? bucket : BUCKETS - 1];
        while (low < high && zone->changes[low].at <= unix_s) { /* hardly ever more than once */
            low++;
        }
        return low;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (zone->changes[middle].at <= unix_s) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

int32_t sn_tz_offset_s(const struct sn_tz *zone, int64_t unix_s)
{
    if (zone->has_rule && unix_s >= zone->rule_from) {
        return sn_tz_rule_offset_s(&zone->rule, unix_s);
    }
    size_t passed = changes_until(zone, unix_s);
    return passed == 0 ? zone->first_offset_s : zone->changes[passed - 1].offset_s;
}

int64_t sn_tz_next_change(const struct sn_tz *zone, int64_t unix_s)
{
    if (!zone->has_rule || unix_s < zone->rule_from) {
        size_t passed = changes_until(zone, unix_s);
        if (passed < zone->count) {
            return zone->changes[passed].at;
        }
    }
    if (!zone->has_rule) {
        return INT64_MAX;
    }
    return sn_tz_rule_next_change(&zone->rule, unix_s < zone->rule_from ? zone->rule_from - 1 : unix_s);
}

void sn_zone_set_add(struct sn_zone_set *zones, struct sn_tz *zone)
{
    if (zones->count == zones->capacity) {
        zones->capacity = zones->capacity == 0 ? 4 : zones->capacity * 2;
        zones->items = sn_realloc(zones->items, zones->capacity, sizeof(*zones->items));
    }
    zones->items[zones->count++] = zone;
}

void sn_zone_set_clear(struct sn_zone_set *zones)
{
    for (size_t i = 0; i < zones->count; i++) {
        sn_tz_free(zones->items[i]);
    }
    sn_free(zones->items);
    *zones = (struct sn_zone_set){0};
}

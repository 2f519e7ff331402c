/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/space_time.c - the instants of a space; see space.h.
 *
 * All minutes are gone through, in the zones of the document; but windows are asked only at a minute at which one of
 * them can open or close, and a week whose clocks stand as in an earlier one brings nothing new.
 */
#include <string.h>

#include "base/alloc.h"
#include "core/policy/space.h"
#include "core/policy/tz.h"

enum { MINUTE_S = 60, WEEK_MINUTES = 7 * SN_MINUTES_PER_DAY, WORD_BITS = 64, FIRST_SLOTS = 64 };

struct zone_clock {
    int32_t offset_s;
    int64_t next_change;
    struct sn_wall wall;
    bool edges[SN_MINUTES_PER_DAY]; /* minutes at which a window of this zone may open or close */
};

struct finder {
    const struct sn_vocabulary *words;
    struct zone_clock *clocks;
    size_t state_words, limit;
    uint64_t *states; /* of each instant found: one bit a window */
    int64_t *instants;
    size_t count, capacity;
    uint32_t *slots; /* hash table over states; 0: free, else number + 1 */
    size_t slot_mask;
    int32_t *seen_offsets; /* of weeks without change, one row a week */
    size_t seen_weeks;
};

static uint64_t hash_state(const uint64_t *state, size_t words)
{
    uint64_t hash = UINT64_C(0x9e3779b97f4a7c15);
    for (size_t i = 0; i < words; i++) {
        hash = (hash ^ state[i]) * UINT64_C(0xff51afd7ed558ccd);
        hash ^= hash >> 32;
    }
    return hash;
}

/* The slot that holds state, or the free one where it belongs. */
static size_t find_slot(const struct finder *f, const uint64_t *state)
{
    size_t slot = (size_t)hash_state(state, f->state_words) & f->slot_mask;
    while (f->slots[slot] != 0 &&
           memcmp(&f->states[(f->slots[slot] - 1) * f->state_words], state, f->state_words * sizeof(*state)) != 0) {
        slot = (slot + 1) & f->slot_mask;
    }
    return slot;
}

static void grow(struct finder *f)
{
    f->capacity = f->capacity == 0 ? FIRST_SLOTS : f->capacity * 2;
    f->states = sn_realloc(f->states, f->capacity, f->state_words * sizeof(*f->states));
    f->instants = sn_realloc(f->instants, f->capacity, sizeof(*f->instants));
    sn_free(f->slots);
    f->slots = sn_alloc(f->capacity * 2, sizeof(*f->slots));
    f->slot_mask = f->capacity * 2 - 1;
    for (size_t i = 0; i < f->count; i++) {
        f->slots[find_slot(f, &f->states[i * f->state_words])] = (uint32_t)i + 1;
    }
}

/* False when there are too many. */
static bool keep_state(struct finder *f, int64_t unix_s)
{
    if (f->count == f->capacity) {
        grow(f);
    }
    uint64_t *state = &f->states[f->count * f->state_words];
    memset(state, 0, f->state_words * sizeof(*state));
    for (size_t i = 0; i < f->words->window_count; i++) {
        const struct sn_space_window *window = &f->words->windows[i];
        uint64_t is_open = sn_window_contains_wall(&window->window, f->clocks[window->zone].wall);
        state[i / WORD_BITS] |= is_open << (i % WORD_BITS);
    }
    size_t slot = find_slot(f, state);
    if (f->slots[slot] != 0) {
        return true;
    }
    if (f->count >= f->limit) {
        return false;
    }
    f->slots[slot] = (uint32_t)f->count + 1;
    f->instants[f->count++] = unix_s;
    return true;
}

/* True if the clocks do not change in the week and stood like this in an earlier one. */
static bool is_repeated_week(struct finder *f, int64_t start)
{
    size_t zones = f->words->zone_names.count;
    int32_t *row = &f->seen_offsets[f->seen_weeks * zones];
    for (size_t z = 0; z < zones; z++) {
        if (sn_tz_next_change(f->words->zones[z], start) < start + (int64_t)WEEK_MINUTES * MINUTE_S) {
            return false;
        }
        row[z] = sn_tz_offset_s(f->words->zones[z], start);
    }
    for (size_t w = 0; w < f->seen_weeks; w++) {
        if (memcmp(&f->seen_offsets[w * zones], row, zones * sizeof(*row)) == 0) {
            return true;
        }
    }
    f->seen_weeks++;
    return false;
}

/* Sets all clocks to an instant; true when a window may have opened or closed since the minute before. */
static bool set_clocks(struct finder *f, int64_t unix_s)
{
    bool is_edge = false;
    for (size_t z = 0; z < f->words->zone_names.count; z++) {
        struct zone_clock *clock = &f->clocks[z];
        if (unix_s >= clock->next_change) {
            clock->offset_s = sn_tz_offset_s(f->words->zones[z], unix_s);
            clock->next_change = sn_tz_next_change(f->words->zones[z], unix_s);
            is_edge = true;
        }
        clock->wall = sn_wall_at(unix_s, clock->offset_s);
        is_edge |= clock->edges[clock->wall.minute];
    }
    return is_edge;
}

static bool search_weeks(struct finder *f, int64_t from_unix_s)
{
    for (int64_t week = 0; week < SN_SPACE_WEEKS; week++) {
        int64_t start = from_unix_s + week * WEEK_MINUTES * MINUTE_S;
        if (is_repeated_week(f, start)) {
            continue;
        }
        for (size_t z = 0; z < f->words->zone_names.count; z++) {
            f->clocks[z].next_change = INT64_MIN;
        }
        for (int64_t minute = 0; minute < WEEK_MINUTES; minute++) {
            int64_t unix_s = start + minute * MINUTE_S;
            if (set_clocks(f, unix_s) && !keep_state(f, unix_s)) {
                return false;
            }
        }
    }
    return true;
}

bool sn_space_find_instants(const struct sn_vocabulary *words, int64_t from_unix_s, size_t limit,
    struct sn_arena *arena, const int64_t **out_instants, size_t *out_count)
{
    struct finder f = {.words = words, .state_words = (words->window_count + WORD_BITS - 1) / WORD_BITS};
    size_t zones = words->zone_names.count;
    bool is_whole = true;

    if (words->window_count == 0) {
        int64_t *only = sn_arena_alloc(arena, 1, sizeof(*only));
        *only = from_unix_s;
        *out_instants = only;
        *out_count = 1;
        return true;
    }
    size_t most = SN_SPACE_MAX_STATE_BYTES / (f.state_words * sizeof(uint64_t));
    f.limit = limit != 0 && limit < most ? limit : most;
    f.clocks = sn_alloc(zones, sizeof(*f.clocks));
    f.seen_offsets = sn_alloc((SN_SPACE_WEEKS + 1) * zones, sizeof(*f.seen_offsets));
    for (size_t i = 0; i < words->window_count; i++) {
        struct zone_clock *clock = &f.clocks[words->windows[i].zone];
        clock->edges[0] = true; /* days change */
        clock->edges[words->windows[i].window.from_min % SN_MINUTES_PER_DAY] = true;
        clock->edges[words->windows[i].window.to_min % SN_MINUTES_PER_DAY] = true;
    }
    is_whole = search_weeks(&f, from_unix_s);
    if (is_whole) {
        int64_t *kept = sn_arena_alloc(arena, f.count, sizeof(*kept));
        memcpy(kept, f.instants, f.count * sizeof(*kept));
        *out_instants = kept;
        *out_count = f.count;
    }
    sn_free(f.states);
    sn_free(f.instants);
    sn_free(f.slots);
    sn_free(f.clocks);
    sn_free(f.seen_offsets);
    return is_whole;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* core/policy/strtab.c - see strtab.h. */
#include "core/policy/strtab.h"

#include <string.h>

#include "base/alloc.h"

enum { FIRST_SLOTS = 16 };

static inline uint64_t mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t hash_text(uint32_t space, struct sn_slice text)
{
    static const uint64_t k0 = 0x9e3779b97f4a7c15ULL, k1 = 0xd1b54a32d192ed03ULL;
    uint64_t hash = k0 ^ ((uint64_t)space << 32 | (uint32_t)text.len);
    const char *at = text.ptr;
    size_t left = text.len;
    for (; left >= 8; at += 8, left -= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        hash = mix(hash ^ word, k1);
    }
    uint64_t tail = 0;
    if (left >= 4) {
        uint32_t low, high;
        memcpy(&low, at, 4);
        memcpy(&high, at + left - 4, 4);
        tail = (uint64_t)low << 32 | high;
    } else if (left > 0) {
        tail = (uint64_t)(unsigned char)at[0] << 16 | (uint64_t)(unsigned char)at[left / 2] << 8 |
               (unsigned char)at[left - 1];
    }
    return mix(hash ^ tail, k0);
}

static inline bool is_at(const struct sn_strtab *table, const struct sn_strtab_slot *slot, uint32_t tag, uint32_t space,
    struct sn_slice text)
{
    if (slot->tag != tag) {
        return false;
    }
    const struct sn_strtab_entry *entry = &table->entries[slot->index];
    return entry->space == space && entry->text.len == text.len &&
           (text.len == 0 || memcmp(entry->text.ptr, text.ptr, text.len) == 0);
}

/* The slot that holds text, or the free one where it would go. */
static inline struct sn_strtab_slot *find_slot(
    const struct sn_strtab *table, uint64_t hash, uint32_t space, struct sn_slice text)
{
    size_t place = hash & table->slot_mask;
    while (table->slots[place].index != SN_STRTAB_NONE &&
           !is_at(table, &table->slots[place], (uint32_t)(hash >> 32), space, text)) {
        place = (place + 1) & table->slot_mask;
    }
    return &table->slots[place];
}

uint32_t sn_strtab_find(const struct sn_strtab *table, uint32_t space, struct sn_slice text)
{
    if (table->slot_mask == 0) {
        return SN_STRTAB_NONE;
    }
    return find_slot(table, hash_text(space, text), space, text)->index;
}

static void grow(struct sn_strtab *table, size_t slots)
{
    struct sn_strtab_slot *old = table->slots;
    size_t old_count = table->slot_mask == 0 ? 0 : table->slot_mask + 1;
    table->slots = sn_alloc(slots, sizeof(*table->slots));
    memset(table->slots, 0xff, slots * sizeof(*table->slots));
    table->slot_mask = slots - 1;
    for (size_t i = 0; i < old_count; i++) { /* all differ, so their texts need not be looked at */
        if (old[i].index == SN_STRTAB_NONE) {
            continue;
        }
        size_t place = table->entries[old[i].index].low & table->slot_mask;
        while (table->slots[place].index != SN_STRTAB_NONE) {
            place = (place + 1) & table->slot_mask;
        }
        table->slots[place] = old[i];
    }
    sn_free(old);
}

void sn_strtab_reserve(struct sn_strtab *table, size_t count)
{
    size_t slots = FIRST_SLOTS;
    while (slots < (count + 1) * 2) {
        slots *= 2;
    }
    if (slots > table->slot_mask + 1) {
        grow(table, slots);
    }
    if (count > table->capacity) {
        table->capacity = count;
        table->entries = sn_realloc(table->entries, count, sizeof(*table->entries));
    }
}

static uint32_t add(struct sn_strtab *table, uint32_t space, struct sn_slice text, struct sn_arena *arena)
{
    if (table->slot_mask == 0 || (table->count + 1) * 2 > table->slot_mask + 1) {
        grow(table, table->slot_mask == 0 ? FIRST_SLOTS : (table->slot_mask + 1) * 2);
    }
    uint64_t hash = hash_text(space, text);
    struct sn_strtab_slot *slot = find_slot(table, hash, space, text);
    if (slot->index != SN_STRTAB_NONE) {
        return slot->index;
    }
    if (table->count == table->capacity) {
        table->capacity = table->capacity == 0 ? FIRST_SLOTS : table->capacity * 2;
        table->entries = sn_realloc(table->entries, table->capacity, sizeof(*table->entries));
    }
    *slot = (struct sn_strtab_slot){(uint32_t)(hash >> 32), (uint32_t)table->count};
    struct sn_slice kept = arena != NULL ? sn_arena_dup(arena, text) : text;
    table->entries[table->count] = (struct sn_strtab_entry){kept, space, (uint32_t)hash};
    return (uint32_t)table->count++;
}

uint32_t sn_strtab_add(struct sn_strtab *table, uint32_t space, struct sn_slice text)
{
    return add(table, space, text, NULL);
}

uint32_t sn_strtab_add_copy(struct sn_strtab *table, uint32_t space, struct sn_slice text, struct sn_arena *arena)
{
    return add(table, space, text, arena);
}

void sn_strtab_clear(struct sn_strtab *table)
{
    sn_free(table->slots);
    sn_free(table->entries);
    *table = (struct sn_strtab){0};
}

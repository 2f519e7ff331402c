/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/strtab.h - texts to small numbers, for the names that a snapshot knows.
 *
 * Filled while a document is compiled, read-only afterwards. The texts are borrowed. A space number keeps names of
 * different kinds apart. Who fills the table is the author of the policy, so the hash need not withstand an attacker;
 * lookups with hostile texts cannot change it.
 */
#ifndef SN_CORE_POLICY_STRTAB_H
#define SN_CORE_POLICY_STRTAB_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"

enum { SN_STRTAB_NONE = 0xffffffffu };

struct sn_strtab_slot {
    uint32_t tag;   /* upper half of the hash */
    uint32_t index; /* SN_STRTAB_NONE: free */
};

struct sn_strtab_entry {
    struct sn_slice text;
    uint32_t space;
    uint32_t low; /* lower half of the hash */
};

struct sn_strtab {
    struct sn_strtab_slot *slots;
    size_t slot_mask; /* slots - 1; 0: no slots yet */
    struct sn_strtab_entry *entries;
    size_t count, capacity;
};

uint32_t sn_strtab_find(const struct sn_strtab *table, uint32_t space, struct sn_slice text);
/* Makes room for so many texts; only a matter of time. */
void sn_strtab_reserve(struct sn_strtab *table, size_t count);
/* The number of text, new or old; numbers count from 0 in order of addition. */
uint32_t sn_strtab_add(struct sn_strtab *table, uint32_t space, struct sn_slice text);
/* The same; a new text is copied first. */
uint32_t sn_strtab_add_copy(struct sn_strtab *table, uint32_t space, struct sn_slice text, struct sn_arena *arena);
void sn_strtab_clear(struct sn_strtab *table);

#endif

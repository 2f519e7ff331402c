/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/snapshot.h - the compiled form of an access policy; internal to core/policy.
 *
 * Rules are numbered in document order and stand in blocks of 64, one bit each. For every name that the document knows
 * there is the set of rules that name it, as a sorted list of (block, bits) pairs, so its size follows the document and
 * not the number of rules. An evaluation joins the sets of the profile with the sets of the caller, block by block from
 * the first, masks out what mode, device and time forbid with a few words a block, and takes the lowest bit: the first
 * rule that matches. Windows of a block lie side by side, so that all 64 are tested at once where many must be.
 */
#ifndef SN_CORE_POLICY_SNAPSHOT_H
#define SN_CORE_POLICY_SNAPSHOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"
#include "core/policy/policy.h"
#include "core/policy/strtab.h"
#include "core/policy/tz.h"
#include "core/policy/window.h"

enum {
    SN_BLOCK_RULES = 64,
    SN_BITS_END = 0xffffffffu, /* block number behind the last of a set */
    SN_MODES = 3,
    SN_OS_TYPES = 3,
    SN_ATOMS_MAX = 3, /* of one caller: name, ARN, role */
};

/* Bit 0 stands for the first rule of the block. */
struct sn_bits_pair {
    uint64_t bits;
    uint32_t block;
};
/* The pairs of a struct sn_bits ascend and are ended by one whose block is SN_BITS_END, which count leaves out. */

/* The rules that speak of one caller name: one set where groups could be merged in, several otherwise. */
struct sn_user_class {
    struct sn_bits first; /* of sets, here to save a step; empty when there is none */
    const struct sn_bits *const *sets;
    uint32_t count;
};

enum sn_device_need { SN_NEED_ENCRYPTION, SN_NEED_MDM, SN_NEED_COMPLIANT, SN_NEED_FIREWALL, SN_NEEDS };

struct sn_window_block {
    /* Place k * 8 + l is of rule l * 8 + k: eight rules lie eight apart, so that lane l of eight lanes gives byte l. */
    int16_t from[SN_BLOCK_RULES], to[SN_BLOCK_RULES];
    uint16_t days[SN_BLOCK_RULES];
    const struct sn_zone_bits *zones; /* which zone counts for which rules */
    uint32_t zone_count;
};
struct sn_zone_bits {
    uint64_t bits;
    const struct sn_tz *zone;
};

struct sn_block {
    uint64_t mode[SN_MODES]; /* rules that this mode may match */
    uint64_t device;         /* rules with a device block */
    uint64_t needs[SN_NEEDS];
    uint64_t os_any, os[SN_OS_TYPES]; /* rules without a list; rules whose list has it */
    uint64_t min_version;
    uint64_t windowed;
    const struct sn_window_block *windows; /* NULL when no rule has one */
};

struct sn_rule {
    struct sn_slice name, reason, session_table;
    enum sn_rule_effect effect;
    bool is_final; /* break_glass: never */
    bool has_time, has_device, has_profiles, has_users;
    uint8_t modes;    /* bit per enum sn_mode; 0: any */
    uint8_t needs;    /* bit per enum sn_device_need */
    uint8_t os_types; /* bit per word of sn_os_type_words; 0: any */
    uint32_t version; /* index into versions; SN_STRTAB_NONE: none */
    int64_t max_server_duration_s;
    struct sn_window window;
    const struct sn_tz *zone;
    struct sn_slice zone_name;
    uint32_t line, column; /* in the document; 0: unknown */
};

/* What the innermost loop reads of a rule. */
struct sn_rule_window {
    struct sn_window window;
    const struct sn_tz *zone;
};

struct sn_policy {
    atomic_uint references;
    struct sn_arena arena;
    struct sn_zone_set zones;

    struct sn_rule *rules;
    size_t rule_count;
    struct sn_block *blocks;
    size_t block_count;
    struct sn_rule_window *windows;  /* one a rule; NULL when no rule has one */
    uint32_t *version_ranks;         /* one a rule: place of its version in versions; NULL when no rule has one */
    const struct sn_slice *versions; /* ascending, no two equal */
    const uint64_t *version_heads;   /* sn_version_read_head() of each */
    size_t version_count;

    struct sn_strtab profiles;
    const struct sn_bits *profile_sets;   /* by number in profiles */
    struct sn_bits any_profile;           /* rules without profiles */
    struct sn_strtab atoms;               /* space: enum sn_entry_kind without groups */
    const struct sn_user_class **classes; /* by number in atoms */
    struct sn_bits any_user;
    bool has_arns, has_roles, has_names, has_devices;
};

static inline struct sn_bits sn_no_rules(void)
{
    static const struct sn_bits_pair end = {.block = SN_BITS_END};
    return (struct sn_bits){&end, 0};
}

/* The first pair at or behind block; end is the end pair of the set. */
static inline const struct sn_bits_pair *sn_bits_seek(
    const struct sn_bits_pair *at, const struct sn_bits_pair *end, uint32_t block)
{
    if (at->block >= block) {
        return at;
    }
    const struct sn_bits_pair *low = at + 1, *high = end;   /* the answer lies in [low, high] */
    if ((size_t)(block - at->block) < (size_t)(end - at)) { /* blocks ascend, so it cannot lie further on */
        high = at + (block - at->block);
        if (high->block == block) {
            return high; /* a dense set is an array */
        }
    }
    while (low < high) {
        const struct sn_bits_pair *middle = low + (high - low) / 2;
        if (middle->block < block) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

#endif

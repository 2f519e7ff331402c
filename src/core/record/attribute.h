/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/record/attribute.h - a stored record as a table of attributes.
 *
 * A record is a plain struct; its table says for each attribute the stored name, the kind and the place in the struct,
 * in the order in which they are sealed. Seals and stores walk the table, so they cannot disagree about a record.
 * Tables are constants.
 */
#ifndef SN_CORE_RECORD_ATTRIBUTE_H
#define SN_CORE_RECORD_ATTRIBUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"
#include "base/time.h"
#include "core/session/seal.h"

enum sn_attribute_kind {
    SN_ATTRIBUTE_ID,   /* struct sn_id */
    SN_ATTRIBUTE_TEXT, /* struct sn_slice; empty: absent */
    SN_ATTRIBUTE_INT,  /* int64_t */
    SN_ATTRIBUTE_BOOL, /* bool */
    SN_ATTRIBUTE_TIME, /* int64_t, milliseconds; 0: absent */
    SN_ATTRIBUTE_WORD, /* enum, one of words */
};

struct sn_attribute {
    const char *name; /* NULL ends the table */
    enum sn_attribute_kind kind;
    size_t offset;
    bool is_sealed;
    const char *const *words; /* WORD: by value, NULL behind the last */
};

/* Entries of a table: struct, stored name, kind, member. What is not sealed may change without a new seal. */
#define SN_SEALED(type, stored_name, kind_word, member)                                                                \
    {                                                                                                                  \
        .name = stored_name, .kind = SN_ATTRIBUTE_##kind_word, .offset = offsetof(type, member), .is_sealed = true     \
    }
#define SN_SEALED_WORD(type, stored_name, word_list, member)                                                           \
    {                                                                                                                  \
        .name = stored_name, .kind = SN_ATTRIBUTE_WORD, .offset = offsetof(type, member), .is_sealed = true,           \
        .words = word_list                                                                                             \
    }
#define SN_UNSEALED(type, stored_name, kind_word, member)                                                              \
    {                                                                                                                  \
        .name = stored_name, .kind = SN_ATTRIBUTE_##kind_word, .offset = offsetof(type, member)                        \
    }

enum { SN_ATTRIBUTE_TEXT_MAX = SN_TIME_TEXT_MAX }; /* scratch for what is not text already */

/* True where nothing is stored: empty text, no time. */
bool sn_attribute_is_absent(const struct sn_attribute *attribute, const void *record);
/* The value as text; borrowed from the record, the table or scratch. Empty when absent. */
struct sn_slice sn_attribute_format(
    const struct sn_attribute *attribute, const void *record, char scratch[SN_ATTRIBUTE_TEXT_MAX]);
/*
 * Reads the text that sn_attribute_format gave, and nothing else, into the record; text goes into the arena. Absent
 * text and times come back as such; other kinds must be there. SN_INTERNAL, RECORD_INVALID, naming the attribute.
 */
SN_MUST_CHECK enum sn_status sn_attribute_parse(const struct sn_attribute *attribute, struct sn_slice text,
    struct sn_arena *arena, void *record, struct sn_error *err);

/* The sealed text of a record of that kind. */
void sn_record_canon(struct sn_canon *canon, const char *kind, const struct sn_attribute *table, const void *record);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/entry.h - texts inside documents: entries of user lists, printable text, globs.
 */
#ifndef SN_CORE_POLICY_ENTRY_H
#define SN_CORE_POLICY_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum sn_entry_kind { SN_ENTRY_NAME, SN_ENTRY_ARN, SN_ENTRY_ROLE, SN_ENTRY_GROUP };

enum sn_entry_fault {
    SN_ENTRY_OK,
    SN_ENTRY_NEVER_MATCHES, /* a plain name that AWS would not give: legal, and a warning */
    SN_ENTRY_SELF_CHOSEN,   /* an ARN of a session whose name its holder may choose: a warning */
    SN_ENTRY_EMPTY,
    SN_ENTRY_WILDCARD,
    SN_ENTRY_BAD_PREFIX,
    SN_ENTRY_BAD_ARN,
    SN_ENTRY_ROLE_ARN, /* an IAM role is not a caller; value is the role's name */
    SN_ENTRY_BAD_ROLE,
    SN_ENTRY_BAD_GROUP,
};

struct sn_entry {
    enum sn_entry_kind kind;
    struct sn_slice text;  /* as written */
    struct sn_slice value; /* without the prefix of role: and group: */
    uint32_t group;        /* of SN_ENTRY_GROUP: its number in the document; sn_entry_parse leaves it 0 */
};

struct sn_entry_list {
    const struct sn_entry *items;
    size_t count;
};

enum sn_entry_fault sn_entry_parse(struct sn_slice text, struct sn_entry *out_entry);

bool sn_group_name_is_valid(struct sn_slice name);
/* One of the wildcard characters '*', '?' and '[', which documents do not have. */
bool sn_text_has_wildcard(struct sn_slice text);
/* No control character, nothing invisible and nothing that changes the reading direction. text is UTF-8. */
bool sn_text_is_printable(struct sn_slice text);
/* Drops the one newline that a block scalar ends with. */
struct sn_slice sn_text_without_newline(struct sn_slice text);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/request/binding.c - the hash over what was asked.
 */
#include "core/request/binding.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "crypto/hash.h"

_Static_assert((int)SN_BINDING_LEN == (int)SN_SHA256_HEX_LEN, "a binding is a SHA-256 in hexadecimal digits");

static void add_fact(struct sn_buf *text, const char *name, struct sn_slice value)
{
    sn_buf_add_str(text, name);
    sn_buf_add_byte(text, ':');
    sn_buf_add_int(text, (int64_t)value.len);
    sn_buf_add_byte(text, ':');
    sn_buf_add(text, value);
    sn_buf_add_byte(text, '\n');
}

static int compare_arns(const void *a, const void *b)
{
    return sn_slice_cmp(*(const struct sn_slice *)a, *(const struct sn_slice *)b);
}

/* Sorted bytewise and joined by LF, so that the order in the catalogue does not matter. */
static void join_sorted(struct sn_buf *joined, const struct sn_slice *arns, size_t count)
{
    if (count == 0) {
        return;
    }
    struct sn_slice *sorted = sn_alloc(count, sizeof(*sorted));
    for (size_t i = 0; i < count; i++) {
        sorted[i] = arns[i];
    }
    qsort(sorted, count, sizeof(*sorted), compare_arns);
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            sn_buf_add_byte(joined, '\n');
        }
        sn_buf_add(joined, sorted[i]);
    }
    sn_free(sorted);
}

void sn_binding_make(const struct sn_binding_facts *facts, char out[SN_BINDING_LEN + 1])
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf digits = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf arns = {0};
    const struct sn_principal *who = facts->principal;

    SN_ASSERT(facts->kind == SN_ISSUE_APPROVED || facts->kind == SN_ISSUE_BREAKGLASS);
    sn_buf_add_int(&digits, facts->duration_s);
    join_sorted(&arns, facts->policy_arns, facts->policy_arn_count);

    sn_buf_add_str(&text, "sentinel-grant-v1\n");
    add_fact(&text, "kind", sn_slice_str(sn_issue_kind_name(facts->kind)));
    add_fact(&text, "partition", sn_slice_str(who->partition));
    add_fact(&text, "account", sn_slice_str(who->account));
    add_fact(&text, "type", sn_slice_str(sn_principal_type_name(who->type)));
    add_fact(&text, "role", sn_slice_str(who->role));
    add_fact(&text, "name", sn_slice_str(who->name));
    add_fact(&text, "profile", facts->profile);
    add_fact(&text, "role_arn", facts->role_arn);
    add_fact(&text, "duration_seconds", sn_buf_slice(&digits));
    add_fact(&text, "justification", facts->justification);
    add_fact(&text, "session_policy", facts->session_policy);
    add_fact(&text, "policy_arns", sn_buf_slice(&arns));
    SN_ASSERT(!text.overflow && !arns.overflow);
    sn_sha256_hex(sn_buf_slice(&text), out);
}

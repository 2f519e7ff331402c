/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/grant.h - what may turn a decision that is not allow into an issue: an approved request or an active break-glass
 * event.
 *
 * The interface of step 11 of the pipeline. Without a source no grant is ever found.
 */
#ifndef SN_TVM_GRANT_H
#define SN_TVM_GRANT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"
#include "core/identity/principal.h"
#include "core/identity/stamp.h"
#include "core/policy/catalog.h"
#include "core/policy/policy.h"

struct sn_grant {
    enum sn_issue_kind kind; /* approved or breakglass */
    struct sn_slice id;      /* with its type prefix: "req-..." or "bg-..." */
    int64_t ends_at_ms;
};

struct sn_grant_query {
    const struct sn_principal *principal;
    const struct sn_profile *profile;
    enum sn_override override; /* which kinds may serve */
    int64_t requested_s;       /* 0: not given */
    int64_t now_ms;
};

struct sn_grant_source {
    /* *out_found is true only for a grant that is valid now. An error counts as none found and is logged. */
    enum sn_status (*find)(void *ctx, const struct sn_grant_query *query, struct sn_arena *arena,
        struct sn_grant *out_grant, bool *out_found, struct sn_error *err);
    void *ctx;
};

#endif

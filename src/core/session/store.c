/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/session/store.c - questions of a store that belong together, for stores that have no single answer.
 */
#include "core/session/session.h"

enum sn_status sn_session_store_admit(const struct sn_session_store *store, const struct sn_block_query *blocks,
    const struct sn_session *session, const struct sn_spent_proof *proof, bool *out_blocked, struct sn_error *err)
{
    bool is_blocked = true;

    if (store->admit != NULL) {
        return store->admit(store->ctx, blocks, session, proof, out_blocked, err);
    }
    SN_TRY(store->is_blocked(store->ctx, blocks->ids, blocks->count, blocks->now_ms, &is_blocked, err));
    if (!is_blocked) {
        SN_TRY(store->create(store->ctx, session, proof, err));
    }
    *out_blocked = is_blocked;
    return SN_OK;
}

enum sn_status sn_session_store_look(const struct sn_session_store *store, const struct sn_block_query *blocks,
    const struct sn_id *id, struct sn_arena *arena, bool *out_blocked, struct sn_session *out_session,
    struct sn_error *err)
{
    bool is_blocked = true;

    if (store->look != NULL) {
        return store->look(store->ctx, blocks, id, arena, out_blocked, out_session, err);
    }
    SN_TRY(store->is_blocked(store->ctx, blocks->ids, blocks->count, blocks->now_ms, &is_blocked, err));
    if (!is_blocked) {
        SN_TRY(store->get(store->ctx, id, arena, out_session, err));
    }
    *out_blocked = is_blocked;
    return SN_OK;
}

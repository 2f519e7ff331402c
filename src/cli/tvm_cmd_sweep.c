/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/tvm_cmd_sweep.c - sweep: one round of what serve does by itself every minute.
 */
#include "cli/tvm_graph.h"
#include "cli/tvm_serve.h"

enum { ROUNDS_MAX = 10000 };

static enum sn_status sweep_all(struct sn_tvm_graph *graph, struct sn_sqlite_sweep *total, struct sn_error *err)
{
    for (int i = 0; i < ROUNDS_MAX; i++) {
        struct sn_sqlite_sweep swept = {0};
        SN_TRY(sn_sqlite_sweep(graph->sqlite, sn_clock_unix_ms(sn_clock_system()), &swept, err));
        total->expired += swept.expired;
        total->deleted_sessions += swept.deleted_sessions;
        total->deleted_blocks += swept.deleted_blocks;
        total->deleted_proofs += swept.deleted_proofs;
        if (swept.expired + swept.deleted_sessions + swept.deleted_blocks + swept.deleted_proofs == 0) {
            break;
        }
    }
    return SN_OK;
}

static enum sn_status run_sweep(struct sn_app *app, void *args, struct sn_error *err)
{
    SN_AUTO(sn_graph_clear) struct sn_tvm_graph graph = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    struct sn_sqlite_sweep total = {0};

    (void)args;
    SN_TRY(sn_graph_read_settings(&graph, SN_TVM_FORM_SERVE, err));
    SN_TRY(sn_graph_open_store(&graph, false, err));
    SN_TRY(sweep_all(&graph, &total, err));
    if (app->json) {
        sn_buf_addf(&text,
            "{\"expired\":%lld,\"deleted_sessions\":%lld,\"deleted_blocks\":%lld,\"deleted_proofs\":%lld}\n",
            (long long)total.expired, (long long)total.deleted_sessions, (long long)total.deleted_blocks,
            (long long)total.deleted_proofs);
    } else {
        sn_buf_addf(&text, "%lld sessions ended; %lld sessions, %lld markers and %lld proofs deleted\n",
            (long long)total.expired, (long long)total.deleted_sessions, (long long)total.deleted_blocks,
            (long long)total.deleted_proofs);
    }
    return sn_app_write(app, sn_buf_slice(&text), err);
}

const struct sn_cmd sn_cmd_tvm_sweep = {
    .name = "sweep",
    .group = SN_GROUP_SERVER,
    .summary = "end overdue sessions and delete records past their retention, once",
    .description = "A running server does this by itself every minute; while one runs, its store is locked and this "
                   "command fails.",
    .run = run_sweep,
};

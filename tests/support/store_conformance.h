/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/store_conformance.h - what every session store must do, whatever keeps its rows.
 *
 * A backend's test fills in how to open an empty store, how to open the same one again, and how to put a block marker
 * and to break a stored byte; the suite does the rest with cmocka's assertions.
 */
#ifndef SN_TESTS_SUPPORT_STORE_CONFORMANCE_H
#define SN_TESTS_SUPPORT_STORE_CONFORMANCE_H

#include "core/session/seal.h"
#include "core/session/session.h"

struct store_backend {
    struct sn_session_store store;
    const struct sn_seal_keys *keys;
    /* Writes a marker as given, also with a wrong seal. */
    void (*put_block)(void *ctx, const struct sn_block_marker *marker);
    /* Closes and opens the same store; store is filled in anew. */
    void (*reopen)(void *ctx, struct sn_session_store *out_store);
    void *ctx;
    int races; /* writes of each racing thread; an even number. 0: 40 */
};

/* A sealed row with this id; the seal lives in seal. */
struct sn_session store_conformance_session(
    const struct sn_seal_keys *keys, const char *id, char seal[SN_SEAL_MAX + 1]);
/* Runs every check against an empty store. */
void store_conformance_run(struct store_backend *backend);

#endif

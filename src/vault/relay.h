/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/relay.h - the loopback relay that hands the TVM's credentials to the SDKs of one started command.
 *
 * SDKs fetch container credentials with a plain GET and an Authorization value; they cannot sign. The relay signs for
 * them and decides nothing: each answer comes from the TVM. It serves processes of one user below one process only; the
 * checks and their reasons are in docs/adr/0024-relay-and-process-tree-check.md.
 */
#ifndef SN_VAULT_RELAY_H
#define SN_VAULT_RELAY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"
#include "base/slice.h"
#include "vault/relay_source.h"

struct sn_relay;

struct sn_relay_options {
    bool is_unix;            /* a Unix socket instead of 127.0.0.1 */
    const char *unix_path;   /* NULL: in a fresh directory of mode 0700 */
    const char *runtime_dir; /* XDG_RUNTIME_DIR, or NULL for /tmp */
    pid_t tree_root;         /* peers must descend from this process */
    int64_t reuse_s;         /* seconds for which an answer of the TVM is reused */
    const struct sn_clock *clock;
    const struct sn_random *random_source;
    sn_relay_fetch_fn fetch; /* called from worker threads, one at a time */
    /* The first failure of each code, and every refused peer once a reason; called from worker threads, one at a time.
     */
    void (*notice)(void *ctx, const struct sn_error *err);
    void *ctx;
};

/* Binds and starts. first: credentials fetched just now, the answer to the first request. */
SN_MUST_CHECK enum sn_status sn_relay_new(const struct sn_relay_options *options, const struct sn_credentials *first,
    struct sn_relay **out_relay, struct sn_error *err);
/* Stops, wipes, removes the socket and its directory. */
void sn_relay_free(struct sn_relay *relay);
void sn_relay_free_p(struct sn_relay **relay);

uint16_t sn_relay_port(const struct sn_relay *relay);         /* 0 for a Unix socket */
const char *sn_relay_unix_path(const struct sn_relay *relay); /* NULL for TCP */
struct sn_slice sn_relay_token(const struct sn_relay *relay); /* for the environment of the child only */

#endif

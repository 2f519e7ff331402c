/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/call.h - one API call on its way through the handler, and the handler's own state. Private to src/tvm.
 *
 * A step is a function (call, ..., err) that returns SN_OK to go on. A step that fails has already given err a code of
 * the error table; nobody else turns it into an answer than sn_tvm_handle.
 */
#ifndef SN_TVM_CALL_H
#define SN_TVM_CALL_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/turns.h"
#include "core/ratelimit/limiter.h"
#include "tvm/errors.h"
#include "tvm/failures.h"
#include "tvm/replay.h"
#include "tvm/tickets.h"
#include "tvm/tvm.h"

enum {
    SN_CALL_MAX_MS = 30000, /* one request, in all */
    SN_AUDIT_WAIT_MAX_MS = 5000,
    SN_READY_REUSE_MS = 5000,
    SN_BASE_PATHS_MAX = 32,
};

/* The server's own identity, asked for once. */
struct sn_own_identity {
    struct sn_turns turn; /* held while STS is asked */
    bool known;
    char account[SN_ACCOUNT_LEN + 1];
    bool is_role; /* STS then caps sessions at an hour (role chaining) */
};

struct sn_ready_state {
    struct sn_turns turn;
    bool known;
    int64_t checked_mono_ns;
    bool store, audit, catalogue, policy, sts, clock;
};

struct sn_tvm {
    struct sn_tvm_parts parts;
    const char *partition;
    struct sn_slice base_paths[SN_BASE_PATHS_MAX]; /* of the audiences, longest first; "" among them */
    size_t base_path_count;
    struct sn_arena arena;
    struct sn_limiter *limiter;
    struct sn_replay *replay; /* NULL on Lambda, as the next two */
    struct sn_failures *failures;
    struct sn_tickets *tickets;
    struct sn_own_identity own;
    struct sn_ready_state ready;
    struct sn_id instance_id;
    atomic_int_fast64_t latest_unix_ms;   /* the latest instant a call was judged for */
    atomic_int_fast64_t sts_call_mono_ns; /* of the last call; 0: none yet */
    atomic_bool sts_ok;                   /* its outcome */
};

struct sn_route;

struct sn_call {
    struct sn_tvm *tvm;
    const struct sn_request *request;
    struct sn_response *response;
    const struct sn_route *route;
    struct sn_arena arena;
    struct sn_id id;
    bool has_id;
    int64_t unix_ms; /* the one reading of the wall clock */
    int64_t start_mono_ns, deadline_mono_ns;

    struct sn_caller caller; /* as STS or the gateway told */
    struct sn_principal principal;
    bool has_principal;
    struct sn_proof proof;
    bool has_proof; /* proof.signature_bytes are spent with this call */
    char own_account[SN_ACCOUNT_LEN + 1];

    struct sn_catalog *catalog; /* loaded by sn_call_catalog */
    struct sn_api_words words;  /* what varies in a refusal; in the arena or of static life */
};

enum { SN_ALLOW_GET = 1 << 0, SN_ALLOW_POST = 1 << 1 };

struct sn_route {
    const char *path;
    unsigned methods;
    bool is_public;    /* no identity: health and metrics */
    bool takes_ticket; /* for POST; GET always does */
    enum sn_status (*handle)(struct sn_call *call, struct sn_error *err);
};

/* router.c */
extern const struct sn_route sn_routes[];
extern const size_t sn_route_count;
extern const char *const sn_route_names[];
size_t sn_route_index(const struct sn_route *route);
SN_MUST_CHECK enum sn_status sn_call_route(struct sn_call *call, struct sn_error *err);

/* Steps 3 to 5 of every route with identity: who, admitted, not too often. */
SN_MUST_CHECK enum sn_status sn_call_identify(struct sn_call *call, struct sn_error *err);   /* auth.c */
SN_MUST_CHECK enum sn_status sn_call_admit(struct sn_call *call, struct sn_error *err);      /* admit.c */
SN_MUST_CHECK enum sn_status sn_call_rate_limit(struct sn_call *call, struct sn_error *err); /* admit.c */
SN_MUST_CHECK enum sn_status sn_call_enter(struct sn_call *call, struct sn_error *err);      /* all three */

/* The catalogue of this call, loaded once. */
SN_MUST_CHECK enum sn_status sn_call_catalog(struct sn_call *call, struct sn_error *err);
/* The server's own account and kind of credentials; IDENTITY_UNAVAILABLE when STS cannot tell. */
SN_MUST_CHECK enum sn_status sn_own_identity(struct sn_tvm *tvm, int64_t deadline_mono_ns,
    char out_account[SN_ACCOUNT_LEN + 1], bool *out_is_role, struct sn_error *err);
/* True if some entry of the operators list matches. */
bool sn_call_is_operator(const struct sn_call *call);
void sn_call_note_sts(struct sn_tvm *tvm, enum sn_sts_action action, bool ok, int64_t start_mono_ns);

/* Handlers. */
enum sn_status sn_handle_credentials(struct sn_call *call, struct sn_error *err); /* vend.c, also the alias */
enum sn_status sn_handle_profiles(struct sn_call *call, struct sn_error *err);
enum sn_status sn_handle_whoami(struct sn_call *call, struct sn_error *err);
enum sn_status sn_handle_explain(struct sn_call *call, struct sn_error *err);
enum sn_status sn_handle_openapi(struct sn_call *call, struct sn_error *err);
enum sn_status sn_handle_healthz(struct sn_call *call, struct sn_error *err);
enum sn_status sn_handle_readyz(struct sn_call *call, struct sn_error *err);
enum sn_status sn_handle_metrics(struct sn_call *call, struct sn_error *err);

int64_t sn_call_mono_ns(const struct sn_call *call);

#endif

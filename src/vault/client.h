/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/client.h - calls to the Token Vending Machine: finding it, proving who asks, trying again.
 *
 * A client is used by one thread. Each try carries a signature or proof of its own. Nothing that the server says
 * changes what is signed, but for the region it asks for within the same partition and a nonce after a replay.
 */
#ifndef SN_VAULT_CLIENT_H
#define SN_VAULT_CLIENT_H

#include <stdint.h>

#include "aws/credentials.h"
#include "aws/endpoint.h"
#include "aws/transport.h"
#include "base/clock.h"
#include "base/env.h"
#include "base/error.h"
#include "base/random.h"
#include "base/slice.h"
#include "codec/json.h"
#include "vault/base_credentials.h"
#include "vault/issued.h"

struct sn_client;

struct sn_client_options {
    const char *url;                       /* NULL or "": TVM_NOT_CONFIGURED */
    const char *auth;                      /* "auto", "iam", "proof"; NULL: auto */
    struct sn_base *base;                  /* whose credentials sign; outlives the client */
    const struct sn_env *env;              /* NULL: the system's */
    const struct sn_clock *clock;          /* NULL: the system's */
    const struct sn_random *random_source; /* NULL: the system's */
    const char *ca_file;                   /* NULL: AWS_CA_BUNDLE, else the system's */
    const struct sn_transport *transport;  /* NULL: a real one */
};

/* Codes: TVM_NOT_CONFIGURED, INVALID_URL, INVALID_TVM_AUTH, CONFIG_INVALID_REGION. */
SN_MUST_CHECK enum sn_status sn_client_new(
    const struct sn_client_options *options, struct sn_client **out_client, struct sn_error *err);
void sn_client_free(struct sn_client *client);
void sn_client_free_p(struct sn_client **client);
/* The canonical URL: the audience of proofs and part of the key of a cache. */
const char *sn_client_audience(const struct sn_client *client);
/* The region that the server asked proofs to be signed for, unlike the one configured; NULL when it did not. */
const char *sn_client_learned_region(const struct sn_client *client);

/*
 * One call. path is that of the API ("/v1/whoami"); query without '?', encoded; body JSON or empty. *out_http_status
 * (may be NULL) is the status of the server's last answer, 0 when there was none. A refusal carries the server's code,
 * message and hint, the details "request_id", "http_status" and, where the server names them, "pending_request" and
 * "state"; a status of 400 gives SN_INVALID, 401 SN_UNAUTHENTICATED, 403 SN_DENIED, 404 SN_NOT_FOUND, 409 SN_CONFLICT,
 * 429 SN_THROTTLED, 408 and 504 SN_TIMEOUT, others SN_UNAVAILABLE. Codes of our own: TVM_UNREACHABLE,
 * TVM_ANSWER_INVALID, GATEWAY_FORBIDDEN, and those of the base credentials.
 */
SN_MUST_CHECK enum sn_status sn_client_call(struct sn_client *client, const char *method, const char *path,
    struct sn_slice query, struct sn_slice body, struct sn_json_doc **out_doc, int *out_http_status,
    struct sn_error *err);

/* POST /v1/credentials. duration_s 0 and device_id NULL are left out. */
SN_MUST_CHECK enum sn_status sn_client_credentials(struct sn_client *client, struct sn_slice profile,
    int64_t duration_s, const char *device_id, struct sn_issued *out_issued, int *out_http_status,
    struct sn_error *err);

#endif

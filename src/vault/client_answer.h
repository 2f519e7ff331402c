/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/client_answer.h - what the TVM answered: a document, an error, or issued credentials. Pure; internal to the
 * client.
 */
#ifndef SN_VAULT_CLIENT_ANSWER_H
#define SN_VAULT_CLIENT_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"
#include "codec/json.h"
#include "net/client.h"
#include "vault/client.h"

/*
 * A 2xx with a JSON object gives the document; everything else fails as client.h says. is_gateway: the request went to
 * API Gateway or a function URL, whose own answers are understood too.
 */
SN_MUST_CHECK enum sn_status sn_client_read_answer(const struct sn_http_reply *reply, int64_t now_unix_s,
    bool is_gateway, struct sn_json_doc **out_doc, struct sn_error *err);

/* The region in 'Sentinel region="eu-west-1"'; false when there is none that is valid. */
bool sn_client_region_wanted(struct sn_slice challenge, struct sn_slice *out_region);

/* The body of POST /v1/credentials. TVM_ANSWER_INVALID when a part is missing, malformed or over already. */
SN_MUST_CHECK enum sn_status sn_client_read_issued(
    const struct sn_json *root, int64_t now_unix_s, struct sn_issued *out_issued, struct sn_error *err);

#endif

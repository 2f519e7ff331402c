/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/openapi.c - serves the OpenAPI document.
 */
#include "tvm/openapi.h"

#include "tvm/call.h"

/* Made from openapi.json by the build (embed.py). */
extern const char sn_openapi_bytes[];
extern const unsigned long sn_openapi_len;

struct sn_slice sn_openapi_document(void)
{
    return sn_slice_bytes(sn_openapi_bytes, sn_openapi_len);
}

enum sn_status sn_handle_openapi(struct sn_call *call, struct sn_error *err)
{
    SN_TRY(sn_call_enter(call, err));
    sn_buf_add(&call->response->body, sn_openapi_document());
    return SN_OK;
}

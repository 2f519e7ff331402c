/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/openapi.h - the OpenAPI 3.1 document of the API, embedded from src/tvm/openapi.json.
 */
#ifndef SN_TVM_OPENAPI_H
#define SN_TVM_OPENAPI_H

#include "base/slice.h"

/* Static life. */
struct sn_slice sn_openapi_document(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/issued.h - what the TVM issued for one call: credentials and the session they belong to.
 */
#ifndef SN_VAULT_ISSUED_H
#define SN_VAULT_ISSUED_H

#include <stdint.h>

#include "aws/credentials.h"
#include "aws/endpoint.h"

struct sn_issued {
    struct sn_credentials credentials;
    char session_id[32];            /* "ses-..." */
    char region[SN_REGION_MAX + 1]; /* of the catalogue entry; "" if none */
    char source_identity[65];       /* "" when it comes from the cache */
    int64_t duration_s;
};
void sn_issued_clear(struct sn_issued *issued);

#endif

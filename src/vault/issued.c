/* SPDX-License-Identifier: Apache-2.0 */
/* vault/issued.c - release of what was issued. */
#include "vault/issued.h"

#include <string.h>

void sn_issued_clear(struct sn_issued *issued)
{
    if (issued != NULL) {
        sn_credentials_clear(&issued->credentials);
        memset(issued, 0, sizeof(*issued));
    }
}

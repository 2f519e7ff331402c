/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/request/binding.h - what was asked, as one hash, so that nothing changes between asking, approving and issuing.
 *
 * Lower-case hex SHA-256 over "sentinel-grant-v1" and one length-prefixed line for each fact (docs/formats/records.md).
 */
#ifndef SN_CORE_REQUEST_BINDING_H
#define SN_CORE_REQUEST_BINDING_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "core/identity/principal.h"
#include "core/identity/stamp.h"

enum { SN_BINDING_LEN = 64 };

struct sn_binding_facts {
    enum sn_issue_kind kind; /* approved or breakglass */
    const struct sn_principal *principal;
    struct sn_slice profile, role_arn;
    int64_t duration_s;             /* after the cap of the kind */
    struct sn_slice justification;  /* as stored */
    struct sn_slice session_policy; /* of the profile, without a deadline */
    const struct sn_slice *policy_arns;
    size_t policy_arn_count;
};

void sn_binding_make(const struct sn_binding_facts *facts, char out[SN_BINDING_LEN + 1]);

#endif

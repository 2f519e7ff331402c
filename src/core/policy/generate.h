/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/generate.h - documents to begin with: for given profiles and people, by template (POL 16).
 */
#ifndef SN_CORE_POLICY_GENERATE_H
#define SN_CORE_POLICY_GENERATE_H

#include "base/buf.h"
#include "base/error.h"
#include "core/policy/kinds.h"
#include "core/policy/tz.h"

enum sn_generate_template { SN_GENERATE_BASIC, SN_GENERATE_APPROVALS, SN_GENERATE_FULL };

struct sn_generate_plan {
    enum sn_generate_template template;
    const struct sn_slice *profiles;
    size_t profile_count;
    const struct sn_slice *users; /* entries; needed by every template but basic */
    size_t user_count;
    const struct sn_slice *roles; /* one for each profile, in their order; NULL: no catalogue is made */
    int64_t unix_s;
};

/* Profiles, users and roles are what documents may hold, none of them twice. Codes: INVALID_PROFILE, INVALID_USER,
 * INVALID_ROLE, DUPLICATE_VALUE, MISSING_USER. */
SN_MUST_CHECK enum sn_status sn_generate_check(const struct sn_generate_plan *plan, struct sn_error *err);
/* True if the template has a document of that kind. */
bool sn_generate_has(const struct sn_generate_plan *plan, enum sn_document_kind kind);
/* The document with its head of comments, appended; it is valid, else the call fails. zones are for the check. */
SN_MUST_CHECK enum sn_status sn_generate(const struct sn_generate_plan *plan, enum sn_document_kind kind,
    const struct sn_tz_source *zones, struct sn_buf *out, struct sn_error *err);

#endif

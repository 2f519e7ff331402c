/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/decision_log_fuzz.c - lines of a log of decisions: what the quick reader accepts, the JSON reader accepts
 * too and takes for the same.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "core/audit/decision_reader.h"

static bool same(const struct sn_logged_decision *a, const struct sn_logged_decision *b)
{
    return a->unix_ms == b->unix_ms && sn_slice_eq(a->profile, b->profile) &&
           sn_slice_eq(a->caller_arn, b->caller_arn) && sn_slice_eq(a->rule, b->rule) &&
           sn_slice_eq(a->policy_path, b->policy_path) && a->policy_effect == b->policy_effect &&
           a->is_allowed == b->is_allowed && a->override == b->override && a->vouched == b->vouched &&
           a->has_posture == b->has_posture && a->posture.disk_encrypted == b->posture.disk_encrypted &&
           a->posture.mdm_enrolled == b->posture.mdm_enrolled && a->posture.mdm_compliant == b->posture.mdm_compliant &&
           a->posture.firewall_enabled == b->posture.firewall_enabled &&
           sn_slice_eq(a->posture.os_type, b->posture.os_type) &&
           sn_slice_eq(a->posture.os_version, b->posture.os_version);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* A copy of its own, so that a sanitizer sees every byte read past the slack. */
    char *bytes = calloc(1, size + SN_LOGGED_SLACK);
    struct sn_decision_reader own_reader = {0}, reader = {0};
    FUZZ_CHECK(bytes != NULL);
    memcpy(bytes, data, size);
    for (size_t at = 0; at < size;) {
        struct sn_logged_decision own = {0}, any = {0};
        enum sn_logged_kind own_kind = SN_LOGGED_BROKEN;
        const char *lf = memchr(bytes + at, '\n', size - at);
        size_t line_len = lf != NULL ? (size_t)(lf - bytes) - at : size - at;
        size_t len = sn_decision_read_own(&own_reader, bytes + at, bytes + size, &own_kind, &own);
        enum sn_logged_kind kind = sn_decision_read_line(&reader, sn_slice_bytes(bytes + at, line_len), &any);
        if (len > 0) {
            FUZZ_CHECK(lf != NULL && len == line_len + 1);
            FUZZ_CHECK(own_kind == kind);
            FUZZ_CHECK(kind != SN_LOGGED_DECISION || same(&own, &any));
            FUZZ_CHECK(kind != SN_LOGGED_BROKEN || strcmp(own_reader.why, reader.why) == 0);
        }
        at += line_len + (lf != NULL);
    }
    sn_decision_reader_clear(&own_reader);
    sn_decision_reader_clear(&reader);
    free(bytes);
    return 0;
}

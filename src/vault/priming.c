/* SPDX-License-Identifier: Apache-2.0 */
/* vault/priming.c - see priming.h. */
#include "vault/priming.h"

enum sn_priming sn_priming_of(const struct sn_priming_input *input)
{
    bool is_any_hop_with_mfa = false;

    if (input->no_session) {
        return SN_PRIMING_NONE;
    }
    if (input->hops == 0) {
        return SN_PRIMING_PLAIN;
    }
    if (input->base_serial.len == 0) {
        return SN_PRIMING_NONE;
    }
    for (size_t i = 0; i < input->hops; i++) {
        struct sn_slice serial = input->hop_serials[i];
        if (serial.len > 0 && !sn_slice_eq(serial, input->base_serial)) {
            return SN_PRIMING_NONE;
        }
        is_any_hop_with_mfa = is_any_hop_with_mfa || serial.len > 0;
    }
    if (!is_any_hop_with_mfa) {
        return SN_PRIMING_NONE;
    }
    if (input->hops == 1 && input->hop_duration_s > SN_CHAINED_MAX_S) {
        return SN_PRIMING_NONE; /* the code goes with the role, which may then live longer */
    }
    return SN_PRIMING_CHAINED;
}

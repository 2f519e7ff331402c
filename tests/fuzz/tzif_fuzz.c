/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/tzif_fuzz.c - zone data: what loads has offsets in range, and its changes are where offsets change. */
#include "fuzz.h"

#include "core/policy/tz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t instants[] = {INT64_MIN, -62135596801, -1, 0, 1, 951782400, 1769418000, 4102444800, 4131950400,
        7258118400, 253402300800, INT64_MAX};
    struct sn_tz *zone = NULL;
    struct sn_error err = {0};
    if (sn_tz_parse(sn_slice_bytes(data, size), &zone, &err) != SN_OK) {
        FUZZ_CHECK(sn_error_is(&err, "INVALID_ZONE_DATA"));
        return 0;
    }
    for (size_t i = 0; i < SN_LEN(instants); i++) {
        int32_t offset = sn_tz_offset_s(zone, instants[i]);
        FUZZ_CHECK(offset >= -26 * 3600 && offset <= 26 * 3600);
        int64_t change = sn_tz_next_change(zone, instants[i]);
        FUZZ_CHECK(change > instants[i] || change == INT64_MAX);
        if (change != INT64_MAX) {
            FUZZ_CHECK(sn_tz_offset_s(zone, change - 1) == offset);
        }
    }
    sn_tz_free(zone);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/duration_fuzz.c - durations: what is read is written and read again as the same number of seconds. */
#include "fuzz.h"

#include "base/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t seconds = -1, again = -1;
    struct sn_error err = {0};
    struct sn_buf text = {0};
    if (sn_parse_duration(sn_slice_bytes(data, size), &seconds, &err) == SN_OK) {
        FUZZ_CHECK(seconds >= 1);
        sn_format_duration(&text, seconds);
        FUZZ_CHECK(sn_parse_duration(sn_buf_slice(&text), &again, &err) == SN_OK && again == seconds);
    } else {
        FUZZ_CHECK(seconds == -1);
    }
    sn_buf_clear(&text);
    return 0;
}

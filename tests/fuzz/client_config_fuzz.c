/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client_config_fuzz.c - config.yaml of the client, and the section names that completion reads from an AWS config.
 */
#include <string.h>

#include "cli/complete.h"
#include "cli/config.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sn_cli_config config = {0};
    struct sn_buf names = {0};
    struct sn_error err;

    if (sn_cli_config_parse(&config, "config.yaml", sn_slice_bytes(data, size), &err) == SN_OK) {
        FUZZ_CHECK(config.count <= SN_CONFIG_MAX_KEYS);
    } else {
        FUZZ_CHECK(sn_error_is(&err, "CONFIG_INVALID"));
    }
    sn_cli_config_clear(&config);
    sn_complete_aws_profiles(&names, sn_slice_bytes(data, size));
    for (size_t i = 0; i < names.len; i++) {
        FUZZ_CHECK((unsigned char)names.ptr[i] > ' ' || names.ptr[i] == '\n');
    }
    sn_buf_clear(&names);
    return 0;
}

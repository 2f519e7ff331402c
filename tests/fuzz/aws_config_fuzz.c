/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/aws_config_fuzz.c - the AWS files: read or refused with a line; secrets are never kept as text. */
#include "fuzz.h"

#include <string.h>

#include "vault/awsconfig.h"

static void check(struct sn_slice text, enum sn_awsconfig_kind kind)
{
    struct sn_awsconfig *config = NULL;
    struct sn_error err;

    if (sn_awsconfig_parse(text, "f", kind, &config, &err) != SN_OK) {
        FUZZ_CHECK(sn_error_is(&err, "CONFIG_INVALID") && strncmp(err.message, "f:", 2) == 0);
        return;
    }
    for (size_t i = 0; i < sn_awsconfig_count(config); i++) {
        enum sn_awsconfig_section_kind section_kind;
        struct sn_slice name = sn_awsconfig_section_at(config, i, &section_kind);
        const struct sn_awsconfig_section *section = sn_awsconfig_find(config, section_kind, name);
        const struct sn_awsconfig_setting *secret = sn_awsconfig_get(section, "aws_secret_access_key");
        FUZZ_CHECK(section != NULL);
        FUZZ_CHECK(!sn_slice_has_byte(name, '\0') && !sn_slice_has_byte(name, '\n'));
        FUZZ_CHECK(secret == NULL || secret->value.len == 0);
    }
    sn_awsconfig_free(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check(sn_slice_bytes(data, size), SN_AWSCONFIG_CONFIG);
    check(sn_slice_bytes(data, size), SN_AWSCONFIG_CREDENTIALS);
    return 0;
}

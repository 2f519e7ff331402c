/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/envelope_fuzz.c - signature envelopes: read, written again, checked against a document.
 *
 * What is read is written so that it reads back the same, and no made-up envelope verifies.
 */
#include <string.h>

#include "fuzz.h"

#include "core/policy/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned char raw[32] = {0x03, 0xa1, 0x07, 0xbf, 0xf3, 0xce, 0x10, 0xbe, 0x1d, 0x70, 0xdd, 0x18, 0xe7,
        0x4b, 0xc0, 0x99, 0x67, 0xe4, 0xd6, 0x30, 0x9b, 0xa5, 0x0d, 0x5f, 0x1d, 0xdc, 0x86, 0x64, 0x12, 0x55, 0x31,
        0xb8};
    static struct sn_public_key *key;
    struct sn_envelope envelope = {0}, again = {0};
    struct sn_error err = {0};
    struct sn_buf text = {0};
    if (key == NULL) {
        FUZZ_CHECK(sn_public_key_from_ed25519(raw, &key, &err) == SN_OK);
    }
    if (sn_envelope_parse(sn_slice_bytes(data, size), &envelope, &err) == SN_OK) {
        const struct sn_signature_key keys[] = {{.local = key}};
        const char *used = NULL;
        struct sn_signature_rules rules = {.keys = keys, .key_count = 1, .allow_unbound = true};
        sn_envelope_format(&text, &envelope, (size & 1) != 0);
        FUZZ_CHECK(sn_envelope_parse(sn_buf_slice(&text), &again, &err) == SN_OK);
        FUZZ_CHECK(memcmp(&envelope, &again, sizeof(again)) == 0);
        FUZZ_CHECK(sn_envelope_verify(&envelope, SN_S("another document"), &rules, &used, &err) != SN_OK);
    }
    sn_buf_clear(&text);
    return 0;
}

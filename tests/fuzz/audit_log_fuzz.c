/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/audit_log_fuzz.c - the verifier of the audit log: any bytes, whole or in pieces, as a log or an export,
 * with part of them as anchor and as key file, give the same counts and never more good lines than lines.
 */
#include "fuzz.h"

#include "core/audit/verifier.h"

static const char published_keys[] = "k1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
                                     "k2:202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f\n";

static uint64_t verify(const struct sn_audit_keys *keys, struct sn_slice anchors, struct sn_slice log, size_t piece,
    bool is_export, uint64_t *out_ok)
{
    const struct sn_audit_verify_options options = {.is_export = is_export};
    struct sn_audit_verifier *v = sn_audit_verifier_new(keys, &options);

    sn_audit_verifier_add_anchors(v, anchors);
    sn_audit_verifier_begin_file(v);
    for (size_t at = 0; at < log.len; at += piece) {
        sn_audit_verifier_feed(v, sn_slice_sub(log, at, piece));
    }
    sn_audit_verifier_end_file(v);
    const struct sn_audit_verify_result *r = sn_audit_verifier_finish(v);
    uint64_t failures = r->failures;
    FUZZ_CHECK(r->ok <= r->lines);
    FUZZ_CHECK(r->finding_count <= 10 && r->finding_count <= r->failures);
    FUZZ_CHECK((r->failures == 0) == (r->finding_count == 0));
    FUZZ_CHECK(r->failures > 0 || r->ok == r->lines);
    *out_ok = r->ok;
    sn_audit_verifier_free(v);
    return failures;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sn_slice text = sn_slice_bytes(data, size);
    struct sn_audit_keys keys = {.count = 0};
    struct sn_audit_keys other = {.count = 0};
    struct sn_slice first;
    struct sn_slice rest;
    struct sn_error err;
    uint64_t ok[4];

    FUZZ_CHECK(sn_audit_keys_parse(sn_slice_str(published_keys), "default", &keys, &err) == SN_OK);
    uint64_t whole = verify(&keys, SN_S(""), text, size + 1, false, &ok[0]);
    uint64_t pieces = verify(&keys, SN_S(""), text, 7, false, &ok[1]);
    FUZZ_CHECK(whole == pieces && ok[0] == ok[1]);
    (void)verify(&keys, SN_S(""), text, 64, true, &ok[2]);
    sn_slice_cut(text, '\n', &first, &rest);
    (void)verify(&keys, first, rest, 64, size % 2 == 0, &ok[3]);
    if (sn_audit_keys_parse(text, "default", &other, &err) != SN_OK) {
        FUZZ_CHECK(other.count == 0);
    }
    sn_audit_keys_clear(&keys);
    sn_audit_keys_clear(&other);
    return 0;
}

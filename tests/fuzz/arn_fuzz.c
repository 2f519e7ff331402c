/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/arn_fuzz.c - caller ARNs, source identities and profile names: a principal that was read is stamped with
 * a legal value that reads back, and the message of a refusal is one bounded line of printable text.
 */
#include "fuzz.h"

#include <string.h>

#include "core/identity/principal.h"
#include "core/identity/stamp.h"

static const struct sn_id id = {"4t8r2v6x0k1m3n5p"};

static void check_refusal(const struct sn_error *err)
{
    FUZZ_CHECK(err->status == SN_INVALID && sn_error_is(err, "INVALID_IDENTITY"));
    for (const char *c = err->message; *c != '\0'; c++) {
        FUZZ_CHECK((unsigned char)*c >= 0x20 && *c != 0x7f);
    }
}

static void check_principal(struct sn_principal *p)
{
    static const struct sn_slice globs[] = {SN_S_INIT("CI-*"), SN_S_INIT("?*x*")};
    const struct sn_vouch_rules rules = {.role_globs = globs, .role_glob_count = SN_LEN(globs)};
    char text[SN_SOURCE_IDENTITY_MAX + 1];
    char name[SN_ROLE_SESSION_NAME_MAX + 1];
    struct sn_source_identity back;
    struct sn_error err;

    FUZZ_CHECK(strlen(p->name) > 0 && strlen(p->name) <= SN_NAME_MAX);
    for (int round = 0; round < 2; round++) {
        sn_stamp_source_identity(p, SN_ISSUE_APPROVED, &id, text);
        sn_stamp_session_name(p, &id, name);
        FUZZ_CHECK(sn_source_identity_parse(sn_slice_str(text), &back, &err) == SN_OK);
        FUZZ_CHECK(back.kind == SN_ISSUE_APPROVED && sn_slice_eq_str(back.id, id.text));
        FUZZ_CHECK(sn_principal_matches_entry(p, sn_slice_str(p->arn), "123456789012"));
        FUZZ_CHECK(p->vouched || !sn_principal_matches_entry(p, sn_slice_str(p->name), p->account));
        sn_principal_vouch(p, &rules);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sn_slice text = sn_slice_bytes(data, size);
    struct sn_principal p;
    struct sn_source_identity si;
    struct sn_error err;

    if (sn_principal_parse(text, NULL, &p, &err) == SN_OK) {
        FUZZ_CHECK(sn_slice_eq_str(text, p.arn));
        check_principal(&p);
    } else {
        check_refusal(&err);
    }
    if (sn_source_identity_parse(text, &si, &err) == SN_OK) {
        FUZZ_CHECK(text.len >= 34 && text.len <= SN_SOURCE_IDENTITY_MAX);
    }
    FUZZ_CHECK(sn_profile_name_is_valid(text) == (sn_profile_name_check(text, &err) == SN_OK));
    return 0;
}

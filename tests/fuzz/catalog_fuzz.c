/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/catalog_fuzz.c - the catalogue: every entry that loads can be found and keeps its limits. A line "\f" cuts
 * the input into two texts.
 */
#include "fuzz.h"

#include "core/policy/canonical.h"
#include "core/policy/catalog.h"
#include "core/policy/limits.h"

/* The canonical form of one text names the same roles, and is its own canonical form. */
static void check_canonical(const struct sn_catalog *catalog, struct sn_slice text)
{
    SN_AUTO(sn_buf_clear) struct sn_buf canonical = SN_BUF_INIT(1 << 24), again = SN_BUF_INIT(1 << 24);
    struct sn_catalog *other = NULL;
    struct sn_error err = {0};
    FUZZ_CHECK(sn_document_canonical(SN_DOCUMENT_CATALOG, text, &canonical, &err) == SN_OK);
    FUZZ_CHECK(sn_document_canonical(SN_DOCUMENT_CATALOG, sn_buf_slice(&canonical), &again, &err) == SN_OK);
    FUZZ_CHECK(sn_slice_eq(sn_buf_slice(&canonical), sn_buf_slice(&again)));
    struct sn_catalog_source source = {SN_S("canonical"), sn_buf_slice(&canonical)};
    FUZZ_CHECK(sn_catalog_load(&source, 1, NULL, &other, &err) == SN_OK);
    FUZZ_CHECK(sn_catalog_count(catalog) == sn_catalog_count(other));
    for (size_t i = 0; i < sn_catalog_count(catalog); i++) {
        const struct sn_profile *a = sn_catalog_at(catalog, i), *b = sn_catalog_at(other, i);
        FUZZ_CHECK(sn_slice_eq(a->name, b->name) && sn_slice_eq(a->role_arn, b->role_arn) &&
                   sn_slice_eq(a->description, b->description) && sn_slice_eq(a->session_policy, b->session_policy) &&
                   a->max_duration_s == b->max_duration_s && a->policy_arn_count == b->policy_arn_count &&
                   a->tag_count == b->tag_count);
        for (size_t k = 0; k < a->tag_count; k++) {
            FUZZ_CHECK(sn_slice_eq(a->tags[k].key, b->tags[k].key) && sn_slice_eq(a->tags[k].value, b->tags[k].value));
        }
    }
    sn_catalog_unref(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sn_slice first, second;
    struct sn_catalog_source sources[2] = {{.name = SN_S("a")}, {.name = SN_S("b")}};
    bool two = sn_slice_cut(sn_slice_bytes(data, size), '\f', &first, &second);
    sources[0].text = first;
    sources[1].text = second;
    struct sn_findings findings = {0};
    struct sn_catalog *catalog = NULL;
    struct sn_error err = {0};
    enum sn_status status = sn_catalog_load(sources, two ? 2 : 1, &findings, &catalog, &err);
    FUZZ_CHECK((status == SN_OK) == (findings.errors == 0) && (status == SN_OK) == (catalog != NULL));
    for (size_t i = 0; i < sn_catalog_count(catalog); i++) {
        const struct sn_profile *profile = sn_catalog_at(catalog, i);
        size_t bytes = profile->session_policy.len;
        FUZZ_CHECK(sn_catalog_find(catalog, profile->name) == profile);
        FUZZ_CHECK(sn_catalog_has_role(catalog, profile->role_account, profile->role_name));
        FUZZ_CHECK(i == 0 || sn_slice_cmp(sn_catalog_at(catalog, i - 1)->name, profile->name) < 0);
        FUZZ_CHECK(sn_slice_has_suffix(profile->role_arn, profile->role_name));
        for (size_t k = 0; k < profile->policy_arn_count; k++) {
            bytes += profile->policy_arns[k].len;
        }
        FUZZ_CHECK(bytes <= SN_CATALOG_MAX_SESSION_POLICY && profile->tag_count <= SN_CATALOG_MAX_TAGS);
        FUZZ_CHECK(profile->max_duration_s == 0 || (profile->max_duration_s >= SN_POLICY_MIN_SESSION_S &&
                                                       profile->max_duration_s <= SN_POLICY_MAX_SESSION_S));
    }
    if (catalog != NULL && !two) {
        check_canonical(catalog, first);
    }
    sn_catalog_unref(catalog);
    sn_findings_clear(&findings);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* core/policy/catalog.c - the union of the catalogue's texts; see catalog.h. Entries are read in catalog_entry.c. */
#include "core/policy/catalog.h"

#include <stdatomic.h>

#include "base/alloc.h"
#include "core/policy/catalog_entry.h"
#include "core/policy/limits.h"
#include "core/policy/load_internal.h"
#include "core/policy/strtab.h"

enum { SPACE_NAME, SPACE_ROLE_ARN };

struct sn_catalog {
    atomic_uint references;
    struct sn_arena arena;
    struct sn_profile *profiles; /* by name */
    size_t count;
    struct sn_strtab names; /* number: index into profiles */
    struct sn_strtab roles; /* "account/role name" of every entry */
};

/* Where a name or a role ARN was met first. */
struct first_met {
    uint32_t source; /* index */
    uint32_t line;
    struct sn_slice name;
};

struct loader {
    struct sn_catalog *catalog;
    const struct sn_catalog_source *sources;
    struct sn_report report;
    size_t source;
    size_t capacity;
    struct sn_strtab met;
    struct first_met *met_at;
    size_t met_capacity;
};

static void clear_loader(struct loader *loader)
{
    sn_catalog_unref(loader->catalog);
    sn_strtab_clear(&loader->met);
    sn_free(loader->met_at);
}

/* NULL when text is new in that space; it is noted then. */
static const struct first_met *note(
    struct loader *loader, uint32_t space, struct sn_slice text, const struct sn_yaml_node *node, struct sn_slice name)
{
    size_t before = loader->met.count;
    uint32_t number = sn_strtab_add(&loader->met, space, text);
    if (number < before) {
        return &loader->met_at[number];
    }
    if (number >= loader->met_capacity) {
        loader->met_capacity = loader->met_capacity == 0 ? 64 : loader->met_capacity * 2;
        loader->met_at = sn_realloc(loader->met_at, loader->met_capacity, sizeof(*loader->met_at));
    }
    loader->met_at[number] = (struct first_met){(uint32_t)loader->source, node->line, name};
    return NULL;
}

static void load_profile(struct loader *loader, const struct sn_yaml_pair *pair, const struct sn_path *path)
{
    struct sn_profile profile = {0};
    struct sn_arena *arena = &loader->catalog->arena;
    if (!sn_catalog_name_check(&loader->report, pair->key, path)) {
        return;
    }
    profile.name = sn_arena_dup(arena, pair->key->text);
    const struct first_met *met = note(loader, SPACE_NAME, profile.name, pair->key, profile.name);
    if (met != NULL) {
        sn_report_add(&loader->report, SN_SEVERITY_ERROR, "duplicate-profile", pair->key, path,
            "a name stands for one role", "the profile '%.*s' is already in '%.*s', line %u", SN_SHOW(profile.name),
            SN_SHOW(loader->sources[met->source].name), met->line);
        return;
    }
    if (!sn_catalog_entry_read(&loader->report, pair, path, arena, &profile)) {
        return;
    }
    met = note(loader, SPACE_ROLE_ARN, profile.role_arn, pair->key, profile.name);
    if (met != NULL) {
        sn_report_add(&loader->report, SN_SEVERITY_WARNING, "shared-role", pair->key, path,
            "give each profile a role of its own",
            "the profiles '%.*s' and '%.*s' have one role: a rule on one does not govern the other", SN_SHOW(met->name),
            SN_SHOW(profile.name));
    }
    if (loader->catalog->count == loader->capacity) {
        loader->capacity = loader->capacity == 0 ? 16 : loader->capacity * 2;
        loader->catalog->profiles =
            sn_realloc(loader->catalog->profiles, loader->capacity, sizeof(*loader->catalog->profiles));
    }
    loader->catalog->profiles[loader->catalog->count++] = profile;
}

static void load_source(struct loader *loader, const struct sn_catalog_source *source, struct sn_arena *arena)
{
    const struct sn_yaml_node *fields[SN_CATALOG_FIELDS];
    struct sn_path profiles_path = {.field = "profiles"};
    struct sn_yaml_node *root = NULL;
    loader->report.source = source->name;
    if (!sn_schema_read(
            &sn_schema_catalog, source->text, "catalogue", &sn_yaml_limits_document, arena, &loader->report, &root)) {
        return;
    }
    sn_schema_bind(&sn_schema_catalog, root, fields);
    sn_load_version(&loader->report, fields[SN_CATALOG_VERSION]);
    const struct sn_yaml_node *profiles = fields[SN_CATALOG_PROFILES];
    if (profiles == NULL || profiles->count == 0) {
        sn_report_add(&loader->report, SN_SEVERITY_ERROR, "no-profiles", profiles != NULL ? profiles : root,
            &profiles_path, "add a profile with its role_arn", "a catalogue needs at least one profile");
        return;
    }
    for (size_t i = 0; i < profiles->count; i++) {
        struct sn_path path = {.parent = &profiles_path, .name = profiles->pairs[i].key->text};
        load_profile(loader, &profiles->pairs[i], &path);
    }
    if (loader->catalog->count > SN_CATALOG_MAX_PROFILES) {
        sn_report_add(&loader->report, SN_SEVERITY_ERROR, "limit", profiles, &profiles_path, NULL,
            "the catalogue holds more than %d profiles", SN_CATALOG_MAX_PROFILES);
    }
}

static void sort_profiles(struct sn_profile *items, size_t count, struct sn_profile *scratch)
{
    if (count < 2) {
        return;
    }
    size_t half = count / 2, left = 0, right = half, out = 0;
    sort_profiles(items, half, scratch);
    sort_profiles(items + half, count - half, scratch);
    for (size_t i = 0; i < count; i++) {
        scratch[i] = items[i];
    }
    while (left < half || right < count) {
        bool take_left = right == count || (left < half && sn_slice_cmp(scratch[left].name, scratch[right].name) <= 0);
        items[out++] = take_left ? scratch[left++] : scratch[right++];
    }
}

static struct sn_slice role_key(struct sn_buf *buf, struct sn_slice account, struct sn_slice role_name)
{
    sn_buf_reset(buf);
    sn_buf_add(buf, account);
    sn_buf_add_byte(buf, '/');
    sn_buf_add(buf, role_name);
    return sn_buf_slice(buf);
}

static void index_catalog(struct sn_catalog *catalog)
{
    SN_AUTO(sn_buf_clear) struct sn_buf key = {0};
    struct sn_profile *scratch = sn_alloc(catalog->count, sizeof(*scratch));
    sort_profiles(catalog->profiles, catalog->count, scratch);
    sn_free(scratch);
    for (size_t i = 0; i < catalog->count; i++) {
        const struct sn_profile *profile = &catalog->profiles[i];
        (void)sn_strtab_add(&catalog->names, 0, profile->name);
        struct sn_slice role = role_key(&key, profile->role_account, profile->role_name);
        if (sn_strtab_find(&catalog->roles, 0, role) == SN_STRTAB_NONE) {
            (void)sn_strtab_add(&catalog->roles, 0, sn_arena_dup(&catalog->arena, role));
        }
    }
}

enum sn_status sn_catalog_load(const struct sn_catalog_source *sources, size_t source_count,
    struct sn_findings *findings, struct sn_catalog **out_catalog, struct sn_error *err)
{
    SN_AUTO(sn_findings_clear) struct sn_findings own = {0};
    SN_AUTO(clear_loader) struct loader loader = {.sources = sources};
    struct sn_findings *all = findings != NULL ? findings : &own;
    size_t first = all->count, errors_before = all->errors;

    if (source_count == 0) {
        return sn_fail(err, SN_INVALID, "INVALID_CATALOG", "there is no catalogue, so no profile exists");
    }
    if (source_count > SN_CATALOG_MAX_SOURCES) {
        return sn_fail(
            err, SN_INVALID, "INVALID_CATALOG", "the catalogue has more than %d texts", SN_CATALOG_MAX_SOURCES);
    }
    loader.report.findings = all;
    loader.catalog = sn_alloc(1, sizeof(*loader.catalog));
    atomic_init(&loader.catalog->references, 1);
    for (size_t i = 0; i < source_count; i++) {
        SN_AUTO(sn_arena_clear) struct sn_arena arena = {0}; /* one text at a time */
        size_t first_of_source = all->count;
        loader.source = i;
        load_source(&loader, &sources[i], &arena);
        sn_findings_sort(all, first_of_source);
    }
    if (all->errors != errors_before) {
        return sn_findings_fail(all, first, "INVALID_CATALOG", err);
    }
    index_catalog(loader.catalog);
    *out_catalog = SN_TAKE(loader.catalog);
    return SN_OK;
}

struct sn_catalog *sn_catalog_ref(struct sn_catalog *catalog)
{
    atomic_fetch_add_explicit(&catalog->references, 1, memory_order_relaxed);
    return catalog;
}

void sn_catalog_unref(struct sn_catalog *catalog)
{
    if (catalog == NULL || atomic_fetch_sub_explicit(&catalog->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    sn_free(catalog->profiles);
    sn_strtab_clear(&catalog->names);
    sn_strtab_clear(&catalog->roles);
    sn_arena_clear(&catalog->arena);
    sn_free(catalog);
}

void sn_catalog_unref_p(struct sn_catalog **catalog)
{
    sn_catalog_unref(*catalog);
}

const struct sn_profile *sn_catalog_find(const struct sn_catalog *catalog, struct sn_slice name)
{
    uint32_t number = catalog != NULL ? sn_strtab_find(&catalog->names, 0, name) : SN_STRTAB_NONE;
    return number != SN_STRTAB_NONE ? &catalog->profiles[number] : NULL;
}

size_t sn_catalog_count(const struct sn_catalog *catalog)
{
    return catalog != NULL ? catalog->count : 0;
}

const struct sn_profile *sn_catalog_at(const struct sn_catalog *catalog, size_t index)
{
    return index < sn_catalog_count(catalog) ? &catalog->profiles[index] : NULL;
}

bool sn_catalog_has_role(const struct sn_catalog *catalog, struct sn_slice account, struct sn_slice role_name)
{
    SN_AUTO(sn_buf_clear) struct sn_buf key = {0};
    return catalog != NULL && sn_strtab_find(&catalog->roles, 0, role_key(&key, account, role_name)) != SN_STRTAB_NONE;
}

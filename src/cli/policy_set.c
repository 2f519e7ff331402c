/* SPDX-License-Identifier: Apache-2.0 */
/* cli/policy_set.c - see policy_set.h. */
#include "cli/policy_set.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "core/identity/principal.h"
#include "core/policy/limits.h"

void sn_policy_set_clear(struct sn_policy_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        sn_policy_unref(set->items[i].policy);
    }
    sn_free(set->items);
    sn_strtab_clear(&set->by_profile);
    sn_catalog_unref(set->catalog);
    sn_ruleset_unref(set->approval);
    sn_ruleset_unref(set->breakglass);
    sn_arena_clear(&set->arena);
    *set = (struct sn_policy_set){0};
}

static enum sn_status add_policy(
    struct sn_policy_set *set, const char *path, struct sn_slice name, struct sn_slice profile, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};

    if (set->count == SN_POLICY_SET_MAX) {
        return sn_fail(err, SN_INVALID, "DOCUMENT_LAYOUT", "more than %d policies", SN_POLICY_SET_MAX);
    }
    if (set->count == set->capacity) {
        set->capacity = set->capacity == 0 ? 16 : set->capacity * 2;
        set->items = sn_realloc(set->items, set->capacity, sizeof(*set->items));
    }
    struct sn_policy_item *item = &set->items[set->count];
    item->name = sn_arena_dup(&set->arena, name);
    item->profile = sn_arena_dup(&set->arena, profile);
    SN_TRY(sn_input_policy(path, NULL, &text, &item->policy, err));
    (void)sn_strtab_add(&set->by_profile, 0, item->profile);
    set->count++;
    return SN_OK;
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

struct listing {
    struct dirent **entries;
    int count;
};

static void clear_listing(struct listing *listing)
{
    for (int i = 0; i < listing->count; i++) {
        free(listing->entries[i]); /* scandir's own memory */
    }
    free(listing->entries);
}

static bool is_document(const char *name)
{
    struct sn_slice text = sn_slice_str(name);
    return sn_slice_has_suffix(text, SN_S(".yaml")) && !sn_slice_has_suffix(text, SN_S(".test.yaml"));
}

/* Policies below a folder; below is the way from "policies" to it, empty or ending in a slash. */
static enum sn_status add_folder(
    struct sn_policy_set *set, const char *folder, const char *below, unsigned depth, struct sn_error *err)
{
    SN_AUTO(clear_listing) struct listing listing = {0};

    if (depth == SN_POLICY_SET_DEPTH_MAX) {
        return sn_fail(err, SN_INVALID, "DOCUMENT_LAYOUT", "'%s' lies too deep", folder);
    }
    listing.count = scandir(folder, &listing.entries, visible, alphasort);
    if (listing.count < 0) {
        listing.count = 0;
        return sn_fail(err, SN_INVALID, "FILE_UNREADABLE", "cannot read '%s': %s", folder, strerrordesc_np(errno));
    }
    for (int i = 0; i < listing.count; i++) {
        const char *name = listing.entries[i]->d_name;
        struct stat about;
        const char *path = sn_arena_printf(&set->arena, "%s/%s", folder, name).ptr;
        if (stat(path, &about) != 0) {
            return sn_fail(err, SN_INVALID, "FILE_UNREADABLE", "cannot read '%s': %s", path, strerrordesc_np(errno));
        }
        struct sn_slice way = sn_arena_printf(&set->arena, "%s%s", below, name);
        if (S_ISDIR(about.st_mode)) {
            const char *deeper = sn_arena_printf(&set->arena, "%s/", way.ptr).ptr;
            SN_TRY(add_folder(set, path, deeper, depth + 1, err));
        } else if (is_document(name)) {
            struct sn_slice profile = sn_slice_sub(way, 0, way.len - 5);
            struct sn_slice shown = sn_arena_printf(&set->arena, "policies/%.*s", SN_PRI(way));
            if (!sn_profile_name_is_valid(profile)) {
                return sn_fail(err, SN_INVALID, "DOCUMENT_LAYOUT", "'%.*s' is not named by a profile", SN_PRI(shown));
            }
            SN_TRY(add_policy(set, path, shown, profile, err));
        }
    }
    return SN_OK;
}

static enum sn_status load_policies(struct sn_policy_set *set, struct sn_error *err)
{
    const char *one = sn_arena_printf(&set->arena, "%s/policy.yaml", set->path).ptr;
    const char *many = sn_arena_printf(&set->arena, "%s/policies", set->path).ptr;

    if (sn_fs_exists(many)) {
        SN_TRY(add_folder(set, many, "", 0, err));
    }
    if (!sn_fs_exists(one)) {
        return SN_OK;
    }
    if (set->count > 0) {
        sn_fail(err, SN_INVALID, "DOCUMENT_LAYOUT", "'%s' holds both policy.yaml and policies of single profiles",
            set->path);
        return sn_suggest(err, "keep policy.yaml, or the files below policies");
    }
    return add_policy(set, one, SN_S("policy.yaml"), SN_S(""), err);
}

/* The texts of a catalogue, in any number. */
struct catalog_texts {
    struct sn_catalog_source *items;
    size_t count;
};

static enum sn_status add_catalog_text(
    struct sn_policy_set *set, struct catalog_texts *texts, const char *name, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    const char *path = sn_arena_printf(&set->arena, "%s/%s", set->path, name).ptr;

    SN_TRY(sn_input_read(path, SN_POLICY_MAX_BYTES, &text, err));
    texts->items[texts->count++] = (struct sn_catalog_source){
        sn_arena_dup(&set->arena, sn_slice_str(name)), sn_arena_dup(&set->arena, sn_buf_slice(&text))};
    return SN_OK;
}

static enum sn_status load_catalog(struct sn_policy_set *set, struct sn_error *err)
{
    SN_AUTO(clear_listing) struct listing listing = {0};
    struct catalog_texts texts = {0};
    const char *folder = sn_arena_printf(&set->arena, "%s/catalog.d", set->path).ptr;
    const char *one = sn_arena_printf(&set->arena, "%s/catalog.yaml", set->path).ptr;

    if (sn_fs_exists(folder)) {
        listing.count = scandir(folder, &listing.entries, visible, alphasort);
        if (listing.count < 0) {
            listing.count = 0;
            return sn_fail(err, SN_INVALID, "FILE_UNREADABLE", "cannot read '%s': %s", folder, strerrordesc_np(errno));
        }
    }
    texts.items = sn_arena_alloc(&set->arena, (size_t)listing.count + 1, sizeof(*texts.items));
    if (sn_fs_exists(one)) {
        SN_TRY(add_catalog_text(set, &texts, "catalog.yaml", err));
    }
    for (int i = 0; i < listing.count; i++) {
        if (is_document(listing.entries[i]->d_name)) {
            const char *name = sn_arena_printf(&set->arena, "catalog.d/%s", listing.entries[i]->d_name).ptr;
            SN_TRY(add_catalog_text(set, &texts, name, err));
        }
    }
    if (texts.count == 0) {
        return SN_OK;
    }
    if (sn_catalog_load(texts.items, texts.count, NULL, &set->catalog, err) != SN_OK) {
        return sn_error_context(err, "%s", set->path);
    }
    return SN_OK;
}

enum sn_status sn_policy_set_load(
    struct sn_policy_set *set, const char *path, const struct sn_opt_list *catalogs, struct sn_error *err)
{
    struct stat about;

    *set = (struct sn_policy_set){.path = path};
    set->is_directory = stat(path, &about) == 0 && S_ISDIR(about.st_mode);
    if (!set->is_directory) {
        const char *slash = strrchr(path, '/');
        struct sn_slice name = sn_slice_str(slash != NULL ? slash + 1 : sn_input_name(path));
        SN_TRY(add_policy(set, path, name, SN_S(""), err));
        return catalogs != NULL ? sn_input_catalog(catalogs, &set->catalog, err) : SN_OK;
    }
    if (catalogs != NULL && catalogs->count > 0) {
        return sn_fail(err, SN_USAGE, "OWN_CATALOG", "'%s' is a directory, which has its own catalogue", path);
    }
    SN_TRY(load_policies(set, err));
    if (set->count == 0) {
        sn_fail(err, SN_INVALID, "DOCUMENT_LAYOUT", "'%s' holds no policy", path);
        return sn_suggest(err, "a document directory has policy.yaml, or policies/PROFILE.yaml");
    }
    return load_catalog(set, err);
}

static enum sn_status load_ruleset(
    const char *path, enum sn_document_kind kind, struct sn_ruleset **out_ruleset, struct sn_error *err)
{
    SN_AUTO(sn_zoneinfo_clear) struct sn_zoneinfo zoneinfo;
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    struct sn_tz_source zones;

    sn_input_zones(&zoneinfo, &zones);
    SN_TRY(sn_input_read(path, SN_POLICY_MAX_BYTES, &text, err));
    if (sn_ruleset_load(kind, sn_buf_slice(&text), &zones, NULL, out_ruleset, err) != SN_OK) {
        return sn_error_context(err, "%s", sn_input_name(path));
    }
    return SN_OK;
}

enum sn_status sn_policy_set_load_rulesets(
    struct sn_policy_set *set, const char *approval, const char *breakglass, struct sn_error *err)
{
    const struct {
        const char *given;
        enum sn_document_kind kind;
        struct sn_ruleset **out;
    } rows[] = {
        {approval, SN_DOCUMENT_APPROVAL, &set->approval}, {breakglass, SN_DOCUMENT_BREAKGLASS, &set->breakglass}};

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        const char *path = rows[i].given;
        if (set->is_directory && path != NULL) {
            sn_fail(err, SN_USAGE, "OWN_DOCUMENTS", "'%s' is a directory, which has its own %s", set->path,
                sn_document_kinds[rows[i].kind].file);
            return sn_suggest(err, "leave the option out, or name a policy file");
        }
        if (set->is_directory) {
            path = sn_arena_printf(&set->arena, "%s/%s", set->path, sn_document_kinds[rows[i].kind].file).ptr;
            path = sn_fs_exists(path) ? path : NULL;
        }
        if (path != NULL) {
            SN_TRY(load_ruleset(path, rows[i].kind, rows[i].out, err));
        }
    }
    return SN_OK;
}

const struct sn_policy_item *sn_policy_set_find(const struct sn_policy_set *set, struct sn_slice profile)
{
    uint32_t number = sn_strtab_find(&set->by_profile, 0, profile);
    if (number == SN_STRTAB_NONE) {
        number = sn_strtab_find(&set->by_profile, 0, SN_S("")); /* the one that governs all */
    }
    return number != SN_STRTAB_NONE ? &set->items[number] : NULL;
}

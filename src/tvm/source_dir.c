/* SPDX-License-Identifier: Apache-2.0 */
/* tvm/source_dir.c - see source_dir.h. */
#include "tvm/source_dir.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "tvm/dir_reader.h"
#include "tvm/dir_watch.h"

enum { FILE_NAME_MAX = 1100, POLICY_FOLDER_DEPTH_MAX = 16 };

struct sn_source_dir {
    char *dir;
    struct sn_dir_watch *watch;
    struct sn_document_source table;
};

void sn_document_read_clear(struct sn_document_read *reading)
{
    sn_buf_clear(&reading->text);
    sn_buf_clear(&reading->signature);
    *reading = (struct sn_document_read){0};
}

static enum sn_status read_document(
    void *ctx, const char *name, bool with_signature, struct sn_document_read *out, struct sn_error *err)
{
    const struct sn_source_dir *source = ctx;
    char file[FILE_NAME_MAX], signature[FILE_NAME_MAX + 16];

    if (!sn_document_file_of_name(name, file, sizeof(file))) {
        return sn_fail(err, SN_INVALID, "DOCUMENT_LAYOUT", "'%.200s' has no file in a directory", name);
    }
    SN_TRY(sn_dir_read(source->dir, file, &out->text, &out->is_found, err));
    if (!out->is_found && strcmp(file, "catalog.yaml") == 0) { /* the one name that two files could have */
        snprintf(file, sizeof(file), "catalog.d/catalog.yaml");
        SN_TRY(sn_dir_read(source->dir, file, &out->text, &out->is_found, err));
    }
    if (!out->is_found || !with_signature) {
        return SN_OK;
    }
    snprintf(signature, sizeof(signature), "%s.sig.json", file);
    return sn_dir_read(source->dir, signature, &out->signature, &out->has_signature, err);
}

/* catalog.d holds NAME.yaml with plain names; other files are not ours, another *.yaml is a mistake. */
static enum sn_status check_catalog_name(struct sn_slice name, bool *out_is_document, struct sn_error *err)
{
    *out_is_document = sn_slice_has_suffix(name, SN_S(".yaml")) && !sn_slice_has_suffix(name, SN_S(".test.yaml"));
    if (*out_is_document && !sn_catalog_name_is_valid(sn_slice_sub(name, 0, name.len - strlen(".yaml")))) {
        return sn_fail(err, SN_INVALID, "DOCUMENT_LAYOUT",
            "'catalog.d/%.*s' is not named by letters, digits, '_' and '-'", SN_PRI(name));
    }
    return SN_OK;
}

static enum sn_status has_main_catalog(const struct sn_source_dir *source, bool *out_has, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};

    return sn_dir_read(source->dir, "catalog.yaml", &text, out_has, err);
}

static void add_item(struct sn_arena *arena, struct sn_document_listed *items, size_t *count, struct sn_slice stem)
{
    items[(*count)++] = (struct sn_document_listed){
        .name = sn_arena_printf(arena, SN_CATALOG_PATH "/%.*s", SN_PRI(stem)).ptr,
    };
}

static enum sn_status list_catalog(
    void *ctx, struct sn_arena *arena, struct sn_document_listed **out_items, size_t *out_count, struct sn_error *err)
{
    const struct sn_source_dir *source = ctx;
    struct sn_slice *names = NULL;
    size_t name_count = 0, count = 0;
    bool has_main = false;

    SN_TRY(sn_dir_list(source->dir, "catalog.d", arena, &names, &name_count, err));
    if (name_count > SN_CATALOG_DOCUMENTS_MAX) {
        return sn_fail(err, SN_LIMIT, "DOCUMENT_LAYOUT", "'catalog.d' holds too many files");
    }
    struct sn_document_listed *items = sn_arena_alloc(arena, name_count + 1, sizeof(*items));
    SN_TRY(has_main_catalog(source, &has_main, err));
    if (has_main) {
        add_item(arena, items, &count, SN_S("catalog"));
    }
    for (size_t i = 0; i < name_count; i++) {
        bool is_document = false;
        SN_TRY(check_catalog_name(names[i], &is_document, err));
        if (!is_document) {
            continue;
        }
        if (has_main && sn_slice_eq_str(names[i], "catalog.yaml")) {
            return sn_fail(err, SN_INVALID, "DOCUMENT_LAYOUT", "'catalog.yaml' lies beside 'catalog.d/catalog.yaml'");
        }
        add_item(arena, items, &count, sn_slice_sub(names[i], 0, names[i].len - strlen(".yaml")));
    }
    *out_items = items;
    *out_count = count;
    return SN_OK;
}

/* The first policies/...yaml there is, for the rule that policy.yaml stands alone. */
static enum sn_status find_policy_file(const struct sn_source_dir *source, const char *folder, unsigned depth,
    char out_name[FILE_NAME_MAX], struct sn_error *err)
{
    struct sn_arena arena = {0};
    struct sn_slice *names = NULL;
    size_t count = 0;
    char path[FILE_NAME_MAX];
    enum sn_status status = sn_dir_list(source->dir, folder, &arena, &names, &count, err);

    for (size_t i = 0; i < count && status == SN_OK && out_name[0] == '\0' && depth < POLICY_FOLDER_DEPTH_MAX; i++) {
        int len = snprintf(path, sizeof(path), "%s/%.*s", folder, SN_PRI(names[i]));
        if (len < 0 || len >= (int)sizeof(path)) {
            continue;
        }
        if (sn_dir_is_folder(source->dir, path)) {
            status = find_policy_file(source, path, depth + 1, out_name, err);
        } else if (sn_slice_has_suffix(names[i], SN_S(".yaml")) && !sn_slice_has_suffix(names[i], SN_S(".test.yaml"))) {
            snprintf(out_name, FILE_NAME_MAX, "%s", path);
        }
    }
    sn_arena_clear(&arena);
    return status;
}

static enum sn_status check_shared(void *ctx, struct sn_error *err)
{
    const struct sn_source_dir *source = ctx;
    char other[FILE_NAME_MAX] = "";

    SN_TRY(find_policy_file(source, "policies", 0, other, err));
    if (other[0] != '\0') {
        return sn_fail(err, SN_INVALID, "DOCUMENT_LAYOUT", "'policy.yaml' lies beside '%.600s'", other);
    }
    return SN_OK;
}

static uint64_t generation(void *ctx)
{
    return sn_dir_watch_generation(((struct sn_source_dir *)ctx)->watch);
}

struct sn_source_dir *sn_source_dir_new(const char *dir)
{
    struct sn_source_dir *source = sn_alloc(1, sizeof(*source));

    source->dir = sn_strdup(sn_slice_str(dir));
    source->watch = sn_dir_watch_new(source->dir);
    source->table = (struct sn_document_source){
        .read = read_document,
        .list_catalog = list_catalog,
        .check_shared = check_shared,
        .generation = generation,
        .place = source->dir,
        .shared = SN_CONFIG_PATH "/policy",
        .policy_root = SN_POLICY_ROOT,
        .ctx = source,
    };
    for (size_t i = 0; i < SN_DOCUMENT_KINDS; i++) {
        if (sn_document_kinds[i].parameter != NULL) {
            snprintf(source->table.names[i], sizeof(source->table.names[i]), "%s", sn_document_kinds[i].parameter);
        }
    }
    return source;
}

void sn_source_dir_free(struct sn_source_dir *source)
{
    if (source != NULL) {
        sn_dir_watch_free(source->watch);
        sn_free(source->dir);
        sn_free(source);
    }
}

const struct sn_document_source *sn_source_dir_table(const struct sn_source_dir *source)
{
    return &source->table;
}

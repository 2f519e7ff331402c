/* SPDX-License-Identifier: Apache-2.0 */
/* tvm/source_ssm.c - see source_ssm.h. */
#include "tvm/source_ssm.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

struct sn_source_ssm {
    struct sn_ssm *ssm;
    char shared[SN_DOCUMENT_NAME_MAX + 1];
    char catalog_path[SN_DOCUMENT_NAME_MAX + 1];
    struct sn_document_source table;
};

static void set_version(char out[SN_DOCUMENT_VERSION_MAX], int64_t version)
{
    snprintf(out, SN_DOCUMENT_VERSION_MAX, "%lld", (long long)version);
}

/* *out_found false: there is no such parameter. */
static enum sn_status get(struct sn_source_ssm *source, const char *name, struct sn_buf *out_text, bool *out_found,
    char out_version[SN_DOCUMENT_VERSION_MAX], struct sn_error *err)
{
    struct sn_ssm_parameter parameter = {0};

    if (sn_ssm_get(source->ssm, name, &parameter, err) != SN_OK) {
        if (sn_error_is(err, "SSM_PARAMETER_NOT_FOUND")) {
            *out_found = false;
            return SN_OK;
        }
        return err->status;
    }
    sn_buf_clear(out_text);
    *out_text = parameter.value;
    set_version(out_version, parameter.version);
    *out_found = true;
    return SN_OK;
}

static enum sn_status read_signature(void *ctx, const char *name, struct sn_document_read *out, struct sn_error *err)
{
    char signature[SN_DOCUMENT_NAME_MAX + 1], ignored[SN_DOCUMENT_VERSION_MAX];

    SN_TRY(sn_document_signature_name(name, signature, err));
    return get(ctx, signature, &out->signature, &out->has_signature, ignored, err);
}

static enum sn_status read_document(
    void *ctx, const char *name, bool with_signature, struct sn_document_read *out, struct sn_error *err)
{
    SN_TRY(get(ctx, name, &out->text, &out->is_found, out->version, err));
    return out->is_found && with_signature ? read_signature(ctx, name, out, err) : SN_OK;
}

struct listing {
    const struct sn_source_ssm *source;
    struct sn_arena *arena;
    struct sn_document_listed *items;
    size_t count, capacity;
};

static enum sn_status add_item(void *ctx, struct sn_ssm_parameter *parameter, struct sn_error *err)
{
    struct listing *listing = ctx;
    size_t path_len = strlen(listing->source->catalog_path);

    if (!sn_catalog_name_is_valid(sn_slice_str(parameter->name + path_len + 1))) {
        return sn_fail(err, SN_INVALID, "DOCUMENT_LAYOUT",
            "a parameter directly below the catalogue's path is not named by letters, digits, '_' and '-'");
    }
    if (listing->count >= SN_CATALOG_DOCUMENTS_MAX) {
        return sn_fail(err, SN_LIMIT, "DOCUMENT_LAYOUT", "the catalogue's path holds too many parameters");
    }
    if (listing->count == listing->capacity) {
        size_t capacity = listing->capacity * 2 + 16;
        struct sn_document_listed *items = sn_arena_alloc(listing->arena, capacity, sizeof(*items));
        if (listing->count > 0) {
            memcpy(items, listing->items, listing->count * sizeof(*items));
        }
        listing->items = items;
        listing->capacity = capacity;
    }
    struct sn_document_listed *item = &listing->items[listing->count++];
    *item = (struct sn_document_listed){
        .name = sn_arena_str(listing->arena, sn_slice_str(parameter->name)),
        .has_text = true,
        .text = sn_arena_dup(listing->arena, sn_buf_slice(&parameter->value)),
    };
    set_version(item->version, parameter->version);
    return SN_OK;
}

static enum sn_status list_catalog(
    void *ctx, struct sn_arena *arena, struct sn_document_listed **out_items, size_t *out_count, struct sn_error *err)
{
    struct sn_source_ssm *source = ctx;
    struct listing listing = {.source = source, .arena = arena};

    SN_TRY(sn_ssm_list(source->ssm, source->catalog_path, add_item, &listing, err));
    *out_items = listing.items;
    *out_count = listing.count;
    return SN_OK;
}

/* The settings were checked; a slash behind a path is left out. */
static void copy_path(char out[SN_DOCUMENT_NAME_MAX + 1], const char *path)
{
    size_t len = strlen(path);

    while (len > 0 && path[len - 1] == '/') {
        len--;
    }
    snprintf(out, SN_DOCUMENT_NAME_MAX + 1, "%.*s", (int)len, path);
}

struct sn_source_ssm *sn_source_ssm_new(struct sn_ssm *ssm, const struct sn_tvm_settings *settings)
{
    struct sn_source_ssm *source = sn_alloc(1, sizeof(*source));
    bool has_shared = settings->policy_parameter[0] != '\0';

    source->ssm = ssm;
    copy_path(source->catalog_path, settings->catalog_path);
    copy_path(source->shared, settings->policy_parameter);
    source->table = (struct sn_document_source){
        .read = read_document,
        .read_signature = read_signature,
        .list_catalog = list_catalog,
        .shared = has_shared ? source->shared : NULL,
        .shared_is_required = has_shared,
        .named_are_required = true,
        .may_be_stale = true,
        .ctx = source,
    };
    copy_path(source->table.policy_root, settings->policy_root);
    copy_path(source->table.names[SN_DOCUMENT_APPROVAL], settings->approval_parameter);
    copy_path(source->table.names[SN_DOCUMENT_BREAKGLASS], settings->breakglass_parameter);
    copy_path(source->table.names[SN_DOCUMENT_RATELIMIT], settings->ratelimit_parameter);
    return source;
}

void sn_source_ssm_free(struct sn_source_ssm *source)
{
    sn_free(source);
}

const struct sn_document_source *sn_source_ssm_table(const struct sn_source_ssm *source)
{
    return &source->table;
}

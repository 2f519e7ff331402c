/* SPDX-License-Identifier: Apache-2.0 */
/* tvm/documents.c - see documents.h. */
#include "tvm/documents.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "tvm/document_kinds.h"

#define CATALOG_KEY "catalogue" /* no document's name: those begin with a slash */

struct sn_documents {
    struct sn_documents_options options;
    struct sn_document_trust no_trust; /* where the options name none */
    struct sn_signed_documents *files;
    struct sn_document_cache *cache;
    struct sn_tvm_documents table;
};

static void count_load(struct sn_documents *d, enum sn_document_kind kind, bool ok)
{
    sn_metrics_document(d->options.metrics, kind, ok, d->options.clock->mono_ns(d->options.clock->ctx));
}

/* --- Catalogue --- */

static enum sn_status read_sources(struct sn_documents *d, struct sn_arena *arena,
    const struct sn_document_listed *items, size_t count, struct sn_catalog_source **out_sources, size_t *out_count,
    struct sn_error *err)
{
    struct sn_catalog_source *sources = sn_arena_alloc(arena, count + 1, sizeof(*sources));
    size_t found_count = 0;

    for (size_t i = 0; i < count; i++) {
        SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
        struct sn_document_origin origin;
        bool is_found = false;
        SN_TRY(sn_signed_documents_read(d->files, items[i].name, &items[i], &text, &is_found, &origin, err));
        if (is_found) { /* it may have gone since it was listed */
            sources[found_count++] = (struct sn_catalog_source){
                .name = sn_slice_str(items[i].name),
                .text = sn_arena_dup(arena, sn_buf_slice(&text)),
            };
        }
    }
    *out_sources = sources;
    *out_count = found_count;
    return SN_OK;
}

static void unref_catalog(void *object)
{
    sn_catalog_unref(object);
}

static enum sn_status read_catalog(struct sn_documents *d, struct sn_catalog **out_catalog, struct sn_error *err)
{
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    const struct sn_document_source *source = d->options.source;
    struct sn_document_listed *items = NULL;
    struct sn_catalog_source *sources = NULL;
    size_t item_count = 0, count = 0;

    SN_TRY(source->list_catalog(source->ctx, &arena, &items, &item_count, err));
    SN_TRY(read_sources(d, &arena, items, item_count, &sources, &count, err));
    if (count == 0) {
        sn_fail(err, SN_NOT_FOUND, "CATALOG_EMPTY", "there is no catalogue%s%s", source->place != NULL ? " in " : "",
            source->place != NULL ? source->place : "");
        return sn_suggest(err, "write catalog.yaml into the document directory, or push a catalogue to its path");
    }
    return sn_catalog_load(sources, count, NULL, out_catalog, err);
}

static enum sn_status load_catalog(void *ctx, struct sn_cached_document **out_document, struct sn_error *err)
{
    struct sn_catalog *catalog = NULL;
    enum sn_status status = read_catalog(ctx, &catalog, err);

    count_load(ctx, SN_DOCUMENT_CATALOG, status == SN_OK);
    SN_TRY(status);
    *out_document = sn_cached_document_new(catalog, unref_catalog);
    snprintf((*out_document)->origin.name, sizeof((*out_document)->origin.name), "%s", CATALOG_KEY);
    return SN_OK;
}

static enum sn_status get_catalog(void *ctx, struct sn_catalog **out_catalog, struct sn_error *err)
{
    struct sn_documents *d = ctx;
    struct sn_cached_document *document = NULL;

    SN_TRY(sn_document_cache_get(d->cache, CATALOG_KEY, true, load_catalog, d, &document, err));
    *out_catalog = sn_catalog_ref(document->object);
    sn_cached_document_unref(document);
    return SN_OK;
}

/* --- Single documents --- */

struct wish {
    struct sn_documents *d;
    enum sn_document_kind kind;
    const char *name;
    bool is_shared; /* the access policy for all profiles */
};

static enum sn_status read_wish(const struct wish *wish, struct sn_cached_document **out_document, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    const struct sn_document_source *source = wish->d->options.source;
    const struct sn_document_kind_code *code = &sn_document_kind_codes[wish->kind];
    struct sn_document_origin origin;
    void *object = NULL;
    bool is_found = false;

    SN_TRY(sn_signed_documents_read(wish->d->files, wish->name, NULL, &text, &is_found, &origin, err));
    if (!is_found) {
        bool is_required = wish->is_shared ? source->shared_is_required
                                           : wish->kind != SN_DOCUMENT_POLICY && source->named_are_required;
        return is_required ? sn_fail(err, SN_NOT_FOUND, "DOCUMENT_MISSING", "there is no document '%.600s'", wish->name)
                           : SN_OK;
    }
    if (wish->is_shared && source->check_shared != NULL) {
        SN_TRY(source->check_shared(source->ctx, err));
    }
    if (code->load(sn_buf_slice(&text), wish->d->options.zones, &object, err) != SN_OK) {
        return source->place != NULL ? sn_error_context(err, "document '%s' in %s", wish->name, source->place)
                                     : sn_error_context(err, "document '%s'", wish->name);
    }
    *out_document = sn_cached_document_new(object, code->unref);
    (*out_document)->origin = origin;
    return SN_OK;
}

static enum sn_status load_wish(void *ctx, struct sn_cached_document **out_document, struct sn_error *err)
{
    const struct wish *wish = ctx;
    enum sn_status status = read_wish(wish, out_document, err);

    count_load(wish->d, wish->kind, status == SN_OK);
    return status;
}

static enum sn_status get_document(struct wish *wish, struct sn_cached_document **out_document, struct sn_error *err)
{
    return sn_document_cache_get(wish->d->cache, wish->name, false, load_wish, wish, out_document, err);
}

/* --- Access policies --- */

/* The document for all profiles where there is one, else the profile's own; NULL: none. */
static enum sn_status find_policy(
    struct sn_documents *d, struct sn_slice profile, struct sn_cached_document **out_document, struct sn_error *err)
{
    const struct sn_document_source *source = d->options.source;
    struct wish shared = {.d = d, .kind = SN_DOCUMENT_POLICY, .name = source->shared, .is_shared = true};
    char own_name[SN_DOCUMENT_NAME_MAX + 1] = "";
    struct sn_error no_name = {0};
    struct wish own = {.d = d, .kind = SN_DOCUMENT_POLICY, .name = own_name};

    /* The form of a profile name lets it be nothing but a path beneath the root; one too long for a name has none. */
    SN_ASSERT(sn_profile_name_is_valid(profile));
    bool has_own = source->policy_root[0] != '\0' &&
                   sn_document_name_join(sn_slice_str(source->policy_root), profile, own_name, &no_name) == SN_OK;
    if (source->shared != NULL) {
        if (sn_document_cache_find(d->cache, source->shared, out_document) ||
            (has_own && sn_document_cache_find(d->cache, own_name, out_document))) {
            return SN_OK;
        }
        SN_TRY(get_document(&shared, out_document, err));
        if (*out_document != NULL) {
            return SN_OK;
        }
    }
    return has_own ? get_document(&own, out_document, err) : SN_OK;
}

static enum sn_status get_policy(void *ctx, struct sn_slice profile, struct sn_policy **out_policy,
    struct sn_document_origin *out_origin, struct sn_error *err)
{
    struct sn_cached_document *document = NULL;

    SN_TRY(find_policy(ctx, profile, &document, err));
    if (document == NULL) {
        *out_policy = NULL;
        out_origin->name[0] = out_origin->hash[0] = out_origin->version[0] = out_origin->key_id[0] = '\0';
        return SN_OK;
    }
    *out_policy = sn_policy_ref(document->object);
    *out_origin = document->origin;
    sn_cached_document_unref(document);
    return SN_OK;
}

/* --- Approval, break-glass and rate-limit policies --- */

static enum sn_status get_ruleset(void *ctx, enum sn_document_kind kind, struct sn_ruleset **out_ruleset,
    struct sn_document_origin *out_origin, struct sn_error *err)
{
    struct sn_documents *d = ctx;
    struct sn_cached_document *document = NULL;
    struct wish wish = {.d = d, .kind = kind, .name = d->options.source->names[kind]};

    SN_ASSERT(sn_document_kinds[kind].shape != NULL);
    *out_ruleset = NULL;
    if (wish.name[0] == '\0') {
        return SN_OK;
    }
    SN_TRY(get_document(&wish, &document, err));
    if (document != NULL) {
        *out_ruleset = sn_ruleset_ref(document->object);
        *out_origin = document->origin;
        sn_cached_document_unref(document);
    }
    return SN_OK;
}

/* --- Life --- */

static void drop_all(void *ctx)
{
    sn_document_cache_reload(((struct sn_documents *)ctx)->cache);
}

struct sn_documents *sn_documents_new(const struct sn_documents_options *options)
{
    struct sn_documents *d = sn_alloc(1, sizeof(*d));
    struct sn_document_cache_options cache = {
        .ttl_s = options->ttl_s,
        .grace_s = options->source->may_be_stale ? options->grace_s : 0,
        .clock = options->clock,
        .random_source = options->random_source,
        .generation = options->source->generation,
        .generation_ctx = options->source->ctx,
    };

    d->options = *options;
    d->files = sn_signed_documents_new(options->source, options->trust != NULL ? options->trust : &d->no_trust);
    d->cache = sn_document_cache_new(&cache);
    d->table = (struct sn_tvm_documents){get_catalog, get_policy, drop_all, d, get_ruleset};
    return d;
}

void sn_documents_free(struct sn_documents *d)
{
    if (d != NULL) {
        sn_document_cache_free(d->cache);
        sn_signed_documents_free(d->files);
        sn_free(d);
    }
}

void sn_documents_free_p(struct sn_documents **documents)
{
    sn_documents_free(*documents);
    *documents = NULL;
}

const struct sn_tvm_documents *sn_documents_table(const struct sn_documents *documents)
{
    return &documents->table;
}

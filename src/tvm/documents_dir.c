/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/documents_dir.c - the cache over the document directory, and how a document is loaded.
 */
#include "tvm/documents_dir.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/task.h"
#include "base/turns.h"
#include "crypto/hash.h"
#include "tvm/dir_reader.h"
#include "tvm/dir_watch.h"

enum {
    ENTRIES_MAX = 256,
    STRIPES = 64,
    DOCUMENT_NAME_MAX = 320,
    CATALOG_FILES_MAX = 10000,
    POLICY_FOLDER_DEPTH_MAX = 16,
};

/* One document that passed all checks; immutable but for its use counter. */
struct entry {
    char name[DOCUMENT_NAME_MAX]; /* relative file name; "" for a free slot; the catalogue has a slot of its own */
    struct sn_catalog *catalog;
    struct sn_policy *policy;
    char hash[SN_SHA256_HEX_LEN + 1];
    int64_t ends_mono_ns, loaded_unix_ns, ends_unix_ns;
    uint64_t generation;
    atomic_uint_fast64_t last_used;
};

struct sn_documents_dir {
    struct sn_documents_dir_options options;
    char *dir;                         /* what options.dir points to */
    struct sn_document_trust no_trust; /* where the options name none */
    struct sn_signed_documents *files;
    struct sn_tvm_documents table;
    struct sn_dir_watch *watch;
    atomic_uint_fast64_t reloads; /* caches dropped on request */
    atomic_uint_fast64_t uses;
    pthread_rwlock_t lock;            /* over the entries */
    struct sn_turns flights[STRIPES]; /* one load of a document at a time */
    struct entry catalog;
    struct entry policies[ENTRIES_MAX];
};

/* --- Cache --- */

/* Rises with every change of the directory and every reload. */
static uint64_t generation_of(struct sn_documents_dir *d)
{
    return sn_dir_watch_generation(d->watch) + atomic_load(&d->reloads);
}

static bool is_fresh(struct sn_documents_dir *d, const struct entry *entry, uint64_t generation)
{
    const struct sn_clock *clock = d->options.clock;
    int64_t unix_ns = clock->unix_ns(clock->ctx);

    return entry->generation == generation && clock->mono_ns(clock->ctx) < entry->ends_mono_ns &&
           unix_ns < entry->ends_unix_ns && unix_ns >= entry->loaded_unix_ns;
}

/* Life of an entry: the cache's time less up to a tenth, so that servers do not reload in step. */
static void stamp(struct sn_documents_dir *d, struct entry *entry, uint64_t generation)
{
    const struct sn_clock *clock = d->options.clock;
    uint32_t dice = 0;
    struct sn_error ignored = {0};
    int64_t life_ns = d->options.ttl_s * 1000000000;

    if (sn_random_fill(d->options.random_source, &dice, sizeof(dice), &ignored) != SN_OK) {
        dice = UINT32_MAX;
    }
    life_ns -= life_ns / 10 / 1000 * (int64_t)(dice % 1000);
    entry->generation = generation;
    entry->loaded_unix_ns = clock->unix_ns(clock->ctx);
    entry->ends_unix_ns = entry->loaded_unix_ns + life_ns;
    entry->ends_mono_ns = clock->mono_ns(clock->ctx) + life_ns;
}

static void count_load(struct sn_documents_dir *d, enum sn_document_kind kind, bool ok)
{
    sn_metrics_document(d->options.metrics, kind, ok, d->options.clock->mono_ns(d->options.clock->ctx));
}

static struct sn_turns *flight_of(struct sn_documents_dir *d, const char *name)
{
    uint32_t hash = 2166136261u;

    for (; *name != '\0'; name++) {
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    }
    return &d->flights[hash % STRIPES];
}

/* --- Catalogue --- */

struct sources {
    struct sn_arena arena;
    struct sn_catalog_source *items;
    size_t count;
};

static enum sn_status add_source(
    struct sn_documents_dir *d, struct sources *sources, const char *name, bool *out_found, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};

    SN_TRY(sn_signed_documents_read(d->files, name, &text, out_found, err));
    if (*out_found) {
        sources->items[sources->count++] = (struct sn_catalog_source){
            .name = sn_arena_dup(&sources->arena, sn_slice_str(name)),
            .text = sn_arena_dup(&sources->arena, sn_buf_slice(&text)),
        };
    }
    return SN_OK;
}

/* catalog.d holds NAME.yaml with plain names; other files are not ours, another *.yaml is a mistake. */
static enum sn_status check_catalog_name(struct sn_slice name, bool *out_is_document, struct sn_error *err)
{
    *out_is_document = sn_slice_has_suffix(name, SN_S(".yaml")) && !sn_slice_has_suffix(name, SN_S(".test.yaml"));
    if (!*out_is_document) {
        return SN_OK;
    }
    struct sn_slice stem = sn_slice_sub(name, 0, name.len - 5);
    if (stem.len == 0 || stem.len > 64 || !sn_slice_is_alnum_or(stem, "_-")) {
        return sn_fail(err, SN_INVALID, "DOCUMENT_LAYOUT",
            "'catalog.d/%.*s' is not named by letters, digits, '_' and '-'", SN_PRI(name));
    }
    return SN_OK;
}

static enum sn_status collect_sources(struct sn_documents_dir *d, struct sources *sources, struct sn_error *err)
{
    struct sn_slice *names = NULL;
    size_t count = 0;
    bool has_main = false, found = false;
    char path[DOCUMENT_NAME_MAX];

    SN_TRY(sn_dir_list(d->options.dir, "catalog.d", &sources->arena, &names, &count, err));
    if (count > CATALOG_FILES_MAX) {
        return sn_fail(err, SN_LIMIT, "DOCUMENT_LAYOUT", "'catalog.d' holds too many files");
    }
    sources->items = sn_arena_alloc(&sources->arena, count + 1, sizeof(*sources->items));
    SN_TRY(add_source(d, sources, "catalog.yaml", &has_main, err));
    for (size_t i = 0; i < count; i++) {
        bool is_document = false;
        SN_TRY(check_catalog_name(names[i], &is_document, err));
        if (!is_document) {
            continue;
        }
        if (has_main && sn_slice_eq_str(names[i], "catalog.yaml")) {
            return sn_fail(err, SN_INVALID, "DOCUMENT_LAYOUT", "'catalog.yaml' lies beside 'catalog.d/catalog.yaml'");
        }
        snprintf(path, sizeof(path), "catalog.d/%.*s", SN_PRI(names[i]));
        SN_TRY(add_source(d, sources, path, &found, err));
    }
    if (sources->count == 0) {
        sn_fail(err, SN_NOT_FOUND, "CATALOG_EMPTY", "'%s' holds no catalogue", d->options.dir);
        return sn_suggest(err, "write '%s/catalog.yaml'", d->options.dir);
    }
    return SN_OK;
}

static enum sn_status load_catalog(struct sn_documents_dir *d, struct sn_catalog **out_catalog, struct sn_error *err)
{
    struct sources sources = {0};
    enum sn_status status = collect_sources(d, &sources, err);

    if (status == SN_OK) {
        status = sn_catalog_load(sources.items, sources.count, NULL, out_catalog, err);
    }
    sn_arena_clear(&sources.arena);
    return status;
}

static bool find_catalog(struct sn_documents_dir *d, struct sn_catalog **out_catalog)
{
    uint64_t generation = generation_of(d);
    bool hit = false;

    pthread_rwlock_rdlock(&d->lock);
    if (d->catalog.catalog != NULL && is_fresh(d, &d->catalog, generation)) {
        *out_catalog = sn_catalog_ref(d->catalog.catalog);
        hit = true;
    }
    pthread_rwlock_unlock(&d->lock);
    return hit;
}

static enum sn_status refill_catalog(struct sn_documents_dir *d, struct sn_catalog **out_catalog, struct sn_error *err)
{
    uint64_t generation = generation_of(d);
    struct sn_catalog *loaded = NULL;
    enum sn_status status = load_catalog(d, &loaded, err);

    count_load(d, SN_DOCUMENT_CATALOG, status == SN_OK);
    SN_TRY(status);
    pthread_rwlock_wrlock(&d->lock);
    sn_catalog_unref(d->catalog.catalog);
    d->catalog.catalog = sn_catalog_ref(loaded);
    stamp(d, &d->catalog, generation);
    pthread_rwlock_unlock(&d->lock);
    *out_catalog = loaded;
    return SN_OK;
}

/* A document found and compiled; policy NULL: there is none for this profile, which is default deny. */
struct loaded {
    char name[DOCUMENT_NAME_MAX];
    struct sn_policy *policy;
    char hash[SN_SHA256_HEX_LEN + 1];
};

/* A refill reads files, checks signatures and compiles: too long for the thread of other tasks. */
struct refill {
    struct sn_documents_dir *d;
    struct sn_slice profile;
    struct sn_catalog **out_catalog;
    struct loaded *out_policy;
    struct sn_error *err;
    enum sn_status status;
};

static void refill_catalog_apart(void *ctx)
{
    struct refill *refill = ctx;

    refill->status = refill_catalog(refill->d, refill->out_catalog, refill->err);
}

static enum sn_status get_catalog(void *ctx, struct sn_catalog **out_catalog, struct sn_error *err)
{
    struct sn_documents_dir *d = ctx;
    struct sn_turns *flight = flight_of(d, "catalog.yaml");
    enum sn_status status = SN_OK;

    if (find_catalog(d, out_catalog)) {
        return SN_OK;
    }
    sn_turns_take(flight);
    if (!find_catalog(d, out_catalog)) { /* somebody else may have loaded it meanwhile */
        struct refill refill = {.d = d, .out_catalog = out_catalog, .err = err};
        sn_task_apart(refill_catalog_apart, &refill);
        status = refill.status;
    }
    sn_turns_give(flight);
    return status;
}

/* --- Access policies --- */

/* The first policies/...yaml there is, for the rule that policy.yaml stands alone. */
static enum sn_status find_policy_file(struct sn_documents_dir *d, const char *folder, unsigned depth,
    char out_name[DOCUMENT_NAME_MAX], struct sn_error *err)
{
    struct sn_arena arena = {0};
    struct sn_slice *names = NULL;
    size_t count = 0;
    char path[DOCUMENT_NAME_MAX];
    enum sn_status status = sn_dir_list(d->options.dir, folder, &arena, &names, &count, err);

    for (size_t i = 0; i < count && status == SN_OK && out_name[0] == '\0' && depth < POLICY_FOLDER_DEPTH_MAX; i++) {
        int len = snprintf(path, sizeof(path), "%s/%.*s", folder, SN_PRI(names[i]));
        if (len < 0 || len >= (int)sizeof(path)) {
            continue;
        }
        if (sn_dir_is_folder(d->options.dir, path)) {
            status = find_policy_file(d, path, depth + 1, out_name, err);
        } else if (sn_slice_has_suffix(names[i], SN_S(".yaml")) && !sn_slice_has_suffix(names[i], SN_S(".test.yaml"))) {
            snprintf(out_name, DOCUMENT_NAME_MAX, "%s", path);
        }
    }
    sn_arena_clear(&arena);
    return status;
}

static enum sn_status load_policy(
    struct sn_documents_dir *d, struct sn_slice profile, struct loaded *loaded, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    char other[DOCUMENT_NAME_MAX] = "";
    bool found = false;

    snprintf(loaded->name, sizeof(loaded->name), "policy.yaml");
    SN_TRY(sn_signed_documents_read(d->files, loaded->name, &text, &found, err));
    if (found) {
        SN_TRY(find_policy_file(d, "policies", 0, other, err));
        if (other[0] != '\0') {
            return sn_fail(err, SN_INVALID, "DOCUMENT_LAYOUT", "'policy.yaml' lies beside '%s'", other);
        }
    } else {
        /* The form of a profile name lets it be nothing but a path beneath the folder. */
        SN_ASSERT(sn_profile_name_is_valid(profile));
        snprintf(loaded->name, sizeof(loaded->name), "policies/%.*s.yaml", SN_PRI(profile));
        SN_TRY(sn_signed_documents_read(d->files, loaded->name, &text, &found, err));
    }
    if (!found) {
        return SN_OK;
    }
    sn_sha256_hex(sn_buf_slice(&text), loaded->hash);
    if (sn_policy_load(sn_buf_slice(&text), d->options.zones, NULL, &loaded->policy, err) != SN_OK) {
        return sn_error_context(err, "document '%s'", loaded->name);
    }
    return SN_OK;
}

static struct entry *find_entry(struct sn_documents_dir *d, const char *name)
{
    for (size_t i = 0; i < ENTRIES_MAX; i++) {
        if (strcmp(d->policies[i].name, name) == 0) {
            return &d->policies[i];
        }
    }
    return NULL;
}

static bool take_entry(struct sn_documents_dir *d, const char *name, uint64_t generation, struct loaded *out_loaded)
{
    struct entry *entry = find_entry(d, name);

    if (entry == NULL || entry->policy == NULL || !is_fresh(d, entry, generation)) {
        return false;
    }
    atomic_store(&entry->last_used, atomic_fetch_add(&d->uses, 1) + 1);
    snprintf(out_loaded->name, sizeof(out_loaded->name), "%s", entry->name);
    memcpy(out_loaded->hash, entry->hash, sizeof(out_loaded->hash));
    out_loaded->policy = sn_policy_ref(entry->policy);
    return true;
}

/* The document for all profiles, else the profile's own. */
static bool find_policy(struct sn_documents_dir *d, const char *own_name, struct loaded *out_loaded)
{
    uint64_t generation = generation_of(d);

    pthread_rwlock_rdlock(&d->lock);
    bool hit = take_entry(d, "policy.yaml", generation, out_loaded) || take_entry(d, own_name, generation, out_loaded);
    pthread_rwlock_unlock(&d->lock);
    return hit;
}

static void keep_policy(struct sn_documents_dir *d, const struct loaded *loaded, uint64_t generation)
{
    pthread_rwlock_wrlock(&d->lock);
    struct entry *entry = find_entry(d, loaded->name);
    if (entry == NULL) {
        entry = &d->policies[0];
        for (size_t i = 1; i < ENTRIES_MAX && entry->name[0] != '\0'; i++) {
            struct entry *other = &d->policies[i];
            if (other->name[0] == '\0' || atomic_load(&other->last_used) < atomic_load(&entry->last_used)) {
                entry = other;
            }
        }
    }
    sn_policy_unref(entry->policy);
    snprintf(entry->name, sizeof(entry->name), "%s", loaded->name);
    memcpy(entry->hash, loaded->hash, sizeof(entry->hash));
    entry->policy = sn_policy_ref(loaded->policy);
    atomic_store(&entry->last_used, atomic_fetch_add(&d->uses, 1) + 1);
    stamp(d, entry, generation);
    pthread_rwlock_unlock(&d->lock);
}

static enum sn_status refill_policy(
    struct sn_documents_dir *d, struct sn_slice profile, struct loaded *loaded, struct sn_error *err)
{
    uint64_t generation = generation_of(d);
    enum sn_status status = load_policy(d, profile, loaded, err);

    count_load(d, SN_DOCUMENT_POLICY, status == SN_OK);
    SN_TRY(status);
    if (loaded->policy != NULL) {
        keep_policy(d, loaded, generation);
    }
    return SN_OK;
}

static void refill_policy_apart(void *ctx)
{
    struct refill *refill = ctx;

    refill->status = refill_policy(refill->d, refill->profile, refill->out_policy, refill->err);
}

/* The name a document has whatever its source: that of its parameter. */
static void document_name(const struct loaded *loaded, char out_name[256])
{
    if (loaded->policy == NULL) {
        out_name[0] = '\0';
    } else {
        sn_document_name_of(loaded->name, out_name, 256);
    }
}

static enum sn_status get_policy(void *ctx, struct sn_slice profile, struct sn_policy **out_policy, char out_name[256],
    char out_hash[65], struct sn_error *err)
{
    struct sn_documents_dir *d = ctx;
    struct loaded loaded = {0};
    char own_name[DOCUMENT_NAME_MAX];
    enum sn_status status = SN_OK;

    snprintf(own_name, sizeof(own_name), "policies/%.*s.yaml", SN_PRI(profile));
    if (!find_policy(d, own_name, &loaded)) {
        struct sn_turns *flight = flight_of(d, own_name);
        sn_turns_take(flight);
        if (!find_policy(d, own_name, &loaded)) {
            struct refill refill = {.d = d, .profile = profile, .out_policy = &loaded, .err = err};
            sn_task_apart(refill_policy_apart, &refill);
            status = refill.status;
        }
        sn_turns_give(flight);
    }
    SN_TRY(status);
    document_name(&loaded, out_name);
    memcpy(out_hash, loaded.hash, sizeof(loaded.hash));
    *out_policy = loaded.policy;
    return SN_OK;
}

/* --- Life --- */

static void drop_all(void *ctx)
{
    struct sn_documents_dir *d = ctx;

    atomic_fetch_add(&d->reloads, 1);
}

struct sn_documents_dir *sn_documents_dir_new(const struct sn_documents_dir_options *options)
{
    struct sn_documents_dir *d = sn_alloc(1, sizeof(*d));

    d->options = *options;
    d->dir = sn_strdup(sn_slice_str(options->dir));
    d->options.dir = d->dir;
    d->files = sn_signed_documents_new(d->dir, options->trust != NULL ? options->trust : &d->no_trust);
    d->table = (struct sn_tvm_documents){get_catalog, get_policy, drop_all, d};
    d->watch = sn_dir_watch_new(d->options.dir);
    pthread_rwlock_init(&d->lock, NULL);
    for (size_t i = 0; i < STRIPES; i++) {
        sn_turns_init(&d->flights[i], 1);
    }
    return d;
}

void sn_documents_dir_free(struct sn_documents_dir *d)
{
    if (d == NULL) {
        return;
    }
    sn_catalog_unref(d->catalog.catalog);
    for (size_t i = 0; i < ENTRIES_MAX; i++) {
        sn_policy_unref(d->policies[i].policy);
    }
    for (size_t i = 0; i < STRIPES; i++) {
        sn_turns_clear(&d->flights[i]);
    }
    pthread_rwlock_destroy(&d->lock);
    sn_dir_watch_free(d->watch);
    sn_signed_documents_free(d->files);
    sn_free(d->dir);
    sn_free(d);
}

void sn_documents_dir_free_p(struct sn_documents_dir **documents)
{
    sn_documents_dir_free(*documents);
    *documents = NULL;
}

const struct sn_tvm_documents *sn_documents_dir_table(const struct sn_documents_dir *documents)
{
    return &documents->table;
}

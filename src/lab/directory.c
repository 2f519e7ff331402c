/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/directory.c - users, roles, keys and sessions in memory.
 */
#include "lab/directory.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/alloc.h"
#include "base/secret.h"

enum { BUCKETS = 16384, MAX_USERS = 4096, MAX_ROLES = 4096 };

struct sn_lab_directory {
    const struct sn_random *random_source;
    struct sn_arena arena;
    struct sn_lab_user *users[MAX_USERS];
    size_t user_count;
    struct sn_lab_role *roles[MAX_ROLES];
    size_t role_count;
    pthread_mutex_t lock;
    struct sn_lab_key **buckets;
    struct sn_lab_key *sessions_first, *sessions_last; /* oldest first */
    size_t session_count;
};

struct sn_lab_directory *sn_lab_directory_new(const struct sn_random *random_source)
{
    struct sn_lab_directory *directory = sn_alloc(1, sizeof(*directory));
    directory->random_source = random_source;
    directory->buckets = sn_alloc(BUCKETS, sizeof(struct sn_lab_key *));
    SN_ASSERT(pthread_mutex_init(&directory->lock, NULL) == 0);
    return directory;
}

static void free_policies(struct sn_lab_named_policy *policies, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sn_lab_policy_unref(policies[i].policy);
    }
}

static void free_inline(struct sn_lab_named_policy *policy)
{
    sn_lab_policy_unref(policy->policy);
    sn_free((void *)(uintptr_t)policy->name.ptr);
}

void sn_lab_directory_free(struct sn_lab_directory *directory)
{
    if (directory == NULL) {
        return;
    }
    for (size_t i = 0; i < BUCKETS; i++) {
        struct sn_lab_key *key = directory->buckets[i];
        while (key != NULL) {
            struct sn_lab_key *next = key->bucket_next;
            sn_lab_key_unref(key);
            key = next;
        }
    }
    for (size_t i = 0; i < directory->user_count; i++) {
        free_policies(directory->users[i]->policies, directory->users[i]->policy_count);
    }
    for (size_t i = 0; i < directory->role_count; i++) {
        struct sn_lab_role *role = directory->roles[i];
        free_policies(role->policies, role->policy_count);
        for (size_t k = 0; k < role->inline_count; k++) {
            free_inline(&role->inline_policies[k]);
        }
        sn_lab_policy_unref(role->trust);
    }
    sn_free(directory->buckets);
    sn_arena_clear(&directory->arena);
    pthread_mutex_destroy(&directory->lock);
    sn_free(directory);
}

struct sn_arena *sn_lab_directory_arena(struct sn_lab_directory *directory)
{
    return &directory->arena;
}

struct sn_lab_user *sn_lab_directory_add_user(struct sn_lab_directory *directory)
{
    SN_ASSERT(directory->user_count < MAX_USERS);
    struct sn_lab_user *user = sn_arena_alloc(&directory->arena, 1, sizeof(*user));
    directory->users[directory->user_count++] = user;
    return user;
}

struct sn_lab_role *sn_lab_directory_add_role(struct sn_lab_directory *directory)
{
    SN_ASSERT(directory->role_count < MAX_ROLES);
    struct sn_lab_role *role = sn_arena_alloc(&directory->arena, 1, sizeof(*role));
    directory->roles[directory->role_count++] = role;
    return role;
}

size_t sn_lab_directory_user_count(const struct sn_lab_directory *directory)
{
    return directory->user_count;
}

const struct sn_lab_user *sn_lab_directory_user_at(const struct sn_lab_directory *directory, size_t index)
{
    return directory->users[index];
}

size_t sn_lab_directory_role_count(const struct sn_lab_directory *directory)
{
    return directory->role_count;
}

struct sn_lab_role *sn_lab_directory_role_at(const struct sn_lab_directory *directory, size_t index)
{
    return directory->roles[index];
}

const struct sn_lab_user *sn_lab_directory_find_user(
    const struct sn_lab_directory *directory, struct sn_slice account, struct sn_slice name)
{
    for (size_t i = 0; i < directory->user_count; i++) {
        if (sn_slice_eq(directory->users[i]->name, name) && sn_slice_eq(directory->users[i]->account, account)) {
            return directory->users[i];
        }
    }
    return NULL;
}

struct sn_lab_role *sn_lab_directory_find_role(
    const struct sn_lab_directory *directory, struct sn_slice account, struct sn_slice name)
{
    for (size_t i = 0; i < directory->role_count; i++) {
        if (sn_slice_eq(directory->roles[i]->name, name) && sn_slice_eq(directory->roles[i]->account, account)) {
            return directory->roles[i];
        }
    }
    return NULL;
}

struct sn_lab_role *sn_lab_directory_find_role_arn(const struct sn_lab_directory *directory, struct sn_slice arn)
{
    for (size_t i = 0; i < directory->role_count; i++) {
        if (sn_slice_eq(directory->roles[i]->arn, arn)) {
            return directory->roles[i];
        }
    }
    return NULL;
}

static void spell(char *out, size_t len, const unsigned char *bytes, unsigned mask)
{
    static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *alphabet = mask == 31 ? base32 : base64;
    for (size_t i = 0; i < len; i++) {
        out[i] = alphabet[bytes[i] & mask];
    }
    out[len] = '\0';
}

enum sn_status sn_lab_key_new(const struct sn_random *random_source, const char *prefix, bool with_token,
    struct sn_lab_key **out_key, struct sn_error *err)
{
    static const char mark[] = "LAB";
    enum { PREFIX_LEN = 7, ID_RANDOM = SN_LAB_ACCESS_KEY_LEN - PREFIX_LEN, TOKEN_RANDOM = SN_LAB_TOKEN_LEN - 3 };
    unsigned char bytes[ID_RANDOM + SN_LAB_SECRET_LEN + TOKEN_RANDOM];

    SN_TRY(sn_random_fill(random_source, bytes, sizeof(bytes), err));
    struct sn_lab_key *key = sn_alloc(1, sizeof(*key));
    atomic_init(&key->references, 1);
    memcpy(key->access_key, prefix, 4);
    memcpy(key->access_key + 4, mark, 3);
    spell(key->access_key + PREFIX_LEN, ID_RANDOM, bytes, 31);
    spell(key->secret, SN_LAB_SECRET_LEN, bytes + ID_RANDOM, 63);
    if (with_token) {
        memcpy(key->token, mark, 3);
        spell(key->token + 3, TOKEN_RANDOM, bytes + ID_RANDOM + SN_LAB_SECRET_LEN, 63);
    }
    sn_wipe(bytes, sizeof(bytes));
    *out_key = key;
    return SN_OK;
}

void sn_lab_key_unref(struct sn_lab_key *key)
{
    if (key == NULL || atomic_fetch_sub_explicit(&key->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (size_t i = 0; i < key->session_policy_count; i++) {
        sn_lab_policy_unref(key->session_policies[i]);
    }
    sn_free(key->tags);
    sn_free(key->text);
    sn_wipe(key, sizeof(*key));
    sn_free(key);
}

void sn_lab_key_unref_p(struct sn_lab_key **key)
{
    sn_lab_key_unref(*key);
    *key = NULL;
}

static size_t bucket_of(struct sn_slice access_key)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < access_key.len; i++) {
        hash = (hash ^ (unsigned char)access_key.ptr[i]) * 16777619u;
    }
    return (hash ^ (hash >> 16)) % BUCKETS;
}

static void drop_from_bucket(struct sn_lab_directory *directory, struct sn_lab_key *key)
{
    struct sn_lab_key **place = &directory->buckets[bucket_of(sn_slice_str(key->access_key))];
    while (*place != key) {
        place = &(*place)->bucket_next;
    }
    *place = key->bucket_next;
}

/* Forgets the oldest session that signed nothing since it was last looked at. */
static struct sn_lab_key *evict(struct sn_lab_directory *directory)
{
    for (;;) {
        struct sn_lab_key *key = directory->sessions_first;
        directory->sessions_first = key->session_next;
        key->session_next = NULL;
        if (!key->used || directory->sessions_first == NULL) {
            drop_from_bucket(directory, key);
            directory->session_count--;
            return key;
        }
        key->used = false;
        directory->sessions_last->session_next = key;
        directory->sessions_last = key;
    }
}

void sn_lab_directory_add_key(struct sn_lab_directory *directory, struct sn_lab_key *key)
{
    struct sn_lab_key *evicted = NULL;
    atomic_fetch_add_explicit(&key->references, 1, memory_order_relaxed);
    struct sn_lab_key **bucket = &directory->buckets[bucket_of(sn_slice_str(key->access_key))];
    pthread_mutex_lock(&directory->lock);
    key->bucket_next = *bucket;
    *bucket = key;
    if (key->expires_unix_s != 0) {
        if (directory->session_count >= SN_LAB_MAX_SESSIONS) {
            evicted = evict(directory);
        }
        if (directory->sessions_first == NULL) {
            directory->sessions_first = key;
        } else {
            directory->sessions_last->session_next = key;
        }
        directory->sessions_last = key;
        directory->session_count++;
    }
    pthread_mutex_unlock(&directory->lock);
    sn_lab_key_unref(evicted);
}

struct sn_lab_key *sn_lab_directory_find_key(struct sn_lab_directory *directory, struct sn_slice access_key)
{
    size_t bucket = bucket_of(access_key);
    pthread_mutex_lock(&directory->lock);
    struct sn_lab_key *key = directory->buckets[bucket];
    while (key != NULL && !sn_slice_eq_str(access_key, key->access_key)) {
        key = key->bucket_next;
    }
    if (key != NULL) {
        atomic_fetch_add_explicit(&key->references, 1, memory_order_relaxed);
        key->used = true;
    }
    pthread_mutex_unlock(&directory->lock);
    return key;
}

void sn_lab_directory_signing_key(struct sn_lab_directory *directory, struct sn_lab_key *key,
    const struct sn_lab_signature *signature, unsigned char out_key[SN_LAB_SIGNING_KEY_LEN])
{
    bool fits = signature->scope.len < sizeof(key->cached_scope);
    pthread_mutex_lock(&directory->lock);
    bool known = fits && sn_slice_eq_str(signature->scope, key->cached_scope);
    if (known) {
        memcpy(out_key, key->cached_key, SN_LAB_SIGNING_KEY_LEN);
    }
    pthread_mutex_unlock(&directory->lock);
    if (known) {
        return;
    }
    sn_lab_signing_key(sn_slice_str(key->secret), signature, out_key);
    if (fits) {
        pthread_mutex_lock(&directory->lock);
        memcpy(key->cached_scope, signature->scope.ptr, signature->scope.len);
        key->cached_scope[signature->scope.len] = '\0';
        memcpy(key->cached_key, out_key, SN_LAB_SIGNING_KEY_LEN);
        pthread_mutex_unlock(&directory->lock);
    }
}

static size_t characters_that_count(struct sn_slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        count += c != ' ' && c != '\t' && c != '\n' && c != '\r';
    }
    return count;
}

enum sn_status sn_lab_directory_put_inline(struct sn_lab_directory *directory, struct sn_lab_role *role,
    struct sn_slice name, struct sn_lab_policy *policy, struct sn_error *err)
{
    struct sn_lab_policy *replaced = NULL;
    enum sn_status status = SN_OK;
    pthread_mutex_lock(&directory->lock);
    size_t total = characters_that_count(sn_lab_policy_text(policy));
    size_t place = role->inline_count;
    for (size_t i = 0; i < role->inline_count; i++) {
        if (sn_slice_eq(role->inline_policies[i].name, name)) {
            place = i;
        } else {
            total += characters_that_count(sn_lab_policy_text(role->inline_policies[i].policy));
        }
    }
    if (total > SN_LAB_INLINE_POLICY_CHARS || place >= SN_LAB_MAX_INLINE_POLICIES) {
        status = sn_fail(err, SN_LIMIT, "LimitExceeded", "Maximum policy size of %d bytes exceeded for role %.*s",
            SN_LAB_INLINE_POLICY_CHARS, SN_PRI(role->name));
    } else {
        if (place == role->inline_count) {
            role->inline_policies[place].name = (struct sn_slice){sn_strdup(name), name.len};
            role->inline_count++;
        }
        replaced = role->inline_policies[place].policy;
        role->inline_policies[place].policy = sn_lab_policy_ref(policy);
    }
    pthread_mutex_unlock(&directory->lock);
    sn_lab_policy_unref(replaced);
    return status;
}

bool sn_lab_directory_delete_inline(struct sn_lab_directory *directory, struct sn_lab_role *role, struct sn_slice name)
{
    bool found = false;
    pthread_mutex_lock(&directory->lock);
    for (size_t i = 0; i < role->inline_count && !found; i++) {
        if (sn_slice_eq(role->inline_policies[i].name, name)) {
            free_inline(&role->inline_policies[i]);
            role->inline_policies[i] = role->inline_policies[--role->inline_count];
            role->inline_policies[role->inline_count] = (struct sn_lab_named_policy){0};
            found = true;
        }
    }
    pthread_mutex_unlock(&directory->lock);
    return found;
}

size_t sn_lab_directory_copy_inline(struct sn_lab_directory *directory, const struct sn_lab_role *role,
    struct sn_arena *arena, struct sn_lab_named_policy out[SN_LAB_MAX_INLINE_POLICIES])
{
    pthread_mutex_lock(&directory->lock);
    size_t count = role->inline_count;
    for (size_t i = 0; i < count; i++) {
        out[i].name = sn_arena_dup(arena, role->inline_policies[i].name);
        out[i].policy = sn_lab_policy_ref(role->inline_policies[i].policy);
    }
    pthread_mutex_unlock(&directory->lock);
    return count;
}

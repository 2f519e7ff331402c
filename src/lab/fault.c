/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/fault.c - wrong behaviour on demand.
 */
#include "lab/fault.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/alloc.h"
#include "base/parse.h"

enum { ACTION_MAX = 96, MAX_COUNT = 1000000 };

struct entry {
    char action[ACTION_MAX]; /* "sts:AssumeRole" */
    struct sn_lab_fault fault;
    int64_t left; /* -1: until it is taken back */
};

struct sn_lab_faults {
    pthread_mutex_t lock;
    _Atomic size_t active; /* read without the lock: no fault is set on the hot path */
    struct entry entries[SN_LAB_MAX_FAULTS];
    size_t count;
};

static const struct {
    const char *name;
    enum sn_lab_fault_kind kind;
} kinds[] = {
    {"none", SN_LAB_FAULT_NONE},
    {"throttle", SN_LAB_FAULT_THROTTLE},
    {"500", SN_LAB_FAULT_500},
    {"slow", SN_LAB_FAULT_SLOW},
    {"cut", SN_LAB_FAULT_CUT},
    {"html", SN_LAB_FAULT_HTML},
    {"redirect", SN_LAB_FAULT_REDIRECT},
    {"other-role", SN_LAB_FAULT_OTHER_ROLE},
    {"two-arns", SN_LAB_FAULT_TWO_ARNS},
    {"wrong-type", SN_LAB_FAULT_WRONG_TYPE},
    {"authorization_pending", SN_LAB_FAULT_AUTHORIZATION_PENDING},
    {"slow_down", SN_LAB_FAULT_SLOW_DOWN},
    {"expired_token", SN_LAB_FAULT_EXPIRED_TOKEN},
    {"access_denied", SN_LAB_FAULT_ACCESS_DENIED},
    {"invalid_grant", SN_LAB_FAULT_INVALID_GRANT},
};

const char *sn_lab_fault_name(enum sn_lab_fault_kind kind)
{
    for (size_t i = 0; i < SN_LEN(kinds); i++) {
        if (kinds[i].kind == kind) {
            return kinds[i].name;
        }
    }
    return "";
}

struct sn_lab_faults *sn_lab_faults_new(void)
{
    struct sn_lab_faults *faults = sn_alloc(1, sizeof(*faults));
    SN_ASSERT(pthread_mutex_init(&faults->lock, NULL) == 0);
    return faults;
}

void sn_lab_faults_free(struct sn_lab_faults *faults)
{
    if (faults != NULL) {
        pthread_mutex_destroy(&faults->lock);
        sn_free(faults);
    }
}

static enum sn_status wrong(struct sn_error *err, const char *what)
{
    (void)sn_fail(err, SN_USAGE, "LAB_FAULT", "%s", what);
    return sn_suggest(err, "write for instance sts:AssumeRole=throttle,3 or sts:GetCallerIdentity=slow:2 or none; "
                           "kinds: throttle, 500, slow:SECONDS, cut, html, redirect, other-role, two-arns, "
                           "wrong-type, none; for sso-oidc also authorization_pending, slow_down, "
                           "expired_token, access_denied, invalid_grant");
}

static enum sn_status read_kind(struct sn_slice text, struct sn_lab_fault *out, struct sn_error *err)
{
    struct sn_slice name = {0};
    struct sn_slice argument = {0};
    bool has_argument = sn_slice_cut(text, ':', &name, &argument);
    for (size_t i = 0; i < SN_LEN(kinds); i++) {
        if (!sn_slice_eq_str(name, kinds[i].name)) {
            continue;
        }
        out->kind = kinds[i].kind;
        if (has_argument != (out->kind == SN_LAB_FAULT_SLOW)) {
            return wrong(err, "slow, and only slow, takes a number of seconds");
        }
        if (has_argument && sn_parse_int(argument, 1, SN_LAB_FAULT_MAX_SLOW_S, &out->slow_s, err) != SN_OK) {
            return wrong(err, "slow takes 1 to 300 seconds");
        }
        return SN_OK;
    }
    return wrong(err, "unknown kind of fault");
}

static enum sn_status read_entry(struct sn_slice text, struct entry *out, struct sn_error *err)
{
    struct sn_slice action = {0};
    struct sn_slice rest = {0};
    struct sn_slice kind = {0};
    struct sn_slice count = {0};
    if (!sn_slice_cut(text, '=', &action, &rest) || !sn_slice_has_byte(action, ':') || action.len >= ACTION_MAX ||
        !sn_slice_is_alnum_or(action, ":-")) {
        return wrong(err, "a fault is SERVICE:ACTION=KIND[,COUNT]");
    }
    out->left = -1;
    if (sn_slice_cut(rest, ',', &kind, &count) && sn_parse_int(count, 1, MAX_COUNT, &out->left, err) != SN_OK) {
        return wrong(err, "COUNT is a whole number from 1");
    }
    memcpy(out->action, action.ptr, action.len);
    SN_TRY(read_kind(kind, &out->fault, err));
    if (out->fault.kind >= SN_LAB_FAULT_AUTHORIZATION_PENDING && !sn_slice_has_prefix(action, SN_S("sso-oidc:"))) {
        return wrong(err, "only sso-oidc answers that");
    }
    return SN_OK;
}

static void remove_at(struct sn_lab_faults *faults, size_t i)
{
    faults->entries[i] = faults->entries[--faults->count];
    atomic_store(&faults->active, faults->count);
}

enum sn_status sn_lab_faults_set(struct sn_lab_faults *faults, struct sn_slice text, struct sn_error *err)
{
    struct entry entry = {0};
    bool all = sn_slice_eq_str(text, "none");
    enum sn_status status = SN_OK;
    if (!all) {
        SN_TRY(read_entry(text, &entry, err));
    }
    pthread_mutex_lock(&faults->lock);
    for (size_t i = faults->count; i-- > 0;) {
        if (all || strcmp(faults->entries[i].action, entry.action) == 0) {
            remove_at(faults, i);
        }
    }
    if (!all && entry.fault.kind != SN_LAB_FAULT_NONE) {
        if (faults->count == SN_LAB_MAX_FAULTS) {
            status = wrong(err, "too many faults are set");
        } else {
            faults->entries[faults->count++] = entry;
            atomic_store(&faults->active, faults->count);
        }
    }
    pthread_mutex_unlock(&faults->lock);
    return status;
}

struct sn_lab_fault sn_lab_faults_take(struct sn_lab_faults *faults, struct sn_slice service, struct sn_slice action)
{
    struct sn_lab_fault found = {0};
    if (atomic_load(&faults->active) == 0) {
        return found;
    }
    pthread_mutex_lock(&faults->lock);
    for (size_t i = 0; i < faults->count; i++) {
        struct entry *entry = &faults->entries[i];
        struct sn_slice name = sn_slice_str(entry->action);
        if (name.len == service.len + 1 + action.len && sn_slice_has_prefix(name, service) &&
            sn_slice_has_suffix(name, action)) {
            found = entry->fault;
            if (entry->left > 0 && --entry->left == 0) {
                remove_at(faults, i);
            }
            break;
        }
    }
    pthread_mutex_unlock(&faults->lock);
    return found;
}

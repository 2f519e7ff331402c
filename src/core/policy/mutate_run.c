/* SPDX-License-Identifier: Apache-2.0 */
/* core/policy/mutate_run.c - which mutants the tests notice; see mutate.h. */
#include <string.h>

#include "base/alloc.h"
#include "core/policy/mutate.h"
#include "core/policy/space.h"
#include "core/policy/test_run.h"

void sn_mutation_result_clear(struct sn_mutation_result *result)
{
    sn_free(result->survivors);
    sn_arena_clear(&result->arena);
    *result = (struct sn_mutation_result){0};
}

/* --- Do the tests notice? --- */

struct watcher {
    bool *passed; /* of each run in order, with the policy itself */
    size_t count, capacity, at;
    bool is_learning, has_noticed;
};

static void watch(void *ctx, const struct sn_test_run *run)
{
    struct watcher *w = ctx;
    if (!w->is_learning) {
        SN_ASSERT(w->at < w->count);
        w->has_noticed |= w->passed[w->at++] && !run->passed;
        return;
    }
    if (w->count == w->capacity) {
        w->capacity = w->capacity == 0 ? 256 : w->capacity * 2;
        w->passed = sn_realloc(w->passed, w->capacity, sizeof(*w->passed));
    }
    w->passed[w->count++] = run->passed;
}

/* A run that now reaches a window and has no time would be refused, which is noticed too. */
static bool run_all(const struct sn_mutation *mutation, const struct sn_policy *policy, struct watcher *w)
{
    struct sn_error ignored = {0};
    w->at = 0;
    w->has_noticed = false;
    for (size_t f = 0; f < mutation->file_count && !w->has_noticed; f++) {
        const struct sn_test_file *file = &mutation->files[f];
        for (size_t i = 0; i < file->case_count && !w->has_noticed; i++) {
            if (sn_test_case_run(file, &file->cases[i], policy, NULL, watch, w, &ignored) != SN_OK) {
                return true;
            }
        }
    }
    return w->has_noticed;
}

/* --- Does it differ at all? --- */

static void unite(bool *into, const bool *other, size_t count, bool both)
{
    for (size_t i = 0; i < count; i++) {
        into[i] = both ? into[i] && other[i] : into[i] || other[i];
    }
}

static void unite_reaches(
    const struct sn_space *space, struct sn_rule_reach *into, const struct sn_rule_reach *other, bool both)
{
    unite(into->profiles, other->profiles, space->profile_count, both);
    unite(into->callers, other->callers, space->caller_count, both);
    unite(into->instants, other->instants, space->instant_count, both);
    unite(into->devices, other->devices, space->device_count, both);
    into->mode = both ? into->mode && other->mode : into->mode || other->mode;
}

static void reach_everything(const struct sn_space *space, struct sn_arena *arena, struct sn_rule_reach *out)
{
    bool **const lists[] = {&out->profiles, &out->callers, &out->instants, &out->devices};
    const size_t counts[] = {space->profile_count, space->caller_count, space->instant_count, space->device_count};
    for (size_t i = 0; i < SN_LEN(lists); i++) {
        *lists[i] = sn_arena_alloc(arena, counts[i], sizeof(bool));
        memset(*lists[i], 1, counts[i] * sizeof(bool));
    }
    out->mode = true;
}

/* The points that the change can touch; it cannot touch one that the changed rule matches neither before nor after. */
static void reach_of(const struct sn_mutation *mutation, const struct sn_mutant *mutant,
    const struct sn_policy *changed, const struct sn_space *space, struct sn_arena *arena, struct sn_rule_reach *out)
{
    struct sn_rule_reach other;
    if (mutant->scope == SN_SCOPE_ALL) {
        reach_everything(space, arena, out);
        return;
    }
    sn_space_rule_reach(space, mutation->policy, mutant->rule, arena, out);
    switch (mutant->scope) {
    case SN_SCOPE_RULE:
        sn_space_rule_reach(space, changed, mutant->rule, arena, &other);
        unite_reaches(space, out, &other, false);
        return;
    case SN_SCOPE_SWAPPED_RULES:
        sn_space_rule_reach(space, mutation->policy, (size_t)mutant->rule + 1, arena, &other);
        unite_reaches(space, out, &other, true);
        return;
    case SN_SCOPE_REMOVED_RULE:
    case SN_SCOPE_ALL:
        return;
    }
}

struct difference {
    struct sn_point point;
    struct sn_decision before, after;
};

static bool differ(const struct sn_decision *a, const struct sn_decision *b)
{
    return a->effect != b->effect || a->override != b->override || a->max_server_duration_s != b->max_server_duration_s;
}

/* One profile, caller and device at all instants. */
static bool differs_at(const struct sn_mutation *mutation, const struct sn_policy *changed,
    const struct sn_space *space, const struct sn_rule_reach *reach, struct difference *d)
{
    struct sn_policy_request request;
    struct sn_policy_ids before, after;
    d->point.instant = 0;
    sn_space_request(space, &d->point, &request);
    sn_policy_intern(mutation->policy, &request, &before);
    sn_policy_intern(changed, &request, &after);
    for (; d->point.instant < space->instant_count; d->point.instant++) {
        if (!reach->instants[d->point.instant]) {
            continue;
        }
        request.unix_s = space->instants[d->point.instant];
        sn_policy_evaluate_ids(mutation->policy, &before, &request, &d->before);
        sn_policy_evaluate_ids(changed, &after, &request, &d->after);
        if (differ(&d->before, &d->after)) {
            return true;
        }
    }
    return false;
}

static bool find_difference(const struct sn_mutation *mutation, const struct sn_mutant *mutant,
    const struct sn_policy *changed, const struct sn_space *space, struct difference *d)
{
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    struct sn_rule_reach reach;
    reach_of(mutation, mutant, changed, space, &arena, &reach);
    for (uint32_t p = 0; p < space->profile_count && reach.mode; p++) {
        for (uint32_t u = 0; u < space->caller_count && reach.profiles[p]; u++) {
            for (uint32_t k = 0; k < space->device_count && reach.callers[u]; k++) {
                d->point = (struct sn_point){.profile = p, .caller = u, .device = k};
                if (reach.devices[k] && differs_at(mutation, changed, space, &reach, d)) {
                    return true;
                }
            }
        }
    }
    return false;
}

/* --- Results --- */

static void survive(struct sn_mutation_result *result, const struct sn_mutant *mutant, const struct sn_space *space,
    const struct difference *d)
{
    if (result->survivor_count == result->survivor_capacity) {
        result->survivor_capacity = result->survivor_capacity == 0 ? 16 : result->survivor_capacity * 2;
        result->survivors = sn_realloc(result->survivors, result->survivor_capacity, sizeof(*result->survivors));
    }
    const struct sn_space_device *device = &space->devices[d->point.device];
    struct sn_survivor *s = &result->survivors[result->survivor_count++];
    *s = (struct sn_survivor){.mutant = mutant,
        .principal = sn_arena_dup(&result->arena, space->callers[d->point.caller].text),
        .profile = sn_arena_dup(&result->arena, space->profiles[d->point.profile]),
        .unix_s = space->instants[d->point.instant],
        .has_posture = device->is_known,
        .posture = device->posture};
    s->posture.os_type = sn_arena_dup(&result->arena, device->posture.os_type);
    s->posture.os_version = sn_arena_dup(&result->arena, device->posture.os_version);
    bool same_effect = d->before.effect == d->after.effect, same_override = d->before.override == d->after.override;
    s->expected = (struct sn_expectation){.effect = d->before.effect,
        .has_rule = true,
        .rule = d->before.rule,
        .has_override = same_effect && !same_override,
        .override = d->before.override,
        .has_duration = same_effect && same_override,
        .duration_s = d->before.max_server_duration_s};
}

/* Unnoticed: is it different in the eyes of any of the files? */
static enum sn_status judge(const struct sn_mutation *mutation, const struct sn_mutant *mutant,
    const struct sn_policy *changed, struct sn_mutation_result *result, struct sn_error *err)
{
    for (size_t f = 0; f < mutation->file_count; f++) {
        SN_AUTO(sn_vocabulary_clear) struct sn_vocabulary words = {0};
        SN_AUTO(sn_space_clear) struct sn_space space = {0};
        struct difference d;
        const struct sn_catalog *catalog = mutation->catalogs[f];
        for (size_t i = 0; catalog != NULL && i < sn_catalog_count(catalog); i++) {
            sn_vocabulary_add_catalogued(&words, sn_catalog_at(catalog, i)->name);
        }
        sn_vocabulary_add_policy(&words, mutation->policy);
        sn_vocabulary_add_policy(&words, changed);
        SN_TRY(sn_space_init(
            &space, &words, &mutation->files[f].server, mutation->from_unix_s, mutation->max_points, err));
        if (find_difference(mutation, mutant, changed, &space, &d)) {
            survive(result, mutant, &space, &d);
            return SN_OK;
        }
    }
    result->equivalent++;
    return SN_OK;
}

enum sn_status sn_mutation_run(
    const struct sn_mutation *mutation, struct sn_mutation_result *out_result, struct sn_error *err)
{
    struct watcher watcher = {.is_learning = true};
    enum sn_status status = SN_OK;

    (void)run_all(mutation, mutation->policy, &watcher);
    watcher.is_learning = false;
    for (size_t i = 0; i < mutation->mutants->count && status == SN_OK; i++) {
        SN_AUTO(sn_policy_unref_p) struct sn_policy *changed = NULL;
        status = sn_mutants_make(mutation->mutants, i, mutation->zones, &changed, err);
        if (status != SN_OK) {
            break;
        }
        if (run_all(mutation, changed, &watcher)) {
            out_result->caught++;
        } else {
            status = judge(mutation, &mutation->mutants->items[i], changed, out_result, err);
        }
    }
    sn_free(watcher.passed);
    return status;
}

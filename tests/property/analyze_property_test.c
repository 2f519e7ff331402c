/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/property/analyze_property_test.c - answers about generated policies against brute force by the naive evaluator.
 *
 * Three things make an analysis exact, and each is tried: its windows are those that every minute of the weeks shows;
 * each answer is what the naive evaluator says at all points of the space; and no request outside of the space, with
 * other names, devices and instants, gets anything that the answers do not hold. The seed is printed; SENTINEL_SEED
 * repeats a run.
 */
#include "policy_fixture.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/parse.h"
#include "core/policy/analyze.h"
#include "core/policy/join.h"
#include "core/policy/mutate.h"
#include "core/policy/test_run.h"
#include "counts.h"
#include "naive_policy.h"
#include "policy_generator.h"
#include "policy_pair.h"

#if defined(__SANITIZE_ADDRESS__)
enum { SLOWER = 10 };
#else
enum { SLOWER = 1 };
#endif
enum { RULES_MOST = 8, POINTS_MOST = 40000, OUTSIDE = 300, EVERY_MINUTE_ONE_IN = 8, MINUTES = 53 * 7 * 1440 };
#define FROM "2026-01-05T00:00:00Z"

static uint64_t seed_value = 20260302;

/* One generated policy in every form. */
struct subject {
    struct naive_policy naive;
    struct naive_policy *single; /* of each rule: the policy with that rule alone */
    struct sn_policy *policy;
};

static void clear_subject(struct subject *subject)
{
    sn_policy_unref(subject->policy);
    sn_free(subject->single);
}

static void load_subject(struct subject *subject)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    struct sn_error err = {0};
    gen_write(&text, &subject->naive, false);
    assert_ok(sn_policy_load(sn_buf_slice(&text), host_zones(), NULL, &subject->policy, &err), &err);
    subject->single = sn_alloc((size_t)subject->naive.rule_count, sizeof(*subject->single));
    for (int i = 0; i < subject->naive.rule_count; i++) {
        subject->single[i] = subject->naive;
        subject->single[i].rules[0] = subject->naive.rules[i];
        subject->single[i].rule_count = 1;
    }
}

static void make_subject(struct subject *subject)
{
    *subject = (struct subject){0};
    do {
        gen_policy(&subject->naive);
    } while (subject->naive.rule_count > RULES_MOST);
    load_subject(subject);
}

/* Another version: a rule gone, two swapped, or one made anew. */
static void make_changed(const struct subject *subject, struct subject *out_changed)
{
    *out_changed = (struct subject){.naive = subject->naive};
    struct naive_policy *n = &out_changed->naive;
    int at = gen_below(n->rule_count);
    if (n->rule_count > 1 && gen_one_in(3)) {
        n->rules[at] = n->rules[--n->rule_count];
    } else if (n->rule_count > 1 && gen_one_in(2)) {
        struct naive_rule kept = n->rules[at];
        int other = (at + 1) % n->rule_count;
        n->rules[at] = n->rules[other];
        n->rules[other] = kept;
    } else {
        gen_rule(&n->rules[at], 100 + at, n->group_count);
    }
    load_subject(out_changed);
}

/* --- Points as the naive evaluator knows them --- */

struct asked {
    struct naive_caller caller;
    struct naive_posture posture;
    struct naive_request request;
    char profile[300], os_type[16], os_version[64];
};

static char letter(enum sn_tristate state)
{
    return state == SN_TRUE ? 'y' : state == SN_FALSE ? 'n' : 'u';
}

static void ask(const struct sn_space *space, const struct sn_point *point, struct asked *out)
{
    const struct sn_principal *who = &space->callers[point->caller].who;
    const struct sn_space_device *device = &space->devices[point->device];
    const struct sn_posture *p = &device->posture;
    out->caller = (struct naive_caller){.arn = who->arn,
        .kind = who->type == SN_PRINCIPAL_USER             ? "user"
                : who->type == SN_PRINCIPAL_FEDERATED_USER ? "federated"
                : who->type == SN_PRINCIPAL_ROOT           ? "root"
                : who->is_sso                              ? "sso"
                                                           : "role",
        .account = who->account,
        .role = who->role,
        .name = who->name,
        .vouched = who->type == SN_PRINCIPAL_USER || who->is_sso};
    snprintf(out->profile, sizeof(out->profile), "%.*s", SN_PRI(space->profiles[point->profile]));
    snprintf(out->os_type, sizeof(out->os_type), "%.*s", SN_PRI(p->os_type));
    snprintf(out->os_version, sizeof(out->os_version), "%.*s", SN_PRI(p->os_version));
    out->posture = (struct naive_posture){letter(p->disk_encrypted), letter(p->mdm_enrolled), letter(p->mdm_compliant),
        letter(p->firewall_enabled), out->os_type, out->os_version};
    out->request = (struct naive_request){.caller = &out->caller,
        .own_account = OWN_ACCOUNT,
        .profile = out->profile,
        .mode = "server",
        .unix_s = space->instants[point->instant],
        .session_store = "sessions",
        .posture = device->is_known ? &out->posture : NULL};
}

static enum sn_effect effect_of(const char *word)
{
    return strcmp(word, "allow") == 0              ? SN_EFFECT_ALLOW
           : strcmp(word, "require_approval") == 0 ? SN_EFFECT_REQUIRE_APPROVAL
                                                   : SN_EFFECT_DENY;
}

static bool next_point(const struct sn_space *space, struct sn_point *point)
{
    if (++point->instant < space->instant_count) {
        return true;
    }
    point->instant = 0;
    if (++point->device < space->device_count) {
        return true;
    }
    point->device = 0;
    if (++point->caller < space->caller_count) {
        return true;
    }
    point->caller = 0;
    return ++point->profile < space->profile_count;
}

/* --- What brute force finds --- */

struct found {
    uint8_t *results;           /* by profile and caller */
    bool (*grants)[RULES_MOST]; /* the same, by rule */
    uint64_t (*changed)[3][3];  /* the same, by both results */
    bool decides[RULES_MOST];
    bool both[RULES_MOST][RULES_MOST]; /* match a common point */
};

static void search(
    const struct sn_space *space, const struct subject *now, const struct subject *before, struct found *found)
{
    struct sn_point point = {0};
    size_t pairs = space->profile_count * space->caller_count;
    found->results = sn_alloc(pairs, sizeof(*found->results));
    found->grants = sn_alloc(pairs, sizeof(*found->grants));
    found->changed = sn_alloc(pairs, sizeof(*found->changed));
    do {
        struct asked asked;
        bool matches[RULES_MOST];
        size_t pair = point.profile * space->caller_count + point.caller;
        ask(space, &point, &asked);
        struct naive_decision is = naive_evaluate(&now->naive, &asked.request);
        struct naive_decision was = naive_evaluate(&before->naive, &asked.request);
        found->results[pair] |= (uint8_t)(1u << effect_of(is.effect));
        found->changed[pair][effect_of(was.effect)][effect_of(is.effect)]++;
        if (is.rule_index >= 0) {
            found->decides[is.rule_index] = true;
            found->grants[pair][is.rule_index] |= effect_of(is.effect) == SN_EFFECT_ALLOW;
        }
        for (int a = 0; a < now->naive.rule_count; a++) {
            matches[a] = naive_evaluate(&now->single[a], &asked.request).rule_index == 0;
            for (int b = 0; b < a && matches[a]; b++) {
                found->both[b][a] |= matches[b];
            }
        }
    } while (next_point(space, &point));
}

static void clear_found(struct found *found)
{
    sn_free(found->results);
    sn_free(found->grants);
    sn_free(found->changed);
}

/* --- Comparing --- */

static void compare_reach(const struct sn_space *space, const struct subject *now, const struct found *found,
    const struct sn_analysis *analysis)
{
    assert_int_equal(analysis->reach_count, space->profile_count * space->caller_count);
    for (size_t i = 0; i < analysis->reach_count; i++) {
        const struct sn_reach *reach = &analysis->reach[i];
        size_t pair = reach->profile * space->caller_count + reach->caller, grants = 0;
        assert_int_equal(pair, i);
        assert_int_equal(reach->results, found->results[pair]);
        for (int rule = 0; rule < now->naive.rule_count; rule++) {
            grants += found->grants[pair][rule];
        }
        assert_int_equal(reach->via_count, grants);
        for (size_t k = 0; k < reach->via_count; k++) {
            int rule = sn_policy_find_rule(now->policy, reach->vias[k].rule);
            assert_true(rule >= 0 && found->grants[pair][rule] && reach->vias[k].kind == SN_VIA_RULE);
        }
        /* The witness shows the best of the results. */
        struct asked asked;
        ask(space, &reach->witness, &asked);
        enum sn_effect shown = effect_of(naive_evaluate(&now->naive, &asked.request).effect);
        enum sn_effect best = (reach->results >> SN_EFFECT_ALLOW & 1) != 0              ? SN_EFFECT_ALLOW
                              : (reach->results >> SN_EFFECT_REQUIRE_APPROVAL & 1) != 0 ? SN_EFFECT_REQUIRE_APPROVAL
                                                                                        : SN_EFFECT_DENY;
        assert_int_equal(shown, best);
    }
}

static void compare_findings(const struct sn_space *space, const struct subject *now, const struct found *found,
    const struct sn_analysis *analysis)
{
    bool idle[RULES_MOST] = {0}, conflict[RULES_MOST][RULES_MOST] = {{0}};
    for (size_t i = 0; i < analysis->finding_count; i++) {
        const struct sn_analysis_finding *f = &analysis->findings[i];
        struct asked asked;
        if (f->has_witness) {
            ask(space, &f->witness, &asked);
        }
        if (f->code == SN_FOUND_NEVER_MATCHES) {
            idle[f->rules[0]] = true;
            assert_true(!f->has_witness || naive_evaluate(&now->single[f->rules[0]], &asked.request).rule_index == 0);
        } else if (f->code == SN_FOUND_CONFLICT) {
            assert_true(f->rules[0] < f->rules[1]);
            conflict[f->rules[0]][f->rules[1]] = true;
            assert_int_equal(naive_evaluate(&now->single[f->rules[0]], &asked.request).rule_index, 0);
            assert_int_equal(naive_evaluate(&now->single[f->rules[1]], &asked.request).rule_index, 0);
        }
    }
    for (int a = 0; a < now->naive.rule_count; a++) {
        assert_int_equal(idle[a], !found->decides[a]);
        for (int b = a + 1; b < now->naive.rule_count; b++) {
            bool differ = strcmp(now->naive.rules[a].effect, now->naive.rules[b].effect) != 0;
            assert_int_equal(conflict[a][b], differ && found->both[a][b]);
        }
    }
}

static void compare_changes(const struct sn_space *space, const struct subject *now, const struct subject *before,
    const struct found *found, const struct sn_analysis *analysis)
{
    size_t expected = 0, grown = 0, reported = 0, reported_grown = 0;
    for (size_t pair = 0; pair < space->profile_count * space->caller_count; pair++) {
        for (int from = 0; from < 3; from++) {
            for (int to = 0; to < 3; to++) {
                bool is_change = from != to && found->changed[pair][from][to] > 0;
                expected += is_change;
                grown += is_change &&
                         (from == SN_EFFECT_DENY || (from == SN_EFFECT_REQUIRE_APPROVAL && to == SN_EFFECT_ALLOW));
            }
        }
    }
    assert_int_equal(analysis->change_count, expected);
    for (size_t i = 0; i < analysis->change_count; i++) {
        const struct sn_reach_change *c = &analysis->changes[i];
        struct asked asked;
        assert_int_equal(c->points, found->changed[c->profile * space->caller_count + c->caller][c->from][c->to]);
        ask(space, &c->witness, &asked);
        assert_int_equal(effect_of(naive_evaluate(&before->naive, &asked.request).effect), c->from);
        assert_int_equal(effect_of(naive_evaluate(&now->naive, &asked.request).effect), c->to);
    }
    for (size_t i = 0; i < analysis->finding_count; i++) {
        bool is_change =
            analysis->findings[i].code == SN_FOUND_REACH_GROWN || analysis->findings[i].code == SN_FOUND_REACH_SHRUNK;
        bool is_grave = analysis->findings[i].severity == SN_SEVERITY_WARNING;
        reported += is_change;
        reported_grown += analysis->findings[i].code == SN_FOUND_REACH_GROWN;
        assert_true(!is_change || is_grave == (analysis->findings[i].code == SN_FOUND_REACH_GROWN));
    }
    assert_int_equal(reported, expected);
    assert_int_equal(reported_grown, grown);
}

/* --- Requests that are not of the space --- */

/* A caller of the space whom every rule treats as it does this one. */
static size_t alike(
    const struct sn_space *space, const struct sn_policy *policy, const struct sn_policy_request *request)
{
    struct sn_policy_ids ids, other_ids;
    sn_policy_intern(policy, request, &ids);
    for (uint32_t u = 0; u < space->caller_count; u++) {
        struct sn_policy_request other;
        bool is_same = true;
        sn_space_request(space, &(struct sn_point){.caller = u}, &other);
        sn_policy_intern(policy, &other, &other_ids);
        for (size_t rule = 0; rule < sn_policy_rule_count(policy); rule++) {
            is_same &= sn_ids_name_caller(&ids, rule) == sn_ids_name_caller(&other_ids, rule);
        }
        if (is_same) {
            return u;
        }
    }
    return SIZE_MAX;
}

static size_t profile_of(const struct sn_space *space, struct sn_slice profile)
{
    for (size_t p = 0; p < space->profile_count; p++) {
        if (sn_slice_eq(space->profiles[p], profile)) {
            return p;
        }
    }
    return space->profile_count - 1; /* the one that no document names */
}

static size_t try_outside(const struct sn_space *space, const struct subject *now, const struct sn_analysis *analysis)
{
    static struct policy_pair pair;
    int64_t from = instant(FROM);
    size_t tried = 0;
    for (int i = 0; i < OUTSIDE; i++) {
        policy_pair_next(&now->naive, &pair);
        pair.naive.request.mode = "server";
        pair.naive.request.session_store = "sessions";
        /* No role vouches here but that of Identity Center, and no caller has a name that AWS would not give. */
        struct sn_principal parsed;
        struct sn_error ignored = {0};
        if (pair.product.unix_s < from || pair.product.unix_s >= from + (int64_t)MINUTES * 60 ||
            strcmp(pair.naive.caller.kind, "vouching-role") == 0 ||
            sn_principal_parse(sn_slice_str(pair.principal.arn), NULL, &parsed, &ignored) != SN_OK) {
            continue;
        }
        enum sn_effect effect = effect_of(naive_evaluate(&now->naive, &pair.naive.request).effect);
        size_t caller = alike(space, now->policy, &pair.product);
        assert_true(caller != SIZE_MAX);
        size_t profile = profile_of(space, pair.product.profile);
        assert_true((analysis->reach[profile * space->caller_count + caller].results >> effect & 1) != 0);
        tried++;
    }
    return tried;
}

/* --- Windows --- */

static uint32_t open_at(const struct naive_policy *times, int count, int64_t unix_s)
{
    static const struct naive_caller nobody = {
        .arn = ARN_USER("x"), .kind = "user", .account = OWN_ACCOUNT, .role = "", .name = "x", .vouched = true};
    struct naive_request request = {.caller = &nobody,
        .own_account = OWN_ACCOUNT,
        .profile = "p",
        .mode = "server",
        .unix_s = unix_s,
        .session_store = "sessions"};
    uint32_t open = 0;
    for (int i = 0; i < count; i++) {
        open |= (uint32_t)(naive_evaluate(&times[i], &request).rule_index == 0) << i;
    }
    return open;
}

/* Every minute: which windows are open together, as the naive evaluator reads the clocks. */
static void compare_instants(const struct sn_space *space, const struct subject *now)
{
    struct naive_policy *times = sn_alloc(RULES_MOST, sizeof(*times));
    bool *seen = sn_alloc(1u << RULES_MOST, sizeof(*seen)), *shown = sn_alloc(1u << RULES_MOST, sizeof(*shown));
    size_t expected = 0, distinct = 0;
    int count = 0;
    for (int i = 0; i < now->naive.rule_count; i++) {
        const struct naive_rule *rule = &now->naive.rules[i];
        if (rule->has_time) {
            times[count] = (struct naive_policy){.rule_count = 1};
            times[count++].rules[0] = (struct naive_rule){.effect = "deny",
                .has_time = true,
                .days = rule->days,
                .has_hours = rule->has_hours,
                .start = rule->start,
                .end = rule->end,
                .timezone = rule->timezone};
        }
    }
    for (int64_t minute = 0; minute < MINUTES; minute++) {
        uint32_t open = open_at(times, count, instant(FROM) + minute * 60);
        expected += !seen[open];
        seen[open] = true;
    }
    for (size_t i = 0; i < space->instant_count; i++) {
        uint32_t open = open_at(times, count, space->instants[i]);
        distinct += !shown[open];
        shown[open] = true;
        assert_true(seen[open]);
    }
    assert_int_equal(space->instant_count, expected);
    assert_int_equal(distinct, expected);
    sn_free(times);
    sn_free(seen);
    sn_free(shown);
}

/* --- The tests --- */

static uint32_t only_document(void *ctx, struct sn_slice profile)
{
    (void)ctx;
    (void)profile;
    return 0;
}

static bool make_space(const struct subject *now, const struct subject *before, struct sn_space *out_space)
{
    SN_AUTO(sn_vocabulary_clear) struct sn_vocabulary words = {0};
    struct sn_trial_server server = {.account = OWN_ACCOUNT, .session_store = SN_S("sessions")};
    struct sn_error err = {0};
    sn_vocabulary_add_policy(&words, now->policy);
    sn_vocabulary_add_policy(&words, before->policy);
    return sn_space_init(out_space, &words, &server, instant(FROM), POINTS_MOST, &err) == SN_OK;
}

/* POL-56: reach, idle rules, conflicts and changes are those of a search of the whole space. */
static void answers_equal_brute_force(void **state)
{
    (void)state;
    int64_t wanted = sn_test_count("analyzed_policies") / SLOWER, done = 0, minutes = 0;
    size_t outside = 0;
    for (uint64_t part = 0; done < wanted; part++) {
        struct subject now, before;
        struct sn_space space = {0};
        gen_seed(seed_value, part);
        make_subject(&now);
        make_changed(&now, &before);
        if (make_space(&now, &before, &space)) {
            SN_AUTO(sn_analysis_clear) struct sn_analysis analysis = {0};
            SN_AUTO(clear_found) struct found found = {0};
            const struct sn_policy *policies[] = {now.policy, before.policy};
            struct sn_analysis_input input = {
                .now = {&policies[0], 1, only_document, NULL}, .before = {&policies[1], 1, only_document, NULL}};
            struct sn_error err = {0};
            assert_ok(sn_analyze(&space, &input, &analysis, &err), &err);
            search(&space, &now, &before, &found);
            compare_reach(&space, &now, &found, &analysis);
            compare_findings(&space, &now, &found, &analysis);
            compare_changes(&space, &now, &before, &found, &analysis);
            outside += try_outside(&space, &now, &analysis);
            if (part % EVERY_MINUTE_ONE_IN == 0) {
                SN_AUTO(sn_space_clear) struct sn_space own = {0};
                assert_true(make_space(&now, &now, &own));
                compare_instants(&own, &now);
                minutes++;
            }
            done++;
        }
        sn_space_clear(&space);
        clear_subject(&now);
        clear_subject(&before);
    }
    print_message("# %lld policies, %zu requests outside of their spaces, every minute of %lld\n", (long long)done,
        outside, (long long)minutes);
    assert_true(outside > (size_t)done);
}

/* POL-54: what a mutant changes is found wherever it lies, although only points that the changed rule matches are
 * looked at. */
static void mutants_differ_exactly_where_they_are_said_to(void **state)
{
    (void)state;
    int64_t wanted = sn_test_count("analyzed_policies") / SLOWER / 10, survived = 0, equivalent = 0;
    for (int64_t i = 0; i < wanted; i++) {
        struct subject subject;
        SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
        SN_AUTO(sn_mutants_clear) struct sn_mutants mutants = {0};
        struct sn_test_file no_tests = {.server = {.account = OWN_ACCOUNT, .session_store = SN_S("sessions")}};
        const struct sn_catalog *no_catalog = NULL;
        struct sn_error err = {0};
        gen_seed(seed_value, (uint64_t)i + 1000000);
        make_subject(&subject);
        gen_write(&text, &subject.naive, false);
        assert_ok(sn_mutants_init(&mutants, sn_buf_slice(&text), &err), &err);
        size_t count = mutants.count;
        struct sn_mutation mutation = {.mutants = &mutants,
            .policy = subject.policy,
            .zones = host_zones(),
            .files = &no_tests,
            .catalogs = &no_catalog,
            .file_count = 1,
            .from_unix_s = instant(FROM),
            .max_points = SN_SPACE_MAX_POINTS};
        SN_AUTO(sn_mutation_result_clear) struct sn_mutation_result narrow = {0};
        SN_AUTO(sn_mutation_result_clear) struct sn_mutation_result whole = {0};
        assert_ok(sn_mutation_run(&mutation, &narrow, &err), &err);
        for (size_t k = 0; k < count; k++) {
            mutants.items[k].scope = SN_SCOPE_ALL;
        }
        assert_ok(sn_mutation_run(&mutation, &whole, &err), &err);
        assert_int_equal(narrow.caught, 0);
        assert_int_equal(narrow.survivor_count, whole.survivor_count);
        for (size_t k = 0; k < narrow.survivor_count; k++) {
            assert_ptr_equal(narrow.survivors[k].mutant, whole.survivors[k].mutant);
        }
        survived += (int64_t)narrow.survivor_count;
        equivalent += (int64_t)narrow.equivalent;
        clear_subject(&subject);
    }
    print_message("# %lld mutants that differ, %lld that do not\n", (long long)survived, (long long)equivalent);
    assert_true(survived > wanted && equivalent > 0);
}

int main(void)
{
    const char *seed = sn_env_get("SENTINEL_SEED");
    struct sn_error err = {0};
    int64_t value = 0;
    if (seed != NULL && sn_parse_int(sn_slice_str(seed), 0, INT64_MAX, &value, &err) == SN_OK) {
        seed_value = (uint64_t)value;
    }
    print_message("# seed %llu\n", (unsigned long long)seed_value);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_equal_brute_force),
        cmocka_unit_test(mutants_differ_exactly_where_they_are_said_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

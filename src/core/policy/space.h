/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/space.h - every request that a policy can tell apart, in finite number (POL 14.3).
 *
 * A decision depends on few things: which names of the documents the profile and the caller bear, which windows are
 * open and which demands on devices are met. The space holds one request for each combination that can exist, so that a
 * question about all requests is answered by asking it of each of these. Nothing is sampled. What the space borrows
 * from policies (zones, texts) must outlive it.
 */
#ifndef SN_CORE_POLICY_SPACE_H
#define SN_CORE_POLICY_SPACE_H

#include "core/policy/strtab.h"
#include "core/policy/trial.h"
#include "core/policy/window.h"

enum {
    SN_SPACE_MAX_POINTS = 10000000, /* unless another bound is asked for */
    SN_SPACE_WEEKS = 53,            /* whose minutes are looked at: all changes of clocks lie in them */
    SN_SPACE_MAX_STATE_BYTES = 256 * 1024 * 1024,
};

/* The names, windows and demands of the documents. Zeroed: empty. */
struct sn_space_window {
    struct sn_window window;
    uint32_t zone; /* index into zones */
};
struct sn_vocabulary {
    struct sn_strtab profiles, names, roles, arns, zone_names;
    const struct sn_tz **zones;
    size_t zone_capacity;
    struct sn_space_window *windows; /* no two equal */
    size_t window_count, window_capacity;
    struct sn_strtab window_keys;
    struct sn_arena arena;
    struct sn_slice *versions; /* ascending, no two equal */
    size_t version_count, version_capacity;
    uint8_t needs, os_types; /* bits as in a rule */
    bool has_device, has_catalog;
};
void sn_vocabulary_clear(struct sn_vocabulary *words);
void sn_vocabulary_add_policy(struct sn_vocabulary *words, const struct sn_policy *policy);
/* An entry of a list of users, without group:; what is none is passed over. */
void sn_vocabulary_add_entry(struct sn_vocabulary *words, struct sn_slice entry);
void sn_vocabulary_add_window(
    struct sn_vocabulary *words, const struct sn_window *window, const struct sn_tz *zone, struct sn_slice zone_name);
/* A profile of the catalogue; once there is one, no other profile exists. */
void sn_vocabulary_add_catalogued(struct sn_vocabulary *words, struct sn_slice profile);

struct sn_space_caller {
    struct sn_slice text; /* a NAME or an ARN, as a test case has it */
    struct sn_principal who;
};
struct sn_space_device {
    bool is_known;
    struct sn_posture posture;
};
struct sn_space {
    struct sn_arena arena;
    struct sn_trial_server server;
    const struct sn_slice *profiles;
    struct sn_space_caller *callers;
    const int64_t *instants; /* unix seconds, ascending */
    struct sn_space_device *devices;
    size_t profile_count, caller_count, instant_count, device_count;
    uint64_t points; /* their product */
};

/*
 * Makes the space over a vocabulary, for a server and the weeks from an instant. SPACE_TOO_LARGE (SN_LIMIT), naming the
 * largest factor; TWO_ACCOUNTS (SN_USAGE) when no account was said and the IAM users named by ARN are of several.
 * Clear it in any case.
 */
SN_MUST_CHECK enum sn_status sn_space_init(struct sn_space *space, const struct sn_vocabulary *words,
    const struct sn_trial_server *server, int64_t from_unix_s, uint64_t max_points, struct sn_error *err);
void sn_space_clear(struct sn_space *space);
/* The midnight, UTC, that begins the Monday at or before an instant. */
int64_t sn_monday_before(int64_t unix_s);

/* One request of the space, by its place in each list. */
struct sn_point {
    uint32_t profile, caller, instant, device;
};
/* Fills out_request for a point; it borrows from space. */
void sn_space_request(
    const struct sn_space *space, const struct sn_point *point, struct sn_policy_request *out_request);

/* The instants among the minutes of SN_SPACE_WEEKS weeks, one for each set of windows that is open together; limit 0:
 * no more than fit SN_SPACE_MAX_STATE_BYTES. False when there are more. */
bool sn_space_find_instants(const struct sn_vocabulary *words, int64_t from_unix_s, size_t limit,
    struct sn_arena *arena, const int64_t **out_instants, size_t *out_count);

/* Which points a rule matches, one list of flags a dimension; a point matches when all four are set. */
struct sn_rule_reach {
    bool *profiles, *callers, *instants, *devices;
    bool mode; /* the server's mode is one of the rule's */
};
void sn_space_rule_reach(const struct sn_space *space, const struct sn_policy *policy, size_t rule,
    struct sn_arena *arena, struct sn_rule_reach *out_reach);

#endif

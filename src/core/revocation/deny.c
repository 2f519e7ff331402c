/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/revocation/deny.c - the deny policy of a role: its entries, its bytes, and what gives way when it grows.
 */
#include "core/revocation/deny.h"

#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "codec/json.h"
#include "core/identity/stamp.h"

static const char whole_role[] = "sentinel=*";
#define TIME_MAX_S INT64_C(253402300799)                                  /* the end of the year 9999 */
enum { EXACT_FRAME_CHARS = 3, LIST_MAX_BYTES = 1024 * 1024, FIELDS = 6 }; /* two quotes and a comma a value */

/* --- Values --- */

/* The <user> part of "sentinel=<user>=*"; empty for the pattern of the whole role and for what is none. */
static struct sn_slice user_of_pattern(struct sn_slice value)
{
    struct sn_slice rest = value;
    struct sn_slice first, user;

    if (!sn_slice_cut(rest, '=', &first, &rest) || !sn_slice_cut(rest, '=', &user, &rest) ||
        !sn_slice_eq_str(first, "sentinel") || !sn_slice_eq_str(rest, "*")) {
        return SN_S("");
    }
    return user;
}

static struct sn_slice user_of_exact(struct sn_slice value)
{
    struct sn_source_identity identity;
    struct sn_error ignored;

    return sn_source_identity_parse(value, &identity, &ignored) == SN_OK ? identity.user : SN_S("");
}

static bool value_is_valid(enum sn_deny_kind kind, struct sn_slice value)
{
    struct sn_slice user = user_of_pattern(value);

    switch (kind) {
    case SN_DENY_EXACT:
        return user_of_exact(value).len > 0;
    case SN_DENY_PATTERN:
        return sn_slice_eq_str(value, whole_role) ||
               (user.len > 0 && user.len <= SN_STAMP_USER_MAX && sn_slice_is_alnum_or(user, "_+,.@-"));
    }
    return false;
}

struct sn_slice sn_deny_user_pattern(struct sn_arena *arena, struct sn_slice user)
{
    return sn_arena_printf(arena, "sentinel=%.*s=*", SN_PRI(user));
}

/* True if every key of the exact entry was issued before the pattern's bound and carries what it matches. */
static bool covers(const struct sn_deny_entry *pattern, const struct sn_deny_entry *exact)
{
    return pattern->kind == SN_DENY_PATTERN && exact->bound_s < pattern->bound_s &&
           (sn_slice_eq_str(pattern->value, whole_role) ||
               sn_slice_eq(user_of_pattern(pattern->value), user_of_exact(exact->value)));
}

/* --- Bytes --- */

static int compare_numbers(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* Exact ones first, by value; then patterns by bound and value: the order of the policy. */
static int in_policy_order(const void *left, const void *right)
{
    const struct sn_deny_entry *a = left;
    const struct sn_deny_entry *b = right;

    if (a->kind != b->kind) {
        return compare_numbers(a->kind, b->kind);
    }
    if (a->kind == SN_DENY_PATTERN && a->bound_s != b->bound_s) {
        return compare_numbers(a->bound_s, b->bound_s);
    }
    return sn_slice_cmp(a->value, b->value);
}

/* Exact ones that end first come first; patterns last. */
static int by_worth(const void *left, const void *right)
{
    const struct sn_deny_entry *a = left;
    const struct sn_deny_entry *b = right;

    if (a->kind != b->kind) {
        return compare_numbers(a->kind, b->kind);
    }
    return a->keep_until_s != b->keep_until_s ? compare_numbers(a->keep_until_s, b->keep_until_s)
                                              : sn_slice_cmp(a->value, b->value);
}

/* The values of entries [from, to), which share a statement. */
static void put_values(struct sn_json_writer *w, const struct sn_deny_list *list, size_t from, size_t to)
{
    sn_json_begin_object(w);
    sn_json_key(w, "aws:SourceIdentity");
    sn_json_begin_array(w);
    for (size_t i = from; i < to; i++) {
        sn_json_put_text(w, list->entries[i].value);
    }
    sn_json_end_array(w);
    sn_json_end_object(w);
}

static void begin_statement(struct sn_json_writer *w, struct sn_slice sid)
{
    sn_json_begin_object(w);
    sn_json_member_text(w, "Sid", sid);
    sn_json_member_str(w, "Effect", "Deny");
    sn_json_member_str(w, "Action", "*");
    sn_json_member_str(w, "Resource", "*");
    sn_json_key(w, "Condition");
    sn_json_begin_object(w);
}

static void end_statement(struct sn_json_writer *w)
{
    sn_json_end_object(w);
    sn_json_end_object(w);
}

static void put_patterns(struct sn_json_writer *w, const struct sn_deny_list *list, size_t from, size_t to, int number)
{
    SN_AUTO(sn_buf_clear) struct sn_buf sid = {0};
    char bound[SN_TIME_TEXT_MAX];

    sn_buf_addf(&sid, "SentinelRevokedBefore%d", number);
    begin_statement(w, sn_buf_slice(&sid));
    sn_json_key(w, "StringLike");
    put_values(w, list, from, to);
    sn_json_key(w, "DateLessThan");
    sn_json_begin_object(w);
    sn_json_member_text(w, "aws:TokenIssueTime", sn_time_format_rfc3339_s(list->entries[from].bound_s, bound));
    sn_json_end_object(w);
    end_statement(w);
}

/* The list must be in policy order. Nothing for an empty one. */
static void put_policy(struct sn_buf *buf, const struct sn_deny_list *list)
{
    struct sn_json_writer w;
    size_t exact = 0;
    int number = 1;

    if (list->count == 0) {
        return;
    }
    while (exact < list->count && list->entries[exact].kind == SN_DENY_EXACT) {
        exact++;
    }
    sn_json_writer_init(&w, buf);
    sn_json_begin_object(&w);
    sn_json_member_str(&w, "Version", "2012-10-17");
    sn_json_key(&w, "Statement");
    sn_json_begin_array(&w);
    if (exact > 0) {
        begin_statement(&w, SN_S("SentinelRevokedSessions"));
        sn_json_key(&w, "StringEquals");
        put_values(&w, list, 0, exact);
        end_statement(&w);
    }
    for (size_t from = exact, to; from < list->count; from = to) {
        for (to = from; to < list->count && list->entries[to].bound_s == list->entries[from].bound_s; to++) {
        }
        put_patterns(&w, list, from, to, number++);
    }
    sn_json_end_array(&w);
    sn_json_end_object(&w);
}

static void sort(struct sn_deny_list *list, int (*order)(const void *, const void *))
{
    if (list->count > 1) {
        qsort(list->entries, list->count, sizeof(*list->entries), order);
    }
}

/* The characters of the policy now; puts the list in its order. */
static size_t measure(struct sn_deny_list *list, struct sn_buf *text)
{
    sort(list, in_policy_order);
    sn_buf_reset(text);
    put_policy(text, list);
    SN_ASSERT(!text->overflow);
    return text->len;
}

/* --- What gives way --- */

static void drop_over(struct sn_deny_list *list, int64_t now_s)
{
    size_t kept = 0;

    for (size_t i = 0; i < list->count; i++) {
        if (list->entries[i].keep_until_s > now_s) {
            list->entries[kept++] = list->entries[i];
        }
    }
    list->count = kept;
}

static void drop_covered(struct sn_deny_list *list)
{
    size_t kept = 0;

    /* In policy order patterns stand behind the exact ones, so none is overwritten before it was compared. */
    sort(list, in_policy_order);
    for (size_t i = 0; i < list->count; i++) {
        bool is_covered = false;
        for (size_t k = i + 1; k < list->count && list->entries[i].kind == SN_DENY_EXACT && !is_covered; k++) {
            is_covered = covers(&list->entries[k], &list->entries[i]);
        }
        if (!is_covered) {
            list->entries[kept++] = list->entries[i];
        }
    }
    list->count = kept;
}

struct user_count {
    struct sn_slice user;
    size_t count;
};

static int most_first(const void *left, const void *right)
{
    const struct user_count *a = left;
    const struct user_count *b = right;

    return a->count != b->count ? compare_numbers((int64_t)b->count, (int64_t)a->count)
                                : sn_slice_cmp(a->user, b->user);
}

/* The users of the exact entries, those with most values first. */
static size_t count_users(const struct sn_deny_list *list, struct user_count *users)
{
    size_t count = 0;

    for (size_t i = 0; i < list->count && list->entries[i].kind == SN_DENY_EXACT; i++) {
        struct sn_slice user = user_of_exact(list->entries[i].value);
        if (count == 0 || !sn_slice_eq(users[count - 1].user, user)) { /* sorted by value, so by user */
            users[count++] = (struct user_count){.user = user};
        }
        users[count - 1].count++;
    }
    if (count > 1) {
        qsort(users, count, sizeof(*users), most_first);
    }
    return count;
}

/* One pattern in place of all exact values of a user. */
static void merge_user(
    struct sn_deny_list *list, struct sn_slice user, const struct sn_deny_role *role, struct sn_arena *arena)
{
    struct sn_deny_entry pattern = {.kind = SN_DENY_PATTERN,
        .value = sn_deny_user_pattern(arena, user),
        .bound_s = role->now_s,
        .keep_until_s = role->now_s + role->longest_session_s + SN_DENY_KEEP_SLACK_S};
    size_t kept = 0;

    for (size_t i = 0; i < list->count; i++) {
        const struct sn_deny_entry *entry = &list->entries[i];
        bool is_older_pattern = entry->kind == SN_DENY_PATTERN && sn_slice_eq(entry->value, pattern.value) &&
                                entry->bound_s <= pattern.bound_s && entry->keep_until_s <= pattern.keep_until_s;
        if (is_older_pattern || (entry->kind == SN_DENY_EXACT && covers(&pattern, entry))) {
            pattern.by = entry->by;
            pattern.at_s = entry->at_s > pattern.at_s ? entry->at_s : pattern.at_s;
        } else {
            list->entries[kept++] = *entry;
        }
    }
    if (kept < list->count) {
        list->entries[kept++] = pattern;
    }
    list->count = kept;
}

static void merge_users(
    struct sn_deny_list *list, const struct sn_deny_role *role, struct sn_arena *arena, struct sn_buf *text)
{
    struct user_count *users = sn_arena_alloc(arena, list->count + 1, sizeof(*users));
    size_t count = count_users(list, users);

    for (size_t i = 0; i < count && measure(list, text) > role->budget_chars; i++) {
        if (role->all_revoked(role->ctx, users[i].user)) {
            merge_user(list, users[i].user, role, arena);
        }
    }
}

/*
 * Leaves out what ends first until the rest fits. Returns the entries left out, which stand in front of the list's own
 * memory afterwards; patterns go only when no exact one is left.
 */
static size_t leave_out(struct sn_deny_list *list, size_t budget_chars, struct sn_buf *text)
{
    struct sn_deny_list rest = *list;
    size_t chars = measure(&rest, text);

    sort(list, by_worth);
    while (chars > budget_chars && rest.count > 0) {
        size_t gained = 0;
        do {
            gained += rest.entries[0].value.len + EXACT_FRAME_CHARS;
            rest.entries++;
            rest.count--;
        } while (rest.count > 0 && chars - budget_chars > gained);
        chars = measure(&rest, text);
        sort(&rest, by_worth);
    }
    size_t left_out = list->count - rest.count;
    sort(&rest, in_policy_order);
    return left_out;
}

void sn_deny_render(const struct sn_deny_list *list, const struct sn_deny_role *role, struct sn_arena *arena,
    struct sn_deny_rendering *out_rendering)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = SN_BUF_INIT(LIST_MAX_BYTES);
    struct sn_deny_rendering rendering = {.uncovered_count = 0};
    struct sn_deny_list kept = {
        .entries = sn_arena_alloc(arena, list->count + 1, sizeof(*kept.entries)), .count = list->count};

    if (list->count > 0) {
        memcpy(kept.entries, list->entries, list->count * sizeof(*kept.entries));
    }
    drop_over(&kept, role->now_s);
    if (measure(&kept, &text) > role->budget_chars) {
        drop_covered(&kept);
    }
    if (measure(&kept, &text) > role->budget_chars) {
        merge_users(&kept, role, arena, &text);
    }
    size_t left_out = leave_out(&kept, role->budget_chars, &text);
    struct sn_deny_list shown = {.entries = kept.entries + left_out, .count = kept.count - left_out};
    sn_buf_reset(&text);
    put_policy(&text, &shown);
    rendering.policy = sn_arena_dup(arena, sn_buf_slice(&text));
    rendering.kept = kept;
    rendering.uncovered = sn_arena_alloc(arena, left_out + 1, sizeof(*rendering.uncovered));
    for (size_t i = 0; i < left_out; i++) {
        rendering.uncovered[rendering.uncovered_count++] = kept.entries[i].value;
    }
    *out_rendering = rendering;
}

/* --- The list --- */

enum sn_status sn_deny_add(
    struct sn_deny_list *list, const struct sn_deny_entry *entry, struct sn_arena *arena, struct sn_error *err)
{
    SN_ASSERT(value_is_valid(entry->kind, entry->value));
    for (size_t i = 0; i < list->count; i++) {
        struct sn_deny_entry *old = &list->entries[i];
        if (old->kind == entry->kind && sn_slice_eq(old->value, entry->value)) {
            old->bound_s = entry->bound_s > old->bound_s ? entry->bound_s : old->bound_s;
            old->keep_until_s = entry->keep_until_s > old->keep_until_s ? entry->keep_until_s : old->keep_until_s;
            return SN_OK;
        }
    }
    if (list->count >= SN_DENY_ENTRIES_MAX) {
        return sn_fail(err, SN_LIMIT, "DENY_LIST_FULL", "a role keeps at most %d revocations", SN_DENY_ENTRIES_MAX);
    }
    struct sn_deny_entry *entries = sn_arena_alloc(arena, list->count + 1, sizeof(*entries));
    if (list->count > 0) {
        memcpy(entries, list->entries, list->count * sizeof(*entries));
    }
    entries[list->count] = *entry;
    *list = (struct sn_deny_list){.entries = entries, .count = list->count + 1};
    return SN_OK;
}

int64_t sn_deny_next_prune_s(const struct sn_deny_list *list)
{
    int64_t earliest = INT64_MAX;

    for (size_t i = 0; i < list->count; i++) {
        earliest = list->entries[i].keep_until_s < earliest ? list->entries[i].keep_until_s : earliest;
    }
    return earliest;
}

/* --- Stored form --- */

static const char *const kind_words[] = {[SN_DENY_EXACT] = "exact", [SN_DENY_PATTERN] = "pattern"};

struct stored_entry {
    struct sn_slice kind, value, by;
    int64_t bound, keep_until, at;
};
static const struct sn_json_field stored_fields[] = {
    {.name = "kind", .kind = SN_JSON_FIELD_TEXT, .offset = offsetof(struct stored_entry, kind), .required = true},
    {.name = "value", .kind = SN_JSON_FIELD_TEXT, .offset = offsetof(struct stored_entry, value), .required = true},
    {.name = "bound", .kind = SN_JSON_FIELD_INT, .offset = offsetof(struct stored_entry, bound), .required = true},
    {.name = "keep_until",
        .kind = SN_JSON_FIELD_INT,
        .offset = offsetof(struct stored_entry, keep_until),
        .required = true},
    {.name = "by", .kind = SN_JSON_FIELD_TEXT, .offset = offsetof(struct stored_entry, by), .required = true},
    {.name = "at", .kind = SN_JSON_FIELD_INT, .offset = offsetof(struct stored_entry, at), .required = true},
    {0},
};
static const struct sn_json_limits stored_limits = {
    .max_bytes = LIST_MAX_BYTES, .max_depth = 2, .max_members = SN_DENY_ENTRIES_MAX * (FIELDS + 1)};

void sn_deny_format(struct sn_buf *buf, const struct sn_deny_list *list)
{
    struct sn_json_writer w;

    sn_json_writer_init(&w, buf);
    sn_json_begin_array(&w);
    for (size_t i = 0; i < list->count; i++) {
        const struct sn_deny_entry *entry = &list->entries[i];
        sn_json_begin_object(&w);
        sn_json_member_str(&w, "kind", kind_words[entry->kind]);
        sn_json_member_text(&w, "value", entry->value);
        sn_json_member_int(&w, "bound", entry->bound_s);
        sn_json_member_int(&w, "keep_until", entry->keep_until_s);
        sn_json_member_text(&w, "by", entry->by);
        sn_json_member_int(&w, "at", entry->at_s);
        sn_json_end_object(&w);
    }
    sn_json_end_array(&w);
}

static bool is_time(int64_t unix_s)
{
    return unix_s >= 0 && unix_s <= TIME_MAX_S;
}

static enum sn_status read_entry(
    const struct sn_json *node, struct sn_arena *arena, struct sn_deny_entry *out_entry, struct sn_error *err)
{
    struct stored_entry stored = {.bound = 0};
    struct sn_deny_entry entry = {.kind = SN_DENY_EXACT};

    SN_TRY(sn_json_read_object(node, stored_fields, false, &stored, err));
    entry.kind = sn_slice_eq_str(stored.kind, kind_words[SN_DENY_PATTERN]) ? SN_DENY_PATTERN : SN_DENY_EXACT;
    if (!sn_slice_eq_str(stored.kind, kind_words[entry.kind]) || !value_is_valid(entry.kind, stored.value) ||
        !is_time(stored.bound) || !is_time(stored.keep_until) || !is_time(stored.at)) {
        return sn_fail(
            err, SN_INTERNAL, "RECORD_INVALID", "a stored revocation has a kind, value or time that is none");
    }
    entry.value = sn_arena_dup(arena, stored.value);
    entry.bound_s = stored.bound;
    entry.keep_until_s = stored.keep_until;
    entry.by = sn_arena_dup(arena, stored.by);
    entry.at_s = stored.at;
    *out_entry = entry;
    return SN_OK;
}

enum sn_status sn_deny_parse(
    struct sn_slice text, struct sn_arena *arena, struct sn_deny_list *out_list, struct sn_error *err)
{
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    struct sn_error cause = {0};

    if (sn_json_parse(text, &stored_limits, &doc, &cause) != SN_OK ||
        sn_json_kind_of(sn_json_root(doc)) != SN_JSON_ARRAY || sn_json_count(sn_json_root(doc)) > SN_DENY_ENTRIES_MAX) {
        return sn_fail(err, SN_INTERNAL, "RECORD_INVALID", "the stored revocations of a role cannot be read");
    }
    const struct sn_json *root = sn_json_root(doc);
    struct sn_deny_list list = {.entries = sn_arena_alloc(arena, sn_json_count(root) + 1, sizeof(*list.entries))};
    for (size_t i = 0; i < sn_json_count(root); i++) {
        SN_TRY(read_entry(sn_json_at(root, i), arena, &list.entries[i], err));
        list.count++;
    }
    *out_list = list;
    return SN_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/core/policy_canonical_test.c - the canonical form of every kind of document, to the byte. */
#include "policy_fixture.h"

#include <dirent.h>

#include "base/fs.h"
#include "core/policy/canonical.h"

static void check(enum sn_document_kind kind, const char *text, const char *expected)
{
    SN_AUTO(sn_buf_clear) struct sn_buf out = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf again = {0};
    struct sn_error err = {0};
    assert_ok(sn_document_canonical(kind, sn_slice_str(text), &out, &err), &err);
    assert_slice_equal(sn_buf_slice(&out), expected);
    assert_ok(sn_document_canonical(kind, sn_buf_slice(&out), &again, &err), &err);
    assert_slice_equal(sn_buf_slice(&again), expected);
}

static void access_policy(void **state)
{
    (void)state;
    check(SN_DOCUMENT_POLICY,
        "# a comment\n"
        "rules:\n"
        "- conditions: {device: {min_os_version: '14.2', require_mdm: true, allowed_os_types: [Darwin]},\n"
        "    mode: [server], users: ['group:ops', \"role:X\"], profiles: [dev, team/dev],\n"
        "    time: {timezone: Europe/Berlin, hours: {end: 24:00, start: '09:00'}, days: [friday]}}\n"
        "  reason: |\n    two words\n"
        "  max_server_duration: 90m\n  session_table: t.1\n  name: a rule\n  effect: allow\n"
        "- {name: rest, effect: deny, conditions: {}, break_glass: never, reason: ''}\n"
        "version: 1\n"
        "groups: {ops: [ana, 'jane.doe@corp.com', '007']}\n",
        "version: \"1\"\n"
        "groups:\n"
        "  ops:\n"
        "    - ana\n"
        "    - jane.doe@corp.com\n"
        "    - \"007\"\n"
        "rules:\n"
        "  - name: a rule\n"
        "    effect: allow\n"
        "    conditions:\n"
        "      profiles:\n"
        "        - dev\n"
        "        - team/dev\n"
        "      users:\n"
        "        - group:ops\n"
        "        - role:X\n"
        "      time:\n"
        "        days:\n"
        "          - friday\n"
        "        hours:\n"
        "          start: \"09:00\"\n"
        "          end: \"24:00\"\n"
        "        timezone: Europe/Berlin\n"
        "      mode:\n"
        "        - server\n"
        "      device:\n"
        "        require_mdm: true\n"
        "        min_os_version: \"14.2\"\n"
        "        allowed_os_types:\n"
        "          - Darwin\n"
        "    reason: two words\n"
        "    max_server_duration: 1h30m0s\n"
        "    session_table: t.1\n"
        "  - name: rest\n"
        "    effect: deny\n"
        "    break_glass: never\n"
        "    conditions: {}\n");
}

/* What says nothing goes; what would then say something else stays. */
static void empty_members(void **state)
{
    (void)state;
    check(SN_DOCUMENT_POLICY,
        "version: '1'\nrules:\n- {name: a, effect: deny, conditions: {profiles: [], users: [bo], device: "
        "{require_mdm: false}}}\n- {name: b, effect: deny, conditions: {users: [bo], device: {allowed_os_types: "
        "[]}}}\n",
        "version: \"1\"\n"
        "rules:\n"
        "  - name: a\n"
        "    effect: deny\n"
        "    conditions:\n"
        "      users:\n"
        "        - bo\n"
        "      device:\n"
        "        require_mdm: false\n"
        "  - name: b\n"
        "    effect: deny\n"
        "    conditions:\n"
        "      users:\n"
        "        - bo\n"
        "      device:\n"
        "        allowed_os_types: []\n");
    check(SN_DOCUMENT_BREAKGLASS,
        "version: '1'\nrules:\n- {name: r, users: [a], profiles: [], max_duration: 0s, mfa: {}, allowed_reason_codes: "
        "[]}\n",
        "version: \"1\"\nrules:\n  - name: r\n    users:\n      - a\n");
    check(SN_DOCUMENT_RATELIMIT,
        "version: '1'\nrules: [{quota_window: 24h, escalation_threshold: 0, max_per_user: 3, cooldown: 0s, name: r}]\n",
        "version: \"1\"\nrules:\n  - name: r\n    max_per_user: 3\n    quota_window: 24h0m0s\n");
}

static void approval_and_catalogue(void **state)
{
    (void)state;
    check(SN_DOCUMENT_APPROVAL,
        "rules: [{auto_approve: {max_duration: 30s, users: [\"group:g\"]}, single_use: false, approvals_required: 2,\n"
        "  approvers: [a, b], profiles: [p], name: \"yes\"}]\npeople: {b: [b, \"b@x\"], a: [a]}\nversion: '1'\n"
        "groups: {g: [\"null\", \"-x\", \"a b\"]}\n",
        "version: \"1\"\n"
        "groups:\n"
        "  g:\n"
        "    - \"null\"\n"
        "    - \"-x\"\n"
        "    - a b\n"
        "people:\n"
        "  b:\n"
        "    - b\n"
        "    - b@x\n"
        "  a:\n"
        "    - a\n"
        "rules:\n"
        "  - name: \"yes\"\n"
        "    profiles:\n"
        "      - p\n"
        "    approvers:\n"
        "      - a\n"
        "      - b\n"
        "    approvals_required: 2\n"
        "    single_use: false\n"
        "    auto_approve:\n"
        "      users:\n"
        "        - group:g\n"
        "      max_duration: 30s\n");
    check(SN_DOCUMENT_CATALOG,
        "profiles:\n  z: {tags: {team: fin, 'a key': ''}, role_arn: 'arn:aws:iam::111122223333:role/Z'}\n"
        "  a:\n    role_arn: arn:aws:iam::111122223333:role/A\n    description: \"caf\\u00e9: \\\"x\\\"\"\n"
        "    max_duration: 900s\n    session_policy: |\n      {\"a\":\n       1}\nversion: '1'\n",
        "version: \"1\"\n"
        "profiles:\n"
        "  z:\n"
        "    role_arn: arn:aws:iam::111122223333:role/Z\n"
        "    tags:\n"
        "      team: fin\n"
        "      a key: \"\"\n"
        "  a:\n"
        "    role_arn: arn:aws:iam::111122223333:role/A\n"
        "    description: \"caf\xc3\xa9: \\\"x\\\"\"\n"
        "    max_duration: 15m0s\n"
        "    session_policy: \"{\\\"a\\\":\\n 1}\"\n");
}

/* What has not the form of its kind has no canonical form. */
static void refused(void **state)
{
    (void)state;
    static const struct {
        enum sn_document_kind kind;
        const char *text;
    } rows[] = {{SN_DOCUMENT_POLICY, ""}, {SN_DOCUMENT_POLICY, "version: '1'\nrule: []\n"},
        {SN_DOCUMENT_RATELIMIT, "version: '1'\nrules: [{name: r, max_per_user: x}]\n"},
        {SN_DOCUMENT_CATALOG, "version: '1'\nprofiles: []\n"}};
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_buf_clear) struct sn_buf out = {0};
        struct sn_error err = {0};
        assert_int_equal(sn_document_canonical(rows[i].kind, sn_slice_str(rows[i].text), &out, &err), SN_INVALID);
        assert_string_equal(err.code, "INVALID_POLICY");
        assert_int_equal(out.len, 0);
    }
}

/* Every example is another text in canonical form, and that text its own. */
static void examples(void **state)
{
    (void)state;
    int seen = 0;
    struct dirent *entry;
    DIR *dir = opendir(SN_EXAMPLES);
    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        struct sn_slice name = sn_slice_str(entry->d_name);
        if (!sn_slice_has_suffix(name, SN_S(".yaml")) || sn_slice_has_suffix(name, SN_S(".test.yaml"))) {
            continue;
        }
        SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
        SN_AUTO(sn_buf_clear) struct sn_buf once = {0};
        SN_AUTO(sn_buf_clear) struct sn_buf twice = {0};
        struct sn_error err = {0};
        char path[512];
        snprintf(path, sizeof(path), "%s/%s", SN_EXAMPLES, entry->d_name);
        print_message("# %s\n", entry->d_name);
        assert_ok(sn_fs_read(path, 1 << 20, &text, &err), &err);
        enum sn_document_kind kind = sn_document_kind_guess(sn_buf_slice(&text)).kind;
        assert_ok(sn_document_canonical(kind, sn_buf_slice(&text), &once, &err), &err);
        assert_ok(sn_document_canonical(kind, sn_buf_slice(&once), &twice, &err), &err);
        assert_true(sn_slice_eq(sn_buf_slice(&once), sn_buf_slice(&twice)));
        assert_int_equal(sn_document_kind_guess(sn_buf_slice(&once)).kind, kind);
        seen++;
    }
    closedir(dir);
    assert_true(seen >= 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(access_policy),
        cmocka_unit_test(empty_members),
        cmocka_unit_test(approval_and_catalogue),
        cmocka_unit_test(refused),
        cmocka_unit_test(examples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

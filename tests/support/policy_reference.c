/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/policy_reference.c - writes docs/reference/policy.md from the schema tables of the product.
 *
 *   policy_reference           prints the page
 *   policy_reference FILE      exit 1 when FILE is another page, naming the first line that differs
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "core/policy/findings.h"
#include "core/policy/limits.h"
#include "core/policy/schema.h"

static const char *kind_word(enum sn_schema_kind kind)
{
    switch (kind) {
    case SN_SCHEMA_TEXT:
        return "text";
    case SN_SCHEMA_BOOL:
        return "boolean";
    case SN_SCHEMA_COUNT:
        return "whole number";
    case SN_SCHEMA_LIST:
        return "list of text";
    case SN_SCHEMA_RECORD:
        return "mapping";
    case SN_SCHEMA_RECORD_LIST:
        return "list of mappings";
    case SN_SCHEMA_RECORD_MAP:
        return "mapping of mappings";
    case SN_SCHEMA_LIST_MAP:
        return "mapping of lists";
    case SN_SCHEMA_TEXT_OR_LIST:
        return "text or list";
    case SN_SCHEMA_ANY:
        return "any";
    case SN_SCHEMA_TEXT_MAP:
        return "mapping of text";
    }
    return "";
}

static void put_schema(struct sn_buf *page, const struct sn_schema *schema)
{
    sn_buf_addf(
        page, "\n### %s\n\n| field | kind | required | values | meaning |\n|---|---|---|---|---|\n", schema->title);
    for (size_t i = 0; i < schema->count; i++) {
        const struct sn_schema_field *field = &schema->fields[i];
        sn_buf_addf(page, "| `%s` | %s | %s | %s | %s |\n", field->name, kind_word(field->kind),
            field->required ? "yes" : "no", field->form, field->meaning);
    }
}

static const char introduction[] =
    "# Policy reference\n\n"
    "<!-- Written by tests/support/policy_reference.c from the tables that the program itself reads documents with.\n"
    "     Change those, then: build/tests/support/policy_reference >docs/reference/policy.md -->\n\n"
    "An *access policy* says who gets which profile, when, from what device, and with whose consent. The *catalogue* "
    "says\n"
    "which role a profile stands for. *Approval*, *break-glass* and *rate-limit policies* say who may consent, who may "
    "act "
    "in an\n"
    "emergency, and how often. All are YAML (JSON works too) and are read strictly: a document with a single "
    "fault\n"
    "does not load, and what does not load grants nothing. Every fault is listed at once, with line, column and a "
    "mend.\n\n"
    "## How a request is decided\n\n"
    "The rules are read from the top. The first rule whose conditions all hold decides, and nothing behind it is "
    "looked at.\n"
    "Where no rule holds, the request is denied. A condition that is not stated holds always; of a list, one entry "
    "must\n"
    "hold. Names are compared letter by letter, case included, and there are no wildcards.\n\n"
    "| effect | what the request gets | an approved request can turn it | emergency access can turn it |\n"
    "|---|---|---|---|\n"
    "| `allow` | credentials | - | - |\n"
    "| `deny` | a refusal with the reason | no | yes, unless `break_glass: never` |\n"
    "| `require_approval` | a hint to ask for approval | yes | yes |\n"
    "| `require_server` | credentials when the server decides, else a refusal | no | no |\n"
    "| `require_server_session` | credentials once the session is recorded, else a refusal | no | no |\n"
    "| no rule | a refusal | yes | yes |\n\n"
    "### Who an entry names\n\n"
    "| entry | the caller |\n|---|---|\n"
    "| `NAME` | whose name is vouched for and is exactly this: an IAM Identity Center user or a session of a role that "
    "the "
    "operator vouches for, in any allowed account, or an IAM user of the server's own account |\n"
    "| `arn:...` | whose whole ARN is this: an IAM user, a role session, a federated user or the root user |\n"
    "| `role:NAME` | who is any session of the role with that name |\n"
    "| `group:NAME` | who matches an entry of that group of the same document |\n\n"
    "### Time\n\n"
    "A window is read off the wall clock of its own zone, UTC where none is given, in whole minutes: the start belongs "
    "to\n"
    "it, the end does not. With a start after the end it runs over midnight and `days` names the day on which it "
    "begins. A\n"
    "reading that a clock change skips never occurs, and one that it repeats counts both times. A zone whose data "
    "cannot be\n"
    "loaded is a fault of the document.\n\n"
    "### Versions\n\n"
    "`min_os_version` compares part by part between `.`, `-` and `+`, each by its leading digits; a missing part is 0, "
    "so\n"
    "`14` equals `14.0.0` and `14.10` is later than `14.9`.\n";

static const char rulesets_text[] =
    "\n## Fields of approval, break-glass and rate-limit policies\n\n"
    "In these the first rule that has no `profiles`, or names the profile, is the profile's rule, and no other is "
    "looked "
    "at.\n"
    "A profile of which no rule speaks has no approvers and no emergency access; a rate limit it has none either.\n"
    "Entries, groups and time windows mean what they mean in access policies. `time` is the mapping described above.\n";

static void put_limits(struct sn_buf *page)
{
    sn_buf_addf(page,
        "\n## Limits\n\n| what | at most |\n|---|---|\n"
        "| a document | %d bytes, 16 levels, 400000 values |\n| rules | %d |\n| groups | %d |\n"
        "| entries of a list or group | %d |\n| an entry | %d bytes, an ARN %d |\n| profiles of the catalogue | %d |\n"
        "| minified session policy and policy ARNs | %d bytes together |\n\n"
        "Whatever a text holds, reading it takes at most 40 times the size of the largest document, 40 MiB.\n\n"
        "Not part of the language: anchors, aliases, merge keys, tags, several documents in one file, keys given "
        "twice, a key\n"
        "without a value, control characters, text that is not UTF-8.\n",
        SN_POLICY_MAX_BYTES, SN_POLICY_MAX_RULES, SN_POLICY_MAX_GROUPS, SN_POLICY_MAX_LIST, SN_POLICY_MAX_ENTRY,
        SN_POLICY_MAX_ENTRY_ARN, SN_CATALOG_MAX_PROFILES, SN_CATALOG_MAX_SESSION_POLICY);
}

static void put_codes(struct sn_buf *page)
{
    static const char *const codes[] = {
#define SN_CODE(code, phase) code,
        SN_FINDING_CODES(SN_CODE)
#undef SN_CODE
    };
    static const enum sn_finding_phase phases[] = {SN_FINDING_PARSE, SN_FINDING_VALIDATION, SN_FINDING_LINT};
    static const char *const titles[] = {"Parse errors: the text has not the form of such a document",
        "Validation errors: the form is right, a value is not", "Lint: legal, and probably not what was meant"};
    sn_buf_add_str(page, "\n## Findings\n\nErrors stop a document, lint does not.\n");
    for (size_t p = 0; p < SN_LEN(phases); p++) {
        const char *comma = "";
        sn_buf_addf(page, "\n- %s: ", titles[p]);
        for (size_t i = 0; i < SN_LEN(codes); i++) {
            struct sn_finding finding = {.code = codes[i]};
            if (sn_finding_phase(&finding) == phases[p]) {
                sn_buf_addf(page, "%s`%s`", comma, codes[i]);
                comma = ", ";
            }
        }
        sn_buf_add_str(page, ".\n");
    }
}

static void put_page(struct sn_buf *page)
{
    static const struct sn_schema *const policy[] = {&sn_schema_policy, &sn_schema_rule, &sn_schema_conditions,
        &sn_schema_time, &sn_schema_hours, &sn_schema_device};
    static const struct sn_schema *const rulesets[] = {&sn_schema_approval, &sn_schema_approval_rule,
        &sn_schema_auto_approve, &sn_schema_breakglass, &sn_schema_breakglass_rule, &sn_schema_mfa,
        &sn_schema_ratelimit, &sn_schema_ratelimit_rule};
    static const struct sn_schema *const catalog[] = {&sn_schema_catalog, &sn_schema_profile};
    sn_buf_add_str(page, introduction);
    sn_buf_add_str(page, "\n## Fields of an access policy\n");
    for (size_t i = 0; i < SN_LEN(policy); i++) {
        put_schema(page, policy[i]);
    }
    sn_buf_add_str(page, rulesets_text);
    for (size_t i = 0; i < SN_LEN(rulesets); i++) {
        put_schema(page, rulesets[i]);
    }
    sn_buf_add_str(page, "\n## Fields of the catalogue\n");
    for (size_t i = 0; i < SN_LEN(catalog); i++) {
        put_schema(page, catalog[i]);
    }
    static const struct sn_schema *const tests[] = {
        &sn_schema_tests, &sn_schema_case, &sn_schema_expect, &sn_schema_posture};
    sn_buf_add_str(page, "\n## Fields of the configuration of a first set-up\n");
    put_schema(page, &sn_schema_bootstrap);
    put_schema(page, &sn_schema_bootstrap_profile);
    sn_buf_add_str(page, "\n## Fields of a test file\n");
    for (size_t i = 0; i < SN_LEN(tests); i++) {
        put_schema(page, tests[i]);
    }
    put_limits(page);
    put_codes(page);
    sn_buf_add_str(page, "\nComplete documents are in `examples/policy/`; the test suite loads each of them.\n");
}

static int compare(struct sn_slice page, const char *path)
{
    struct sn_buf file = {0};
    struct sn_error err = {0};
    struct sn_slice expected, found;
    int result = 0;
    if (sn_fs_read(path, 1 << 20, &file, &err) != SN_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    struct sn_slice left = page, right = sn_buf_slice(&file);
    for (int line = 1; result == 0 && (left.len > 0 || right.len > 0); line++) {
        bool has_left = sn_slice_next(&left, '\n', &expected), has_right = sn_slice_next(&right, '\n', &found);
        if (!has_left || !has_right || !sn_slice_eq(expected, found)) {
            fprintf(stderr,
                "%s:%d is out of date; run build/tests/support/policy_reference >docs/reference/policy.md\n", path,
                line);
            result = 1;
        }
    }
    sn_buf_clear(&file);
    return result;
}

int main(int argc, char **argv)
{
    struct sn_buf page = {0};
    int result = 0;
    put_page(&page);
    if (argc > 1) {
        result = compare(sn_buf_slice(&page), argv[1]);
    } else {
        result = fwrite(page.ptr, 1, page.len, stdout) == page.len && fflush(stdout) == 0 ? 0 : 1;
    }
    sn_buf_clear(&page);
    return result;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of the option parser: sources of values in their order, forms of options, and every refusal with its hint.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/parse.h"

struct args {
    const char *url, *mode;
    int64_t count, duration;
    bool force;
    struct sn_opt_list items;
};

static const char *const modes[] = {"auto", "iam", "proof", NULL};
static const struct sn_opt opts[] = {
    {.name = "tvm-url",
        .letter = 'u',
        .metavar = "URL",
        .kind = SN_OPT_STRING,
        .env = "T_URL",
        .config = "tvm_url",
        .field = offsetof(struct args, url),
        .help = "the server"},
    {.name = "remote-server",
        .metavar = "URL",
        .kind = SN_OPT_STRING,
        .flags = SN_OPT_HIDDEN,
        .field = offsetof(struct args, url),
        .help = "the server"},
    {.name = "mode",
        .metavar = "MODE",
        .kind = SN_OPT_CHOICE,
        .choices = modes,
        .fallback = "auto",
        .env = "T_MODE",
        .field = offsetof(struct args, mode),
        .help = "the mode"},
    {.name = "count",
        .kind = SN_OPT_INT,
        .min = 1,
        .max = 9,
        .field = offsetof(struct args, count),
        .help = "how many"},
    {.name = "duration",
        .metavar = "TIME",
        .kind = SN_OPT_DURATION,
        .flags = SN_OPT_SECONDS_OK,
        .min = 900,
        .max = 43200,
        .field = offsetof(struct args, duration),
        .help = "how long"},
    {.name = "force", .letter = 'f', .kind = SN_OPT_FLAG, .field = offsetof(struct args, force), .help = "do it"},
    {.name = "item", .kind = SN_OPT_LIST, .field = offsetof(struct args, items), .help = "one of many"},
    {.name = "server", .kind = SN_OPT_FLAG, .flags = SN_OPT_REMOVED, .help = "use --tvm-url URL"},
    {0},
};
static const struct sn_opt needy_opts[] = {
    {.name = "reason", .metavar = "TEXT", .kind = SN_OPT_STRING, .flags = SN_OPT_REQUIRED, .help = "why"}, {0}};

static const struct sn_cmd exec_cmd = {.name = "exec",
    .alias = "run it",
    .operands = "PROFILE [-- COMMAND...]",
    .max_operands = 1,
    .takes_command = true,
    .writes_result = true,
    .opts = opts,
    .args_size = sizeof(struct args)};
static const struct sn_cmd verify_cmd = {
    .name = "audit verify", .min_operands = 1, .operands = "FILE...", .max_operands = SIZE_MAX, .args_size = 1};
static const struct sn_cmd logs_cmd = {.name = "audit verify-logs", .max_operands = 0, .args_size = 1};
static const struct sn_cmd needy_cmd = {.name = "needy", .opts = needy_opts, .args_size = sizeof(char *)};
static const struct sn_cmd shell_cmd = {.name = "shell", .operand_choices = modes, .max_operands = 1, .args_size = 1};
static const struct sn_cmd *const commands[] = {&exec_cmd, &verify_cmd, &logs_cmd, &needy_cmd, &shell_cmd, NULL};

static const char *env_url, *env_mode, *config_url;

static const char *scripted_env(void *ctx, const char *name)
{
    (void)ctx;
    return strcmp(name, "T_URL") == 0 ? env_url : strcmp(name, "T_MODE") == 0 ? env_mode : NULL;
}

static enum sn_status scripted_config(void *ctx, const char *key, const char **out_value, struct sn_error *err)
{
    (void)ctx;
    (void)err;
    *out_value = strcmp(key, "tvm_url") == 0 ? config_url : NULL;
    return SN_OK;
}

static const struct sn_env env = {scripted_env, NULL};
static const struct sn_cli_sources sources = {.env = &env, .config = scripted_config};

/* Parses up to 11 words behind the program's name; the list ends with NULL. */
static enum sn_status parse(const char *const *words, struct sn_invocation *call, struct sn_error *err)
{
    static char copies[12][64];
    char *argv[13] = {copies[0]};
    int argc = 1;

    for (; words[argc - 1] != NULL; argc++) {
        snprintf(copies[argc], sizeof(copies[argc]), "%s", words[argc - 1]);
        argv[argc] = copies[argc];
    }
    *err = (struct sn_error){0};
    return sn_cli_parse("sentinel", commands, &sources, argc, argv, call, err);
}

static int reset(void **state)
{
    (void)state;
    env_url = NULL;
    env_mode = NULL;
    config_url = NULL;
    return 0;
}

static void all_forms_of_a_value(void **state)
{
    static const char *const rows[][6] = {
        {"exec", "--tvm-url", "u", "-f"},
        {"exec", "--tvm-url=u", "--force"},
        {"exec", "-u", "u", "-f"},
        {"exec", "-uu", "-f"},
        {"exec", "-fu", "u"},
        {"exec", "-fuu"},
        {"exec", "--remote-server=u", "-f"},
        {"run", "it", "--tvm-url", "u", "-f"},
    };
    (void)state;
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_invocation call;
        struct sn_error err;
        assert_int_equal(parse(rows[i], &call, &err), SN_OK);
        struct args *args = call.args;
        assert_ptr_equal(call.cmd, &exec_cmd);
        assert_string_equal(args->url, "u");
        assert_true(args->force);
        assert_string_equal(args->mode, "auto");
        sn_invocation_clear(&call);
    }
}

static void sources_in_order(void **state)
{
    static const char *const given[] = {"exec", "--tvm-url", "given", "--mode=iam", NULL};
    static const char *const bare[] = {"exec", NULL};
    struct sn_invocation call;
    struct sn_error err;
    (void)state;

    config_url = "config";
    assert_int_equal(parse(bare, &call, &err), SN_OK);
    assert_string_equal(((struct args *)call.args)->url, "config");
    sn_invocation_clear(&call);
    env_url = "environment";
    env_mode = "proof";
    assert_int_equal(parse(bare, &call, &err), SN_OK);
    assert_string_equal(((struct args *)call.args)->url, "environment");
    assert_string_equal(((struct args *)call.args)->mode, "proof");
    sn_invocation_clear(&call);
    assert_int_equal(parse(given, &call, &err), SN_OK);
    assert_string_equal(((struct args *)call.args)->url, "given");
    assert_string_equal(((struct args *)call.args)->mode, "iam");
    sn_invocation_clear(&call);
    env_mode = "prof"; /* a wrong value in the environment is named by its variable */
    assert_int_equal(parse(bare, &call, &err), SN_USAGE);
    assert_string_equal(err.message, "T_MODE: 'prof' is not auto, iam or proof");
    assert_string_equal(err.suggestion, "did you mean 'proof'?");
    sn_invocation_clear(&call);
}

static void words_and_dashes(void **state)
{
    static const char *const words[] = {
        "exec", "--item", "a", "dev", "--item=b", "--", "aws", "--json", "--", "x", NULL};
    static const char *const empty_command[] = {"exec", "--", NULL};
    static const char *const behind[] = {"audit", "verify", "--", "--json", "-", NULL};
    struct sn_invocation call;
    struct sn_error err;
    (void)state;

    assert_int_equal(parse(words, &call, &err), SN_OK);
    struct args *args = call.args;
    assert_int_equal(call.operand_count, 1);
    assert_string_equal(call.operands[0], "dev");
    assert_int_equal(args->items.count, 2);
    assert_string_equal(args->items.items[1], "b");
    assert_int_equal(call.command_count, 4);
    assert_string_equal(call.command[1], "--json");
    assert_null(call.command[4]);
    assert_false(call.builtin.json);
    sn_invocation_clear(&call);
    assert_int_equal(parse(empty_command, &call, &err), SN_OK);
    assert_non_null(call.command);
    assert_int_equal(call.command_count, 0);
    sn_invocation_clear(&call);
    assert_int_equal(parse(behind, &call, &err), SN_OK);
    assert_ptr_equal(call.cmd, &verify_cmd);
    assert_string_equal(call.operands[0], "--json");
    assert_string_equal(call.operands[1], "-");
    sn_invocation_clear(&call);
}

static void numbers_and_durations(void **state)
{
    static const char *const minutes[] = {"exec", "--duration=90m", "--count", "9", NULL};
    static const char *const seconds[] = {"exec", "--duration", "900", NULL};
    struct sn_invocation call;
    struct sn_error err;
    (void)state;

    assert_int_equal(parse(minutes, &call, &err), SN_OK);
    assert_int_equal(((struct args *)call.args)->duration, 5400);
    assert_int_equal(((struct args *)call.args)->count, 9);
    sn_invocation_clear(&call);
    assert_int_equal(parse(seconds, &call, &err), SN_OK);
    assert_int_equal(((struct args *)call.args)->duration, 900);
    assert_int_equal(((struct args *)call.args)->count, 0);
    sn_invocation_clear(&call);
}

static void refusals(void **state)
{
    static const struct {
        const char *words[5];
        const char *code, *hint;
    } rows[] = {
        {{"exce"}, "UNKNOWN_COMMAND", "did you mean 'sentinel exec'?"},
        {{"zzzzzz"}, "UNKNOWN_COMMAND", "'sentinel help' lists the commands"},
        {{"audit"}, "INCOMPLETE_COMMAND", "commands: 'sentinel audit verify', 'sentinel audit verify-logs'"},
        {{"audit", "verify-log"}, "UNKNOWN_COMMAND", "did you mean 'sentinel audit verify-logs'?"},
        {{"audit", "ver"}, "UNKNOWN_COMMAND", "commands: 'sentinel audit verify', 'sentinel audit verify-logs'"},
        {{"audit", "verify-l"}, "UNKNOWN_COMMAND", "did you mean 'sentinel audit verify-logs'?"},
        {{"audit", "zzzzzz"}, "UNKNOWN_COMMAND", "commands: 'sentinel audit verify', 'sentinel audit verify-logs'"},
        {{"exec", "--tvm-ur", "x"}, "UNKNOWN_OPTION", "did you mean '--tvm-url'?"},
        {{"exec", "--remote-serve", "x"}, "UNKNOWN_OPTION", "see 'sentinel exec --help'"},
        {{"exec", "-x"}, "UNKNOWN_OPTION", "see 'sentinel exec --help'"},
        {{"exec", "--server"}, "OPTION_REMOVED", "use --tvm-url URL"},
        {{"exec", "--server=1"}, "OPTION_REMOVED", "use --tvm-url URL"},
        {{"exec", "--tvm-url"}, "MISSING_VALUE", "write --tvm-url URL"},
        {{"exec", "--tvm-url", "--", "x"}, "MISSING_VALUE", "write --tvm-url URL"},
        {{"exec", "--tvm-url=a", "-ub"}, "OPTION_REPEATED", ""},
        {{"exec", "--tvm-url=a", "--remote-server=b"}, "OPTION_REPEATED", ""},
        {{"exec", "--force=yes"}, "UNEXPECTED_VALUE", ""},
        {{"exec", "--count", "10"}, "INVALID_VALUE", NULL},
        {{"exec", "--count", "x"}, "INVALID_VALUE", NULL},
        {{"exec", "--duration", "899"}, "INVALID_VALUE", ""},
        {{"exec", "--duration", "13h"}, "INVALID_VALUE", ""},
        {{"exec", "--mode", "Auto"}, "INVALID_VALUE", NULL},
        {{"exec", "--color", "blue"}, "INVALID_VALUE", ""},
        {{"exec", "a", "b"}, "UNEXPECTED_OPERAND", "the command to run stands behind '--'"},
        {{"audit", "verify"}, "MISSING_OPERAND", "see 'sentinel audit verify --help'"},
        {{"audit", "verify-logs", "x"}, "UNEXPECTED_OPERAND", "see 'sentinel audit verify-logs --help'"},
        {{"audit", "verify-logs", "-o", "f"}, "UNKNOWN_OPTION", "see 'sentinel audit verify-logs --help'"},
        {{"needy"}, "MISSING_OPTION", "add --reason TEXT: why"},
        {{"shell", "imm"}, "INVALID_VALUE", "did you mean 'iam'?"},
    };
    (void)state;
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_invocation call;
        struct sn_error err;
        print_message("# %s %s %s\n", rows[i].words[0], rows[i].words[1] ? rows[i].words[1] : "", rows[i].code);
        assert_int_equal(parse(rows[i].words, &call, &err), SN_USAGE);
        assert_string_equal(err.code, rows[i].code);
        if (rows[i].hint != NULL) {
            assert_string_equal(err.suggestion, rows[i].hint);
        }
        sn_invocation_clear(&call);
    }
}

static void too_many_items(void **state)
{
    char *argv[2 + SN_OPT_LIST_MAX + 1];
    static char program[] = "sentinel", exec[] = "exec", item[] = "--item=x";
    struct sn_invocation call;
    struct sn_error err = {0};
    (void)state;

    argv[0] = program;
    argv[1] = exec;
    for (size_t i = 2; i < SN_LEN(argv); i++) {
        argv[i] = item;
    }
    assert_int_equal(sn_cli_parse("sentinel", commands, &sources, (int)SN_LEN(argv), argv, &call, &err), SN_USAGE);
    assert_string_equal(err.code, "TOO_MANY_VALUES");
    sn_invocation_clear(&call);
}

static void flags_of_every_command(void **state)
{
    static const char *const before[] = {"--json", "-q", "exec", "-o", "f", "--color=never", NULL};
    static const char *const late[] = {"exec", "--bogus", "--json", NULL};
    static const char *const not_ours[] = {"exec", "--bogus", "--", "--json", NULL};
    static const char *const group[] = {"audit", "--help", NULL};
    static const char *const version[] = {"--version", NULL};
    struct sn_invocation call;
    struct sn_error err;
    (void)state;

    assert_int_equal(parse(before, &call, &err), SN_OK);
    assert_true(call.builtin.json && call.builtin.quiet);
    assert_string_equal(call.builtin.output, "f");
    assert_string_equal(call.builtin.color, "never");
    sn_invocation_clear(&call);
    assert_int_equal(parse(late, &call, &err), SN_USAGE);
    assert_true(call.builtin.json); /* the report of the failure is JSON too */
    sn_invocation_clear(&call);
    assert_int_equal(parse(not_ours, &call, &err), SN_USAGE);
    assert_false(call.builtin.json);
    sn_invocation_clear(&call);
    assert_int_equal(parse(group, &call, &err), SN_OK);
    assert_string_equal(call.help_prefix, "audit");
    sn_invocation_clear(&call);
    assert_int_equal(parse(version, &call, &err), SN_OK);
    assert_true(call.version);
    sn_invocation_clear(&call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(all_forms_of_a_value, reset),
        cmocka_unit_test_setup(sources_in_order, reset),
        cmocka_unit_test_setup(words_and_dashes, reset),
        cmocka_unit_test_setup(numbers_and_durations, reset),
        cmocka_unit_test_setup(refusals, reset),
        cmocka_unit_test_setup(too_many_items, reset),
        cmocka_unit_test_setup(flags_of_every_command, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

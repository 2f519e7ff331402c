/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/parse.c - the option parser; see parse.h.
 */
#include "cli/parse.h"

#include <stddef.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/nearest.h"
#include "base/parse.h"

enum { NAME_WORDS_MAX = 3, NEAREST_MAX = 192, COMMAND_NAME_MAX = 64 };

static const char *const color_choices[] = {"auto", "always", "never", NULL};

const struct sn_opt sn_builtin_opts[] = {
    {.name = "output",
        .letter = 'o',
        .metavar = "FILE",
        .kind = SN_OPT_STRING,
        .words = SN_WORDS_FILES,
        .field = offsetof(struct sn_builtin_args, output),
        .help = "write the result to this file (mode 0600) instead of stdout"},
    {.name = "json",
        .kind = SN_OPT_FLAG,
        .field = offsetof(struct sn_builtin_args, json),
        .help = "print one JSON document on stdout, also on failure"},
    {.name = "quiet",
        .letter = 'q',
        .kind = SN_OPT_FLAG,
        .field = offsetof(struct sn_builtin_args, quiet),
        .help = "no notes on stderr, only errors and warnings"},
    {.name = "color",
        .metavar = "WHEN",
        .kind = SN_OPT_CHOICE,
        .choices = color_choices,
        .fallback = "auto",
        .field = offsetof(struct sn_builtin_args, color),
        .help = "colour; 'auto' means on a terminal, unless NO_COLOR is set"},
    {.name = "help",
        .letter = 'h',
        .kind = SN_OPT_FLAG,
        .field = offsetof(struct sn_builtin_args, help),
        .help = "show this page"},
    {0},
};

/* One pass over argv. */
struct parser {
    const char *program;
    const struct sn_cmd *const *commands;
    const struct sn_cli_sources *sources;
    int argc, next;
    char **argv;
    struct sn_invocation *out;
    bool *given; /* by index in cmd->opts */
    bool builtin_given[8];
};

/* The text of an option for messages: "--name". */
static void option_label(char out[COMMAND_NAME_MAX], const struct sn_opt *opt)
{
    snprintf(out, COMMAND_NAME_MAX, "--%s", opt->name);
}

bool sn_builtin_applies(const struct sn_cmd *cmd, const struct sn_opt *opt)
{
    return opt->field != offsetof(struct sn_builtin_args, output) || (cmd != NULL && cmd->writes_result);
}

/* --- Values --- */

static enum sn_status check_choice(const struct sn_opt *opt, const char *text, struct sn_error *err)
{
    size_t count = 0;
    for (; opt->choices[count] != NULL; count++) {
        if (strcmp(opt->choices[count], text) == 0) {
            return SN_OK;
        }
    }
    SN_AUTO(sn_buf_clear) struct sn_buf list = SN_BUF_INIT(256);
    for (size_t i = 0; i < count; i++) {
        sn_buf_addf(&list, "%s%s", i == 0 ? "" : i + 1 == count ? " or " : ", ", opt->choices[i]);
    }
    sn_fail(err, SN_USAGE, "INVALID_VALUE", "'%s' is not %s", text, sn_buf_str(&list));
    const char *near = sn_nearest(sn_slice_str(text), opt->choices, count);
    return near == NULL ? SN_USAGE : sn_suggest(err, "did you mean '%s'?", near);
}

static enum sn_status parse_seconds(const struct sn_opt *opt, struct sn_slice text, int64_t *out, struct sn_error *err)
{
    bool digits = text.len > 0 && sn_slice_is_alnum_or(text, "");
    for (size_t i = 0; digits && i < text.len; i++) {
        digits = text.ptr[i] >= '0' && text.ptr[i] <= '9';
    }
    if (digits && (opt->flags & SN_OPT_SECONDS_OK) != 0) {
        SN_TRY(sn_parse_int(text, 0, INT32_MAX, out, err));
    } else {
        SN_TRY(sn_parse_duration(text, out, err));
    }
    if (opt->max != 0 && (*out < opt->min || *out > opt->max)) {
        SN_AUTO(sn_buf_clear) struct sn_buf range = SN_BUF_INIT(64);
        sn_format_duration(&range, opt->min);
        sn_buf_add_str(&range, " to ");
        sn_format_duration(&range, opt->max);
        return sn_fail(err, SN_USAGE, "INVALID_VALUE", "'%.*s' is outside %s", SN_PRI(text), sn_buf_str(&range));
    }
    return SN_OK;
}

static enum sn_status convert(const struct sn_opt *opt, void *field, const char *text, struct sn_error *err)
{
    struct sn_slice slice = sn_slice_str(text);

    switch (opt->kind) {
    case SN_OPT_FLAG:
        return sn_parse_bool(slice, field, err);
    case SN_OPT_STRING:
        *(const char **)field = text;
        return SN_OK;
    case SN_OPT_INT:
        return sn_parse_int(slice, opt->min, opt->max, field, err);
    case SN_OPT_DURATION:
        return parse_seconds(opt, slice, field, err);
    case SN_OPT_CHOICE:
        SN_TRY(check_choice(opt, text, err));
        *(const char **)field = text;
        return SN_OK;
    case SN_OPT_LIST: {
        struct sn_opt_list *list = field;
        if (list->count == SN_OPT_LIST_MAX) {
            return sn_fail(err, SN_USAGE, "TOO_MANY_VALUES", "may be given at most %d times", SN_OPT_LIST_MAX);
        }
        list->items[list->count++] = text;
        return SN_OK;
    }
    }
    return sn_fail(err, SN_INTERNAL, "OPTION_TABLE", "unknown kind of option");
}

/* Stores text; source ("--name", "$NAME", ...) stands before the message of a failure. */
static enum sn_status put_value(
    const struct sn_opt *opt, void *base, const char *text, const char *source, struct sn_error *err)
{
    if (convert(opt, (char *)base + opt->field, text, err) == SN_OK) {
        return SN_OK;
    }
    err->status = SN_USAGE;
    return sn_error_context(err, "%s", source);
}

/* --- Options on the command line --- */

static const struct sn_opt *find_option(const struct sn_opt *opts, struct sn_slice name, char letter)
{
    for (const struct sn_opt *opt = opts; opt != NULL && opt->name != NULL; opt++) {
        if (letter != 0 ? opt->letter == letter : sn_slice_eq_str(name, opt->name)) {
            return opt;
        }
    }
    return NULL;
}

static enum sn_status unknown_option(struct parser *p, const char *word, struct sn_slice name, struct sn_error *err)
{
    const char *names[NEAREST_MAX];
    size_t count = 0;
    const struct sn_cmd *cmd = p->out->cmd;

    for (const struct sn_opt *opt = cmd == NULL ? NULL : cmd->opts; opt != NULL && opt->name != NULL; opt++) {
        if ((opt->flags & (SN_OPT_HIDDEN | SN_OPT_REMOVED)) == 0 && count < NEAREST_MAX) {
            names[count++] = opt->name;
        }
    }
    for (const struct sn_opt *opt = sn_builtin_opts; opt->name != NULL && count < NEAREST_MAX; opt++) {
        if (sn_builtin_applies(cmd, opt)) {
            names[count++] = opt->name;
        }
    }
    struct sn_slice shown = sn_slice_str(word);
    struct sn_slice value;
    (void)sn_slice_cut(shown, '=', &shown, &value);
    sn_fail(err, SN_USAGE, "UNKNOWN_OPTION", "unknown option '%.*s'", SN_PRI(shown));
    const char *near = name.len == 0 ? NULL : sn_nearest(name, names, count);
    if (near != NULL) {
        return sn_suggest(err, "did you mean '--%s'?", near);
    }
    if (cmd == NULL) {
        return sn_suggest(err, "see '%s --help'", p->program);
    }
    return sn_suggest(err, "see '%s %s --help'", p->program, cmd->name);
}

/* True if this option, or another name of it, was given before. */
static bool mark_given(struct parser *p, const struct sn_opt *opt, bool is_builtin)
{
    if (is_builtin) {
        bool *given = &p->builtin_given[opt - sn_builtin_opts];
        bool before = *given;
        *given = true;
        return before;
    }
    bool before = false;
    SN_ASSERT(p->given != NULL); /* there is one for each option of the command */
    for (size_t i = 0; p->out->cmd->opts[i].name != NULL; i++) {
        const struct sn_opt *other = &p->out->cmd->opts[i];
        if (other->field == opt->field && (other->flags & SN_OPT_REMOVED) == 0) {
            before = before || p->given[i];
            p->given[i] = true;
        }
    }
    return before;
}

/* Acts on one option; value is NULL when none stands in the same word. */
static enum sn_status take_option(
    struct parser *p, const struct sn_opt *opt, bool is_builtin, const char *value, struct sn_error *err)
{
    char label[COMMAND_NAME_MAX];

    option_label(label, opt);
    if ((opt->flags & SN_OPT_REMOVED) != 0) {
        sn_fail(err, SN_USAGE, "OPTION_REMOVED", "%s is no longer an option", label);
        return sn_suggest(err, "%s", opt->help);
    }
    void *base = is_builtin ? (void *)&p->out->builtin : p->out->args;
    if (mark_given(p, opt, is_builtin) && opt->kind != SN_OPT_LIST && opt->kind != SN_OPT_FLAG) {
        return sn_fail(err, SN_USAGE, "OPTION_REPEATED", "%s is given more than once", label);
    }
    if (opt->kind == SN_OPT_FLAG) {
        if (value != NULL) {
            return sn_fail(err, SN_USAGE, "UNEXPECTED_VALUE", "%s takes no value", label);
        }
        *(bool *)((char *)base + opt->field) = true;
        return SN_OK;
    }
    if (value == NULL) {
        if (p->next >= p->argc || strcmp(p->argv[p->next], "--") == 0) {
            sn_fail(err, SN_USAGE, "MISSING_VALUE", "%s needs a value", label);
            return sn_suggest(err, "write %s %s", label, opt->metavar != NULL ? opt->metavar : "VALUE");
        }
        value = p->argv[p->next++];
    }
    return put_value(opt, base, value, label, err);
}

static const struct sn_opt *look_up(struct parser *p, struct sn_slice name, char letter, bool *out_builtin)
{
    const struct sn_opt *opt = p->out->cmd == NULL ? NULL : find_option(p->out->cmd->opts, name, letter);

    *out_builtin = opt == NULL;
    if (opt == NULL) {
        opt = find_option(sn_builtin_opts, name, letter);
        if (opt != NULL && !sn_builtin_applies(p->out->cmd, opt)) {
            opt = NULL;
        }
    }
    return opt;
}

static enum sn_status long_option(struct parser *p, const char *word, struct sn_error *err)
{
    struct sn_slice name = sn_slice_str(word + 2);
    struct sn_slice value;
    bool has_value = sn_slice_cut(name, '=', &name, &value);
    bool is_builtin;
    const struct sn_opt *opt = look_up(p, name, 0, &is_builtin);

    if (opt == NULL) {
        return unknown_option(p, word, name, err);
    }
    return take_option(p, opt, is_builtin, has_value ? value.ptr : NULL, err);
}

/* "-q", "-oFILE", "-o FILE", and flags together: "-qo FILE". */
static enum sn_status letter_options(struct parser *p, const char *word, struct sn_error *err)
{
    for (const char *letter = word + 1; *letter != '\0'; letter++) {
        bool is_builtin;
        const struct sn_opt *opt = look_up(p, (struct sn_slice){0}, *letter, &is_builtin);

        if (opt == NULL) {
            char shown[3] = {'-', *letter, '\0'};
            return unknown_option(p, shown, (struct sn_slice){0}, err);
        }
        if (opt->kind == SN_OPT_FLAG) {
            SN_TRY(take_option(p, opt, is_builtin, NULL, err));
            continue;
        }
        return take_option(p, opt, is_builtin, letter[1] != '\0' ? letter + 1 : NULL, err);
    }
    return SN_OK;
}

/* --- Command names --- */

const struct sn_cmd *sn_cli_find(const struct sn_cmd *const *commands, struct sn_slice name)
{
    for (size_t i = 0; commands[i] != NULL; i++) {
        if (sn_slice_eq_str(name, commands[i]->name) ||
            (commands[i]->alias != NULL && sn_slice_eq_str(name, commands[i]->alias))) {
            return commands[i];
        }
    }
    return NULL;
}

bool sn_cli_is_prefix(const struct sn_cmd *const *commands, struct sn_slice word)
{
    for (size_t i = 0; commands[i] != NULL; i++) {
        struct sn_slice name = sn_slice_str(commands[i]->name);
        if (name.len > word.len && name.ptr[word.len] == ' ' && sn_slice_has_prefix(name, word)) {
            return true;
        }
    }
    return false;
}

/* The command, "GROUP NAME", whose last word or other name this is; NULL for none. */
static const char *in_a_group(const struct sn_cmd *const *commands, struct sn_slice word)
{
    for (size_t i = 0; commands[i] != NULL; i++) {
        const char *const names[] = {commands[i]->name, commands[i]->alias};
        for (size_t j = 0; j < SN_LEN(names); j++) {
            struct sn_slice before;
            struct sn_slice last;
            if (names[j] != NULL && !commands[i]->hidden &&
                sn_slice_cut_last(sn_slice_str(names[j]), ' ', &before, &last) && sn_slice_eq(last, word)) {
                return names[j];
            }
        }
    }
    return NULL;
}

/* The commands that go on where prefix ends, for a hint: behind a blank, or, for part of a word, at once. */
static size_t list_commands(const char *program, const struct sn_cmd *const *commands, struct sn_slice prefix,
    bool whole_words, struct sn_buf *out_list)
{
    size_t count = 0;

    for (size_t i = 0; commands[i] != NULL; i++) {
        struct sn_slice name = sn_slice_str(commands[i]->name);
        if (!commands[i]->hidden && name.len > prefix.len && sn_slice_has_prefix(name, prefix) &&
            (!whole_words || name.ptr[prefix.len] == ' ')) {
            sn_buf_addf(out_list, "%s'%s %s'", count++ == 0 ? "" : ", ", program, commands[i]->name);
        }
    }
    return count;
}

enum sn_status sn_cli_unknown_command(
    const char *program, const struct sn_cmd *const *commands, struct sn_slice name, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf list = SN_BUF_INIT(SN_ERROR_SUGGESTION_MAX - 64);
    const char *names[NEAREST_MAX];
    struct sn_slice group, behind;
    size_t count = 0;

    for (size_t i = 0; commands[i] != NULL && count < NEAREST_MAX; i++) {
        if (!commands[i]->hidden) {
            names[count++] = commands[i]->name;
        }
    }
    sn_fail(err, SN_USAGE, "UNKNOWN_COMMAND", "unknown command '%.*s'", SN_PRI(name));
    size_t longer = list_commands(program, commands, name, false, &list);
    if (longer == 1) {
        return sn_suggest(err, "did you mean %s?", sn_buf_str(&list));
    }
    const char *near = in_a_group(commands, name);
    near = near != NULL ? near : sn_nearest(name, names, count);
    if (near != NULL) {
        return sn_suggest(err, "did you mean '%s %s'?", program, near);
    }
    if (longer == 0) {
        (void)sn_slice_cut(name, ' ', &group, &behind);
        longer = list_commands(program, commands, group, true, &list);
    }
    if (longer > 0) {
        return sn_suggest(err, "commands: %s", sn_buf_str(&list));
    }
    return sn_suggest(err, "'%s help' lists the commands", program);
}

/* The commands that start with prefix, as the hint of an incomplete name. */
static enum sn_status incomplete_command(struct parser *p, struct sn_slice prefix, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf list = SN_BUF_INIT(SN_ERROR_SUGGESTION_MAX - 64);

    (void)list_commands(p->program, p->commands, prefix, true, &list);
    sn_fail(err, SN_USAGE, "INCOMPLETE_COMMAND", "'%s %.*s' needs one more word", p->program, SN_PRI(prefix));
    return sn_suggest(err, "commands: %s", sn_buf_str(&list));
}

/* Takes the words of the command name, the longest that is known. */
static enum sn_status take_command(struct parser *p, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf name = SN_BUF_INIT(256);
    const char *first = p->argv[p->next];
    int best = 0;

    for (int n = 0; n < NAME_WORDS_MAX && p->next + n < p->argc && p->argv[p->next + n][0] != '-'; n++) {
        sn_buf_addf(&name, "%s%s", n == 0 ? "" : " ", p->argv[p->next + n]);
        if (name.overflow) {
            break;
        }
        const struct sn_cmd *cmd = sn_cli_find(p->commands, sn_buf_slice(&name));
        if (cmd != NULL) {
            p->out->cmd = cmd;
            best = n + 1;
        }
    }
    if (best > 0) {
        p->next += best;
        return SN_OK;
    }
    if (!sn_cli_is_prefix(p->commands, sn_slice_str(first))) {
        return sn_cli_unknown_command(p->program, p->commands, sn_slice_str(first), err);
    }
    const char *second = p->next + 1 < p->argc ? p->argv[p->next + 1] : NULL;
    if (second != NULL && (strcmp(second, "--help") == 0 || strcmp(second, "-h") == 0)) {
        p->out->help_prefix = first;
        p->out->builtin.help = true;
        return SN_OK;
    }
    if (second == NULL || second[0] == '-') {
        return incomplete_command(p, sn_slice_str(first), err);
    }
    sn_buf_reset(&name);
    sn_buf_addf(&name, "%.100s %.100s", first, second);
    return sn_cli_unknown_command(p->program, p->commands, sn_buf_slice(&name), err);
}

/* --- After the words: other sources, required values, operands --- */

/* The value of an option that was not given; NULL when there is none. */
static enum sn_status other_value(
    struct parser *p, const struct sn_opt *opt, const char **out_value, const char **out_source, struct sn_error *err)
{
    const char *value = NULL;

    *out_value = NULL;
    if (opt->env != NULL && (value = p->sources->env->get(p->sources->env->ctx, opt->env)) != NULL) {
        *out_value = value;
        *out_source = opt->env;
        return SN_OK;
    }
    if (opt->config != NULL && p->sources->config != NULL) {
        SN_TRY(p->sources->config(p->sources->ctx, opt->config, &value, err));
        if (value != NULL) {
            *out_value = value;
            *out_source = opt->config;
            return SN_OK;
        }
    }
    *out_value = opt->fallback;
    *out_source = opt->name;
    return SN_OK;
}

static enum sn_status fill_rest(struct parser *p, struct sn_error *err)
{
    const struct sn_opt *opts = p->out->cmd->opts;

    SN_ASSERT(p->given != NULL); /* made with the command */
    for (size_t i = 0; opts != NULL && opts[i].name != NULL; i++) {
        const char *value;
        const char *source;
        if (p->given[i] || (opts[i].flags & SN_OPT_REMOVED) != 0) {
            continue;
        }
        SN_TRY(other_value(p, &opts[i], &value, &source, err));
        if (value != NULL) {
            SN_TRY(put_value(&opts[i], p->out->args, value, source, err));
        } else if ((opts[i].flags & SN_OPT_REQUIRED) != 0) {
            sn_fail(err, SN_USAGE, "MISSING_OPTION", "--%s is missing", opts[i].name);
            return sn_suggest(
                err, "add --%s %s: %s", opts[i].name, opts[i].metavar == NULL ? "" : opts[i].metavar, opts[i].help);
        }
    }
    return SN_OK;
}

static enum sn_status check_operands(struct parser *p, struct sn_error *err)
{
    const struct sn_cmd *cmd = p->out->cmd;
    size_t count = p->out->operand_count;

    if (count < cmd->min_operands) {
        sn_fail(err, SN_USAGE, "MISSING_OPERAND", "'%s %s' needs %s", p->program, cmd->name,
            cmd->operands == NULL ? "an operand" : cmd->operands);
        return sn_suggest(err, "see '%s %s --help'", p->program, cmd->name);
    }
    if (count > cmd->max_operands) {
        sn_fail(err, SN_USAGE, "UNEXPECTED_OPERAND", "unexpected word '%s'", p->out->operands[cmd->max_operands]);
        if (cmd->takes_command) {
            return sn_suggest(err, "the command to run stands behind '--'");
        }
        return sn_suggest(err, "see '%s %s --help'", p->program, cmd->name);
    }
    if (count > 0 && cmd->operand_choices != NULL) {
        struct sn_opt shape = {.choices = cmd->operand_choices};
        return check_choice(&shape, p->out->operands[0], err);
    }
    return SN_OK;
}

/* Everything behind "--". */
static void take_behind(struct parser *p)
{
    struct sn_invocation *out = p->out;

    if (out->cmd != NULL && out->cmd->takes_command) {
        out->command = sn_alloc((size_t)p->argc + 1, sizeof(*out->command));
        while (p->next < p->argc) {
            out->command[out->command_count++] = p->argv[p->next++];
        }
        return;
    }
    while (p->next < p->argc) {
        out->operands[out->operand_count++] = p->argv[p->next++];
    }
}

static enum sn_status take_words(struct parser *p, struct sn_error *err)
{
    while (p->next < p->argc) {
        const char *word = p->argv[p->next];
        if (p->out->cmd != NULL && p->out->cmd->passes_words) {
            p->out->operands[p->out->operand_count++] = word;
            p->next++;
            continue;
        }
        if (word[0] != '-' || word[1] == '\0') {
            if (p->out->cmd == NULL) {
                SN_TRY(take_command(p, err));
                if (p->out->cmd == NULL) {
                    return SN_OK; /* help for a first word */
                }
                p->out->args = sn_alloc(1, p->out->cmd->args_size);
                size_t count = 0;
                for (; p->out->cmd->opts != NULL && p->out->cmd->opts[count].name != NULL; count++) {
                }
                p->given = sn_alloc(count + 1, sizeof(*p->given));
                continue;
            }
            p->out->operands[p->out->operand_count++] = word;
            p->next++;
            continue;
        }
        p->next++;
        if (strcmp(word, "--") == 0) {
            take_behind(p);
        } else if (p->out->cmd == NULL && (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)) {
            p->out->version = true;
        } else if (word[1] == '-') {
            SN_TRY(long_option(p, word, err));
        } else {
            SN_TRY(letter_options(p, word, err));
        }
    }
    return SN_OK;
}

/* --json counts for the report of an error that stands before it. */
static bool asks_for_json(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            return true;
        }
    }
    return false;
}

static enum sn_status parse_all(struct parser *p, struct sn_error *err)
{
    SN_TRY(take_words(p, err));
    if (p->out->builtin.help || p->out->version || p->out->cmd == NULL) {
        return SN_OK;
    }
    SN_TRY(check_operands(p, err));
    return fill_rest(p, err);
}

enum sn_status sn_cli_parse(const char *program, const struct sn_cmd *const *commands,
    const struct sn_cli_sources *sources, int argc, char **argv, struct sn_invocation *out_invocation,
    struct sn_error *err)
{
    struct parser p = {
        .program = program, .commands = commands, .sources = sources, .argc = argc, .argv = argv, .next = 1};

    *out_invocation = (struct sn_invocation){0};
    p.out = out_invocation;
    out_invocation->operands = sn_alloc((size_t)(argc > 0 ? argc : 0) + 1, sizeof(*out_invocation->operands));
    out_invocation->builtin.color = "auto";
    enum sn_status status = parse_all(&p, err);
    sn_free(p.given);
    if (status != SN_OK) {
        out_invocation->builtin.json = asks_for_json(argc, argv);
    }
    return status;
}

void sn_invocation_clear(struct sn_invocation *invocation)
{
    sn_free(invocation->args);
    sn_free(invocation->operands);
    sn_free(invocation->command);
    *invocation = (struct sn_invocation){0};
}

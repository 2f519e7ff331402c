/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/complete.c - candidates for one command line.
 */
#include "cli/complete.h"

#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "cli/help.h"
#include "cli/parse.h"

enum { PATH_SIZE = 4096, FILE_MAX = 1024 * 1024, NAME_WORDS_MAX = 3 };

static void offer(struct sn_buf *out, const char *candidate, struct sn_slice typed)
{
    if (sn_slice_has_prefix(sn_slice_str(candidate), typed)) {
        sn_buf_addf(out, "%s\n", candidate);
    }
}

static void offer_choices(struct sn_buf *out, const char *const *choices, struct sn_slice typed)
{
    for (size_t i = 0; choices[i] != NULL; i++) {
        offer(out, choices[i], typed);
    }
}

/* --- Names from files --- */

/* A name that can stand on a line of candidates. */
static bool is_plain(struct sn_slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        if ((unsigned char)name.ptr[i] <= ' ' || name.ptr[i] == 0x7f) {
            return false;
        }
    }
    return name.len > 0;
}

void sn_complete_aws_profiles(struct sn_buf *out, struct sn_slice config_text)
{
    struct sn_slice line;

    while (sn_slice_next(&config_text, '\n', &line)) {
        struct sn_slice behind;
        line = sn_slice_trim_space(line);
        if (line.len == 0 || line.ptr[0] != '[' ||
            !sn_slice_cut(sn_slice_sub(line, 1, line.len), ']', &line, &behind)) {
            continue;
        }
        line = sn_slice_trim(line);
        if (sn_slice_has_prefix(line, SN_S("profile ")) || sn_slice_has_prefix(line, SN_S("profile\t"))) {
            line = sn_slice_trim(sn_slice_sub(line, 8, line.len));
            if (line.len >= 2 && (line.ptr[0] == '"' || line.ptr[0] == '\'') && line.ptr[line.len - 1] == line.ptr[0]) {
                line = sn_slice_sub(line, 1, line.len - 2);
            }
        } else if (!sn_slice_eq_str(line, "default")) {
            continue;
        }
        if (is_plain(line)) {
            sn_buf_add(out, line);
            sn_buf_add_byte(out, '\n');
        }
    }
}

static void offer_lines(struct sn_buf *out, struct sn_slice lines, struct sn_slice typed)
{
    struct sn_slice line;

    while (sn_slice_next(&lines, '\n', &line)) {
        if (is_plain(line) && sn_slice_has_prefix(line, typed)) {
            sn_buf_add(out, line);
            sn_buf_add_byte(out, '\n');
        }
    }
}

static void offer_aws_profiles(const struct sn_env *env, struct sn_buf *out, struct sn_slice typed)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = SN_BUF_INIT(FILE_MAX);
    SN_AUTO(sn_buf_clear) struct sn_buf names = SN_BUF_INIT(FILE_MAX);
    struct sn_error ignored;
    char path[PATH_SIZE];
    const char *file = env->get(env->ctx, "AWS_CONFIG_FILE");

    if (file == NULL) {
        const char *home = env->get(env->ctx, "HOME");
        if (home == NULL || sn_path_join(path, sizeof(path), home, ".aws/config", &ignored) != SN_OK) {
            return;
        }
        file = path;
    }
    if (sn_fs_read(file, FILE_MAX, &text, &ignored) == SN_OK) {
        sn_complete_aws_profiles(&names, sn_buf_slice(&text));
        offer_lines(out, sn_buf_slice(&names), typed);
    }
}

bool sn_complete_cache_path(const struct sn_env *env, char *out, size_t out_size)
{
    struct sn_error ignored;
    const char *base = env->get(env->ctx, "XDG_CACHE_HOME");

    if (base != NULL && base[0] == '/') {
        return sn_path_join(out, out_size, base, "sentinel/profiles", &ignored) == SN_OK;
    }
    base = env->get(env->ctx, "HOME");
    return base != NULL && base[0] == '/' &&
           sn_path_join(out, out_size, base, ".cache/sentinel/profiles", &ignored) == SN_OK;
}

static void offer_catalogue(const struct sn_env *env, struct sn_buf *out, struct sn_slice typed)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = SN_BUF_INIT(FILE_MAX);
    struct sn_error ignored;
    char path[PATH_SIZE];

    if (sn_complete_cache_path(env, path, sizeof(path)) && sn_fs_read(path, FILE_MAX, &text, &ignored) == SN_OK) {
        offer_lines(out, sn_buf_slice(&text), typed);
    }
}

/* --- The command line --- */

/* The words of a command name: the next word of each command that starts with those given. */
static void offer_command_words(const struct sn_cmd *const *commands, const char *const *words, size_t count,
    struct sn_slice typed, struct sn_buf *out)
{
    SN_AUTO(sn_buf_clear) struct sn_buf before = SN_BUF_INIT(256);
    struct sn_slice last = {0};

    for (size_t i = 0; i < count; i++) {
        sn_buf_addf(&before, "%s ", words[i]);
    }
    for (size_t i = 0; commands[i] != NULL; i++) {
        struct sn_slice name = sn_slice_str(commands[i]->name);
        if (commands[i]->hidden || !sn_slice_has_prefix(name, sn_buf_slice(&before))) {
            continue;
        }
        struct sn_slice word = sn_slice_sub(name, before.len, name.len);
        struct sn_slice behind;
        (void)sn_slice_cut(word, ' ', &word, &behind);
        if (sn_slice_has_prefix(word, typed) && !sn_slice_eq(word, last)) {
            sn_buf_add(out, word);
            sn_buf_add_byte(out, '\n');
            last = word;
        }
    }
}

static enum sn_complete_answer offer_words(const struct sn_cmd *const *commands, const struct sn_env *env,
    enum sn_words kind, struct sn_slice typed, struct sn_buf *out)
{
    switch (kind) {
    case SN_WORDS_NONE:
        return SN_COMPLETE_WORDS;
    case SN_WORDS_FILES:
        return SN_COMPLETE_FILES;
    case SN_WORDS_PROFILES:
        offer_catalogue(env, out, typed);
        return SN_COMPLETE_WORDS;
    case SN_WORDS_AWS_PROFILES:
        offer_aws_profiles(env, out, typed);
        return SN_COMPLETE_WORDS;
    case SN_WORDS_COMMANDS:
        offer_command_words(commands, NULL, 0, typed, out);
        return SN_COMPLETE_WORDS;
    }
    return SN_COMPLETE_WORDS;
}

static enum sn_complete_answer offer_value(const struct sn_cmd *const *commands, const struct sn_env *env,
    const struct sn_opt *opt, struct sn_slice typed, struct sn_buf *out)
{
    if (opt->choices != NULL) {
        offer_choices(out, opt->choices, typed);
        return SN_COMPLETE_WORDS;
    }
    return offer_words(commands, env, opt->words, typed, out);
}

static const struct sn_opt *option_of(const struct sn_cmd *cmd, const char *word)
{
    const struct sn_opt *tables[] = {cmd->opts, sn_builtin_opts};

    for (size_t t = 0; t < SN_LEN(tables); t++) {
        for (const struct sn_opt *opt = tables[t]; opt != NULL && opt->name != NULL; opt++) {
            if (word[0] == '-' && word[1] == '-' ? strcmp(word + 2, opt->name) == 0
                                                 : word[0] == '-' && word[1] == opt->letter && word[2] == '\0') {
                return opt;
            }
        }
    }
    return NULL;
}

static void offer_options(const struct sn_cmd *cmd, struct sn_slice typed, struct sn_buf *out)
{
    const struct sn_opt *tables[] = {cmd->opts, sn_builtin_opts};

    for (size_t t = 0; t < SN_LEN(tables); t++) {
        for (const struct sn_opt *opt = tables[t]; opt != NULL && opt->name != NULL; opt++) {
            char word[80];
            snprintf(word, sizeof(word), "--%s", opt->name);
            if (sn_help_is_shown(opt) && (t == 0 || sn_builtin_applies(cmd, opt))) {
                offer(out, word, typed);
            }
        }
    }
}

/* Operand number of the last word, or -1 behind "--"; *out_pending: an option that waits for its value. */
static int operand_index(
    const struct sn_cmd *cmd, const char *const *words, size_t count, const struct sn_opt **out_pending)
{
    int operands = 0;

    *out_pending = NULL;
    for (size_t i = 0; i + 1 < count; i++) {
        if (*out_pending != NULL) {
            *out_pending = NULL;
            continue;
        }
        if (strcmp(words[i], "--") == 0) {
            return -1;
        }
        if (words[i][0] != '-') {
            operands++;
            continue;
        }
        const struct sn_opt *opt = option_of(cmd, words[i]);
        *out_pending = opt != NULL && opt->kind != SN_OPT_FLAG ? opt : NULL;
    }
    return operands;
}

static enum sn_complete_answer complete_in(const struct sn_cmd *const *commands, const struct sn_cmd *cmd,
    const struct sn_env *env, const char *const *words, size_t count, struct sn_buf *out)
{
    const char *last = words[count - 1];
    const struct sn_opt *pending;
    int operands = operand_index(cmd, words, count, &pending);

    if (operands < 0) {
        return cmd->takes_command ? SN_COMPLETE_COMMAND : SN_COMPLETE_WORDS;
    }
    if (pending != NULL) {
        return offer_value(commands, env, pending, sn_slice_str(last), out);
    }
    const char *equals = strchr(last, '=');
    if (last[0] == '-' && equals != NULL) {
        char name[80];
        snprintf(name, sizeof(name), "%.*s", (int)(equals - last), last);
        const struct sn_opt *opt = option_of(cmd, name);
        return opt == NULL ? SN_COMPLETE_WORDS : offer_value(commands, env, opt, sn_slice_str(equals + 1), out);
    }
    if (last[0] == '-') {
        offer_options(cmd, sn_slice_str(last), out);
        return SN_COMPLETE_WORDS;
    }
    if (cmd->max_operands != SIZE_MAX && (size_t)operands >= cmd->max_operands) {
        return SN_COMPLETE_WORDS;
    }
    if (cmd->operand_choices != NULL) {
        offer_choices(out, cmd->operand_choices, sn_slice_str(last));
        return SN_COMPLETE_WORDS;
    }
    return offer_words(commands, env, cmd->operand_words, sn_slice_str(last), out);
}

enum sn_complete_answer sn_complete(const struct sn_cmd *const *commands, const struct sn_env *env,
    const char *const *words, size_t count, struct sn_buf *out)
{
    SN_AUTO(sn_buf_clear) struct sn_buf name = SN_BUF_INIT(256);
    const struct sn_cmd *cmd = NULL;
    size_t used = 0;

    if (count == 0) {
        return SN_COMPLETE_WORDS;
    }
    for (size_t i = 0; i + 1 < count && i < NAME_WORDS_MAX; i++) {
        sn_buf_addf(&name, "%s%s", i == 0 ? "" : " ", words[i]);
        const struct sn_cmd *found = sn_cli_find(commands, sn_buf_slice(&name));
        if (found != NULL) {
            cmd = found;
            used = i + 1;
        }
    }
    if (cmd == NULL) {
        offer_command_words(commands, words, count - 1, sn_slice_str(words[count - 1]), out);
        return SN_COMPLETE_WORDS;
    }
    return complete_in(commands, cmd, env, words + used, count - used, out);
}

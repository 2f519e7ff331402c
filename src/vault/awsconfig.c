/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/awsconfig.c - the reader of AWS's INI files.
 *
 * One pass over the lines. Repeated sections share one list of settings, and of equal keys the last counts, so a lookup
 * walks backwards.
 */
#include "vault/awsconfig.h"

#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/fs.h"

struct sn_awsconfig_section {
    enum sn_awsconfig_section_kind kind;
    struct sn_slice name;
    bool is_prefixed; /* [profile NAME], which for "default" wins over [default] */
    struct sn_awsconfig_setting *settings;
    size_t count, capacity;
};

struct sn_awsconfig {
    struct sn_arena arena;
    char *name;
    struct sn_awsconfig_section *sections;
    size_t count, capacity;
    size_t setting_count;
    struct stat facts; /* of the file that was read */
    bool has_facts;
};

/* Where the reader stands. */
struct reader {
    struct sn_awsconfig *config;
    enum sn_awsconfig_kind kind;
    uint32_t line;
    size_t section;         /* index; SIZE_MAX before the first */
    struct sn_slice parent; /* key of the last setting of the section when its value is empty */
    size_t parent_indent;
    bool has_parent;
};

static enum sn_status bad_line(const struct reader *r, struct sn_error *err, const char *what)
{
    (void)sn_fail(err, SN_INVALID, "CONFIG_INVALID", "%s:%u: %s", r->config->name, r->line, what);
    return sn_suggest(err, "mend line %u of %s", r->line, r->config->name);
}

static bool is_blank_byte(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_comment_byte(char c)
{
    return c == '#' || c == ';';
}

/* --- Sections --- */

static struct sn_slice unquote_name(struct sn_slice name)
{
    if (name.len >= 2 && (name.ptr[0] == '"' || name.ptr[0] == '\'') && name.ptr[name.len - 1] == name.ptr[0]) {
        return sn_slice_sub(name, 1, name.len - 2);
    }
    return name;
}

/* "profile x" -> kind and name; anything unknown is OTHER. */
static void read_section_name(const struct reader *r, struct sn_slice inside, struct sn_awsconfig_section *out_section)
{
    static const struct {
        const char *word;
        enum sn_awsconfig_section_kind kind;
    } words[] = {
        {"profile", SN_AWSCONFIG_PROFILE},
        {"sso-session", SN_AWSCONFIG_SSO_SESSION},
        {"services", SN_AWSCONFIG_SERVICES},
    };
    struct sn_slice text = sn_slice_trim(inside);

    out_section->kind = SN_AWSCONFIG_OTHER;
    out_section->name = text;
    if (r->kind == SN_AWSCONFIG_CREDENTIALS || sn_slice_eq_str(text, "default")) {
        out_section->kind = text.len > 0 ? SN_AWSCONFIG_PROFILE : SN_AWSCONFIG_OTHER;
        return;
    }
    if (sn_slice_eq_str(text, "sentinel-vault")) {
        out_section->kind = SN_AWSCONFIG_VAULT;
        return;
    }
    for (size_t i = 0; i < SN_LEN(words); i++) {
        struct sn_slice word = sn_slice_str(words[i].word);
        struct sn_slice name = unquote_name(sn_slice_trim(sn_slice_sub(text, word.len, text.len)));
        if (sn_slice_has_prefix(text, word) && text.len > word.len && is_blank_byte(text.ptr[word.len]) &&
            name.len > 0) {
            out_section->kind = words[i].kind;
            out_section->name = name;
            out_section->is_prefixed = true;
            return;
        }
    }
}

static enum sn_status open_section(struct reader *r, const struct sn_awsconfig_section *wanted, struct sn_error *err)
{
    struct sn_awsconfig *config = r->config;

    r->has_parent = false;
    for (size_t i = 0; i < config->count; i++) {
        const struct sn_awsconfig_section *section = &config->sections[i];
        if (section->kind == wanted->kind && section->is_prefixed == wanted->is_prefixed &&
            sn_slice_eq(section->name, wanted->name)) {
            r->section = i;
            return SN_OK;
        }
    }
    if (config->count == SN_AWSCONFIG_MAX_SECTIONS) {
        return bad_line(r, err, "more than 4,096 sections");
    }
    if (config->count == config->capacity) {
        config->capacity = config->capacity == 0 ? 16 : config->capacity * 2;
        config->sections = sn_realloc(config->sections, config->capacity, sizeof(*config->sections));
    }
    r->section = config->count++;
    config->sections[r->section] = *wanted;
    config->sections[r->section].name = sn_arena_dup(&config->arena, wanted->name);
    return SN_OK;
}

/* What stands behind the bracket or behind a quoted value: nothing, or a comment after a blank. */
static bool is_rest_of_line(struct sn_slice rest)
{
    struct sn_slice text = sn_slice_trim(rest);

    return text.len == 0 || (is_comment_byte(text.ptr[0]) && is_blank_byte(rest.ptr[0]));
}

static enum sn_status read_section(struct reader *r, struct sn_slice line, struct sn_error *err)
{
    struct sn_awsconfig_section section = {0};
    struct sn_slice inside;
    struct sn_slice behind;

    if (!sn_slice_cut(sn_slice_sub(line, 1, line.len), ']', &inside, &behind)) {
        return bad_line(r, err, "a section without its closing ']'");
    }
    if (!is_rest_of_line(behind)) {
        return bad_line(r, err, "text behind a section's ']'");
    }
    read_section_name(r, inside, &section);
    return open_section(r, &section, err);
}

/* --- Settings --- */

static struct sn_slice lower_key(struct sn_arena *arena, struct sn_slice key)
{
    char *copy = sn_arena_str(arena, key);

    for (size_t i = 0; i < key.len; i++) {
        if (copy[i] >= 'A' && copy[i] <= 'Z') {
            copy[i] = (char)(copy[i] - 'A' + 'a');
        }
    }
    return (struct sn_slice){copy, key.len};
}

/* A value in one pair of quotes loses them; otherwise it ends before a comment that follows a blank. */
static struct sn_slice clean_value(struct sn_slice raw)
{
    struct sn_slice text = sn_slice_trim(raw);
    struct sn_slice inside;
    struct sn_slice behind;

    if (text.len > 0 && (text.ptr[0] == '"' || text.ptr[0] == '\'') &&
        sn_slice_cut(sn_slice_sub(text, 1, text.len), text.ptr[0], &inside, &behind) && is_rest_of_line(behind)) {
        return inside;
    }
    for (size_t i = 0; i < text.len; i++) {
        bool after_blank = i == 0 ? text.ptr > raw.ptr : is_blank_byte(text.ptr[i - 1]);
        if (is_comment_byte(text.ptr[i]) && after_blank) {
            return sn_slice_trim(sn_slice_sub(text, 0, i));
        }
    }
    return text;
}

static bool is_secret_key(struct sn_slice key)
{
    return sn_slice_eq_str(key, "aws_secret_access_key") || sn_slice_eq_str(key, "aws_session_token") ||
           sn_slice_eq_str(key, "aws_security_token");
}

static enum sn_status add_setting(
    struct reader *r, const struct sn_awsconfig_setting *setting, struct sn_slice value, struct sn_error *err)
{
    struct sn_awsconfig *config = r->config;
    struct sn_awsconfig_section *section = &config->sections[r->section];
    struct sn_awsconfig_setting *added = NULL;

    if (config->setting_count == SN_AWSCONFIG_MAX_SETTINGS) {
        return bad_line(r, err, "more than 65,536 settings");
    }
    if (section->count == section->capacity) {
        section->capacity = section->capacity == 0 ? 8 : section->capacity * 2;
        section->settings = sn_realloc(section->settings, section->capacity, sizeof(*section->settings));
    }
    config->setting_count++;
    added = &section->settings[section->count++];
    *added = *setting;
    if (is_secret_key(setting->key)) {
        sn_secret_set(&added->secret, value);
    } else {
        added->value = sn_arena_dup(&config->arena, value);
    }
    return SN_OK;
}

static enum sn_status read_setting(struct reader *r, struct sn_slice line, size_t indent, struct sn_error *err)
{
    struct sn_awsconfig_setting setting = {.line = r->line};
    struct sn_slice key;
    struct sn_slice raw;
    struct sn_slice value;

    if (!sn_slice_cut(line, '=', &key, &raw)) {
        return bad_line(r, err, "neither a section, nor a setting 'key = value', nor a comment");
    }
    key = sn_slice_trim(key);
    if (key.len == 0) {
        return bad_line(r, err, "a setting without a key");
    }
    if (r->section == SIZE_MAX) {
        return bad_line(r, err, "a setting before the first section");
    }
    value = clean_value(raw);
    setting.key = lower_key(&r->config->arena, key);
    if (r->has_parent && indent > r->parent_indent) {
        setting.parent = r->parent;
        return add_setting(r, &setting, value, err);
    }
    r->has_parent = value.len == 0;
    r->parent = setting.key;
    r->parent_indent = indent;
    return add_setting(r, &setting, value, err);
}

static enum sn_status read_line(struct reader *r, struct sn_slice line, struct sn_error *err)
{
    struct sn_slice text = sn_slice_trim(line);
    size_t indent = 0;

    if (line.len > SN_AWSCONFIG_MAX_LINE) {
        return bad_line(r, err, "a line of more than 64 KiB");
    }
    if (sn_slice_has_byte(line, '\0')) {
        return bad_line(r, err, "a NUL byte");
    }
    if (text.len == 0 || is_comment_byte(text.ptr[0])) {
        return SN_OK;
    }
    indent = (size_t)(text.ptr - line.ptr);
    if (text.ptr[0] == '[') {
        return read_section(r, text, err);
    }
    return read_setting(r, text, indent, err);
}

enum sn_status sn_awsconfig_parse(struct sn_slice text, const char *name, enum sn_awsconfig_kind kind,
    struct sn_awsconfig **out_config, struct sn_error *err)
{
    SN_AUTO(sn_awsconfig_free_p) struct sn_awsconfig *config = sn_alloc(1, sizeof(*config));
    struct reader r = {.config = config, .kind = kind, .section = SIZE_MAX};
    struct sn_slice rest = text;
    struct sn_slice line;

    config->name = sn_strdup(sn_slice_str(name));
    if (text.len > SN_AWSCONFIG_MAX_BYTES) {
        return sn_fail(err, SN_INVALID, "CONFIG_INVALID", "%s:1: the file is larger than 1 MiB", name);
    }
    if (sn_slice_has_prefix(rest, SN_S("\xef\xbb\xbf"))) {
        rest = sn_slice_sub(rest, 3, rest.len);
    }
    while (sn_slice_next(&rest, '\n', &line)) {
        r.line++;
        if (line.len > 0 && line.ptr[line.len - 1] == '\r') {
            line.len--;
        }
        SN_TRY(read_line(&r, line, err));
    }
    *out_config = SN_TAKE(config);
    return SN_OK;
}

enum sn_status sn_awsconfig_load(
    const char *path, enum sn_awsconfig_kind kind, struct sn_awsconfig **out_config, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    struct stat facts = {0};
    enum sn_status status = SN_OK;
    /* The usual way to say "no file", as 'sentinel exec' itself does to its command. */
    bool is_none = strcmp(path, "/dev/null") == 0;

    if (!is_none) {
        status = sn_fs_read_examined(path, SN_AWSCONFIG_MAX_BYTES, &facts, &text, err);
    }
    if (status == SN_LIMIT) {
        return sn_fail(err, SN_INVALID, "CONFIG_INVALID", "%s:1: the file is larger than 1 MiB", path);
    }
    if (status != SN_OK && status != SN_NOT_FOUND) {
        return status;
    }
    bool has_facts = !is_none && status == SN_OK;
    SN_TRY(sn_awsconfig_parse(sn_buf_slice(&text), path, kind, out_config, err));
    (*out_config)->facts = facts;
    (*out_config)->has_facts = has_facts;
    return SN_OK;
}

const struct stat *sn_awsconfig_facts(const struct sn_awsconfig *config)
{
    return config->has_facts ? &config->facts : NULL;
}

void sn_awsconfig_free(struct sn_awsconfig *config)
{
    if (config == NULL) {
        return;
    }
    for (size_t i = 0; i < config->count; i++) {
        for (size_t j = 0; j < config->sections[i].count; j++) {
            sn_secret_clear(&config->sections[i].settings[j].secret);
        }
        sn_free(config->sections[i].settings);
    }
    sn_free(config->sections);
    sn_free(config->name);
    sn_arena_clear(&config->arena);
    sn_free(config);
}

void sn_awsconfig_free_p(struct sn_awsconfig **config)
{
    sn_awsconfig_free(*config);
    *config = NULL;
}

const char *sn_awsconfig_name(const struct sn_awsconfig *config)
{
    return config->name;
}

const struct sn_awsconfig_section *sn_awsconfig_find(
    const struct sn_awsconfig *config, enum sn_awsconfig_section_kind kind, struct sn_slice name)
{
    const struct sn_awsconfig_section *found = NULL;

    for (size_t i = 0; i < config->count; i++) {
        const struct sn_awsconfig_section *section = &config->sections[i];
        if (section->kind == kind && sn_slice_eq(section->name, name) && (found == NULL || section->is_prefixed)) {
            found = section;
        }
    }
    return found;
}

const struct sn_awsconfig_setting *sn_awsconfig_get(const struct sn_awsconfig_section *section, const char *key)
{
    for (size_t i = section == NULL ? 0 : section->count; i > 0; i--) {
        const struct sn_awsconfig_setting *setting = &section->settings[i - 1];
        if (setting->parent.len == 0 && sn_slice_eq_str(setting->key, key)) {
            return setting;
        }
    }
    return NULL;
}

size_t sn_awsconfig_count(const struct sn_awsconfig *config)
{
    return config->count;
}

struct sn_slice sn_awsconfig_section_at(
    const struct sn_awsconfig *config, size_t index, enum sn_awsconfig_section_kind *out_kind)
{
    SN_ASSERT(index < config->count);
    *out_kind = config->sections[index].kind;
    return config->sections[index].name;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/settings_print.c - the settings for people: effective values, and the reference page.
 */
#include "codec/json.h"
#include "tvm/settings.h"

static const char *source_of(const struct sn_tvm_settings *settings, size_t index)
{
    if (settings->from_environment[index]) {
        return "environment";
    }
    return settings->values[index] != NULL ? "default" : "unset";
}

static bool belongs(const struct sn_setting *row, enum sn_tvm_form form)
{
    return !(row->form == SN_SETTING_SERVE_ONLY && form != SN_TVM_FORM_SERVE) &&
           !(row->form == SN_SETTING_LAMBDA_ONLY && form != SN_TVM_FORM_LAMBDA);
}

static void print_json(const struct sn_tvm_settings *settings, struct sn_buf *out_text)
{
    struct sn_json_writer w;

    sn_json_writer_init(&w, out_text);
    sn_json_begin_object(&w);
    sn_json_key(&w, "settings");
    sn_json_begin_array(&w);
    for (size_t i = 0; i < sn_settings_count; i++) {
        const struct sn_setting *row = &sn_settings[i];
        if (!belongs(row, settings->form)) {
            continue;
        }
        bool is_masked = row->kind == SN_SETTING_SECRET && settings->from_environment[i];
        sn_json_begin_object(&w);
        sn_json_member_str(&w, "name", row->name);
        sn_json_member_str(&w, "value", is_masked ? "********" : settings->values[i]);
        sn_json_member_str(&w, "source", source_of(settings, i));
        sn_json_end_object(&w);
    }
    sn_json_end_array(&w);
    sn_json_end_object(&w);
    sn_buf_add_byte(out_text, '\n');
}

void sn_tvm_settings_print(const struct sn_tvm_settings *settings, bool json, struct sn_buf *out_text)
{
    if (json) {
        print_json(settings, out_text);
        return;
    }
    for (size_t i = 0; i < sn_settings_count; i++) {
        const struct sn_setting *row = &sn_settings[i];
        if (!belongs(row, settings->form)) {
            continue;
        }
        if (row->kind == SN_SETTING_SECRET && settings->from_environment[i]) {
            sn_buf_addf(out_text, "%s=********  # %s\n", row->name, source_of(settings, i));
        } else {
            sn_buf_addf(out_text, "%s=%s  # %s\n", row->name, settings->values[i] != NULL ? settings->values[i] : "",
                source_of(settings, i));
        }
    }
}

static void add_accepted(struct sn_buf *text, const struct sn_setting *row)
{
    switch (row->kind) {
    case SN_SETTING_TEXT:
        for (const char *const *choice = row->choices; choice != NULL && *choice != NULL; choice++) {
            sn_buf_addf(text, "%s`%s`", choice == row->choices ? "" : ", ", *choice);
        }
        sn_buf_add_str(text, row->choices != NULL ? "" : row->accepts != NULL ? row->accepts : "text");
        break;
    case SN_SETTING_INT:
        sn_buf_addf(text, "%lld to %lld", (long long)row->min, (long long)row->max);
        break;
    case SN_SETTING_OCTAL:
        sn_buf_addf(text, "octal, %04o to %04o", (unsigned)row->min, (unsigned)row->max);
        break;
    case SN_SETTING_BOOL:
        sn_buf_add_str(text, "`true`, `false`");
        break;
    case SN_SETTING_LIST:
        sn_buf_addf(text, "%s, separated by commas", row->accepts != NULL ? row->accepts : "texts");
        break;
    case SN_SETTING_WORDS:
        sn_buf_add_str(text, row->accepts != NULL ? row->accepts : "words, separated by blanks");
        break;
    case SN_SETTING_SECRET:
        sn_buf_addf(text, "%lld to %lld bytes in hexadecimal; never shown", (long long)row->min, (long long)row->max);
        break;
    }
}

static void add_row(struct sn_buf *text, const struct sn_setting *row)
{
    const char *fallback = row->fallback_serve != NULL ? row->fallback_serve : row->fallback_lambda;

    sn_buf_addf(text, "| `%s` | ", row->name);
    add_accepted(text, row);
    sn_buf_addf(text, " | %s%s%s | %s | %s |\n", fallback != NULL ? "`" : "", fallback != NULL ? fallback : "-",
        fallback != NULL ? "`" : "",
        row->form == SN_SETTING_BOTH         ? "both"
        : row->form == SN_SETTING_SERVE_ONLY ? "serve"
                                             : "Lambda",
        row->meaning);
}

void sn_settings_reference(struct sn_buf *out_text)
{
    sn_buf_add_str(out_text,
        "<!-- Generated from src/tvm/settings_table.c by `sentinel-tvm config --reference`; do not edit. -->\n"
        "# Settings of sentinel-tvm\n\n"
        "Every setting is an environment variable. An empty variable counts as unset. A value that is not accepted, "
        "and\n"
        "a name that no setting has, stop the server at start with a message that names the variable.\n"
        "`sentinel-tvm config` prints the values in force and where each comes from.\n\n"
        "| Variable | Accepts | Default | Form | Meaning |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < sn_settings_count; i++) {
        if (!sn_settings[i].reserved) {
            add_row(out_text, &sn_settings[i]);
        }
    }
    sn_buf_add_str(out_text, "\n## Reserved\n\nThese names belong to parts that this version does not have. Only their "
                             "default is accepted.\n\n"
                             "| Variable | Default | Meaning |\n|---|---|---|\n");
    for (size_t i = 0; i < sn_settings_count; i++) {
        const struct sn_setting *row = &sn_settings[i];
        const char *fallback = row->fallback_serve != NULL ? row->fallback_serve : row->fallback_lambda;
        if (row->reserved) {
            sn_buf_addf(out_text, "| `%s` | %s%s%s | %s |\n", row->name, fallback != NULL ? "`" : "",
                fallback != NULL ? fallback : "-", fallback != NULL ? "`" : "", row->meaning);
        }
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/* cli/policy_input.c - see policy_input.h. */
#include "cli/policy_input.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "base/fs.h"
#include "cli/report.h"
#include "core/policy/limits.h"

enum { READ_BYTES = 64 * 1024 };

const char *sn_input_name(const char *path)
{
    return strcmp(path, "-") == 0 ? "<stdin>" : path;
}

static enum sn_status read_stdin(size_t max_bytes, struct sn_buf *out_text, struct sn_error *err)
{
    *out_text = SN_BUF_INIT(max_bytes);
    for (;;) {
        size_t want = max_bytes - out_text->len < READ_BYTES ? max_bytes - out_text->len + 1 : READ_BYTES;
        char bytes[READ_BYTES + 1];
        ssize_t got = read(STDIN_FILENO, bytes, want);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return sn_fail(err, SN_INVALID, "FILE_UNREADABLE", "cannot read stdin: %s", strerrordesc_np(errno));
        }
        if (got == 0) {
            return SN_OK;
        }
        if ((size_t)got > max_bytes - out_text->len) {
            return sn_fail(err, SN_INVALID, "FILE_TOO_LARGE", "stdin holds more than %zu bytes", max_bytes);
        }
        sn_buf_add_bytes(out_text, bytes, (size_t)got);
    }
}

enum sn_status sn_input_read(const char *path, size_t max_bytes, struct sn_buf *out_text, struct sn_error *err)
{
    struct sn_error cause = {0};

    if (strcmp(path, "-") == 0) {
        return read_stdin(max_bytes, out_text, err);
    }
    if (sn_fs_read(path, max_bytes, out_text, &cause) == SN_OK) {
        return SN_OK;
    }
    return sn_fail(
        err, SN_INVALID, cause.status == SN_LIMIT ? "FILE_TOO_LARGE" : "FILE_UNREADABLE", "%s", cause.message);
}

void sn_input_zones(struct sn_zoneinfo *out_zoneinfo, struct sn_tz_source *out_source)
{
    sn_zoneinfo_init(out_zoneinfo, sn_env_get("SENTINEL_ZONEINFO"));
    *out_source = sn_zoneinfo_source(out_zoneinfo);
}

enum sn_status sn_input_policy(const char *path, struct sn_findings *findings, struct sn_buf *out_text,
    struct sn_policy **out_policy, struct sn_error *err)
{
    SN_AUTO(sn_zoneinfo_clear) struct sn_zoneinfo zoneinfo;
    struct sn_tz_source zones;

    sn_input_zones(&zoneinfo, &zones);
    SN_TRY(sn_input_read(path, SN_POLICY_MAX_BYTES, out_text, err));
    if (sn_policy_load(sn_buf_slice(out_text), &zones, findings, out_policy, err) != SN_OK) {
        return sn_error_context(err, "%s", sn_input_name(path));
    }
    return SN_OK;
}

enum sn_status sn_input_catalog(const struct sn_opt_list *paths, struct sn_catalog **out_catalog, struct sn_error *err)
{
    struct sn_buf texts[SN_OPT_LIST_MAX] = {0};
    struct sn_catalog_source sources[SN_OPT_LIST_MAX];
    enum sn_status status = SN_OK;
    size_t count = 0;

    *out_catalog = NULL;
    for (; count < paths->count && status == SN_OK; count++) {
        status = sn_input_read(paths->items[count], SN_POLICY_MAX_BYTES, &texts[count], err);
        sources[count] =
            (struct sn_catalog_source){sn_slice_str(sn_input_name(paths->items[count])), sn_buf_slice(&texts[count])};
    }
    if (status == SN_OK && count > 0) {
        status = sn_catalog_load(sources, count, NULL, out_catalog, err);
    }
    for (size_t i = 0; i < count; i++) {
        sn_buf_clear(&texts[i]);
    }
    return status;
}

void sn_findings_text(struct sn_buf *out, const struct sn_findings *findings, const char *source)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct sn_finding *finding = &findings->items[i];
        sn_buf_addf(out, "%s: ", sn_finding_prefix(finding));
        if (sn_finding_phase(finding) == SN_FINDING_LINT) {
            sn_buf_addf(out, "%s: ", finding->code);
        } else if (finding->path.len > 0) {
            sn_cli_printable(out, finding->path);
            sn_buf_add_str(out, ": ");
        }
        sn_cli_printable(out, finding->message);
        sn_buf_add_str(out, " (");
        sn_cli_printable(out, sn_slice_str(source));
        if (finding->line != 0) {
            sn_buf_addf(out, ":%u:%u", finding->line, finding->column);
        }
        sn_buf_add_str(out, ")\n");
        if (finding->suggestion.len > 0 && sn_finding_phase(finding) != SN_FINDING_LINT) {
            sn_buf_add_str(out, "  hint: ");
            sn_cli_printable(out, finding->suggestion);
            sn_buf_add_byte(out, '\n');
        }
    }
    if (findings->dropped > 0) {
        sn_buf_addf(out, "... and %zu more\n", findings->dropped);
    }
}

void sn_findings_json(
    struct sn_json_writer *w, const struct sn_findings *findings, const char *type, const char *source)
{
    sn_json_begin_object(w);
    sn_json_member_str(w, "config_type", type);
    sn_json_member_str(w, "source", source);
    sn_json_member_bool(w, "valid", findings->errors == 0);
    sn_json_key(w, "issues");
    sn_json_begin_array(w);
    for (size_t i = 0; i < findings->count; i++) {
        const struct sn_finding *finding = &findings->items[i];
        sn_json_begin_object(w);
        sn_json_member_str(w, "severity", sn_severity_name(finding->severity));
        sn_json_member_str(w, "code", finding->code);
        sn_json_member_text(w, "location", finding->path);
        sn_json_member_int(w, "line", finding->line);
        sn_json_member_int(w, "column", finding->column);
        sn_json_member_text(w, "message", finding->message);
        if (finding->suggestion.len > 0) {
            sn_json_member_text(w, "suggestion", finding->suggestion);
        }
        sn_json_end_object(w);
    }
    sn_json_end_array(w);
    if (findings->dropped > 0) {
        sn_json_member_int(w, "more_issues", (int64_t)findings->dropped);
    }
    sn_json_end_object(w);
}

size_t sn_findings_warnings(const struct sn_findings *findings)
{
    return findings->count + findings->dropped - findings->errors;
}

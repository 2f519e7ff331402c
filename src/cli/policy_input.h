/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/policy_input.h - files that the policy commands read, and how what is wrong with them is shown.
 *
 * A file that cannot be read, or that a command needs valid and is not, is bad local input: exit 2.
 */
#ifndef SN_CLI_POLICY_INPUT_H
#define SN_CLI_POLICY_INPUT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "cli/command.h"
#include "codec/json.h"
#include "core/policy/catalog.h"
#include "core/policy/findings.h"
#include "core/policy/policy.h"
#include "store/zoneinfo.h"

/* Names a document by the way it was given; "<stdin>" for "-". */
const char *sn_input_name(const char *path);

/* Reads at most max_bytes of a file, or of stdin for "-". FILE_UNREADABLE, FILE_TOO_LARGE, both SN_INVALID. */
SN_MUST_CHECK enum sn_status sn_input_read(
    const char *path, size_t max_bytes, struct sn_buf *out_text, struct sn_error *err);

/* Zone data of the host, or of SENTINEL_ZONEINFO; clear with sn_zoneinfo_clear. */
void sn_input_zones(struct sn_zoneinfo *out_zoneinfo, struct sn_tz_source *out_source);

/* Reads and loads, findings kept; FILE_UNREADABLE or INVALID_POLICY, naming the file. findings may be NULL. */
SN_MUST_CHECK enum sn_status sn_input_policy(const char *path, struct sn_findings *findings, struct sn_buf *out_text,
    struct sn_policy **out_policy, struct sn_error *err);
/* The files together are the catalogue; *out_catalog NULL when there is none. */
SN_MUST_CHECK enum sn_status sn_input_catalog(
    const struct sn_opt_list *paths, struct sn_catalog **out_catalog, struct sn_error *err);

/* One line a finding and one for its suggestion; lint as "lint: CODE: MESSAGE". */
void sn_findings_text(struct sn_buf *out, const struct sn_findings *findings, const char *source);
/* {"config_type","source","valid","issues":[...]} */
void sn_findings_json(
    struct sn_json_writer *w, const struct sn_findings *findings, const char *type, const char *source);
/* Warnings, kept or not. */
size_t sn_findings_warnings(const struct sn_findings *findings);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* cli/analyze_output.h - what an analysis tells: a table for people, JSON, and one page of HTML. */
#ifndef SN_CLI_ANALYZE_OUTPUT_H
#define SN_CLI_ANALYZE_OUTPUT_H

#include "base/buf.h"
#include "core/policy/analyze.h"

/* The page may show every profile with every caller of a large space. */
enum { SN_ANALYZE_OUTPUT_MAX = 256 * 1024 * 1024 };

struct sn_analyze_report {
    const char *source, *against;     /* against NULL: nothing was compared */
    const struct sn_slice *documents; /* names of the policies; NULL: one file, which needs none */
    const struct sn_space *space;
    const struct sn_analysis *analysis;
    /* What of the space is shown. */
    const bool *shows_profile, *shows_caller;
};

/* True if a finding speaks of what is shown. */
bool sn_analyze_shows(const struct sn_analyze_report *report, const struct sn_analysis_finding *finding);
/* "rules[2]", with the name of the document where there are several. */
void sn_analyze_location(const struct sn_analyze_report *report, const struct sn_analysis_finding *finding,
    size_t index, struct sn_buf *out);
/* "allow", "ask", "deny" joined by "/", and " 2" where what is got needs a second human. */
void sn_analyze_cell(const struct sn_reach *reach, struct sn_buf *out);

void sn_analyze_text(const struct sn_analyze_report *report, struct sn_buf *out);
void sn_analyze_json(const struct sn_analyze_report *report, struct sn_buf *out);
/* One self-contained page: nothing is loaded from anywhere, and text of documents stays text. */
void sn_analyze_html(const struct sn_analyze_report *report, struct sn_buf *out);

#endif

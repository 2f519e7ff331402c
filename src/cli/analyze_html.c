/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/analyze_html.c - an analysis as one page; see analyze_output.h.
 *
 * The page has one style sheet and one script of its own, named by their hashes in its content security policy, and
 * nothing else may run or be loaded. All text from outside goes through text(), also what looks harmless.
 */
#include <string.h>

#include "base/time.h"
#include "cli/analyze_output.h"
#include "cli/report.h"
#include "codec/base64.h"
#include "core/policy/schema.h"
#include "crypto/hash.h"

enum { WEEK_UNITS = 1008, UNIT_MINUTES = 10, DAY_UNITS = WEEK_UNITS / 7 };

static const char style[] =
    ":root{color-scheme:light dark;--bg:#fbfbf9;--fg:#1d2126;--soft:#5c6570;--line:#dcdfe3;--card:#fff;"
    "--allow:#cdebd3;--part:#e6efc4;--ask:#fde8b4;--self:#f9d3a3;--deny:#f1f2f4;--open:#f6c9c9;--accent:#2257c4}\n"
    "@media(prefers-color-scheme:dark){:root{--bg:#14171a;--fg:#e8eaed;--soft:#a0a8b2;--line:#32383f;--card:#1b1f23;"
    "--allow:#1d4a2b;--part:#3d4a1b;--ask:#544213;--self:#5f3d14;--deny:#22272c;--open:#5a2526;--accent:#8db4ff}}\n"
    "*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif}\n"
    "main,header{max-width:1280px;margin:0 auto;padding:0 24px}header{padding-top:28px}\n"
    "h1{font-size:26px;margin:0 0 4px}h2{font-size:19px;margin:36px 0 10px}h3{font-size:16px;margin:20px 0 6px}\n"
    "p{margin:0 0 8px}.soft,small{color:var(--soft)}small{display:block;font-weight:400}\n"
    ".tools{display:flex;flex-wrap:wrap;gap:10px 18px;align-items:center;margin:18px 0 6px}\n"
    "input[type=search]{font:inherit;color:inherit;background:var(--card);border:1px solid var(--line);"
    "border-radius:8px;padding:8px 12px;min-width:280px}:focus-visible{outline:3px solid "
    "var(--accent);outline-offset:1px}\n"
    ".legend{display:flex;flex-wrap:wrap;gap:8px 16px;padding:0;list-style:none;margin:10px 0}\n"
    ".legend span{display:inline-block;min-width:44px;padding:1px 8px;border-radius:6px;margin-right:6px;"
    "text-align:center;border:1px solid var(--line)}\n"
    ".scroll{position:relative;overflow:auto;max-height:75vh;border:1px solid "
    "var(--line);border-radius:10px;background:var(--card)}\n"
    "table{border-collapse:separate;border-spacing:0;width:100%}caption{text-align:left;padding:10px "
    "12px;color:var(--soft)}\n"
    "th,td{padding:7px 12px;border-bottom:1px solid var(--line);border-right:1px solid var(--line);text-align:left;"
    "vertical-align:middle;overflow-wrap:anywhere}\n"
    "thead th{position:sticky;top:0;background:var(--card);z-index:2;min-width:110px}\n"
    "tbody "
    "th{position:sticky;left:0;background:var(--card);z-index:1;font-weight:500;min-width:220px;max-width:420px}\n"
    "td.c{text-align:center;white-space:nowrap}.allow{background:var(--allow)}.part{background:var(--part)}"
    ".ask{background:var(--ask)}.self{background:var(--self)}.deny{background:var(--deny);color:var(--soft)}"
    ".open{background:var(--open)}\n"
    "abbr{text-decoration:none;font-weight:700;border:1px solid currentColor;border-radius:50%;display:inline-block;"
    "width:19px;height:19px;line-height:17px;font-size:12px;margin-left:6px;text-align:center}\n"
    ".week{table-layout:fixed}.week th:first-child{width:340px}.week td,.week thead th:last-child{padding:4px "
    "0;border-right:0}"
    ".days{display:flex}.vh{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}\n"
    ".days span{flex:1;text-align:center;font-size:12px;font-weight:400;color:var(--soft);border-left:1px solid "
    "var(--line)}\n"
    "svg{display:block;width:100%;height:26px}rect{fill:var(--accent)}rect.d{fill:#b3403d}rect.a{fill:#b7791f}"
    "rect.g{fill:#2e8b57}line{stroke:var(--line);stroke-width:2}\n"
    ".found{padding:0;list-style:none}.found li{background:var(--card);border:1px solid var(--line);border-left:5px "
    "solid "
    "var(--soft);border-radius:8px;padding:9px 14px;margin:8px 0;overflow-wrap:anywhere}.found "
    ".warning{border-left-color:#d9822b}"
    "code{font:13px ui-monospace,monospace}footer{color:var(--soft);margin:40px 0 "
    "30px}[hidden]{display:none!important}\n"
    "@media print{.tools,.skip{display:none}.scroll{max-height:none;overflow:visible}}\n";

static const char script[] =
    "'use strict';\n"
    "const "
    "q=document.getElementById('q'),alone=document.getElementById('alone'),count=document.getElementById('count');\n"
    "const rows=[...document.querySelectorAll('#reach tbody tr')],heads=[...document.querySelectorAll('#reach thead "
    "th')].slice(1);\n"
    "const weeks=[...document.querySelectorAll('section.w')],found=[...document.querySelectorAll('.found li')];\n"
    "const low=e=>e.textContent.toLowerCase();\n"
    "const "
    "names=rows.map(r=>low(r.cells[0])),profiles=heads.map(low),weekNames=weeks.map(w=>low(w.querySelector('h3'))),"
    "texts=found.map(low);\n"
    "function apply(){\n"
    "  const t=q.value.trim().toLowerCase(),cols=profiles.map(p=>p.includes(t)),byCol=t!==''&&cols.some(c=>c);\n"
    "  heads.forEach((h,i)=>{h.hidden=byCol&&!cols[i]});\n"
    "  let shown=0;\n"
    "  rows.forEach((r,n)=>{\n"
    "    const cells=[...r.cells].slice(1);\n"
    "    cells.forEach((c,i)=>{c.hidden=byCol&&!cols[i]});\n"
    "    const hit=t===''||byCol||names[n].includes(t);\n"
    "    const free=!alone.checked||cells.some(c=>!c.hidden&&c.dataset.alone==='1');\n"
    "    r.hidden=!(hit&&free);shown+=r.hidden?0:1;\n"
    "  });\n"
    "  weeks.forEach((w,i)=>{w.hidden=byCol&&!weekNames[i].includes(t)});\n"
    "  found.forEach((f,i)=>{f.hidden=t!==''&&!texts[i].includes(t)});\n"
    "  count.textContent=shown+' of '+rows.length+' principals';\n"
    "}\n"
    "q.addEventListener('input',apply);alone.addEventListener('change',apply);\n"
    "function fromAddress(){try{q.value=decodeURIComponent(location.hash.slice(1))}catch(e){q.value=''}apply()}\n"
    "window.addEventListener('hashchange',fromAddress);fromAddress();\n";

/* --- Text from outside --- */

static void text(struct sn_buf *out, struct sn_slice outside)
{
    SN_AUTO(sn_buf_clear) struct sn_buf printable = {0};
    sn_cli_printable(&printable, outside); /* controls and what turns the reading direction become escapes */
    for (size_t i = 0; i < printable.len; i++) {
        char c = printable.ptr[i];
        const char *entity = c == '&'    ? "&amp;"
                             : c == '<'  ? "&lt;"
                             : c == '>'  ? "&gt;"
                             : c == '"'  ? "&quot;"
                             : c == '\'' ? "&#39;"
                                         : NULL;
        if (entity != NULL) {
            sn_buf_add_str(out, entity);
        } else {
            sn_buf_add_byte(out, c);
        }
    }
}

/* Set apart from what is around it, so that letters written from right to left stay where they are. */
static void isolated(struct sn_buf *out, struct sn_slice outside)
{
    sn_buf_add_str(out, "<bdi>");
    text(out, outside);
    sn_buf_add_str(out, "</bdi>");
}

/* --- The head --- */

static void add_hash(struct sn_buf *out, const char *content)
{
    unsigned char hash[SN_SHA256_LEN];
    sn_sha256(sn_slice_str(content), hash);
    sn_buf_add_str(out, "'sha256-");
    sn_base64_encode(out, hash, sizeof(hash));
    sn_buf_add_byte(out, '\'');
}

static void put_head(const struct sn_analyze_report *report, struct sn_buf *out)
{
    sn_buf_add_str(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src ");
    add_hash(out, style);
    sn_buf_add_str(out, "; script-src ");
    add_hash(out, script);
    sn_buf_add_str(out, "; base-uri 'none'; form-action 'none'\">\n<meta name=\"referrer\" content=\"no-referrer\">\n"
                        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>Reach: ");
    text(out, sn_slice_str(report->source));
    sn_buf_addf(out, "</title>\n<style>%s</style>\n</head>\n<body>\n<header>\n<h1>Who can reach what</h1>\n<p>", style);
    isolated(out, sn_slice_str(report->source));
    if (report->against != NULL) {
        sn_buf_add_str(out, ", compared with ");
        isolated(out, sn_slice_str(report->against));
    }
    const struct sn_space *space = report->space;
    sn_buf_addf(out,
        "</p>\n<p class=\"soft\">Every one of %llu requests was tried: %zu profiles, %zu principals, %zu combinations "
        "of "
        "open windows, %zu states of a device. Nothing is sampled.</p>\n",
        (unsigned long long)space->points, space->profile_count, space->caller_count, space->instant_count,
        space->device_count);
}

static void put_tools(struct sn_buf *out)
{
    static const struct {
        const char *class, *word, *meaning;
    } rows[] = {{"allow", "allow", "always"}, {"part", "allow", "at some times or from some devices"},
        {"ask", "ask", "after an approval"}, {"self", "ask", "after an approval that is given by itself"},
        {"open", "deny", "but had alone in an emergency"}, {"deny", "deny", "not at all"}};
    sn_buf_add_str(out, "<div class=\"tools\" role=\"search\"><label for=\"q\">Filter</label>"
                        "<input id=\"q\" type=\"search\" autocomplete=\"off\" placeholder=\"principal or profile\">"
                        "<label><input id=\"alone\" type=\"checkbox\"> only who gets something without a second "
                        "human</label><output id=\"count\" aria-live=\"polite\" class=\"soft\"></output></div>\n"
                        "<ul class=\"legend\">");
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        sn_buf_addf(out, "<li><span class=\"%s\">%s</span>%s</li>", rows[i].class, rows[i].word, rows[i].meaning);
    }
    sn_buf_add_str(out, "<li><abbr title=\"second human\">2</abbr> a second human is always needed</li></ul>\n"
                        "</header>\n<main>\n");
}

/* --- The matrix --- */

static const char *class_of(const struct sn_reach *reach)
{
    bool allows = (reach->results >> SN_EFFECT_ALLOW & 1) != 0;
    bool asks = (reach->results >> SN_EFFECT_REQUIRE_APPROVAL & 1) != 0;
    if (allows) {
        return reach->results == 1u << SN_EFFECT_ALLOW ? "allow" : "part";
    }
    if (reach->via_count > 0) {
        return reach->vias[0].kind == SN_VIA_BREAK_GLASS ? "open" : "self"; /* automatic approval stands first */
    }
    return asks || reach->asks_second ? "ask" : "deny";
}

static void put_cell(const struct sn_reach *reach, struct sn_buf *out)
{
    static const char *const words[] = {"by rule ", "approved by itself under ", "in an emergency under "};
    SN_AUTO(sn_buf_clear) struct sn_buf cell = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf vias = {0};
    struct sn_slice shown, second;
    sn_analyze_cell(reach, &cell);
    bool has_second = sn_slice_cut(sn_buf_slice(&cell), ' ', &shown, &second);
    sn_buf_addf(out, "<td class=\"c %s\" data-alone=\"%d\"", class_of(reach), reach->via_count > 0);
    for (size_t i = 0; i < reach->via_count; i++) {
        sn_buf_addf(&vias, "%s%s", i == 0 ? "" : "; ", words[reach->vias[i].kind]);
        text(&vias, reach->vias[i].rule);
    }
    if (vias.len > 0) {
        sn_buf_addf(out, " title=\"%s\"", sn_buf_str(&vias));
    }
    sn_buf_add_byte(out, '>');
    sn_buf_add(out, shown);
    if (vias.len > 0) { /* for those who have no mouse */
        sn_buf_addf(out, "<span class=\"vh\"> %s</span>", sn_buf_str(&vias));
    }
    sn_buf_add_str(out, has_second ? "<abbr title=\"a second human is always needed\">2</abbr></td>" : "</td>");
}

static void put_matrix(const struct sn_analyze_report *report, struct sn_buf *out)
{
    const struct sn_space *space = report->space;
    sn_buf_add_str(out,
        "<h2 id=\"m\">Principals and profiles</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
        "aria-labelledby=\"m\">\n<table id=\"reach\"><caption>What the policy says to a principal (row) "
        "who asks for a profile (column). The mouse over a cell names the rules.</caption>\n"
        "<thead><tr><th scope=\"col\">Principal</th>");
    for (size_t p = 0; p < space->profile_count; p++) {
        if (report->shows_profile[p]) {
            sn_buf_add_str(out, "<th scope=\"col\">");
            isolated(out, space->profiles[p]);
            sn_buf_add_str(out, "</th>");
        }
    }
    sn_buf_add_str(out, "</tr></thead>\n<tbody>\n");
    for (size_t u = 0; u < space->caller_count; u++) {
        if (!report->shows_caller[u]) {
            continue;
        }
        sn_buf_add_str(out, "<tr><th scope=\"row\">");
        isolated(out, space->callers[u].text);
        sn_buf_add_str(out, "</th>");
        for (size_t p = 0; p < space->profile_count; p++) {
            if (report->shows_profile[p]) {
                put_cell(&report->analysis->reach[p * space->caller_count + u], out);
            }
        }
        sn_buf_add_str(out, "</tr>\n");
    }
    sn_buf_add_str(out, "</tbody></table></div>\n");
}

/* --- The weeks --- */

static void put_bar(struct sn_buf *out, const char *class, unsigned from_min, unsigned to_min)
{
    /* In tenths of a unit, so that every minute shows. */
    unsigned from = from_min * 10 / UNIT_MINUTES, len = (to_min - from_min) * 10 / UNIT_MINUTES;
    sn_buf_addf(out, "<rect class=\"%s\" x=\"%u.%u\" y=\"4\" width=\"%u.%u\" height=\"18\"/>", class, from / 10,
        from % 10, len / 10, len % 10);
}

static void put_bars(struct sn_buf *out, const struct sn_week_row *row)
{
    const struct sn_window *w = &row->window;
    const char *class = row->effect == SN_RULE_DENY ? "d" : row->effect == SN_RULE_REQUIRE_APPROVAL ? "a" : "g";
    for (unsigned day = 0; day < 7; day++) {
        unsigned begins = day * SN_MINUTES_PER_DAY, next = (day + 1) % 7 * SN_MINUTES_PER_DAY;
        if ((w->days >> day & 1) == 0) {
            continue;
        }
        if (w->from_min < w->to_min) {
            put_bar(out, class, begins + w->from_min, begins + w->to_min);
        } else {
            put_bar(out, class, begins + w->from_min, begins + SN_MINUTES_PER_DAY);
            put_bar(out, class, next, next + w->to_min);
        }
    }
}

static void put_days(struct sn_buf *out, uint8_t days)
{
    const char *between = "";
    if (days == SN_ALL_DAYS) {
        sn_buf_add_str(out, "every day");
        return;
    }
    for (size_t day = 0; day < SN_LEN(sn_weekday_words); day++) {
        if ((days >> day & 1) != 0) {
            sn_buf_addf(out, "%s%s", between, sn_weekday_words[day]);
            between = ", ";
        }
    }
}

static void put_week_row(struct sn_buf *out, const struct sn_week_row *row)
{
    sn_buf_add_str(out, "<tr><th scope=\"row\">");
    isolated(out, row->rule);
    sn_buf_addf(out, "<small>%s, ", sn_rule_effect_name(row->effect));
    put_days(out, row->window.days);
    sn_buf_addf(out, ", %02u:%02u to %02u:%02u, ", row->window.from_min / 60, row->window.from_min % 60,
        row->window.to_min / 60, row->window.to_min % 60);
    text(out, row->zone_name);
    sn_buf_addf(out, "</small></th><td><svg viewBox=\"0 0 %d 26\" preserveAspectRatio=\"none\" aria-hidden=\"true\">",
        WEEK_UNITS);
    for (unsigned day = 0; day < 7; day++) {
        sn_buf_addf(out, "<line x1=\"%u\" y1=\"0\" x2=\"%u\" y2=\"26\"/>", day * DAY_UNITS, day * DAY_UNITS);
    }
    put_bars(out, row);
    sn_buf_add_str(out, "</svg></td></tr>\n");
}

static void put_week_head(struct sn_buf *out, struct sn_slice profile)
{
    sn_buf_add_str(out, "<section class=\"w\"><h3>");
    isolated(out, profile);
    sn_buf_add_str(out, "</h3><div class=\"scroll\"><table class=\"week\"><thead><tr><th scope=\"col\">Rule</th>"
                        "<th scope=\"col\"><div class=\"days\">");
    for (size_t day = 0; day < SN_LEN(sn_weekday_words); day++) {
        sn_buf_addf(out, "<span>%.3s</span>", sn_weekday_words[day]);
    }
    sn_buf_add_str(out, "</div></th></tr></thead><tbody>\n");
}

static void put_weeks(const struct sn_analyze_report *report, struct sn_buf *out)
{
    const struct sn_analysis *a = report->analysis;
    bool has_any = false;
    sn_buf_add_str(out,
        "<h2>Weeks</h2>\n<p class=\"soft\">When rules with a time window match, on the wall clock of the "
        "rule's own zone. Rules without a window are not shown.</p>\n");
    for (size_t i = 0; i < a->week_count; i++) {
        const struct sn_week_row *row = &a->weeks[i];
        if (!report->shows_profile[row->profile]) {
            continue;
        }
        has_any = true;
        if (i == 0 || a->weeks[i - 1].profile != row->profile) {
            put_week_head(out, report->space->profiles[row->profile]);
        }
        put_week_row(out, row);
        if (i + 1 == a->week_count || a->weeks[i + 1].profile != row->profile) {
            sn_buf_add_str(out, "</tbody></table></div></section>\n");
        }
    }
    sn_buf_add_str(out, has_any ? "" : "<p>No rule has a time window.</p>\n");
}

/* --- The findings --- */

static void put_finding(
    const struct sn_analyze_report *report, const struct sn_analysis_finding *finding, struct sn_buf *out)
{
    char time[SN_TIME_TEXT_MAX];
    const struct sn_space *space = report->space;
    sn_buf_addf(out, "<li class=\"%s\"><strong>%s</strong> ", sn_severity_name(finding->severity),
        sn_analysis_code_word(finding->code));
    isolated(out, finding->message);
    sn_buf_add_str(out, "<small>");
    for (size_t i = 0; i < finding->rule_count; i++) {
        SN_AUTO(sn_buf_clear) struct sn_buf location = {0};
        sn_analyze_location(report, finding, i, &location);
        sn_buf_add_str(out, i > 0 ? ", <code>" : "<code>");
        text(out, sn_buf_slice(&location));
        sn_buf_add_str(out, "</code>");
    }
    if (finding->has_witness) {
        sn_buf_add_str(out, finding->rule_count > 0 ? "; for example " : "For example ");
        isolated(out, space->callers[finding->witness.caller].text);
        sn_buf_add_str(out, ", profile ");
        isolated(out, space->profiles[finding->witness.profile]);
        sn_buf_add_str(out, ", at ");
        sn_buf_add(out, sn_time_format_rfc3339_s(space->instants[finding->witness.instant], time));
    }
    sn_buf_add_str(out, "</small></li>\n");
}

static void put_findings(const struct sn_analyze_report *report, struct sn_buf *out)
{
    const struct sn_analysis *a = report->analysis;
    size_t shown = 0;
    sn_buf_add_str(out, "<h2>Findings</h2>\n<ul class=\"found\">\n");
    for (size_t i = 0; i < a->finding_count; i++) {
        if (sn_analyze_shows(report, &a->findings[i])) {
            put_finding(report, &a->findings[i], out);
            shown++;
        }
    }
    sn_buf_add_str(out, "</ul>\n");
    if (shown == 0) {
        sn_buf_add_str(out, "<p>None.</p>\n");
    }
}

void sn_analyze_html(const struct sn_analyze_report *report, struct sn_buf *out)
{
    put_head(report, out);
    put_tools(out);
    put_matrix(report, out);
    put_weeks(report, out);
    put_findings(report, out);
    sn_buf_addf(out,
        "<footer>Made by sentinel policy analyze. This page loads nothing and sends nothing.</footer>\n</main>\n"
        "<script>%s</script>\n</body>\n</html>\n",
        script);
}

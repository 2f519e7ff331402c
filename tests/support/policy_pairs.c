/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/policy_pairs.c - generated policies with requests and the product's decisions, for foreign evaluators.
 *
 *   policy_pairs SEED POLICIES REQUESTS
 *
 * One JSON line a policy: {"document": TEXT, "requests": [...], "decisions": [{"effect", "rule_index"}...]}. A policy
 * has at most MOST_RULES rules, since an encoding that repeats all earlier rules in each grows with the square.
 */
#include "policy_pair.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/parse.h"
#include "codec/json.h"
#include "store/zoneinfo.h"

enum { MOST_RULES = 50 };

static void put_flag(struct sn_json_writer *w, const char *key, char state)
{
    if (state != 'u') { /* unknown is absent */
        sn_json_member_bool(w, key, state == 'y');
    }
}

static void put_posture(struct sn_json_writer *w, const struct naive_posture *posture)
{
    sn_json_key(w, "posture");
    if (posture == NULL) {
        sn_json_put_null(w);
        return;
    }
    sn_json_begin_object(w);
    put_flag(w, "encrypted", posture->encrypted);
    put_flag(w, "enrolled", posture->enrolled);
    put_flag(w, "compliant", posture->compliant);
    put_flag(w, "firewall", posture->firewall);
    sn_json_member_str(w, "os_type", posture->os_type);
    sn_json_member_str(w, "os_version", posture->os_version);
    sn_json_end_object(w);
}

static void put_request(struct sn_json_writer *w, const struct naive_request *request)
{
    const struct naive_caller *caller = request->caller;
    sn_json_begin_object(w);
    sn_json_member_str(w, "arn", caller->arn);
    sn_json_member_str(w, "kind", caller->kind);
    sn_json_member_str(w, "account", caller->account);
    sn_json_member_str(w, "own_account", request->own_account);
    sn_json_member_str(w, "role", caller->role);
    sn_json_member_str(w, "name", caller->name);
    sn_json_member_bool(w, "vouched", caller->vouched);
    sn_json_member_str(w, "profile", request->profile);
    sn_json_member_str(w, "mode", request->mode);
    sn_json_member_int(w, "unix_s", request->unix_s);
    sn_json_member_str(w, "session_store", request->session_store);
    put_posture(w, request->posture);
    sn_json_end_object(w);
}

static void put_decision(struct sn_json_writer *w, const struct sn_decision *decision)
{
    sn_json_begin_object(w);
    sn_json_member_str(w, "effect", sn_effect_name(decision->effect));
    sn_json_member_int(w, "rule_index", decision->rule_index);
    sn_json_end_object(w);
}

static enum sn_status put_line(
    const struct sn_tz_source *zones, int64_t requests, struct sn_buf *line, struct sn_error *err)
{
    static struct naive_policy naive;
    static struct policy_pair pair;
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0}, decisions = {0};
    SN_AUTO(sn_policy_unref_p) struct sn_policy *policy = NULL;
    struct sn_json_writer w, of_decisions;
    gen_policy(&naive);
    naive.rule_count = naive.rule_count > MOST_RULES ? 1 + gen_below(MOST_RULES) : naive.rule_count;
    gen_write(&text, &naive, false);
    SN_TRY(sn_policy_load(sn_buf_slice(&text), zones, NULL, &policy, err));
    sn_json_writer_init(&w, line);
    sn_json_writer_init(&of_decisions, &decisions);
    sn_json_begin_object(&w);
    sn_json_member_text(&w, "document", sn_buf_slice(&text));
    sn_json_key(&w, "requests");
    sn_json_begin_array(&w);
    sn_json_begin_array(&of_decisions);
    for (int64_t i = 0; i < requests; i++) {
        struct sn_decision decision;
        policy_pair_next(&naive, &pair);
        put_request(&w, &pair.naive.request);
        sn_policy_evaluate(policy, &pair.product, &decision);
        put_decision(&of_decisions, &decision);
    }
    sn_json_end_array(&of_decisions);
    sn_json_end_array(&w);
    sn_json_key(&w, "decisions");
    sn_json_put_raw(&w, sn_buf_slice(&decisions));
    sn_json_end_object(&w);
    return SN_OK;
}

int main(int argc, char **argv)
{
    int64_t seed = 0, policies = 0, requests = 0;
    struct sn_error err = {0};
    struct sn_zoneinfo zoneinfo;
    struct sn_buf line = {0};
    if (argc != 4 || sn_parse_int(sn_slice_str(argv[1]), 0, INT64_MAX, &seed, &err) != SN_OK ||
        sn_parse_int(sn_slice_str(argv[2]), 1, 1000000, &policies, &err) != SN_OK ||
        sn_parse_int(sn_slice_str(argv[3]), 1, 1000000, &requests, &err) != SN_OK) {
        fprintf(stderr, "usage: policy_pairs SEED POLICIES REQUESTS\n");
        return 2;
    }
    sn_zoneinfo_init(&zoneinfo, NULL);
    struct sn_tz_source zones = sn_zoneinfo_source(&zoneinfo);
    gen_seed((uint64_t)seed, 0);
    for (int64_t i = 0; i < policies; i++) {
        sn_buf_reset(&line);
        if (put_line(&zones, requests, &line, &err) != SN_OK) {
            fprintf(stderr, "policy_pairs: %s\n", err.message);
            return 1;
        }
        if (puts(sn_buf_str(&line)) < 0) {
            return 1;
        }
    }
    sn_buf_clear(&line);
    sn_zoneinfo_clear(&zoneinfo);
    return fflush(stdout) == 0 ? 0 : 1;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* tests/support/policy_pair.c - see policy_pair.h. */
#include "policy_pair.h"

#include <string.h>

static void copy_text(char *to, const char *from)
{
    memcpy(to, from, strlen(from) + 1);
}

static void translate_caller(const struct naive_caller *caller, struct sn_principal *p)
{
    p->type = SN_PRINCIPAL_ASSUMED_ROLE;
    if (strcmp(caller->kind, "user") == 0) {
        p->type = SN_PRINCIPAL_USER;
    } else if (strcmp(caller->kind, "federated") == 0) {
        p->type = SN_PRINCIPAL_FEDERATED_USER;
    } else if (strcmp(caller->kind, "root") == 0) {
        p->type = SN_PRINCIPAL_ROOT;
    }
    p->vouched = caller->vouched;
    p->is_sso = strcmp(caller->kind, "sso") == 0;
    copy_text(p->arn, caller->arn);
    copy_text(p->partition, "aws");
    copy_text(p->account, caller->account);
    copy_text(p->role, caller->role);
    copy_text(p->name, caller->name);
}

static enum sn_tristate tristate(char c)
{
    return c == 'y' ? SN_TRUE : c == 'n' ? SN_FALSE : SN_UNKNOWN;
}

void policy_pair_next(const struct naive_policy *policy, struct policy_pair *pair)
{
    gen_request(policy, &pair->naive);
    const struct naive_request *naive = &pair->naive.request;
    const struct naive_posture *posture = &pair->naive.posture;
    translate_caller(&pair->naive.caller, &pair->principal);
    pair->posture = (struct sn_posture){.disk_encrypted = tristate(posture->encrypted),
        .mdm_enrolled = tristate(posture->enrolled),
        .mdm_compliant = tristate(posture->compliant),
        .firewall_enabled = tristate(posture->firewall),
        .os_type = sn_slice_str(posture->os_type),
        .os_version = sn_slice_str(posture->os_version)};
    pair->product = (struct sn_policy_request){.principal = &pair->principal,
        .own_account = naive->own_account,
        .profile = sn_slice_str(naive->profile),
        .unix_s = naive->unix_s,
        .mode = strcmp(naive->mode, "server") == 0 ? SN_MODE_SERVER
                : strcmp(naive->mode, "cli") == 0  ? SN_MODE_CLI
                                                   : SN_MODE_CREDENTIAL_PROCESS,
        .session_store = sn_slice_str(naive->session_store),
        .posture = naive->posture != NULL ? &pair->posture : NULL};
}

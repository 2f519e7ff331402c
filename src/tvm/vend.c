/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/vend.c - the way of one vend, top to bottom.
 *
 * Steps 1 (accept) and 2 (route) lie behind a handler already. Data goes forward only: a step that fails ends the call
 * with the code it gave. Credentials exist from step 15 on, in memory that is wiped; nothing of them enters the answer
 * before the record of step 17 is durable and step 18 has passed.
 */
#include "tvm/vend.h"

static enum sn_status vend_steps(struct sn_call *call, struct sn_vend *vend, bool *out_is_counted, struct sn_error *err)
{
    SN_TRY(sn_call_identify(call, err));              /*  3. who asks */
    SN_TRY(sn_call_admit(call, err));                 /*  4. principal, vouching, admission */
    SN_TRY(sn_call_rate_limit(call, err));            /*  5. not too often */
    SN_TRY(sn_vend_read_parameters(call, vend, err)); /*  6. what is asked */
    *out_is_counted = true;                           /*     from here on every end leaves one record */
    SN_TRY(sn_vend_find_profile(call, vend, err));    /*  7. catalogue; the result is not shown yet */
    sn_vend_look_at_device(call, vend);               /*  8. posture */
    SN_TRY(sn_vend_load_policy(call, vend, err));     /*  9. policy */
    sn_vend_evaluate(call, vend);                     /* 10. what the policy says */
    sn_vend_find_grant(call, vend);                   /* 11. what may override it; */
    SN_TRY(sn_vend_decide(call, vend, err));          /*     the refusals of 7 to 11 leave here */
    SN_TRY(sn_vend_set_duration(call, vend, err));    /* 12. how long */
    SN_TRY(sn_vend_write_row(call, vend, err));       /* 13. revoked? 14. if not, session row and spent proof */
    SN_TRY(sn_vend_assume_role(call, vend, err));     /* 15. credentials */
    sn_vend_correct_row(call, vend);                  /* 16. what STS really gave */
    SN_TRY(sn_vend_record_issue(call, vend, err));    /* 17. durable record */
    SN_TRY(sn_vend_check_freshness(call, vend, err)); /* 18. still not revoked? */
    sn_vend_respond(call, vend);                      /* 19. answer */
    return SN_OK;
}

void sn_vend_clear(struct sn_vend *vend)
{
    sn_assumed_role_clear(&vend->role);
    sn_buf_clear(&vend->session_policy);
    sn_policy_unref(vend->policy);
    *vend = (struct sn_vend){0};
}

enum sn_status sn_handle_credentials(struct sn_call *call, struct sn_error *err)
{
    SN_AUTO(sn_vend_clear) struct sn_vend vend = {.is_alias = sn_slice_eq_str(sn_slice_str(call->route->path), "/")};
    bool is_counted = false;
    enum sn_status status = vend_steps(call, &vend, &is_counted, err);

    if (status == SN_OK) {
        return SN_OK;
    }
    sn_assumed_role_clear(&vend.role); /* whatever comes next, these keys go nowhere */
    if (vend.has_row) {
        sn_vend_end_row(call, &vend, sn_error_is(err, "SESSION_REVOKED") ? SN_SESSION_REVOKED : SN_SESSION_EXPIRED);
    }
    if (is_counted && !vend.is_recorded) {
        status = sn_vend_record_refusal(call, &vend, err);
    }
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* vault/process_token.c - see process_token.h. */
#include "vault/process_token.h"

#include "base/buf.h"
#include "codec/base64.h"

enum sn_status sn_process_token_init(struct sn_process_token *token, const struct sn_random *random_source, uid_t uid,
    bool binds_pid, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = SN_BUF_INIT(64);
    unsigned char bytes[SN_PROCESS_TOKEN_BYTES];

    SN_TRY(sn_random_fill(random_source, bytes, sizeof(bytes), err));
    sn_base64url_encode(&text, bytes, sizeof(bytes));
    sn_wipe(bytes, sizeof(bytes));
    SN_ASSERT(text.len == SN_PROCESS_TOKEN_LEN);
    *token = (struct sn_process_token){.uid = uid, .binds_pid = binds_pid};
    sn_secret_set(&token->text, sn_buf_slice(&text));
    return SN_OK;
}

void sn_process_token_revoke(struct sn_process_token *token)
{
    sn_secret_clear(&token->text);
}

bool sn_process_token_accepts(
    struct sn_process_token *token, struct sn_slice presented, uid_t uid, pid_t pid, bool *out_misused)
{
    if (out_misused != NULL) {
        *out_misused = false;
    }
    if (!sn_secret_is_set(&token->text) || !sn_secret_eq_slice(&token->text, presented)) {
        return false;
    }
    bool right_process = !token->binds_pid || token->pid == 0 || token->pid == pid;
    if (uid != token->uid || !right_process) {
        if (out_misused != NULL) {
            *out_misused = true;
        }
        return false;
    }
    if (token->binds_pid) {
        token->pid = pid;
    }
    return true;
}

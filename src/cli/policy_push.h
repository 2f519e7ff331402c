/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/policy_push.h - the steps of policy push: look, keep, ask, sign, look again, write (POL 15).
 */
#ifndef SN_CLI_POLICY_PUSH_H
#define SN_CLI_POLICY_PUSH_H

#include "cli/policy_signer.h"
#include "cli/policy_target.h"

struct sn_push_args {
    struct sn_policy_path_args path;
    struct sn_aws_args aws;
    bool no_backup, force, sign, allow_unsigned;
    const char *key_id, *tier, *backup_dir;
};

/* All that one push knows. */
struct sn_push {
    struct sn_app *app;
    const struct sn_push_args *args;
    struct sn_aws_access access;
    struct sn_policy_target target;
    struct sn_buf text;             /* of the file */
    struct sn_policy_stored before; /* what is stored */
    bool is_unread;                 /* it could not be read, and --no-backup allows that */
    struct sn_policy_signer signer;
    struct sn_envelope envelope;     /* the fresh signature */
    char backup[SN_TARGET_PATH_MAX]; /* "": none */
    char version[24];                /* of what was written */
};
void sn_push_clear(struct sn_push *push);

/* Reads and validates the file; a catalogue with the rest of its documents, where they can be read. */
SN_MUST_CHECK enum sn_status sn_push_read_file(struct sn_push *push, const char *file, struct sn_error *err);
/* What is stored; a failure to read it stops the push unless --no-backup. */
SN_MUST_CHECK enum sn_status sn_push_read_stored(struct sn_push *push, struct sn_error *err);
/* Refuses what would leave a signature that fits nothing, or take another document's. */
SN_MUST_CHECK enum sn_status sn_push_check_signature(const struct sn_push *push, struct sn_error *err);
/* True when nothing is to be written: the same text, and signed already where that was asked. */
bool sn_push_changes_nothing(const struct sn_push *push);
SN_MUST_CHECK enum sn_status sn_push_keep_backup(struct sn_push *push, struct sn_error *err);
/* Shows the plan and asks, unless --force. */
SN_MUST_CHECK enum sn_status sn_push_ask(const struct sn_push *push, bool *out_go_on, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_push_sign(struct sn_push *push, struct sn_error *err);
/* Looks whether somebody else has pushed, then writes signature and document; a half push is taken back. */
SN_MUST_CHECK enum sn_status sn_push_write(struct sn_push *push, struct sn_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/files.h - the directory of a running lab: env, aws/config, aws/credentials, and control for 'lab clock|fault'.
 */
#ifndef SN_LAB_FILES_H
#define SN_LAB_FILES_H

#include "base/buf.h"
#include "base/error.h"

struct sn_lab;

enum { SN_LAB_PATH_MAX = 4096, SN_LAB_CONTROL_MAX_BYTES = 4096 };

/* Makes the directory (mode 0700) if it is missing. */
SN_MUST_CHECK enum sn_status sn_lab_files_prepare(const char *dir, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_lab_files_write(
    struct sn_lab *lab, const char *dir, const char *url, struct sn_error *err);
/*
 * Asks the lab of a directory to change: what is "clock" or "fault". Its answer goes to out_answer. Codes
 * LAB_NOT_RUNNING and LAB_REFUSED.
 */
SN_MUST_CHECK enum sn_status sn_lab_files_control(
    const char *dir, const char *what, const char *argument, struct sn_buf *out_answer, struct sn_error *err);

#endif

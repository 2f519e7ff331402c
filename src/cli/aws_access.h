/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/aws_access.h - what administrator commands have in common: the operator's own credentials, and clients for them.
 *
 * Clients are made when they are first asked for, so that a command that needs none reads no credentials.
 */
#ifndef SN_CLI_AWS_ACCESS_H
#define SN_CLI_AWS_ACCESS_H

#include "aws/kms.h"
#include "aws/ssm.h"
#include "cli/command.h"
#include "vault/base_credentials.h"

struct sn_aws_args {
    const char *region, *aws_profile;
};

/* Rows of an option table whose argument struct holds a struct sn_aws_args called member. */
/* clang-format off */
#define SN_AWS_OPTS(type_of_args, member)                                                                             \
    {.name = "region", .metavar = "REGION", .kind = SN_OPT_STRING, .field = offsetof(type_of_args, member.region),    \
     .help = "AWS region; else AWS_REGION, AWS_DEFAULT_REGION, the profile's"},                                       \
    {.name = "aws-profile", .metavar = "NAME", .kind = SN_OPT_STRING, .words = SN_WORDS_AWS_PROFILES,                 \
     .field = offsetof(type_of_args, member.aws_profile),                                                             \
     .help = "profile of the AWS config whose credentials are used; else the standard chain"}
/* clang-format on */

/* A zeroed struct with args is ready. Used by one thread. */
struct sn_aws_access {
    struct sn_aws_args args;
    struct sn_base *base;
    struct sn_ssm *ssm;
    struct sn_kms *kms;
};
SN_MUST_CHECK enum sn_status sn_aws_access_ssm(
    struct sn_aws_access *access, struct sn_ssm **out_ssm, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_aws_access_kms(
    struct sn_aws_access *access, struct sn_kms **out_kms, struct sn_error *err);
void sn_aws_access_clear(struct sn_aws_access *access);

#endif

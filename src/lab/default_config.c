/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/default_config.c - the lab.yaml that holds when none is given.
 */
#include "lab/config.h"

/* A shared trust policy: the TVM's role only, stamped, and with no tags but Sentinel's own. */
#define PROTECTED_TRUST                                                                                                \
    "    trust:\n"                                                                                                     \
    "      Version: \"2012-10-17\"\n"                                                                                  \
    "      Statement:\n"                                                                                               \
    "        - Sid: AllowSentinelAccess\n"                                                                             \
    "          Effect: Allow\n"                                                                                        \
    "          Principal: {AWS: \"arn:aws:iam::123456789012:role/SentinelTVM\"}\n"                                     \
    "          Action: [\"sts:AssumeRole\", \"sts:SetSourceIdentity\"]\n"                                              \
    "          Condition: {StringLike: {\"sts:SourceIdentity\": \"sentinel=*\"}}\n"                                    \
    "        - Sid: AllowSentinelSessionTag\n"                                                                         \
    "          Effect: Allow\n"                                                                                        \
    "          Principal: {AWS: \"arn:aws:iam::123456789012:role/SentinelTVM\"}\n"                                     \
    "          Action: \"sts:TagSession\"\n"                                                                           \
    "          Condition:\n"                                                                                           \
    "            \"ForAllValues:StringEquals\": {\"aws:TagKeys\": [SentinelSessionID, SentinelGrantID]}\n"

const char sn_lab_default_config[] =
    "# lab.yaml: the AWS account that 'sentinel lab' plays.\n"
    "account: \"123456789012\"\n"
    "region: us-east-1\n"
    "\n"
    "# Every user gets a random access key marked LAB. Without 'policies' a user or role may do everything.\n"
    "users:\n"
    "  - name: alice\n"
    "  - name: bob\n"
    "  - name: tvm\n"
    "\n"
    "roles:\n"
    "  - name: SentinelTVM\n"
    "    description: \"The Token Vending Machine's own role\"\n"
    "    max_session: 3600\n"
    "    trust:\n"
    "      Version: \"2012-10-17\"\n"
    "      Statement:\n"
    "        - Effect: Allow\n"
    "          Principal: {AWS: \"arn:aws:iam::123456789012:user/tvm\"}\n"
    "          Action: \"sts:AssumeRole\"\n"
    "  - name: AgentRunner\n"
    "    description: \"A role whose sessions may choose any name\"\n"
    "    max_session: 3600\n"
    "    trust:\n"
    "      Version: \"2012-10-17\"\n"
    "      Statement:\n"
    "        - Effect: Allow\n"
    "          Principal: {AWS: \"arn:aws:iam::123456789012:root\"}\n"
    "          Action: [\"sts:AssumeRole\", \"sts:TagSession\"]\n"
    "  - name: SentinelProtected-dev\n"
    "    max_session: 14400\n" PROTECTED_TRUST "  - name: SentinelProtected-staging\n"
    "    max_session: 7200\n" PROTECTED_TRUST "  - name: SentinelProtected-prod\n"
    "    max_session: 3600\n" PROTECTED_TRUST "\n"
    "# Profiles written to D/aws: each is a user's key or a role assumed with one.\n"
    "profiles:\n"
    "  - {name: alice, user: alice}\n"
    "  - {name: bob, user: bob}\n"
    "  - {name: tvm-user, user: tvm}\n"
    "  - {name: tvm, role: SentinelTVM, source: tvm-user, session_name: sentinel-tvm}\n"
    "  - {name: agent, role: AgentRunner, source: alice, session_name: agent-1}\n"
    "\n"
    "# IAM Identity Center: who signs in, and to what. Lives are seconds. D/aws/config gets the sso-session and a "
    "profile\n"
    "# sso-<permission set>-<account name> for each assignment.\n"
    "identity_center:\n"
    "  session: lab\n"
    "  interval: 1\n"
    "  device_life: 600\n"
    "  token_life: 28800\n"
    "  refresh_life: 604800\n"
    "  client_life: 7776000\n"
    "  accounts:\n"
    "    - {account: \"123456789012\", name: main}\n"
    "    - {account: \"210987654321\", name: sandbox}\n"
    "  permission_sets:\n"
    "    - {name: Developer, duration: 3600}\n"
    "    - {name: Auditor, duration: 3600}\n"
    "  users:\n"
    "    - name: alice\n"
    "      assignments:\n"
    "        - {account: \"123456789012\", permission_set: Developer}\n"
    "        - {account: \"123456789012\", permission_set: Auditor}\n"
    "        - {account: \"210987654321\", permission_set: Developer}\n"
    "    - name: bob\n"
    "      assignments:\n"
    "        - {account: \"123456789012\", permission_set: Auditor}\n";

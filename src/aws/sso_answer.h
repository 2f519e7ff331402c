/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws/sso_answer.h - the answers of IAM Identity Center, read strictly.
 *
 * Pure. What becomes part of a header, a file name, a terminal or a browser's address is held to a narrow form here, so
 * that nothing behind this has to doubt it: tokens are visible ASCII, addresses are https (http on loopback only), user
 * codes are letters, digits and dashes. Failures are SN_PROTOCOL, SSO_ANSWER_INVALID.
 */
#ifndef SN_AWS_SSO_ANSWER_H
#define SN_AWS_SSO_ANSWER_H

#include <stdint.h>

#include "aws/credentials.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/secret.h"
#include "base/slice.h"

enum {
    SN_SSO_MAX_BYTES = 1024 * 1024,
    SN_SSO_TOKEN_MAX = 16384,
    SN_SSO_USER_CODE_MAX = 32,
    SN_SSO_URL_MAX = 2048,
    SN_SSO_LIFE_MAX_S = 400 * 24 * 3600,
    SN_SSO_ACCOUNT_LEN = 12,
    SN_SSO_ROLE_MAX = 64,
    SN_SSO_NAME_MAX = 256,
};

/* A client of the OIDC service, as it registered. */
struct sn_sso_client {
    struct sn_secret id, secret;
    int64_t expires_unix_s;
    char authorization_endpoint[SN_SSO_URL_MAX + 1]; /* "": not told */
};
void sn_sso_client_clear(struct sn_sso_client *client);

struct sn_sso_device {
    struct sn_secret device_code;
    char user_code[SN_SSO_USER_CODE_MAX + 1];
    char uri[SN_SSO_URL_MAX + 1], uri_complete[SN_SSO_URL_MAX + 1];
    int64_t expires_in_s, interval_s; /* interval 0: not told */
};
void sn_sso_device_clear(struct sn_sso_device *device);

struct sn_sso_grant {
    struct sn_secret access_token;
    struct sn_secret refresh_token; /* may be absent */
    int64_t expires_in_s;
};
void sn_sso_grant_clear(struct sn_sso_grant *grant);

/* One line of a list; borrowed from the list's arena. */
struct sn_sso_entry {
    struct sn_slice account_id;
    struct sn_slice name;  /* of the account, or of the role */
    struct sn_slice email; /* of the account; empty for roles */
};
struct sn_sso_list {
    struct sn_arena arena;
    struct sn_sso_entry *entries;
    size_t count, room;
};
void sn_sso_list_clear(struct sn_sso_list *list);

SN_MUST_CHECK enum sn_status sn_sso_read_client(
    struct sn_slice json, struct sn_sso_client *out_client, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_sso_read_device(
    struct sn_slice json, struct sn_sso_device *out_device, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_sso_read_grant(
    struct sn_slice json, struct sn_sso_grant *out_grant, struct sn_error *err);
/* Credentials that end before now are an error. */
SN_MUST_CHECK enum sn_status sn_sso_read_credentials(
    struct sn_slice json, int64_t now_unix_s, struct sn_credentials *out_credentials, struct sn_error *err);
/* Adds a page to the list; out_next gets the mark of the next page, empty at the end. */
SN_MUST_CHECK enum sn_status sn_sso_read_accounts(
    struct sn_slice json, struct sn_sso_list *list, struct sn_buf *out_next, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_sso_read_roles(
    struct sn_slice json, struct sn_sso_list *list, struct sn_buf *out_next, struct sn_error *err);

/* What a refusal of the OIDC service means to a sign-in. */
enum sn_sso_fault {
    SN_SSO_PENDING,
    SN_SSO_SLOW_DOWN,
    SN_SSO_EXPIRED,
    SN_SSO_DECLINED,
    SN_SSO_INVALID_CLIENT,
    SN_SSO_INVALID_GRANT,
    SN_SSO_OTHER,
};
enum { SN_SSO_FAULT_TEXT_MAX = 256 };
/*
 * By the header x-amzn-errortype, else by the member "error". out_text gets a word of it and of its description, made
 * harmless.
 */
enum sn_sso_fault sn_sso_read_fault(
    struct sn_slice error_type, struct sn_slice json, char out_text[SN_SSO_FAULT_TEXT_MAX]);

/* True for an https URL, or http on a loopback address, of visible ASCII, without user info. */
bool sn_sso_url_is_safe(struct sn_slice url);
/* True for 1 to SN_SSO_TOKEN_MAX visible ASCII characters. */
bool sn_sso_token_is_safe(struct sn_slice token);

#endif

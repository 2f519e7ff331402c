/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/identity_center.h - who may sign in to the lab's IAM Identity Center, and what its sign-ins have given out.
 *
 * Clients register, ask for a device code or an authorization code, and turn it into an access token; a person decides
 * in between. Codes and refresh tokens work once. Everything lives in rings of fixed size: past them the oldest is
 * forgotten. Times are of the lab's clock. Thread-safe.
 */
#ifndef SN_LAB_IDENTITY_CENTER_H
#define SN_LAB_IDENTITY_CENTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/random.h"
#include "base/slice.h"

struct sn_lab_role;

struct sn_lab_center_account {
    struct sn_slice id, name, email;
};

struct sn_lab_center_assignment {
    const struct sn_lab_center_account *account;
    struct sn_slice permission_set;
    struct sn_lab_role *role; /* AWSReservedSSO_<permission set>_<16 hex digits> of that account */
    int64_t duration_s;
};

struct sn_lab_center_user {
    struct sn_slice name;
    struct sn_lab_center_assignment *assignments;
    size_t assignment_count;
};

/* 'identity_center' of lab.yaml. Without users there is no Identity Center in the lab. */
struct sn_lab_center_config {
    struct sn_slice session; /* of the sso-session in D/aws/config */
    int64_t interval_s, device_life_s, token_life_s, refresh_life_s, client_life_s;
    struct sn_lab_center_account *accounts;
    size_t account_count;
    struct sn_lab_center_user *users;
    size_t user_count;
    struct sn_lab_center_assignment *profiles; /* each permission set that is assigned in an account, once */
    size_t profile_count;
};

enum {
    SN_LAB_CENTER_SECRET_LEN = 46, /* "LAB" and 32 random bytes in base64url */
    SN_LAB_CENTER_CODE_LEN = 9,    /* "BCDF-GHJK" */
    SN_LAB_CENTER_MAX_REDIRECTS = 4,
    SN_LAB_CENTER_REDIRECT_MAX = 80,
    SN_LAB_CENTER_SCOPES_MAX = 256,
    SN_LAB_CENTER_CHALLENGE_LEN = 43,
};

struct sn_lab_center_client {
    char id[SN_LAB_CENTER_SECRET_LEN + 1], secret[SN_LAB_CENTER_SECRET_LEN + 1];
    char redirects[SN_LAB_CENTER_MAX_REDIRECTS][SN_LAB_CENTER_REDIRECT_MAX];
    size_t redirect_count;
    char scopes[SN_LAB_CENTER_SCOPES_MAX]; /* separated by one blank; empty: none */
    bool may_device, may_refresh, may_code;
    int64_t expires_unix_s;
};

struct sn_lab_center_device {
    char device_code[SN_LAB_CENTER_SECRET_LEN + 1], user_code[SN_LAB_CENTER_CODE_LEN + 1];
};

struct sn_lab_center_token {
    char access[SN_LAB_CENTER_SECRET_LEN + 1];
    char refresh[SN_LAB_CENTER_SECRET_LEN + 1]; /* empty: none */
    int64_t expires_unix_s;
};

struct sn_lab_center;

struct sn_lab_center *sn_lab_center_new(
    const struct sn_lab_center_config *config, const struct sn_random *random_source);
void sn_lab_center_free(struct sn_lab_center *center);

/* Fills id, secret and end of *client and keeps a copy. */
SN_MUST_CHECK enum sn_status sn_lab_center_register(
    struct sn_lab_center *center, struct sn_lab_center_client *client, int64_t now_unix_s, struct sn_error *err);
/* InvalidClientException for an unknown, wrong or expired one. secret NULL: only the id is asked (the browser's way).
 */
SN_MUST_CHECK enum sn_status sn_lab_center_find_client(struct sn_lab_center *center, struct sn_slice id,
    const struct sn_slice *secret, int64_t now_unix_s, struct sn_lab_center_client *out_client, struct sn_error *err);

SN_MUST_CHECK enum sn_status sn_lab_center_start_device(struct sn_lab_center *center,
    const struct sn_lab_center_client *client, int64_t now_unix_ms, struct sn_lab_center_device *out_device,
    struct sn_error *err);
/*
 * The person's word on a user code: user is who signed in, NULL declines. Dashes, blanks and letter case of the code do
 * not matter. Code LAB_CENTER for one that is unknown, over or decided.
 */
SN_MUST_CHECK enum sn_status sn_lab_center_decide(struct sn_lab_center *center, struct sn_slice user_code,
    const struct sn_lab_center_user *user, int64_t now_unix_ms, struct sn_error *err);
/* One poll: a token, or AuthorizationPending, SlowDown, ExpiredToken, AccessDenied or InvalidGrantException. */
SN_MUST_CHECK enum sn_status sn_lab_center_poll(struct sn_lab_center *center, const struct sn_lab_center_client *client,
    struct sn_slice device_code, int64_t now_unix_ms, struct sn_lab_center_token *out_token, struct sn_error *err);

/* An authorization code for a client, a redirect URI as it was asked for, and an S256 challenge. */
SN_MUST_CHECK enum sn_status sn_lab_center_new_code(struct sn_lab_center *center,
    const struct sn_lab_center_client *client, const struct sn_lab_center_user *user, struct sn_slice redirect_uri,
    struct sn_slice challenge, int64_t now_unix_s, char out_code[SN_LAB_CENTER_SECRET_LEN + 1], struct sn_error *err);
/* Once, and gone also when the verifier is wrong. InvalidGrantException. */
SN_MUST_CHECK enum sn_status sn_lab_center_use_code(struct sn_lab_center *center,
    const struct sn_lab_center_client *client, struct sn_slice code, struct sn_slice redirect_uri,
    struct sn_slice verifier, int64_t now_unix_s, struct sn_lab_center_token *out_token, struct sn_error *err);
/* Once: the reply carries the next one. InvalidGrantException. */
SN_MUST_CHECK enum sn_status sn_lab_center_refresh(struct sn_lab_center *center,
    const struct sn_lab_center_client *client, struct sn_slice refresh_token, int64_t now_unix_s,
    struct sn_lab_center_token *out_token, struct sn_error *err);

/* Who holds the access token; UnauthorizedException. */
SN_MUST_CHECK enum sn_status sn_lab_center_find_user(struct sn_lab_center *center, struct sn_slice access_token,
    int64_t now_unix_s, const struct sn_lab_center_user **out_user, struct sn_error *err);
/* Ends the sign-in an access token came from: every token of it. UnauthorizedException. */
SN_MUST_CHECK enum sn_status sn_lab_center_sign_out(
    struct sn_lab_center *center, struct sn_slice access_token, int64_t now_unix_s, struct sn_error *err);

/* True if uri is http on loopback and equals, apart from its port, one the client registered. */
bool sn_lab_center_redirect_fits(const struct sn_lab_center_client *client, struct sn_slice uri);
const struct sn_lab_center_user *sn_lab_center_user_named(
    const struct sn_lab_center_config *config, struct sn_slice name);

#endif

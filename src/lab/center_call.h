/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/center_call.h - calls of IAM Identity Center: unsigned, told apart by their paths.
 *
 * Private to src/lab. Three kinds share one address: the OIDC service (sso-oidc), the portal (sso) and the pages on
 * which a person decides (sso-page). Any page in a browser could press their buttons: what they guard opens only the
 * lab.
 */
#ifndef SN_LAB_CENTER_CALL_H
#define SN_LAB_CENTER_CALL_H

#include "lab/call.h"
#include "lab/identity_center.h"

struct sn_lab_route {
    struct sn_lab_operation operation;
    enum sn_method method;
    const char *path;
};

extern const struct sn_lab_route sn_lab_oidc_routes[];
extern const struct sn_lab_route sn_lab_portal_routes[];
extern const struct sn_lab_route sn_lab_page_routes[];

/* The path of the start URL below the lab's own URL. */
#define SN_LAB_START_PATH "/start"
enum { SN_LAB_STATE_MAX = 96 };

/* True if text is the lab's start URL, with or without an ending of '/', '#' or both. */
bool sn_lab_is_start_url(struct sn_lab_call *call, struct sn_slice text);
/* True if every word of scopes (separated by blanks) is among known ones; an empty text is. */
bool sn_lab_scopes_within(struct sn_slice scopes, struct sn_slice known);

#endif

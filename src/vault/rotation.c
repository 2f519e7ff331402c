/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/rotation.c - the order of steps; each failure is answered by what keeps a working key recorded.
 */
#include "vault/rotation.h"

#include <stdio.h>
#include <string.h>

#include "aws/endpoint.h"
#include "aws/iam.h"
#include "base/time.h"
#include "codec/json.h"

enum { STEP_MS = 2000, VERIFY_TRIES = 30, DELETE_TRIES = 10, JOURNAL_MAX = 16 * 1024, SECRET_MAX = 256 };

void sn_mask_key_id(const char *id, char out_text[SN_MASKED_MAX])
{
    size_t len = strlen(id);

    (void)snprintf(out_text, SN_MASKED_MAX, "****************%s", len >= 16 ? id + len - 4 : "");
}

/* --- The journal --- */

void sn_rotation_journal_clear(struct sn_rotation_journal *journal)
{
    sn_credentials_clear(&journal->old_key);
    sn_credentials_clear(&journal->new_key);
}

static void format_key(struct sn_json_writer *w, const char *name, const struct sn_credentials *key)
{
    sn_json_key(w, name);
    sn_json_begin_object(w);
    sn_json_member_str(w, "AccessKeyID", key->access_key_id);
    sn_json_member_secret(w, "SecretAccessKey", &key->secret_access_key);
    sn_json_end_object(w);
}

void sn_rotation_journal_format(
    const struct sn_rotation_journal *journal, const char *profile, int64_t started_unix_ms, struct sn_secret *out_text)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    char time[SN_TIME_TEXT_MAX];
    struct sn_json_writer w;

    sn_json_writer_init(&w, &text);
    sn_json_begin_object(&w);
    sn_json_member_int(&w, "version", 1);
    sn_json_member_str(&w, "profile", profile);
    sn_json_member_str(&w, "step", "created");
    sn_json_member_text(&w, "started", sn_time_format_rfc3339_ms(started_unix_ms, time));
    format_key(&w, "old", &journal->old_key);
    format_key(&w, "new", &journal->new_key);
    sn_json_end_object(&w);
    sn_secret_set(out_text, sn_buf_slice(&text));
}

static bool parse_key(const struct sn_json *node, struct sn_credentials *out)
{
    struct sn_slice id = sn_json_text(sn_json_get(node, "AccessKeyID"));
    struct sn_slice secret = sn_json_text(sn_json_get(node, "SecretAccessKey"));

    if (id.len == 0 || id.len > SN_ACCESS_KEY_ID_MAX || !sn_slice_is_alnum_or(id, "_") || secret.len == 0 ||
        secret.len > SECRET_MAX) {
        return false;
    }
    (void)snprintf(out->access_key_id, sizeof(out->access_key_id), "%.*s", SN_PRI(id));
    sn_secret_set(&out->secret_access_key, secret);
    return true;
}

enum sn_status sn_rotation_journal_parse(
    struct sn_slice text, struct sn_rotation_journal *out_journal, struct sn_error *err)
{
    static const struct sn_json_limits limits = {.max_bytes = JOURNAL_MAX, .max_depth = 4, .max_members = 64};
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    SN_AUTO(sn_rotation_journal_clear) struct sn_rotation_journal journal = {0};

    if (sn_json_parse(text, &limits, &doc, err) != SN_OK ||
        sn_json_int(sn_json_get(sn_json_root(doc), "version"), 0) != 1 ||
        !parse_key(sn_json_get(sn_json_root(doc), "old"), &journal.old_key) ||
        !parse_key(sn_json_get(sn_json_root(doc), "new"), &journal.new_key)) {
        return sn_fail(err, SN_PROTOCOL, "VAULT_UNREADABLE", "the journal of a rotation cannot be read");
    }
    sn_credentials_move(&out_journal->old_key, &journal.old_key);
    sn_credentials_move(&out_journal->new_key, &journal.new_key);
    return SN_OK;
}

static void journal_name(const struct sn_rotation *r, char out_key[SN_KEYRING_KEY_MAX + 1])
{
    (void)snprintf(out_key, SN_KEYRING_KEY_MAX + 1, SN_ROTATION_PREFIX "%s", r->profile);
}

static enum sn_status write_journal(
    const struct sn_rotation *r, const struct sn_rotation_journal *journal, struct sn_error *err)
{
    SN_AUTO(sn_secret_clear) struct sn_secret text = {0};
    struct sn_keyring *keyring = NULL;
    char key[SN_KEYRING_KEY_MAX + 1];

    SN_TRY(sn_vault_store_keyring(r->store, &keyring, err));
    journal_name(r, key);
    sn_rotation_journal_format(journal, r->profile, sn_clock_unix_ms(sn_clock_system()), &text);
    const struct sn_keyring_item item = {
        .key = sn_slice_str(key), .data = &text, .label = SN_S("sentinel rotation of a key")};
    return sn_keyring_set(keyring, &item, err);
}

static enum sn_status read_journal(
    const struct sn_rotation *r, struct sn_rotation_journal *out_journal, bool *out_found, struct sn_error *err)
{
    SN_AUTO(sn_secret_clear) struct sn_secret text = {0};
    struct sn_keyring *keyring = NULL;
    char key[SN_KEYRING_KEY_MAX + 1];

    *out_found = false;
    SN_TRY(sn_vault_store_keyring(r->store, &keyring, err));
    journal_name(r, key);
    if (sn_keyring_get(keyring, key, &text, err) != SN_OK) {
        return sn_error_is(err, "KEYRING_NOT_FOUND") ? SN_OK : err->status;
    }
    *out_found = true;
    return sn_rotation_journal_parse(sn_secret_reveal(&text), out_journal, err);
}

static enum sn_status drop_journal(const struct sn_rotation *r, struct sn_error *err)
{
    struct sn_keyring *keyring = NULL;
    char key[SN_KEYRING_KEY_MAX + 1];

    SN_TRY(sn_vault_store_keyring(r->store, &keyring, err));
    journal_name(r, key);
    return sn_keyring_remove(keyring, key, err) == SN_OK || sn_error_is(err, "KEYRING_NOT_FOUND") ? SN_OK : err->status;
}

enum sn_status sn_rotation_is_open(const struct sn_rotation *rotation, bool *out_is_open, struct sn_error *err)
{
    SN_AUTO(sn_keyring_keys_clear) struct sn_keyring_keys keys = {0};
    struct sn_keyring *keyring = NULL;
    char key[SN_KEYRING_KEY_MAX + 1];

    SN_TRY(sn_vault_store_keyring(rotation->store, &keyring, err));
    SN_TRY(sn_keyring_list(keyring, &keys, err));
    journal_name(rotation, key);
    *out_is_open = sn_keyring_keys_has(&keys, key);
    return SN_OK;
}

/* --- Asking AWS --- */

static void note(const struct sn_rotation *r, const char *text)
{
    if (r->note != NULL) {
        r->note(r->ctx, text);
    }
}

static enum sn_status give_key(void *ctx, struct sn_credentials *out_credentials, struct sn_error *err)
{
    (void)err;
    sn_credentials_copy(out_credentials, ctx);
    return SN_OK;
}

static const char *region_of(const struct sn_rotation *r)
{
    return r->region[0] != '\0' ? r->region : "us-east-1";
}

static enum sn_status whose(
    const struct sn_rotation *r, struct sn_credentials *key, struct sn_caller *out_caller, struct sn_error *err)
{
    SN_AUTO(sn_sts_free_p) struct sn_sts *sts = NULL;
    const struct sn_credential_source source = {.get = give_key, .ctx = key};
    char endpoint[SN_ENDPOINT_MAX];

    SN_TRY(sn_endpoint_url("sts", sn_slice_str(region_of(r)), r->env, endpoint, err));
    const struct sn_sts_options options = {
        .endpoint = endpoint, .region = region_of(r), .source = &source, .ca_file = r->ca_file};
    SN_TRY(sn_sts_new(&options, &sts, err));
    return sn_sts_get_caller_identity(sts, 0, out_caller, err);
}

static enum sn_status open_iam(const struct sn_rotation *r, const struct sn_credential_source *source,
    struct sn_iam **out_iam, struct sn_error *err)
{
    char endpoint[SN_ENDPOINT_MAX];

    SN_TRY(sn_endpoint_url("iam", sn_slice_str(region_of(r)), r->env, endpoint, err));
    const struct sn_iam_options options = {.endpoint = endpoint,
        .region = sn_endpoint_signing_region("iam", region_of(r)),
        .source = source,
        .ca_file = r->ca_file};
    return sn_iam_new(&options, out_iam, err);
}

static bool is_refused_key(const struct sn_error *err)
{
    return sn_error_is(err, "STS_REFUSED") && strstr(err->message, "InvalidClientTokenId") != NULL;
}

/* Until AWS knows the new key everywhere. */
static enum sn_status verify(
    const struct sn_rotation *r, struct sn_credentials *new_key, const struct sn_caller *expected, struct sn_error *err)
{
    struct sn_caller caller = {0};

    for (int i = 0;; i++) {
        if (whose(r, new_key, &caller, err) == SN_OK) {
            if (strcmp(caller.arn, expected->arn) == 0 && strcmp(caller.account, expected->account) == 0) {
                return SN_OK;
            }
            return sn_fail(err, SN_PROTOCOL, "IAM_ANSWER_INVALID", "the new key belongs to somebody else");
        }
        if (i + 1 == VERIFY_TRIES) {
            return err->status;
        }
        sn_transport_sleep_ms(NULL, STEP_MS);
    }
}

static enum sn_status delete_key(
    const struct sn_rotation *r, struct sn_credentials *with_key, const char *key_id, struct sn_error *err)
{
    SN_AUTO(sn_iam_free_p) struct sn_iam *iam = NULL;
    const struct sn_credential_source source = {.get = give_key, .ctx = with_key};

    /* Where keys without MFA may not call IAM, the session that made the new key deletes too. */
    SN_TRY(open_iam(r, r->working != NULL ? r->working : &source, &iam, err));
    for (int i = 0;; i++) {
        if (sn_iam_delete_access_key(iam, key_id, err) == SN_OK) {
            return SN_OK;
        }
        if (i + 1 == DELETE_TRIES) {
            return err->status;
        }
        sn_transport_sleep_ms(NULL, STEP_MS);
    }
}

/* --- Steps --- */

static enum sn_status unfinished(
    const struct sn_rotation *r, const struct sn_rotation_journal *journal, const char *what, struct sn_error *err)
{
    struct sn_error cause = *err;
    char old_id[SN_MASKED_MAX];
    char new_id[SN_MASKED_MAX];

    sn_mask_key_id(journal->old_key.access_key_id, old_id);
    sn_mask_key_id(journal->new_key.access_key_id, new_id);
    (void)sn_fail(err, SN_UNAVAILABLE, "ROTATION_UNFINISHED", "%s: %s", what, cause.message);
    (void)sn_error_detail(err, "old key", "%s", old_id);
    (void)sn_error_detail(err, "new key", "%s", new_id);
    return sn_suggest(err, "both keys are kept in the keyring; run 'sentinel vault rotate --resume %.80s'", r->profile);
}

/* The new key is stored and works: the old one goes, and the journal behind it. */
static enum sn_status finish(const struct sn_rotation *r, struct sn_rotation_journal *journal, struct sn_error *err)
{
    if (delete_key(r, &journal->new_key, journal->old_key.access_key_id, err) != SN_OK) {
        return unfinished(r, journal, "the new key is in force, but the old one could not be deleted", err);
    }
    return drop_journal(r, err);
}

/* The store failed before the journal was there: nobody else knows the new key, so it is deleted again. */
static enum sn_status give_up_new(struct sn_iam *iam, const struct sn_credentials *new_key, struct sn_error *err)
{
    struct sn_error cause = *err;
    struct sn_error second = {0};
    char masked[SN_MASKED_MAX];

    sn_mask_key_id(new_key->access_key_id, masked);
    if (sn_iam_delete_access_key(iam, new_key->access_key_id, &second) != SN_OK) {
        (void)sn_fail(err, cause.status, "ROTATION_FAILED", "the new key could not be stored: %s", cause.message);
        (void)sn_error_detail(err, "new key", "%s", masked);
        return sn_suggest(err,
            "the old key is in force; delete the new one in IAM, where it could not be deleted: %.200s",
            second.message);
    }
    (void)sn_fail(err, cause.status, "ROTATION_FAILED", "the new key could not be stored and was deleted again: %s",
        cause.message);
    return sn_suggest(err, "the old key is in force; mend the keyring and rotate again");
}

static enum sn_status store_and_verify(const struct sn_rotation *r, struct sn_rotation_journal *journal,
    const struct sn_caller *caller, struct sn_error *err)
{
    struct sn_error second = {0};

    if (sn_vault_store_put(r->store, sn_slice_str(r->profile), &journal->new_key, err) != SN_OK) {
        return unfinished(r, journal, "the new key could not be stored", err);
    }
    note(r, "stored the new key");
    if (verify(r, &journal->new_key, caller, err) == SN_OK) {
        note(r, "the new key works");
        return SN_OK;
    }
    if (sn_vault_store_put(r->store, sn_slice_str(r->profile), &journal->old_key, &second) != SN_OK) {
        return unfinished(r, journal, "the new key does not work yet", err);
    }
    return unfinished(r, journal, "the new key does not work yet, so the old one is in force again", err);
}

static enum sn_status check_room(
    const struct sn_rotation *r, struct sn_iam *iam, const struct sn_credentials *old_key, struct sn_error *err)
{
    struct sn_iam_keys keys = {0};
    char old_id[SN_MASKED_MAX];
    char other_id[SN_MASKED_MAX] = "";

    if (sn_iam_list_access_keys(iam, &keys, err) != SN_OK) {
        if (sn_error_is(err, "IAM_REFUSED") && strstr(err->message, "AccessDenied") != NULL) {
            note(r, "the keys of the user may not be listed; going on");
            return SN_OK;
        }
        return err->status;
    }
    if (keys.count < 2) {
        return SN_OK;
    }
    for (size_t i = 0; i < keys.count; i++) {
        if (strcmp(keys.ids[i], old_key->access_key_id) != 0) {
            sn_mask_key_id(keys.ids[i], other_id);
        }
    }
    sn_mask_key_id(old_key->access_key_id, old_id);
    (void)sn_fail(err, SN_CONFLICT, "ROTATION_REFUSED", "the user has two keys already, and IAM allows no third");
    (void)sn_error_detail(err, "stored key", "%s", old_id);
    (void)sn_error_detail(err, "other key", "%s", other_id);
    return sn_suggest(err, "delete the other key in IAM if nobody uses it, then rotate again");
}

static enum sn_status create(
    const struct sn_rotation *r, struct sn_iam *iam, struct sn_rotation_journal *journal, struct sn_error *err)
{
    SN_TRY(check_room(r, iam, &journal->old_key, err));
    SN_TRY(sn_iam_create_access_key(iam, &journal->new_key, err));
    if (write_journal(r, journal, err) != SN_OK) {
        return give_up_new(iam, &journal->new_key, err);
    }
    note(r, "made a new key");
    return SN_OK;
}

static void fill(const struct sn_rotation_journal *journal, struct sn_rotated *out)
{
    sn_mask_key_id(journal->old_key.access_key_id, out->old_id);
    sn_mask_key_id(journal->new_key.access_key_id, out->new_id);
}

enum sn_status sn_rotation_run(const struct sn_rotation *rotation, struct sn_rotated *out_rotated, struct sn_error *err)
{
    SN_AUTO(sn_rotation_journal_clear) struct sn_rotation_journal journal = {0};
    SN_AUTO(sn_iam_free_p) struct sn_iam *iam = NULL;
    const struct sn_credential_source own = {.get = give_key, .ctx = &journal.old_key};
    struct sn_caller caller = {0};
    bool found = false;

    SN_TRY(sn_vault_store_find(rotation->store, sn_slice_str(rotation->profile), &journal.old_key, &found, err));
    if (!found) {
        return sn_fail(err, SN_NOT_FOUND, "VAULT_NOT_FOUND", "no key of profile '%.80s' is stored", rotation->profile);
    }
    SN_TRY(whose(rotation, &journal.old_key, &caller, err));
    if (strstr(caller.arn, ":user/") == NULL) {
        (void)sn_fail(
            err, SN_DENIED, "ROTATION_REFUSED", "only keys of IAM users are rotated; this one is of %s", caller.arn);
        return sn_suggest(err, "delete a root user's key altogether, and use roles");
    }
    SN_TRY(open_iam(rotation, rotation->working != NULL ? rotation->working : &own, &iam, err));
    SN_TRY(create(rotation, iam, &journal, err));
    SN_TRY(store_and_verify(rotation, &journal, &caller, err));
    SN_TRY(finish(rotation, &journal, err));
    fill(&journal, out_rotated);
    return SN_OK;
}

/* AWS does not know the new key, or not yet: the old one is put back in force and the new one deleted for good. */
static enum sn_status take_back(const struct sn_rotation *r, struct sn_rotation_journal *journal, struct sn_error *err)
{
    struct sn_caller caller = {0};

    if (whose(r, &journal->old_key, &caller, err) != SN_OK) {
        return unfinished(r, journal, "neither of the two keys works now", err);
    }
    SN_TRY(sn_vault_store_put(r->store, sn_slice_str(r->profile), &journal->old_key, err));
    if (delete_key(r, &journal->old_key, journal->new_key.access_key_id, err) != SN_OK) {
        return unfinished(r, journal, "the old key is in force, but the new one could not be deleted", err);
    }
    return drop_journal(r, err);
}

enum sn_status sn_rotation_resume(
    const struct sn_rotation *rotation, struct sn_rotated *out_rotated, struct sn_error *err)
{
    SN_AUTO(sn_rotation_journal_clear) struct sn_rotation_journal journal = {0};
    struct sn_caller new_caller = {0};
    bool found = false;

    SN_TRY(read_journal(rotation, &journal, &found, err));
    if (!found) {
        return sn_fail(err, SN_NOT_FOUND, "VAULT_NOT_FOUND", "no rotation of profile '%.80s' is to be finished",
            rotation->profile);
    }
    fill(&journal, out_rotated);
    out_rotated->was_resumed = true;
    if (whose(rotation, &journal.new_key, &new_caller, err) == SN_OK) {
        SN_TRY(sn_vault_store_put(rotation->store, sn_slice_str(rotation->profile), &journal.new_key, err));
        return finish(rotation, &journal, err);
    }
    if (!is_refused_key(err)) {
        return unfinished(rotation, &journal, "AWS cannot be asked which key works", err);
    }
    SN_TRY(take_back(rotation, &journal, err));
    out_rotated->was_taken_back = true;
    return SN_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_policy_sign.c - policy sign, policy verify: signatures of documents with local keys and keys in KMS (POL 11).
 */
#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/fs.h"
#include "cli/aws_access.h"
#include "cli/document_set.h"
#include "cli/policy_commands.h"
#include "cli/policy_input.h"
#include "cli/policy_signer.h"
#include "core/policy/envelope.h"
#include "core/policy/key_text.h"
#include "core/policy/limits.h"
#include "core/policy/ruleset.h"
#include "tvm/document_trust.h"

enum { EXIT_INVALID = 1 };

struct target_args {
    const char *type, *profile, *parameter;
};
struct sign_args {
    struct target_args target;
    struct sn_aws_args aws;
    const char *key_id;
    int64_t serial;
};
struct verify_args {
    struct target_args target;
    struct sn_aws_args aws;
    const char *signature, *public_key, *key_id;
};

/* clang-format off */
#define TARGET_OPTS(type_of_args)                                                                                     \
    {.name = "type", .metavar = "TYPE", .kind = SN_OPT_CHOICE, .choices = sn_document_type_choices, .fallback = "policy",         \
     .field = offsetof(type_of_args, target.type), .help = "what the document is"},                                   \
    {.name = "profile", .metavar = "PROFILE", .kind = SN_OPT_STRING, .words = SN_WORDS_PROFILES,                      \
     .field = offsetof(type_of_args, target.profile),                                                                 \
     .help = "the profile whose policy it is: the document /sentinel/policies/PROFILE"},                              \
    {.name = "policy-parameter", .metavar = "NAME", .kind = SN_OPT_STRING,                                            \
     .field = offsetof(type_of_args, target.parameter),                                                               \
     .help = "the document's full name; /sentinel/config/policy for the policy.yaml of a directory"}

static const struct sn_opt sign_opts[] = {
    {.name = "key-id", .metavar = "KEY", .kind = SN_OPT_STRING, .flags = SN_OPT_REQUIRED,
     .field = offsetof(struct sign_args, key_id), .help = SN_KEY_ID_HELP},
    TARGET_OPTS(struct sign_args),
    {.name = "serial", .metavar = "N", .kind = SN_OPT_INT, .min = 1, .max = SN_SERIAL_MAX - 1,
     .field = offsetof(struct sign_args, serial),
     .help = "rises with every signature of a document; else the time in seconds, or one more than what --output has"},
    SN_AWS_OPTS(struct sign_args, aws),
    {0},
};
static const struct sn_opt verify_opts[] = {
    {.name = "signature", .letter = 's', .metavar = "FILE", .kind = SN_OPT_STRING, .flags = SN_OPT_REQUIRED,
     .words = SN_WORDS_FILES, .field = offsetof(struct verify_args, signature), .help = "the signature's file"},
    {.name = "public-key", .metavar = "KEY", .kind = SN_OPT_STRING, .words = SN_WORDS_FILES,
     .field = offsetof(struct verify_args, public_key),
     .help = "the PEM file of an Ed25519, P-256 or RSA key, or ed25519:BASE64"},
    {.name = "key-id", .metavar = "KEY", .kind = SN_OPT_STRING, .field = offsetof(struct verify_args, key_id),
     .help = "a KMS key's id, ARN or alias: KMS is asked"},
    TARGET_OPTS(struct verify_args),
    SN_AWS_OPTS(struct verify_args, aws),
    {0},
};
/* clang-format on */

/* The name that a signature is bound to; "" when none was said. */
static enum sn_status target_name(
    const struct target_args *args, const char *file, char out[SN_DOCUMENT_NAME_MAX + 1], struct sn_error *err)
{
    out[0] = '\0';
    if (args->profile != NULL && args->parameter != NULL) {
        return sn_fail(err, SN_USAGE, "TWO_TARGETS", "--profile and --policy-parameter are two targets");
    }
    if (args->parameter != NULL) {
        if (!sn_document_name_is_valid(sn_slice_str(args->parameter))) {
            sn_fail(err, SN_USAGE, "INVALID_PARAMETER", "'%.80s' is not the name of a document", args->parameter);
            return sn_suggest(err, "a name such as /sentinel/policies/prod");
        }
        snprintf(out, SN_DOCUMENT_NAME_MAX + 1, "%s", args->parameter);
        return SN_OK;
    }
    if (strcmp(args->type, "catalog") == 0) { /* named as its file is */
        struct sn_slice name = sn_slice_str(file), before;
        (void)sn_slice_cut_last(sn_slice_str(file), '/', &before, &name);
        if (!sn_slice_has_suffix(name, SN_S(".yaml")) || name.len > 64 + strlen(".yaml") ||
            !sn_slice_is_alnum_or(sn_slice_sub(name, 0, name.len - strlen(".yaml")), "_-")) {
            return sn_fail(err, SN_USAGE, "INVALID_PARAMETER",
                "the name of a catalogue's file is of letters, digits, '_' and '-', and ends in .yaml");
        }
        snprintf(out, SN_DOCUMENT_NAME_MAX + 1, "/sentinel/catalog/%.*s", (int)(name.len - strlen(".yaml")), name.ptr);
        return SN_OK;
    }
    enum sn_document_kind kind = SN_DOCUMENT_POLICY;
    SN_ASSERT(sn_document_kind_parse(sn_slice_str(args->type), &kind)); /* the choices are the kinds */
    if (kind != SN_DOCUMENT_POLICY) {
        snprintf(out, SN_DOCUMENT_NAME_MAX + 1, "%s", sn_document_kinds[kind].parameter);
        return SN_OK;
    }
    if (args->profile != NULL) {
        SN_TRY(sn_profile_name_check(sn_slice_str(args->profile), err));
        snprintf(out, SN_DOCUMENT_NAME_MAX + 1, "/sentinel/policies/%s", args->profile);
        if (!sn_document_name_is_valid(sn_slice_str(out))) {
            return sn_fail(err, SN_USAGE, "INVALID_PARAMETER", "'%.80s' makes no document name", args->profile);
        }
    }
    return SN_OK;
}

/* A document that is not valid is not signed. */
static enum sn_status read_valid(const char *file, const char *type, struct sn_buf *out_text, struct sn_error *err)
{
    SN_AUTO(sn_catalog_unref_p) struct sn_catalog *catalog = NULL;
    SN_AUTO(sn_policy_unref_p) struct sn_policy *policy = NULL;
    SN_AUTO(sn_ruleset_unref_p) struct sn_ruleset *ruleset = NULL;
    SN_AUTO(sn_zoneinfo_clear) struct sn_zoneinfo zoneinfo;
    struct sn_tz_source zones;
    enum sn_document_kind kind = SN_DOCUMENT_POLICY;

    SN_ASSERT(sn_document_kind_parse(sn_slice_str(type), &kind));
    sn_input_zones(&zoneinfo, &zones);
    if (kind == SN_DOCUMENT_POLICY) {
        return sn_input_policy(file, NULL, out_text, &policy, err);
    }
    SN_TRY(sn_input_read(file, SN_POLICY_MAX_BYTES, out_text, err));
    if (kind == SN_DOCUMENT_CATALOG) {
        struct sn_catalog_source source = {sn_slice_str(sn_input_name(file)), sn_buf_slice(out_text)};
        return sn_catalog_load(&source, 1, NULL, &catalog, err);
    }
    if (sn_ruleset_load(kind, sn_buf_slice(out_text), &zones, NULL, &ruleset, err) != SN_OK) {
        return sn_error_context(err, "%s", sn_input_name(file));
    }
    return SN_OK;
}

/* The serial of the signature that --output would replace; 0: none. */
static int64_t serial_before(const struct sn_app *app)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    struct sn_envelope before;
    struct sn_error ignored = {0};

    return app->output != NULL && sn_fs_read(app->output, SN_ENVELOPE_MAX_BYTES, &text, &ignored) == SN_OK &&
                   sn_envelope_parse(sn_buf_slice(&text), &before, &ignored) == SN_OK && before.is_bound
               ? before.serial
               : 0;
}

static enum sn_status sign(struct sn_app *app, const struct sign_args *args, struct sn_aws_access *access,
    struct sn_policy_signer *signer, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf document = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf out = {0};
    struct sn_envelope envelope = {0};
    int64_t now_ms = sn_clock_unix_ms(sn_clock_system());

    SN_TRY(target_name(&args->target, app->operands[0], envelope.parameter, err));
    envelope.is_bound = envelope.parameter[0] != '\0';
    if (!envelope.is_bound && args->serial != 0) {
        return sn_fail(err, SN_USAGE, "SERIAL_WITHOUT_TARGET", "--serial needs --profile or --policy-parameter");
    }
    SN_TRY(sn_policy_signer_check(args->key_id, err));
    SN_TRY(read_valid(app->operands[0], args->target.type, &document, err));
    SN_TRY(sn_policy_signer_open(access, args->key_id, signer, err));
    if (envelope.is_bound) {
        SN_TRY(sn_policy_serial_choose(args->serial, serial_before(app), now_ms / 1000, &envelope.serial, err));
    } else {
        sn_app_warn(app, "the signature names no document; a server refuses it unless told otherwise");
    }
    SN_TRY(sn_policy_signer_sign(signer, &envelope, sn_buf_slice(&document), now_ms, err));
    sn_envelope_format(&out, &envelope, true);
    SN_TRY(sn_app_write(app, sn_buf_slice(&out), err));
    if (app->output != NULL) {
        sn_app_note(app, "Signature written to %s", app->output);
    }
    return SN_OK;
}

static enum sn_status run_sign(struct sn_app *app, void *arguments, struct sn_error *err)
{
    const struct sign_args *args = arguments;
    struct sn_aws_access access = {.args = args->aws};
    struct sn_policy_signer signer = {0};
    enum sn_status status = sign(app, args, &access, &signer, err);

    sn_policy_signer_clear(&signer);
    sn_aws_access_clear(&access);
    return status;
}

/* --- Verify --- */

/* Who is asked about a signature: a key at hand, or KMS. */
struct judge {
    struct sn_aws_access access;
    struct sn_public_key *public_key;
    struct sn_kms_trust *kms;
    struct sn_signature_key key;
};

static void judge_clear(struct judge *judge)
{
    sn_public_key_free(judge->public_key);
    sn_kms_trust_free(judge->kms);
    sn_aws_access_clear(&judge->access);
}

static enum sn_status read_public_key(const char *text, struct sn_public_key **out_key, struct sn_error *err)
{
    if (sn_slice_has_prefix(sn_slice_str(text), SN_S(SN_KEY_TEXT_ED25519))) {
        return sn_key_text_ed25519(sn_slice_str(text), out_key, err);
    }
    SN_AUTO(sn_buf_clear) struct sn_buf pem = {0};
    SN_TRY(sn_input_read(text, SN_SIGN_KEY_FILE_MAX, &pem, err));
    if (sn_public_key_parse(sn_buf_slice(&pem), out_key, err) != SN_OK) {
        return sn_error_context(err, "%s", text);
    }
    return SN_OK;
}

static enum sn_status find_judge(const struct verify_args *args, struct judge *judge, struct sn_error *err)
{
    struct sn_kms *kms = NULL;

    if ((args->public_key == NULL) == (args->key_id == NULL)) {
        sn_fail(err, SN_USAGE, "NO_KEY", args->key_id == NULL ? "no key is given" : "two keys are given");
        return sn_suggest(err, "give one of --public-key FILE, --public-key ed25519:BASE64 and --key-id KMS-KEY");
    }
    if (args->public_key != NULL) {
        SN_TRY(read_public_key(args->public_key, &judge->public_key, err));
        judge->key.local = judge->public_key;
        return SN_OK;
    }
    if (!sn_kms_key_is_named(sn_slice_str(args->key_id))) {
        sn_fail(err, SN_USAGE, "KEY_FORM", "'%.80s' is no key in KMS", args->key_id);
        return sn_suggest(err, "give its id, ARN or alias/NAME; for a key in a file use --public-key");
    }
    SN_TRY(sn_aws_access_kms(&judge->access, &kms, err));
    judge->kms = sn_kms_trust_new(kms, sn_slice_str(args->key_id));
    judge->key.remote = sn_kms_trust_key(judge->kms);
    return SN_OK;
}

struct verdict {
    const struct sn_envelope *envelope;
    const struct sn_error *reason; /* NULL: valid */
    char computed_hash[SN_SHA256_HEX_LEN + 1];
    bool newline_would_do; /* the shell drops final newlines */
};

static void verdict_json(struct sn_buf *out, const struct verdict *verdict)
{
    struct sn_json_writer w;
    const struct sn_envelope *e = verdict->envelope;

    sn_json_writer_init(&w, out);
    sn_json_begin_object(&w);
    sn_json_member_bool(&w, "valid", verdict->reason == NULL);
    if (verdict->reason != NULL) {
        sn_json_member_str(&w, "code", verdict->reason->code);
        sn_json_member_str(&w, "reason", verdict->reason->message);
    }
    sn_json_member_str(&w, "key_id", e->key_id);
    sn_json_member_str(&w, "algorithm", sn_sign_algorithm_words[e->algorithm]);
    sn_json_member_str(&w, "signed_at", e->signed_at);
    sn_json_member_str(&w, "policy_hash", e->policy_hash);
    sn_json_member_str(&w, "computed_hash", verdict->computed_hash);
    if (e->is_bound) {
        sn_json_member_str(&w, "parameter", e->parameter);
        sn_json_member_int(&w, "serial", e->serial);
    }
    sn_json_end_object(&w);
    sn_buf_add_byte(out, '\n');
}

static void say_why(const struct sn_app *app, const struct verdict *verdict)
{
    sn_app_note(app, "%s", verdict->reason->message);
    if (sn_error_is(verdict->reason, "SIGNATURE_HASH")) {
        sn_app_note(app, "signed:   %s", verdict->envelope->policy_hash);
        sn_app_note(app, "computed: %s", verdict->computed_hash);
        if (verdict->newline_would_do) {
            sn_app_note(app, "with one more newline at its end the document is the signed one");
        }
    }
}

static bool matches_with_newline(const struct sn_envelope *envelope, const struct sn_buf *document)
{
    SN_AUTO(sn_buf_clear) struct sn_buf longer = {0};
    char hash[SN_SHA256_HEX_LEN + 1];

    sn_buf_add(&longer, sn_buf_slice(document));
    sn_buf_add_byte(&longer, '\n');
    sn_sha256_hex(sn_buf_slice(&longer), hash);
    return strcmp(hash, envelope->policy_hash) == 0;
}

static enum sn_status show(struct sn_app *app, const struct verdict *verdict, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf out = {0};

    if (app->json) {
        verdict_json(&out, verdict);
    } else {
        sn_buf_add_str(&out, verdict->reason == NULL ? "Signature valid\n" : "Signature invalid\n");
        if (verdict->reason != NULL) {
            say_why(app, verdict);
        }
    }
    sn_app_outcome(app, verdict->reason == NULL ? 0 : EXIT_INVALID);
    return sn_app_write(app, sn_buf_slice(&out), err);
}

static enum sn_status verify(
    struct sn_app *app, const struct verify_args *args, struct judge *judge, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf document = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    char parameter[SN_DOCUMENT_NAME_MAX + 1];
    const char *used = NULL;
    struct sn_envelope envelope;
    struct sn_error reason = {0};

    SN_TRY(target_name(&args->target, app->operands[0], parameter, err));
    SN_TRY(find_judge(args, judge, err));
    SN_TRY(sn_input_read(app->operands[0], SN_POLICY_MAX_BYTES, &document, err));
    SN_TRY(sn_input_read(args->signature, SN_ENVELOPE_MAX_BYTES, &text, err));
    SN_TRY(sn_envelope_parse(sn_buf_slice(&text), &envelope, err));
    bool has_target = parameter[0] != '\0';
    struct sn_signature_rules rules = {
        .keys = &judge->key, .key_count = 1, .parameter = has_target ? parameter : NULL, .allow_unbound = !has_target};
    bool is_valid = sn_envelope_verify(&envelope, sn_buf_slice(&document), &rules, &used, &reason) == SN_OK;
    if (!is_valid && !sn_slice_has_prefix(sn_slice_str(reason.code), SN_S("SIGNATURE_"))) {
        *err = reason; /* nobody knows */
        return reason.status;
    }
    struct verdict verdict = {.envelope = &envelope, .reason = is_valid ? NULL : &reason};
    sn_sha256_hex(sn_buf_slice(&document), verdict.computed_hash);
    verdict.newline_would_do = !is_valid && matches_with_newline(&envelope, &document);
    return show(app, &verdict, err);
}

static enum sn_status run_verify(struct sn_app *app, void *arguments, struct sn_error *err)
{
    const struct verify_args *args = arguments;
    struct judge judge = {.access = {.args = args->aws}};
    enum sn_status status = verify(app, args, &judge, err);

    judge_clear(&judge);
    return status;
}

static const struct sn_exit_row sign_exits[] = {
    {0, "signed"},
    {2, "wrong usage, an invalid document, or a key that cannot be used"},
    {3, "KMS could not be asked, or refused"},
    {0},
};
static const struct sn_exit_row verify_exits[] = {
    {0, "the signature is valid"},
    {1, "the signature is invalid"},
    {2, "wrong usage, or a document, signature or key that cannot be read"},
    {3, "KMS could not be asked, or refused"},
    {0},
};
static const struct sn_example sign_examples[] = {
    {"sentinel policy sign policies/prod.yaml --profile prod --key-id file:signing.pem -o policies/prod.yaml.sig.json",
        "sign the policy of a profile, beside it"},
    {"sentinel policy sign prod.yaml --profile prod --key-id alias/sentinel-policy-signing -o prod.yaml.sig.json",
        "with a key in KMS"},
    {"sentinel policy sign --type catalog catalog.yaml --key-id file:signing.pem -o catalog.yaml.sig.json",
        "sign a catalogue file; its name follows from the file's"},
    {0},
};
static const struct sn_example verify_examples[] = {
    {"sentinel policy verify policies/prod.yaml -s policies/prod.yaml.sig.json --profile prod --public-key signing.pub",
        "check that it was signed for that profile"},
    {0},
};

const struct sn_cmd sn_cmd_policy_sign = {
    .name = "policy sign",
    .group = SN_GROUP_POLICY,
    .summary = "sign a document",
    .description =
        "Checks the document, and prints a signature envelope that a server with the public key accepts for it. The "
        "signature is bound to the document's name and to a serial, so that it is no good for another profile, nor "
        "for bringing an old document back.\n\n"
        "Keys: openssl genpkey -algorithm ed25519 -out signing.pem; openssl pkey -in signing.pem -pubout -out "
        "signing.pub. The private key stays with who signs. The passphrase of an encrypted one is asked for on the "
        "terminal.",
    .operands = "FILE",
    .min_operands = 1,
    .max_operands = 1,
    .writes_result = true,
    .operand_words = SN_WORDS_FILES,
    .opts = sign_opts,
    .examples = sign_examples,
    .args_size = sizeof(struct sign_args),
    .exits = sign_exits,
    .run = run_sign,
};

const struct sn_cmd sn_cmd_policy_verify = {
    .name = "policy verify",
    .group = SN_GROUP_POLICY,
    .summary = "check the signature of a document",
    .description = "Compares the hash, then the target if one is given, then the signature itself. Nothing is "
                   "contacted, but KMS with "
                   "--key-id.",
    .operands = "FILE",
    .min_operands = 1,
    .max_operands = 1,
    .writes_result = true,
    .operand_words = SN_WORDS_FILES,
    .opts = verify_opts,
    .examples = verify_examples,
    .args_size = sizeof(struct verify_args),
    .exits = verify_exits,
    .run = run_verify,
};

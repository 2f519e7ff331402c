/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws/sts_answer.c: TVM-44 (ATK-03): an answer that is not exactly STS's own is no identity and no credentials.
 */
#include "test.h"

#include <stdio.h>

#include "aws/sts_answer.h"
#include "base/alloc.h"

#define NS " xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\""
#define ARN "<Arn>arn:aws:iam::123456789012:user/alice</Arn>"
#define UID "<UserId>AIDAEXAMPLE</UserId>"
#define ACC "<Account>123456789012</Account>"
#define META "<ResponseMetadata><RequestId>0-1</RequestId></ResponseMetadata>"
#define ID(inside) "<GetCallerIdentityResult>" inside "</GetCallerIdentityResult>"
#define RESPONSE(inside) "<GetCallerIdentityResponse" NS ">" inside "</GetCallerIdentityResponse>"
#define GOOD RESPONSE(ID(ARN UID ACC) META)

static enum sn_status identity(
    int status, const char *type, const char *body, struct sn_caller *out, struct sn_error *err)
{
    struct sn_sts_answer answer = {.status = status, .content_type = sn_slice_str(type), .body = sn_slice_str(body)};

    return sn_sts_parse_caller_identity(&answer, out, err);
}

static void identity_good(void **state)
{
    (void)state;
    static const struct {
        const char *name, *type, *body;
    } rows[] = {
        {"as STS writes it", "text/xml",
            "<GetCallerIdentityResponse" NS ">\n  <GetCallerIdentityResult>\n    " ARN "\n    " UID "\n    " ACC
            "\n  </GetCallerIdentityResult>\n  <ResponseMetadata>\n    <RequestId>01234567-89ab</RequestId>\n"
            "  </ResponseMetadata>\n</GetCallerIdentityResponse>\n"},
        {"prologue and parameters", "Text/XML; charset=utf-8", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" GOOD},
        {"no metadata", "text/xml", RESPONSE(ID(ACC ARN UID))},
        {"a prefix for the namespace", "text/xml",
            "<s:GetCallerIdentityResponse xmlns:s=\"https://sts.amazonaws.com/doc/2011-06-15/\">"
            "<s:GetCallerIdentityResult><s:Arn>arn:aws:iam::123456789012:user/alice</s:Arn>"
            "<s:UserId>AIDAEXAMPLE</s:UserId><s:Account>123456789012</s:Account></s:GetCallerIdentityResult>"
            "</s:GetCallerIdentityResponse>"},
    };

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_caller caller = {0};
        struct sn_error err;

        print_message("# %s\n", rows[i].name);
        assert_ok(identity(200, rows[i].type, rows[i].body, &caller, &err), &err);
        assert_string_equal(caller.arn, "arn:aws:iam::123456789012:user/alice");
        assert_string_equal(caller.user_id, "AIDAEXAMPLE");
        assert_string_equal(caller.account, "123456789012");
    }
}

static void attack_03_identity_confused(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int status;
        const char *type, *body;
    } rows[] = {
        {"JSON", 200, "application/json",
            "{\"GetCallerIdentityResponse\":{\"GetCallerIdentityResult\":{\"Account\":\"123456789012\"}}}"},
        {"JSON that says it is XML", 200, "text/xml", "{\"a\":1}"},
        {"XML that says it is JSON", 200, "application/json", GOOD},
        {"XML of another type", 200, "application/xml", GOOD},
        {"type with a suffix", 200, "text/xmlx", GOOD},
        {"no type", 200, "", GOOD},
        {"HTML", 200, "text/html", "<html><body>" GOOD "</body></html>"},
        {"HTML around it", 200, "text/xml", "<html>" GOOD "</html>"},
        {"status 201", 201, "text/xml", GOOD},
        {"status 206", 206, "text/xml", GOOD},
        {"redirect", 302, "text/xml", GOOD},
        {"refusal that reflects", 403, "text/xml", GOOD},
        {"200 with an Error", 200, "text/xml",
            "<ErrorResponse" NS "><Error><Code>X</Code><Message>" ARN "</Message></Error></ErrorResponse>"},
        {"Error beside the result", 200, "text/xml", RESPONSE(ID(ARN UID ACC) "<Error><Code>X</Code></Error>")},
        {"two Arn", 200, "text/xml", RESPONSE(ID(ARN "<Arn>arn:aws:iam::123456789012:user/root</Arn>" UID ACC) META)},
        {"two results", 200, "text/xml", RESPONSE(ID(ARN UID ACC) ID(ARN UID ACC) META)},
        {"two metadata", 200, "text/xml", RESPONSE(ID(ARN UID ACC) META META)},
        {"Arn in a comment", 200, "text/xml", RESPONSE(ID("<!--" ARN "-->" UID ACC) META)},
        {"a comment inside Arn", 200, "text/xml",
            RESPONSE(ID("<Arn>arn:aws:iam::123456789012:user/ali<!---->ce</Arn>" UID ACC) META)},
        {"CDATA", 200, "text/xml",
            RESPONSE(ID("<Arn><![CDATA[arn:aws:iam::123456789012:user/alice]]></Arn>" UID ACC) META)},
        {"Arn in an attribute", 200, "text/xml",
            RESPONSE("<GetCallerIdentityResult Arn=\"arn:aws:iam::123456789012:user/alice\">" UID ACC
                     "</GetCallerIdentityResult>")},
        {"an attribute on Arn", 200, "text/xml",
            RESPONSE(ID("<Arn a=\"b\">arn:aws:iam::123456789012:user/alice</Arn>" UID ACC))},
        {"DOCTYPE", 200, "text/xml", "<!DOCTYPE x>" GOOD},
        {"entity", 200, "text/xml", "<!DOCTYPE x [<!ENTITY a \"b\">]>" RESPONSE(ID("<Arn>&a;</Arn>" UID ACC))},
        {"instruction behind the prologue", 200, "text/xml", RESPONSE("<?x y?>" ID(ARN UID ACC))},
        {"no namespace", 200, "text/xml", "<GetCallerIdentityResponse>" ID(ARN UID ACC) "</GetCallerIdentityResponse>"},
        {"other namespace", 200, "text/xml",
            "<GetCallerIdentityResponse xmlns=\"https://evil.example/\">" ID(
                ARN UID ACC) "</GetCallerIdentityResponse>"},
        {"other namespace inside", 200, "text/xml",
            RESPONSE(ID("<Arn xmlns=\"https://evil.example/\">arn:aws:iam::123456789012:user/alice</Arn>" UID ACC))},
        {"text beside the leaves", 200, "text/xml", RESPONSE(ID("alice" ARN UID ACC) META)},
        {"text beside the result", 200, "text/xml", RESPONSE("x" ID(ARN UID ACC) META)},
        {"element inside Arn", 200, "text/xml", RESPONSE(ID("<Arn><b>arn</b></Arn>" UID ACC))},
        {"more in the result", 200, "text/xml", RESPONSE(ID(ARN UID ACC "<Name>bob</Name>"))},
        {"more in the metadata", 200, "text/xml",
            RESPONSE(ID(ARN UID ACC) "<ResponseMetadata>" ARN "</ResponseMetadata>")},
        {"no Arn", 200, "text/xml", RESPONSE(ID(UID ACC))},
        {"no UserId", 200, "text/xml", RESPONSE(ID(ARN ACC))},
        {"no Account", 200, "text/xml", RESPONSE(ID(ARN UID))},
        {"empty Arn", 200, "text/xml", RESPONSE(ID("<Arn/>" UID ACC))},
        {"blank in Arn", 200, "text/xml", RESPONSE(ID("<Arn> arn:aws:iam::123456789012:user/alice</Arn>" UID ACC))},
        {"no ARN in Arn", 200, "text/xml", RESPONSE(ID("<Arn>alice</Arn>" UID ACC))},
        {"Account unlike the ARN", 200, "text/xml", RESPONSE(ID(ARN UID "<Account>210987654321</Account>"))},
        {"letters in Account", 200, "text/xml",
            RESPONSE(ID("<Arn>arn:aws:iam::12345678901a:user/alice</Arn>" UID "<Account>12345678901a</Account>"))},
        {"another answer", 200, "text/xml", "<AssumeRoleResponse" NS ">" ID(ARN UID ACC) "</AssumeRoleResponse>"},
        {"cut off", 200, "text/xml", "<GetCallerIdentityResponse" NS "><GetCallerIdentityResult>" ARN UID ACC},
        {"two documents", 200, "text/xml", GOOD GOOD},
        {"not UTF-8", 200, "text/xml", RESPONSE(ID("<Arn>arn:aws:iam::123456789012:user/\xff</Arn>" UID ACC))},
        {"another encoding", 200, "text/xml", "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>" GOOD},
        {"empty", 200, "text/xml", ""},
    };

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_caller caller = {.arn = "unchanged"};
        struct sn_error err;

        print_message("# %s\n", rows[i].name);
        assert_fails(identity(rows[i].status, rows[i].type, rows[i].body, &caller, &err), &err, "STS_ANSWER_INVALID");
        assert_int_equal(err.status, SN_PROTOCOL);
        assert_string_equal(caller.arn, "unchanged");
    }
}

/* TVM-44: 16 KiB are read, one byte more is not. */
static void attack_03_identity_too_long(void **state)
{
    (void)state;
    SN_AUTO(sn_free_p) char *body = sn_alloc(SN_STS_IDENTITY_MAX_BYTES + 2, 1);
    struct sn_caller caller = {0};
    struct sn_error err;
    size_t len = strlen(GOOD);

    memcpy(body, GOOD, len);
    memset(body + len, ' ', SN_STS_IDENTITY_MAX_BYTES - len);
    assert_ok(identity(200, "text/xml", body, &caller, &err), &err);
    body[SN_STS_IDENTITY_MAX_BYTES] = '\n';
    assert_fails(identity(200, "text/xml", body, &caller, &err), &err, "STS_ANSWER_INVALID");
}

#define USER(arn) "<AssumedRoleUser><AssumedRoleId>AROA:alice-x</AssumedRoleId><Arn>" arn "</Arn></AssumedRoleUser>"
#define GOOD_USER USER("arn:aws:sts::123456789012:assumed-role/Prod/alice-x")
#define KEYS(expiration)                                                                                               \
    "<Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>CANARY-secret</SecretAccessKey>"              \
    "<SessionToken>CANARY-token</SessionToken><Expiration>" expiration "</Expiration></Credentials>"
#define GOOD_KEYS KEYS("2026-02-01T10:15:00Z")
#define ASSUMED(inside)                                                                                                \
    "<AssumeRoleResponse" NS "><AssumeRoleResult>" inside "</AssumeRoleResult>" META "</AssumeRoleResponse>"

static enum sn_status assume(
    int status, const char *type, const char *body, struct sn_assumed_role *out, struct sn_error *err)
{
    struct sn_sts_answer answer = {.status = status, .content_type = sn_slice_str(type), .body = sn_slice_str(body)};
    struct sn_assume_role asked = {.role_arn = SN_S("arn:aws:iam::123456789012:role/team/a/Prod"),
        .session_name = SN_S("alice-x"),
        .source_identity = SN_S("sentinel=alice=direct=x"),
        .duration_s = 900};

    return sn_sts_parse_assume_role(&answer, &asked, 1769940000, out, err);
}

static void assumed_good(void **state)
{
    (void)state;
    SN_AUTO(sn_assumed_role_clear) struct sn_assumed_role role = {0};
    struct sn_error err;

    assert_ok(assume(200, "text/xml",
                  ASSUMED(GOOD_KEYS GOOD_USER "<SourceIdentity>sentinel=alice=direct=x</SourceIdentity>"
                                              "<PackedPolicySize>6</PackedPolicySize>"),
                  &role, &err),
        &err);
    assert_string_equal(role.arn, "arn:aws:sts::123456789012:assumed-role/Prod/alice-x");
    assert_string_equal(role.credentials.access_key_id, "ASIAEXAMPLE");
    assert_slice_equal(sn_secret_reveal(&role.credentials.secret_access_key), "CANARY-secret");
    assert_slice_equal(sn_secret_reveal(&role.credentials.session_token), "CANARY-token");
    assert_int_equal(role.credentials.expires_unix_s, 1769940900);
}

static void attack_03_assumed_confused(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int status;
        const char *type, *body;
    } rows[] = {
        {"HTML", 200, "text/html", "<html></html>"},
        {"status 500", 500, "text/xml", ASSUMED(GOOD_KEYS GOOD_USER)},
        {"other role", 200, "text/xml",
            ASSUMED(GOOD_KEYS USER("arn:aws:sts::123456789012:assumed-role/Admin/alice-x"))},
        {"role with its path", 200, "text/xml",
            ASSUMED(GOOD_KEYS USER("arn:aws:sts::123456789012:assumed-role/team/a/Prod/alice-x"))},
        {"other account", 200, "text/xml",
            ASSUMED(GOOD_KEYS USER("arn:aws:sts::210987654321:assumed-role/Prod/alice-x"))},
        {"other partition", 200, "text/xml",
            ASSUMED(GOOD_KEYS USER("arn:aws-cn:sts::123456789012:assumed-role/Prod/alice-x"))},
        {"other session", 200, "text/xml",
            ASSUMED(GOOD_KEYS USER("arn:aws:sts::123456789012:assumed-role/Prod/bob-x"))},
        {"two users", 200, "text/xml", ASSUMED(GOOD_KEYS GOOD_USER GOOD_USER)},
        {"two sets of keys", 200, "text/xml", ASSUMED(GOOD_KEYS GOOD_KEYS GOOD_USER)},
        {"no keys", 200, "text/xml", ASSUMED(GOOD_USER)},
        {"no user", 200, "text/xml", ASSUMED(GOOD_KEYS)},
        {"no token", 200, "text/xml",
            ASSUMED("<Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
                    "<Expiration>2026-02-01T10:15:00Z</Expiration></Credentials>" GOOD_USER)},
        {"empty secret", 200, "text/xml",
            ASSUMED(
                "<Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey></SecretAccessKey>"
                "<SessionToken>t</SessionToken><Expiration>2026-02-01T10:15:00Z</Expiration></Credentials>" GOOD_USER)},
        {"expired already", 200, "text/xml", ASSUMED(KEYS("2026-02-01T10:00:00Z") GOOD_USER)},
        {"no time", 200, "text/xml", ASSUMED(KEYS("soon") GOOD_USER)},
        {"other source identity", 200, "text/xml",
            ASSUMED(GOOD_KEYS GOOD_USER "<SourceIdentity>sentinel=bob=direct=x</SourceIdentity>")},
        {"more in the result", 200, "text/xml", ASSUMED(GOOD_KEYS GOOD_USER "<X>1</X>")},
        {"cut off", 200, "text/xml", "<AssumeRoleResponse" NS "><AssumeRoleResult>" GOOD_KEYS},
    };

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_assumed_role_clear) struct sn_assumed_role role = {0};
        struct sn_error err;

        print_message("# %s\n", rows[i].name);
        assert_fails(assume(rows[i].status, rows[i].type, rows[i].body, &role, &err), &err, "STS_ANSWER_INVALID");
        assert_false(sn_secret_is_set(&role.credentials.secret_access_key));
        assert_null(strstr(err.message, "CANARY"));
    }
}

static void faults(void **state)
{
    (void)state;
#define FAULT(code, message)                                                                                           \
    "<ErrorResponse" NS "><Error><Type>Sender</Type><Code>" code "</Code><Message>" message                            \
    "</Message></Error><RequestId>1</RequestId></ErrorResponse>"
    static const struct {
        const char *name;
        int status;
        const char *type, *body, *code, *message;
    } rows[] = {
        {"refused", 403, "text/xml", FAULT("AccessDenied", "no &#155;31mway"), "AccessDenied", "no \\u009b31mway"},
        {"a message that may repeat the request", 403, "text/xml",
            FAULT("SignatureDoesNotMatch", "x-amz-security-token:CANARY"), "SignatureDoesNotMatch", ""},
        {"status 200", 200, "text/xml", FAULT("X", "m"), "", ""},
        {"HTML", 403, "text/html", "<html></html>", "", ""},
        {"two codes", 403, "text/xml",
            "<ErrorResponse" NS "><Error><Code>A</Code><Code>B</Code></Error></ErrorResponse>", "", ""},
        {"code that is no word", 403, "text/xml", FAULT("A B", "m"), "", ""},
        {"no error", 403, "text/xml", "<ErrorResponse" NS "/>", "", ""},
        {"other root", 403, "text/xml", "<Error><Code>A</Code></Error>", "", ""},
    };

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_sts_answer answer = {
            .status = rows[i].status, .content_type = sn_slice_str(rows[i].type), .body = sn_slice_str(rows[i].body)};
        struct sn_sts_fault fault;

        print_message("# %s\n", rows[i].name);
        sn_sts_parse_fault(&answer, &fault);
        assert_string_equal(fault.code, rows[i].code);
        assert_string_equal(fault.message, rows[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identity_good),
        cmocka_unit_test(attack_03_identity_confused),
        cmocka_unit_test(attack_03_identity_too_long),
        cmocka_unit_test(assumed_good),
        cmocka_unit_test(attack_03_assumed_confused),
        cmocka_unit_test(faults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/dynamodb_conformance.c - the store's checks against a DynamoDB that listens: ENDPOINT TABLE, an empty
 * table. Run by tests/integration/test_store_dynamodb.py.
 */
#include "test.h"

#include "store/dynamodb.h"
#include "store_conformance.h"

#define T0 INT64_C(1769940000000)

struct fixture {
    struct sn_seal_keys keys;
    struct sn_json_client_options client_options;
    struct sn_credential_source source;
    const char *table;
    struct sn_dynamodb *client;
    struct sn_dynamodb_store *store;
};

static const char *endpoint;
static const char *table;

static enum sn_status static_keys(void *ctx, struct sn_credentials *out, struct sn_error *err)
{
    (void)ctx;
    (void)err;
    memcpy(out->access_key_id, "AKIAEXAMPLE000000000", 21);
    sn_secret_set(&out->secret_access_key, SN_S("secret"));
    return SN_OK;
}

static void start(struct fixture *x)
{
    struct sn_error err;

    assert_ok(sn_dynamodb_new(&x->client_options, &x->client, &err), &err);
    const struct sn_dynamodb_store_options options = {.client = x->client,
        .session_table = x->table,
        .keys = &x->keys,
        .random_source = sn_random_system(),
        .clock = sn_clock_system(),
        .wait_ms = sn_transport_sleep_ms};
    assert_ok(sn_dynamodb_store_new(&options, &x->store, &err), &err);
}

static void stop(struct fixture *x)
{
    sn_dynamodb_store_free(x->store);
    sn_dynamodb_free(x->client);
}

static void put_block(void *ctx, const struct sn_block_marker *marker)
{
    struct fixture *x = ctx;
    struct sn_error err;

    assert_ok(sn_dynamodb_put_block(x->store, marker, T0 / 1000 + 86400, false, &err), &err);
}

static void reopen(void *ctx, struct sn_session_store *out_store)
{
    struct fixture *x = ctx;

    stop(x);
    start(x);
    *out_store = sn_dynamodb_session_store(x->store);
}

static void set_up(struct fixture *x)
{
    unsigned char bytes[32] = {7};

    *x = (struct fixture){.source = {.get = static_keys}, .table = table};
    x->keys.count = 1;
    memcpy(x->keys.keys[0].id, "k1", 3);
    sn_secret_set(&x->keys.keys[0].key, sn_slice_bytes(bytes, sizeof(bytes)));
    x->client_options =
        (struct sn_json_client_options){.endpoint = endpoint, .region = "eu-west-1", .source = &x->source};
    start(x);
}

/* TVM-16, TVM-18: the suite that every store passes. */
static void conformance(void **state)
{
    (void)state;
    struct fixture x;

    set_up(&x);
    struct store_backend backend = {.store = sn_dynamodb_session_store(x.store),
        .keys = &x.keys,
        .put_block = put_block,
        .reopen = reopen,
        .ctx = &x,
        .races = 6};
    store_conformance_run(&backend);
    stop(&x);
    sn_seal_keys_clear(&x.keys);
}

/* ATK-24: the later end of two markers stays, unless the marker is lifted. */
static void the_later_block_stays(void **state)
{
    (void)state;
    const struct sn_slice id = SN_S("block#name#later#*");
    struct fixture x;
    struct sn_error err;
    bool is_blocked = false;

    set_up(&x);
    struct sn_session_store store = sn_dynamodb_session_store(x.store);
    static const struct {
        int64_t until_ms;
        bool is_lift, blocks_at_1500;
    } rows[] = {{T0 + 2000, false, true}, {T0 + 1000, false, true}, {T0 + 1000, true, false}};
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_block_marker marker = {.id = id, .blocked_until_ms = rows[i].until_ms, .reason = SN_S("r")};
        char seal[SN_SEAL_MAX + 1];
        sn_block_marker_seal(&x.keys, &marker, seal);
        marker.seal = sn_slice_str(seal);
        assert_ok(sn_dynamodb_put_block(x.store, &marker, T0 / 1000, rows[i].is_lift, &err), &err);
        assert_ok(store.is_blocked(store.ctx, &id, 1, T0 + 1500, &is_blocked, &err), &err);
        assert_int_equal(is_blocked, rows[i].blocks_at_1500);
    }
    stop(&x);
    sn_seal_keys_clear(&x.keys);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(conformance), cmocka_unit_test(the_later_block_stays)};

    if (argc != 3) {
        print_error("usage: dynamodb_conformance ENDPOINT TABLE\n");
        return 2;
    }
    endpoint = argv[1];
    table = argv[2];
    return cmocka_run_group_tests(tests, NULL, NULL);
}

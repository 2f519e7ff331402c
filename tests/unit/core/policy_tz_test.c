/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/core/policy_tz_test.c - zone data: made by hand, damaged, and the host's own against the C library.
 *
 * The C library's conversion is found by name at run time, because the project forbids itself to call it.
 */
#include "policy_fixture.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "core/policy/limits.h"

/* --- zone data by hand --- */

static void put_be(struct sn_buf *buf, uint64_t value, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--) {
        sn_buf_add_byte(buf, (char)(value >> (8 * i)));
    }
}

static void put_header(struct sn_buf *buf, char version, uint32_t leap, uint32_t times, uint32_t types, uint32_t chars)
{
    sn_buf_add_str(buf, "TZif");
    sn_buf_add_byte(buf, version);
    sn_buf_add_bytes(buf, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 15);
    put_be(buf, 0, 4);
    put_be(buf, 0, 4);
    put_be(buf, leap, 4);
    put_be(buf, times, 4);
    put_be(buf, types, 4);
    put_be(buf, chars, 4);
}

struct made {
    int count;
    int64_t at[4];
    unsigned char type[4];
    int types;
    int32_t offset[4];
};

static void put_body(struct sn_buf *buf, const struct made *made, int width)
{
    for (int i = 0; i < made->count; i++) {
        put_be(buf, (uint64_t)made->at[i], width);
    }
    for (int i = 0; i < made->count; i++) {
        sn_buf_add_byte(buf, (char)made->type[i]);
    }
    for (int i = 0; i < made->types; i++) {
        put_be(buf, (uint32_t)made->offset[i], 4);
        sn_buf_add_bytes(buf, "\0\0", 2);
    }
    sn_buf_add_bytes(buf, "A\0", 2);
}

/* Version 2 data: an empty first block, the data, the footer. */
static void make_zone(struct sn_buf *buf, const struct made *made, const char *footer)
{
    static const struct made none = {.types = 1};
    put_header(buf, '2', 0, 0, 1, 2);
    put_body(buf, &none, 4);
    put_header(buf, '2', 0, (uint32_t)made->count, (uint32_t)made->types, 2);
    put_body(buf, made, 8);
    sn_buf_addf(buf, "\n%s\n", footer);
}

static const struct made two_changes = {
    .count = 2, .at = {1000, 2000}, .type = {1, 0}, .types = 2, .offset = {3600, 7200}};

static void crafted_zone(void **state)
{
    (void)state;
    struct sn_buf data = {0};
    struct sn_tz *zone = NULL;
    struct sn_error err = {0};
    make_zone(&data, &two_changes, "");
    assert_ok(sn_tz_parse(sn_buf_slice(&data), &zone, &err), &err);
    static const struct {
        int64_t at, next;
        int32_t offset;
    } rows[] = {
        {INT64_MIN, 1000, 3600},
        {999, 1000, 3600},
        {1000, 2000, 7200},
        {1999, 2000, 7200},
        {2000, INT64_MAX, 3600},
        {INT64_MAX, INT64_MAX, 3600},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        assert_int_equal(sn_tz_offset_s(zone, rows[i].at), rows[i].offset);
        assert_int_equal(sn_tz_next_change(zone, rows[i].at), rows[i].next);
    }
    sn_tz_free(zone);
    sn_buf_clear(&data);
}

static void first_version(void **state)
{
    (void)state;
    struct sn_buf data = {0};
    struct sn_tz *zone = NULL;
    struct sn_error err = {0};
    put_header(&data, '\0', 0, 2, 2, 2);
    put_body(&data, &two_changes, 4);
    assert_ok(sn_tz_parse(sn_buf_slice(&data), &zone, &err), &err);
    assert_int_equal(sn_tz_offset_s(zone, 1500), 7200);
    sn_tz_free(zone);
    sn_buf_clear(&data);
}

/* Footers in all forms of day, negative times, quoted names, and what is none. */
static void footers(void **state)
{
    (void)state;
    static const struct {
        const char *footer;
        const char *at;
        int32_t offset;
        bool ok;
    } rows[] = {
        {"EST5EDT,M3.2.0,M11.1.0", "2040-07-01T00:00:00Z", -4 * 3600, true},
        {"EST5EDT,M3.2.0,M11.1.0", "2040-01-01T00:00:00Z", -5 * 3600, true},
        {"EST5EDT,M3.2.0,M11.1.0", "2300-07-01T00:00:00Z", -4 * 3600, true}, /* beyond the table */
        {"EST5EDT,M3.2.0,M11.1.0", "2300-01-01T00:00:00Z", -5 * 3600, true},
        {"AEST-10AEDT,M10.1.0,M4.1.0/3", "2040-01-01T00:00:00Z", 11 * 3600, true},
        {"AEST-10AEDT,M10.1.0,M4.1.0/3", "2040-07-01T00:00:00Z", 10 * 3600, true},
        {"IST-1GMT0,M10.5.0,M3.5.0/1", "2040-01-01T00:00:00Z", 0, true}, /* summer is standard time in Dublin */
        {"IST-1GMT0,M10.5.0,M3.5.0/1", "2040-07-01T00:00:00Z", 3600, true},
        {"<-03>3<-02>,M3.5.0/-2,M10.5.0/-1", "2040-07-01T00:00:00Z", -2 * 3600, true},
        {"<+0330>-3:30", "2040-07-01T00:00:00Z", 12600, true},
        {"AAA0BBB,J60/0,J61/0", "2040-03-01T12:00:00Z", 3600, true}, /* Julian day 60 is 1 March in every year */
        {"AAA0BBB,J60/0,J61/0", "2041-03-01T12:00:00Z", 3600, true},
        {"AAA0BBB,J60/0,J61/0", "2040-02-29T12:00:00Z", 0, true},
        {"AAA0BBB,59/0,60/0", "2040-02-29T12:00:00Z", 3600, true}, /* counted from 0 with the leap day */
        {"AAA0BBB,59/0,60/0", "2041-03-01T12:00:00Z", 3600, true},
        {"AAA0BBB", NULL, 0, false}, /* no dates */
        {"AA0", NULL, 0, false},     /* name too short */
        {"AAA", NULL, 0, false},
        {"AAA25", NULL, 0, false},
        {"AAA0BBB,M13.1.0,M1.1.0", NULL, 0, false},
        {"AAA0BBB,M3.6.0,M1.1.0", NULL, 0, false},
        {"AAA0BBB,M3.2.7,M1.1.0", NULL, 0, false},
        {"AAA0BBB,J0,J1", NULL, 0, false},
        {"AAA0BBB,366,1", NULL, 0, false},
        {"AAA0BBB,M3.2.0/168,M1.1.0", NULL, 0, false},
        {"AAA0BBB,M3.2.0,M1.1.0x", NULL, 0, false},
        {"<AAA0", NULL, 0, false},
        {"AAA99999999999999999", NULL, 0, false},
    };
    static const struct made one = {.types = 1};
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_buf data = {0};
        struct sn_tz *zone = NULL;
        struct sn_error err = {0};
        print_message("# %s\n", rows[i].footer);
        make_zone(&data, &one, rows[i].footer);
        if (rows[i].ok) {
            assert_ok(sn_tz_parse(sn_buf_slice(&data), &zone, &err), &err);
            assert_int_equal(sn_tz_offset_s(zone, instant(rows[i].at)), rows[i].offset);
            int64_t next = sn_tz_next_change(zone, instant(rows[i].at));
            if (next != INT64_MAX) {
                assert_int_not_equal(sn_tz_offset_s(zone, next), sn_tz_offset_s(zone, next - 1));
            }
        } else {
            assert_fails(sn_tz_parse(sn_buf_slice(&data), &zone, &err), &err, "INVALID_ZONE_DATA");
        }
        sn_tz_free(zone);
        sn_buf_clear(&data);
    }
}

/* Every cut of good data, and every byte of it changed, gives a zone or an error, never anything else. */
static void attack_09_damaged_zone_data(void **state)
{
    (void)state;
    struct sn_buf data = {0};
    make_zone(&data, &two_changes, "AAA-1BBB,M3.2.0,M11.1.0");
    for (size_t len = 0; len < data.len; len++) {
        struct sn_tz *zone = NULL;
        struct sn_error err = {0};
        assert_fails(sn_tz_parse((struct sn_slice){data.ptr, len}, &zone, &err), &err, "INVALID_ZONE_DATA");
    }
    for (size_t at = 0; at < data.len; at++) {
        for (int bit = 0; bit < 8; bit++) {
            struct sn_tz *zone = NULL;
            struct sn_error err = {0};
            data.ptr[at] = (char)(data.ptr[at] ^ (1 << bit));
            if (sn_tz_parse(sn_buf_slice(&data), &zone, &err) == SN_OK) {
                (void)sn_tz_offset_s(zone, 1500);
                (void)sn_tz_next_change(zone, 4102444800);
            }
            sn_tz_free(zone);
            data.ptr[at] = (char)(data.ptr[at] ^ (1 << bit));
        }
    }
    sn_buf_clear(&data);
}

/* Every zone of the host loads; a rule that says another thing than the last listed change does not. */
static void rule_and_list_agree(void **state)
{
    (void)state;
    struct sn_buf data = {0};
    struct sn_tz *zone = NULL;
    struct sn_error err = {0};
    make_zone(&data, &two_changes, "EST5EDT,M3.2.0,M11.1.0");
    assert_fails(sn_tz_parse(sn_buf_slice(&data), &zone, &err), &err, "INVALID_ZONE_DATA");
    assert_non_null(strstr(err.message, "contradicts"));
    sn_buf_clear(&data);
    FILE *table = fopen("/usr/share/zoneinfo/tzdata.zi", "r");
    char line[512], name[128];
    int loaded = 0;
    struct sn_tz_source *source = host_zones();
    while (table != NULL && fgets(line, sizeof(line), table) != NULL) { /* "Z NAME ..." */
        char *blank = line[0] == 'Z' && line[1] == ' ' ? strchr(line + 2, ' ') : NULL;
        if (blank == NULL) {
            continue;
        }
        snprintf(name, sizeof(name), "%.*s", (int)(blank - line - 2), line + 2);
        assert_ok(source->read(source->ctx, sn_slice_str(name), &data, &err), &err);
        assert_ok(sn_tz_parse(sn_buf_slice(&data), &zone, &err), &err);
        sn_tz_free(zone);
        sn_buf_clear(&data);
        loaded++;
    }
    if (table != NULL) {
        fclose(table);
        assert_true(loaded > 200);
    } else {
        print_message("# no list of zones on this host\n");
    }
}

static void attack_09_hostile_counts(void **state)
{
    (void)state;
    static const struct made bad_rows[] = {
        {.count = 2, .at = {2000, 1000}, .type = {1, 0}, .types = 2, .offset = {0, 1}}, /* out of order */
        {.count = 2, .at = {1000, 1000}, .type = {1, 0}, .types = 2, .offset = {0, 1}}, /* twice */
        {.count = 1, .at = {1000}, .type = {2}, .types = 2, .offset = {0, 1}},          /* no such type */
        {.types = 1, .offset = {26 * 3600 + 1}},
        {.types = 1, .offset = {-25 * 3600 - 1}},
        {.types = 1, .offset = {INT32_MIN}},
    };
    struct sn_tz *zone = NULL;
    struct sn_error err = {0};
    struct sn_buf data = {0};
    for (size_t i = 0; i < SN_LEN(bad_rows); i++) {
        sn_buf_reset(&data);
        make_zone(&data, &bad_rows[i], "");
        assert_fails(sn_tz_parse(sn_buf_slice(&data), &zone, &err), &err, "INVALID_ZONE_DATA");
    }
    static const uint32_t counts[][4] = {/* leap, times, types, chars */
        {0, 0, 0, 1}, {0, 0xffffffff, 1, 1}, {0, 0, 257, 1}, {0, 0, 1, 0}, {0xffffffff, 0, 1, 1}, {0, 4097, 1, 1}};
    for (size_t i = 0; i < SN_LEN(counts); i++) {
        sn_buf_reset(&data);
        put_header(&data, '\0', counts[i][0], counts[i][1], counts[i][2], counts[i][3]);
        assert_fails(sn_tz_parse(sn_buf_slice(&data), &zone, &err), &err, "INVALID_ZONE_DATA");
    }
    sn_buf_reset(&data);
    put_header(&data, '\0', 1, 0, 1, 2); /* leap seconds */
    static const struct made one = {.types = 1};
    put_body(&data, &one, 4);
    sn_buf_add_bytes(&data, "\0\0\0\0\0\0\0\1", 8);
    assert_fails(sn_tz_parse(sn_buf_slice(&data), &zone, &err), &err, "INVALID_ZONE_DATA");
    assert_non_null(strstr(err.message, "leap seconds"));
    sn_buf_reset(&data);
    while (data.len <= SN_TZ_MAX_BYTES) {
        sn_buf_add_str(&data, "TZif");
    }
    assert_fails(sn_tz_parse(sn_buf_slice(&data), &zone, &err), &err, "INVALID_ZONE_DATA");
    sn_buf_clear(&data);
}

/* --- the host's zones --- */

typedef struct tm *(*convert_fn)(const time_t *at, struct tm *out);

/* Offsets of real zones, from 1970 to 2200, equal those of the C library; a change is where they change. */
static void agrees_with_the_c_library(void **state)
{
    (void)state;
    static const char *const zones[] = {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu",
        "Africa/Casablanca", "Pacific/Apia", "America/St_Johns", "Europe/Dublin", "Asia/Tehran", "Pacific/Chatham",
        "America/Sao_Paulo", "Asia/Pyongyang", "Antarctica/Troll", "Asia/Gaza", "Etc/GMT+12", "America/Godthab",
        "Europe/Volgograd", "Pacific/Kiritimati", "EST5EDT", "Africa/Monrovia"};
    convert_fn convert = NULL;
    *(void **)&convert = dlsym(RTLD_DEFAULT, "localtime_r");
    assert_non_null(convert);
    struct sn_tz_source *source = host_zones();
    for (size_t i = 0; i < SN_LEN(zones); i++) {
        struct sn_buf data = {0};
        struct sn_tz *zone = NULL;
        struct sn_error err = {0};
        print_message("# %s\n", zones[i]);
        assert_ok(source->read(source->ctx, sn_slice_str(zones[i]), &data, &err), &err);
        assert_ok(sn_tz_parse(sn_buf_slice(&data), &zone, &err), &err);
        assert_int_equal(setenv("TZ", zones[i], 1), 0);
        tzset();
        for (time_t at = 0; at < 7258118400; at += 86400 * 9 + 3601) {
            struct tm tm;
            assert_non_null(convert(&at, &tm));
            if (tm.tm_gmtoff != sn_tz_offset_s(zone, at)) {
                print_error(
                    "%s at %lld: %ld, not %d\n", zones[i], (long long)at, tm.tm_gmtoff, sn_tz_offset_s(zone, at));
                fail();
            }
        }
        int64_t change = sn_tz_next_change(zone, 0);
        for (int n = 0; n < 400 && change != INT64_MAX; n++) {
            struct tm before, after;
            time_t just_before = change - 1, there = change;
            convert(&just_before, &before);
            convert(&there, &after);
            assert_int_not_equal(before.tm_gmtoff, after.tm_gmtoff);
            int64_t next = sn_tz_next_change(zone, change);
            assert_true(next > change);
            change = next;
        }
        sn_tz_free(zone);
        sn_buf_clear(&data);
    }
    unsetenv("TZ");
}

static void names(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool ok;
    } rows[] = {
        {"UTC", true},
        {"Europe/Berlin", true},
        {"America/Argentina/Buenos_Aires", true},
        {"Etc/GMT+12", true},
        {"a/b/c/d", true},
        {"a/b/c/d/e", false},
        {"", false},
        {"Local", false},
        {"/etc/localtime", false},
        {"..", false},
        {"../x", false},
        {"a//b", false},
        {"a/", false},
        {"/a", false},
        {"a b", false},
        {"a.b", false},
        {"Europe/Berlin\n", false},
        {"Z\xc3\xbcrich", false},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", true},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        print_message("# %s\n", rows[i].name);
        assert_int_equal(sn_tz_name_is_valid(sn_slice_str(rows[i].name)), rows[i].ok);
    }
}

/* Links inside the zone directory are followed, links that lead out of it are not (the host's own localtime). */
static void attack_09_links_out_of_the_directory(void **state)
{
    (void)state;
    char dir[] = "/tmp/sn-zones-XXXXXX";
    char path[64];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/out", dir);
    assert_int_equal(symlink("/usr/share/zoneinfo/UTC", path), 0);
    struct sn_zoneinfo zoneinfo;
    struct sn_buf data = {0};
    struct sn_error err = {0};
    sn_zoneinfo_init(&zoneinfo, dir);
    struct sn_tz_source source = sn_zoneinfo_source(&zoneinfo);
    assert_int_not_equal(source.read(source.ctx, SN_S("out"), &data, &err), SN_OK);
    assert_int_not_equal(source.read(source.ctx, SN_S("../zoneinfo/UTC"), &data, &err), SN_OK);
    assert_int_equal(data.len, 0);
    sn_zoneinfo_clear(&zoneinfo);
    unlink(path);
    rmdir(dir);
    sn_buf_clear(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crafted_zone),
        cmocka_unit_test(first_version),
        cmocka_unit_test(footers),
        cmocka_unit_test(attack_09_damaged_zone_data),
        cmocka_unit_test(rule_and_list_agree),
        cmocka_unit_test(attack_09_hostile_counts),
        cmocka_unit_test(agrees_with_the_c_library),
        cmocka_unit_test(names),
        cmocka_unit_test(attack_09_links_out_of_the_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

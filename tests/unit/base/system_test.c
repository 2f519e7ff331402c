/* SPDX-License-Identifier: Apache-2.0 */
/* Files, the log and word distance. */
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/nearest.h"

static char dir[] = "/tmp/sn-base-XXXXXX";

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) != NULL ? 0 : -1;
}

static const char *in_dir(const char *name)
{
    static char path[4][256];
    static unsigned next;
    char *out = path[next++ % 4];

    snprintf(out, 256, "%s/%s", dir, name);
    return out;
}

static void files(void **state)
{
    (void)state;
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    struct sn_error err;
    struct stat st;

    assert_ok(sn_fs_write_new(in_dir("a"), 0600, SN_S("hello"), &err), &err);
    assert_fails(sn_fs_write_new(in_dir("a"), 0600, SN_S("other"), &err), &err, "FILE_EXISTS");
    assert_ok(sn_fs_read(in_dir("a"), 5, &text, &err), &err);
    assert_slice_equal(sn_buf_slice(&text), "hello");
    assert_fails(sn_fs_read(in_dir("a"), 4, &text, &err), &err, "FILE_TOO_LARGE");
    assert_slice_equal(sn_buf_slice(&text), "hello"); /* unchanged by the failure */
    assert_ok(sn_fs_write_atomic(in_dir("a"), 0640, SN_S(""), &err), &err);
    assert_int_equal(stat(in_dir("a"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_ok(sn_fs_read(in_dir("a"), 4, &text, &err), &err);
    assert_int_equal(text.len, 0);
    assert_fails(sn_fs_read(in_dir("none"), 4, &text, &err), &err, "FILE_OPEN");
    assert_int_equal(err.status, SN_NOT_FOUND);
    assert_fails(sn_fs_read(dir, 4, &text, &err), &err, "FILE_NOT_REGULAR");
    /* A file whose size the kernel does not tell. */
    assert_ok(sn_fs_read("/proc/self/stat", 65536, &text, &err), &err);
    assert_true(text.len > 20);
    assert_ok(sn_fs_make_dir(in_dir("x/y/z"), 0700, &err), &err);
    assert_ok(sn_fs_make_dir(in_dir("x/y/z"), 0700, &err), &err);
    assert_fails(sn_fs_make_dir(in_dir("a/b"), 0700, &err), &err, "DIR_CREATE");
}

/* ATK-27: a key file that others can read, or a link to one, is refused. */
static void secret_files(void **state)
{
    (void)state;
    SN_AUTO(sn_secret_clear) struct sn_secret secret = {0};
    struct sn_error err;

    assert_ok(sn_fs_write_new(in_dir("key"), 0600, SN_S("CANARY-key"), &err), &err);
    assert_ok(sn_fs_read_secret(in_dir("key"), 64, 0077, &secret, &err), &err);
    assert_slice_equal(sn_secret_reveal(&secret), "CANARY-key");
    assert_fails(sn_fs_read_secret(in_dir("key"), 9, 0077, &secret, &err), &err, "FILE_TOO_LARGE");
    assert_int_equal(chmod(in_dir("key"), 0640), 0);
    assert_fails(sn_fs_read_secret(in_dir("key"), 64, 0077, &secret, &err), &err, "FILE_PERMISSIONS");
    assert_non_null(strstr(err.suggestion, "chmod 0600"));
    assert_null(strstr(err.message, "CANARY"));
    assert_ok(sn_fs_read_secret(in_dir("key"), 64, 0027, &secret, &err), &err);
    assert_int_equal(symlink(in_dir("key"), in_dir("link")), 0);
    assert_fails(sn_fs_read_secret(in_dir("link"), 64, 0027, &secret, &err), &err, "FILE_IS_LINK");
}

/* AUD-40: hostile text stays one line of printable text, whole escapes only, cut at its limit. */
static void log_lines(void **state)
{
    (void)state;
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    struct sn_error err;
    int fd = open(in_dir("log"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    sn_log_set_fd(fd);
    sn_log_info("x.start", "started", SN_STR("path", "/a/b"), SN_INT("n", -3));
    sn_log_debug("x.quiet", "not shown");
    sn_log_warn("x.bad", "hostile", SN_STR("name", "a\nERROR: b \x1b[31m\"\\ \xe2\x80\xae\xff"));
    sn_log_set_fd(2);
    close(fd);
    assert_ok(sn_fs_read(in_dir("log"), 4096, &text, &err), &err);
    assert_string_equal(sn_buf_str(&text),
        "INFO: started event=x.start path=/a/b n=-3\n"
        "WARNING: hostile event=x.bad name=\"a\\u000aERROR: b \\u001b[31m\\\"\\\\ \\u202e\xef\xbf\xbd\"\n");
}

/* Every line ends, also one that is full to its last byte. */
static void full_log_lines(void **state)
{
    enum { LONGEST = 512, FROM = 400 };
    (void)state;
    static char value[LONGEST + 1], last[LONGEST + 1];
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    struct sn_error err;
    size_t lines = 0;
    int fd = open(in_dir("full"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    memset(value, 'v', LONGEST);
    sn_log_set_fd(fd);
    for (size_t len = FROM; len <= LONGEST; len++) {
        memset(last, 'l', len);
        struct sn_log_field fields[17] = {0};
        for (size_t i = 0; i < 15; i++) {
            fields[i] = (struct sn_log_field){.key = "k", .text = sn_slice_str(value)};
        }
        fields[15] = (struct sn_log_field){.key = "k", .text = sn_slice_str(last)};
        sn_log_write(SN_LOG_INFO, "e", "m", fields);
    }
    sn_log_set_fd(2);
    close(fd);
    assert_ok(sn_fs_read(in_dir("full"), 2 * 1024 * 1024, &text, &err), &err);
    for (size_t i = 0; i < text.len; i++) {
        lines += text.ptr[i] == '\n';
    }
    assert_int_equal(lines, LONGEST - FROM + 1);
}

/* AUD-40, POL-40: ESC and U+202E as written there; never more than the limit, never half an escape. */
static void sanitiser(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t max;
        const char *shown;
    } rows[] = {
        {"\x1b[31m", 80, "\\u001b[31m"},
        {"a\xe2\x80\xae"
         "b",
            80, "a\\u202eb"},
        {"\xf3\xa0\x81\x81", 80, "\\udb40\\udc41"},
        {"\xe2\x80\x8b", 80, "\\u200b"},
        {"\xff", 80, "\xef\xbf\xbd"},
        {"\"\\", 80, "\\\"\\\\"},
        {"ab\x1b", 7, "ab"},
        {"ab\x1b", 8, "ab\\u001b"},
        {"ab\xc3\xa9", 3, "ab"},
        {"ab\"", 3, "ab"},
        {"abc", 0, ""},
        {"a\nb", 100, "a\\u000ab"},
        {"a\nb", 4, "a"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
        print_message("# row %zu\n", i);
        sn_sanitize(&text, sn_slice_str(rows[i].text), rows[i].max);
        assert_string_equal(sn_buf_str(&text), rows[i].shown);
    }
}

/* POL-40: no raw control byte, whatever goes in: all pairs of bytes, at every limit up to their longest escapes. */
static void sanitiser_of_anything(void **state)
{
    enum { LONGEST = 26 };
    (void)state;
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    for (unsigned pair = 0; pair < 65536; pair++) {
        const char bytes[] = {'x', (char)(pair >> 8), (char)(pair & 0xff), '"'};
        size_t limit = pair % (LONGEST + 1);
        sn_buf_reset(&text);
        sn_sanitize(&text, (struct sn_slice){bytes, sizeof(bytes)}, limit);
        assert_true(text.len <= limit);
        for (size_t i = 0; i < text.len; i++) {
            unsigned char byte = (unsigned char)text.ptr[i];
            assert_true(byte >= 0x20 && byte != 0x7f);
            assert_false(byte == 0xc2 && i + 1 < text.len && (unsigned char)text.ptr[i + 1] < 0xa0); /* C1 */
        }
    }
}

static void words(void **state)
{
    (void)state;
    static const char *const known[] = {"users", "profiles", "time", "mode"};

    assert_string_equal(sn_nearest(SN_S("user"), known, SN_LEN(known)), "users");
    assert_string_equal(sn_nearest(SN_S("porfiles"), known, SN_LEN(known)), "profiles");
    assert_string_equal(sn_nearest(SN_S("mdoe"), known, SN_LEN(known)), "mode");
    assert_null(sn_nearest(SN_S("device"), known, SN_LEN(known)));
    assert_null(sn_nearest(SN_S("xy"), known, SN_LEN(known)));
    assert_int_equal(sn_edit_distance(SN_S("kitten"), SN_S("sitting"), 5), 3);
    assert_int_equal(sn_edit_distance(SN_S("kitten"), SN_S("sitting"), 2), 3);
    assert_int_equal(sn_edit_distance(SN_S("ca"), SN_S("abc"), 5), 3);
    assert_int_equal(sn_edit_distance(SN_S(""), SN_S("abc"), 5), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files),
        cmocka_unit_test(secret_files),
        cmocka_unit_test(log_lines),
        cmocka_unit_test(full_log_lines),
        cmocka_unit_test(sanitiser),
        cmocka_unit_test(sanitiser_of_anything),
        cmocka_unit_test(words),
    };
    return cmocka_run_group_tests(tests, make_dir, NULL);
}

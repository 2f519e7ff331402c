/* SPDX-License-Identifier: Apache-2.0 */
/* base/log.c - the operational log; see log.h. The sink is one of the two pieces of global state of the project. */
#include "base/log.h"

#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 8192, VALUE_MAX_BYTES = 512 };

static atomic_int sink_fd = 2;
static atomic_int sink_level = SN_LOG_INFO;
static atomic_bool sink_enabled = true;

void sn_log_set_level(enum sn_log_level level)
{
    atomic_store(&sink_level, (int)level);
}

void sn_log_set_fd(int fd)
{
    atomic_store(&sink_fd, fd);
}

void sn_log_set_enabled(bool enabled)
{
    atomic_store(&sink_enabled, enabled);
}

/* Code point of the sequence of len bytes at p. */
static unsigned decode(const unsigned char *p, size_t len)
{
    unsigned c = len == 1 ? p[0] : p[0] & (0x7fu >> len);

    for (size_t i = 1; i < len; i++) {
        c = c << 6 | (p[i] & 0x3fu);
    }
    return c;
}

/* True for what is no visible text: controls, separators, bidirectional and zero-width characters, tags. */
static bool is_hostile(unsigned c)
{
    static const struct {
        unsigned first, last;
    } ranges[] = {{0x00, 0x1f}, {0x7f, 0x9f}, {0xad, 0xad}, {0x61c, 0x61c}, {0x180e, 0x180e}, {0x200b, 0x200f},
        {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe0fff}};
    for (size_t i = 0; i < SN_LEN(ranges); i++) {
        if (c >= ranges[i].first && c <= ranges[i].last) {
            return true;
        }
    }
    return false;
}

/* Length of \uXXXX in out, two of them (a surrogate pair) above U+FFFF. */
static size_t escape(unsigned c, char out[16])
{
    if (c > 0xffff) {
        return (size_t)snprintf(out, 16, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10), 0xdc00 + (c & 0x3ff));
    }
    return (size_t)snprintf(out, 16, "\\u%04x", c);
}

void sn_sanitize(struct sn_buf *buf, struct sn_slice text, size_t max_bytes)
{
    static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD stands for a byte that is not UTF-8 */
    size_t written = 0;

    while (text.len > 0) {
        char out[16];
        size_t len = sn_utf8_sequence(text);
        unsigned c = len > 0 ? decode((const unsigned char *)text.ptr, len) : 0xfffd;
        struct sn_slice piece = len > 0 ? sn_slice_sub(text, 0, len) : sn_slice_str(replacement);
        if (is_hostile(c)) {
            piece = (struct sn_slice){out, escape(c, out)};
        } else if (c == '\\' || c == '"') {
            out[0] = '\\';
            out[1] = (char)c;
            piece = (struct sn_slice){out, 2};
        }
        if (piece.len > max_bytes - written) {
            return; /* never half a character or half an escape */
        }
        sn_buf_add(buf, piece);
        written += piece.len;
        text = sn_slice_sub(text, len > 0 ? len : 1, text.len);
    }
}

static const char *level_word(enum sn_log_level level)
{
    switch (level) {
    case SN_LOG_DEBUG:
        return "DEBUG";
    case SN_LOG_INFO:
        return "INFO";
    case SN_LOG_WARN:
        return "WARNING";
    case SN_LOG_ERROR:
        return "ERROR";
    }
    return "ERROR";
}

static bool is_bare(struct sn_slice value)
{
    return value.len > 0 && sn_slice_is_alnum_or(value, "._:/@+,-");
}

static void add_field(struct sn_buf *line, const struct sn_log_field *field)
{
    sn_buf_addf(line, " %s=", field->key);
    if (field->is_number) {
        sn_buf_add_int(line, field->number);
    } else if (is_bare(field->text) && field->text.len <= VALUE_MAX_BYTES) {
        sn_buf_add(line, field->text);
    } else {
        sn_buf_add_byte(line, '"');
        sn_sanitize(line, field->text, VALUE_MAX_BYTES);
        sn_buf_add_byte(line, '"');
    }
}

void sn_log_write(enum sn_log_level level, const char *event, const char *message, const struct sn_log_field *fields)
{
    SN_AUTO(sn_buf_clear) struct sn_buf line = SN_BUF_INIT(LINE_MAX_BYTES);

    if (!atomic_load(&sink_enabled) || (int)level < atomic_load(&sink_level)) {
        return;
    }
    sn_buf_addf(&line, "%s: %s event=%s", level_word(level), message, event);
    for (; fields->key != NULL; fields++) {
        add_field(&line, fields);
    }
    sn_buf_add_byte(&line, '\n');
    if (line.overflow) {
        /* What did not fit is dropped; the line must still end, also where it is full to its last byte. */
        line.overflow = false;
        line.max = LINE_MAX_BYTES + 1;
        sn_buf_add_byte(&line, '\n');
    }
    /* One write a line, so that lines of several threads and processes do not mix. A log that cannot be written has
     * nobody to tell. */
    ssize_t ignored = write(atomic_load(&sink_fd), line.ptr, line.len);
    (void)ignored;
}

void sn_log_error_of(enum sn_log_level level, const char *event, const char *message, const struct sn_error *err,
    const struct sn_log_field *fields)
{
    enum { MERGED_MAX = 16 };
    struct sn_log_field merged[MERGED_MAX + 1] = {0};
    size_t count = 0;

    merged[count++] = SN_STR("code", err->code);
    merged[count++] = SN_STR("error", err->message);
    for (; fields != NULL && fields->key != NULL && count < MERGED_MAX; fields++) {
        merged[count++] = *fields;
    }
    sn_log_write(level, event, message, merged);
}

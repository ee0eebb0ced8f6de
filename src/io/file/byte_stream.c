// SPDX-License-Identifier: Apache-2.0
#include "io/file/byte_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define INPUT_SIZE      ((size_t)64 << 10)
#define ZSTD_WINDOW_LOG 27 /* 128 MiB: what `zstd` itself decompresses without being asked for more */
#define GZIP_ANY_HEADER (15 + 16)
#define ZSTD_SKIPPABLE  UINT32_C(0x184D2A50)

enum compression { COMPRESSION_NONE, COMPRESSION_GZIP, COMPRESSION_ZSTD };

struct byte_stream {
    char *name;
    int descriptor;      /* -1: memory */
    struct bytes memory; /* what is left of it */
    enum compression compression;
    z_stream gzip;
    ZSTD_DCtx *zstd;
    bool within_frame; /* of gzip or zstd: the end of input is a truncation */
    bool input_ended;
    struct status failure; /* sticky */
    struct complaint reason;
    size_t start, end;           /* unread input */
    size_t head_start, head_end; /* output peeked at and not read yet */
    uint8_t input[INPUT_SIZE];
    uint8_t head[BYTE_STREAM_HEAD];
};

static struct status stream_fail(struct byte_stream *stream, struct status status, const char *reason)
{
    stream->failure = complain(&stream->reason, status, "%s", reason);
    return stream->failure;
}

/* Reads more input behind what is unread; sets input_ended at the end. */
static struct status fill(struct byte_stream *stream)
{
    if (stream->start > 0) {
        memmove(stream->input, stream->input + stream->start, stream->end - stream->start);
        stream->end -= stream->start;
        stream->start = 0;
    }
    size_t room = INPUT_SIZE - stream->end, taken;
    assert(room > 0);
    if (stream->descriptor < 0) {
        taken = stream->memory.size < room ? stream->memory.size : room;
        if (taken > 0)
            memcpy(stream->input + stream->end, stream->memory.data, taken);
        stream->memory = bytes_of(stream->memory.data + taken, stream->memory.size - taken);
    } else {
        ssize_t got;
        do
            got = read(stream->descriptor, stream->input + stream->end, room);
        while (got < 0 && errno == EINTR);
        if (got < 0)
            return stream_fail(stream, FAIL(IO, errno, "a file cannot be read"), strerror(errno));
        taken = (size_t)got;
    }
    stream->end += taken;
    stream->input_ended = taken == 0;
    return OK;
}

static enum compression recognise(const uint8_t *input, size_t size)
{
    if (size >= 2 && input[0] == 0x1f && input[1] == 0x8b)
        return COMPRESSION_GZIP;
    if (size < 4)
        return COMPRESSION_NONE;
    uint32_t magic = input[0] | (uint32_t)input[1] << 8 | (uint32_t)input[2] << 16 | (uint32_t)input[3] << 24;
    if (magic == ZSTD_MAGICNUMBER || (magic & ~UINT32_C(15)) == ZSTD_SKIPPABLE)
        return COMPRESSION_ZSTD;
    return COMPRESSION_NONE;
}

/* What else people pack files with, and what unpacks it to standard output. */
static const struct {
    const char *name, *command;
    const char magic[8];
    size_t place, size; /* of the magic */
} foreign[] = {
    {"bzip2", "bunzip2 -c", "1AY&SY", 4, 6}, /* behind "BZh" and the level */
    {"xz", "xz -dc", "\xfd\x37zXZ", 0, 6},
    {"lz4", "lz4 -dc", "\x04\x22\x4d\x18", 0, 4},
    {"zip", "unzip -p", "PK\x03\x04", 0, 4},
};
#define MAGIC_END 10 /* the furthest end of one */

static struct status refuse_foreign(struct byte_stream *stream)
{
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        if (stream->end < foreign[i].place + foreign[i].size ||
            memcmp(stream->input + foreign[i].place, foreign[i].magic, foreign[i].size) != 0)
            continue;
        char reason[120];
        snprintf(reason, sizeof reason, "%s is not read; decompress it first (%s FILE | eddy ... -)", foreign[i].name,
                 foreign[i].command);
        return stream_fail(stream, FAIL(BAD_INPUT, 0, "a compression that is not read"), reason);
    }
    return OK;
}

static struct status start(struct byte_stream *stream)
{
    while (stream->end < MAGIC_END && !stream->input_ended)
        TRY(fill(stream));
    TRY(refuse_foreign(stream));
    stream->compression = recognise(stream->input, stream->end);
    if (stream->compression == COMPRESSION_GZIP && inflateInit2(&stream->gzip, GZIP_ANY_HEADER) != Z_OK) {
        stream->compression = COMPRESSION_NONE; /* nothing for inflateEnd to free */
        return FAIL(MEMORY, 0, "no memory for a decompressor");
    }
    if (stream->compression == COMPRESSION_ZSTD) {
        stream->zstd = ZSTD_createDCtx();
        if (!stream->zstd || ZSTD_isError(ZSTD_DCtx_setParameter(stream->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG)))
            return FAIL(MEMORY, 0, "no memory for a decompressor");
    }
    return OK;
}

static struct byte_stream *make(const char *name)
{
    struct byte_stream *stream = calloc(1, sizeof *stream);
    if (!stream)
        return NULL;
    stream->descriptor = -1;
    stream->name = strdup(name);
    if (!stream->name) {
        free(stream);
        return NULL;
    }
    return stream;
}

void byte_stream_close(struct byte_stream *stream)
{
    if (!stream)
        return;
    if (stream->compression == COMPRESSION_GZIP)
        inflateEnd(&stream->gzip);
    ZSTD_freeDCtx(stream->zstd);
    if (stream->descriptor > STDIN_FILENO)
        close(stream->descriptor);
    free(stream->name);
    free(stream);
}

const char *byte_stream_name(const struct byte_stream *stream)
{
    return stream->name;
}

bool byte_stream_compressed(const struct byte_stream *stream)
{
    return stream->compression != COMPRESSION_NONE;
}

static struct status read_plain(struct byte_stream *stream, uint8_t *out, size_t capacity, size_t *ret_size)
{
    size_t size = stream->end - stream->start;
    size = size < capacity ? size : capacity;
    memcpy(out, stream->input + stream->start, size);
    stream->start += size;
    *ret_size = size;
    return OK;
}

static struct status read_gzip(struct byte_stream *stream, uint8_t *out, size_t capacity, size_t *ret_size)
{
    if (!stream->within_frame) {
        if (recognise(stream->input + stream->start, stream->end - stream->start) != COMPRESSION_GZIP)
            return stream_fail(stream, FAIL(CORRUPT, 0, "garbage behind gzip data"),
                               "there is something else behind the gzip data");
        inflateReset(&stream->gzip);
        stream->within_frame = true;
    }
    stream->gzip.next_in = stream->input + stream->start;
    stream->gzip.avail_in = (uInt)(stream->end - stream->start);
    stream->gzip.next_out = out;
    stream->gzip.avail_out = (uInt)capacity;
    int result = inflate(&stream->gzip, Z_NO_FLUSH);
    stream->start = stream->end - stream->gzip.avail_in;
    *ret_size = capacity - stream->gzip.avail_out;
    if (result == Z_STREAM_END)
        stream->within_frame = false;
    else if (result != Z_OK && result != Z_BUF_ERROR)
        return stream_fail(stream, FAIL(CORRUPT, result, "gzip data is damaged"), "the gzip data is damaged");
    return OK;
}

static struct status read_zstd(struct byte_stream *stream, uint8_t *out, size_t capacity, size_t *ret_size)
{
    ZSTD_inBuffer input = {stream->input + stream->start, stream->end - stream->start, 0};
    ZSTD_outBuffer output = {out, capacity, 0};
    size_t result = ZSTD_decompressStream(stream->zstd, &output, &input);
    stream->start += input.pos;
    *ret_size = output.pos;
    if (ZSTD_isError(result))
        return stream_fail(stream, FAIL(CORRUPT, 0, "zstd data is damaged"), "the zstd data is damaged");
    stream->within_frame = result != 0;
    return OK;
}

static struct status truncated(struct byte_stream *stream)
{
    return stream_fail(stream, FAIL(CORRUPT, 0, "compressed data ends early"),
                       stream->compression == COMPRESSION_GZIP ? "the gzip data ends early, the file is truncated"
                                                               : "the zstd data ends early, the file is truncated");
}

/* Reads on when no input is left, or only the first byte of a gzip member's header. */
static struct status refill(struct byte_stream *stream)
{
    size_t left = stream->end - stream->start;
    bool header_cut = stream->compression == COMPRESSION_GZIP && !stream->within_frame && left == 1;
    return (left == 0 || header_cut) && !stream->input_ended ? fill(stream) : OK;
}

static struct status decompress(struct byte_stream *stream, uint8_t *out, size_t capacity, size_t *ret_size)
{
    switch (stream->compression) {
    case COMPRESSION_GZIP:
        return read_gzip(stream, out, capacity, ret_size);
    case COMPRESSION_ZSTD:
        return read_zstd(stream, out, capacity, ret_size);
    case COMPRESSION_NONE:
        break;
    }
    return read_plain(stream, out, capacity, ret_size);
}

static struct status read_some(struct byte_stream *stream, uint8_t *out, size_t capacity, size_t *ret_size)
{
    for (;;) {
        size_t size = 0;
        TRY(refill(stream));
        size_t before = stream->end - stream->start;
        if (before == 0 && !stream->within_frame) {
            *ret_size = 0;
            return OK;
        }
        struct status status = decompress(stream, out, capacity, &size);
        if (size > 0) { /* a failure met on the way comes with the next call */
            *ret_size = size;
            return OK;
        }
        TRY(status);
        if (stream->input_ended && stream->end - stream->start == before && stream->within_frame)
            return truncated(stream);
    }
}

struct bytes byte_stream_peek(struct byte_stream *stream)
{
    while (stream->head_end < BYTE_STREAM_HEAD && !failed(stream->failure)) {
        size_t size = 0;
        struct status status =
            read_some(stream, stream->head + stream->head_end, BYTE_STREAM_HEAD - stream->head_end, &size);
        if (failed(status) || size == 0)
            break;
        stream->head_end += size;
    }
    return bytes_of(stream->head, stream->head_end);
}

/* Hands the stream out, unless it has failed before its first byte: that is no empty file. */
static struct status finish_open(struct byte_stream *stream, struct status status, struct byte_stream **ret_stream,
                                 struct complaint *complaint)
{
    if (!failed(status) && byte_stream_peek(stream).size == 0)
        status = stream->failure;
    if (failed(status)) {
        complain(complaint, status, "%s: %s", stream->name,
                 stream->reason.text[0] ? stream->reason.text : status.fault->what);
        byte_stream_close(stream);
        return status;
    }
    *ret_stream = stream;
    return OK;
}

struct status byte_stream_open(const char *path, struct byte_stream **ret_stream, struct complaint *complaint)
{
    bool standard = !strcmp(path, "-");
    struct byte_stream *stream = make(standard ? "standard input" : path);
    if (!stream)
        return FAIL(MEMORY, 0, "no memory for a file");
    stream->descriptor = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    struct status status;
    if (stream->descriptor < 0)
        status = stream_fail(stream,
                             errno == ENOENT ? FAIL(NOT_FOUND, errno, "no such file")
                                             : FAIL(IO, errno, "a file cannot be opened"),
                             strerror(errno));
    else
        status = start(stream);
    return finish_open(stream, status, ret_stream, complaint);
}

struct status byte_stream_open_bytes(struct bytes content, const char *name, struct byte_stream **ret_stream,
                                     struct complaint *complaint)
{
    struct byte_stream *stream = make(name);
    if (!stream)
        return FAIL(MEMORY, 0, "no memory for a file");
    stream->memory = content;
    return finish_open(stream, start(stream), ret_stream, complaint);
}

static size_t read_head(struct byte_stream *stream, uint8_t *out, size_t capacity)
{
    size_t size = stream->head_end - stream->head_start;
    size = size < capacity ? size : capacity;
    memcpy(out, stream->head + stream->head_start, size);
    stream->head_start += size;
    return size;
}

struct status byte_stream_read(struct byte_stream *stream, uint8_t *out, size_t capacity, size_t *ret_size,
                               struct complaint *complaint)
{
    assert(capacity > 0 && capacity <= (size_t)1 << 30);
    if (stream->head_start < stream->head_end) {
        *ret_size = read_head(stream, out, capacity);
        return OK;
    }
    struct status status = stream->failure;
    if (!failed(status))
        status = read_some(stream, out, capacity, ret_size);
    if (failed(status))
        complain(complaint, status, "%s", stream->reason.text);
    return status;
}

// SPDX-License-Identifier: Apache-2.0
#include "io/file/compressor.h"

#include <eddy/io/file.h>

#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#define OUTPUT_SIZE ((size_t)64 << 10)
#define INPUT_MAX   ((size_t)1 << 30) /* at once: zlib counts in 32 bits */
#define GZIP_HEADER (15 + 16)
#define GZIP_LEVEL  6
#define GZIP_MEMORY 8
#define ZSTD_LEVEL  3

struct compressor {
    z_stream gzip;
    bool gzip_open;
    ZSTD_CCtx *zstd; /* NULL: gzip */
    uint8_t output[OUTPUT_SIZE];
};

static const char *const endings[] = {".gz", ".zst"};

/* Which of the endings the name has; their number when it has none. */
static size_t ending_of(struct bytes name)
{
    size_t count = sizeof endings / sizeof *endings, i = 0;
    while (i < count && !bytes_end_with(name, endings[i]))
        i++;
    return i;
}

struct bytes file_stem(const char *path)
{
    struct bytes name = bytes_of_text(path);
    size_t ending = ending_of(name);
    return ending < sizeof endings / sizeof *endings ? bytes_of(name.data, name.size - strlen(endings[ending])) : name;
}

static struct status open_zstd(struct compressor *compressor)
{
    compressor->zstd = ZSTD_createCCtx();
    bool good = compressor->zstd &&
                !ZSTD_isError(ZSTD_CCtx_setParameter(compressor->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL)) &&
                !ZSTD_isError(ZSTD_CCtx_setParameter(compressor->zstd, ZSTD_c_checksumFlag, 1));
    return good ? OK : FAIL(MEMORY, 0, "no memory for a compressor");
}

static struct status open_gzip(struct compressor *compressor)
{
    compressor->gzip_open =
        deflateInit2(&compressor->gzip, GZIP_LEVEL, Z_DEFLATED, GZIP_HEADER, GZIP_MEMORY, Z_DEFAULT_STRATEGY) == Z_OK;
    return compressor->gzip_open ? OK : FAIL(MEMORY, 0, "no memory for a compressor");
}

struct status compressor_open(const char *name, struct compressor **ret_compressor)
{
    static struct status (*const openers[])(struct compressor *) = {open_gzip, open_zstd}; /* as endings[] */
    size_t ending = ending_of(bytes_of_text(name));
    if (ending == sizeof endings / sizeof *endings) {
        *ret_compressor = NULL;
        return OK;
    }
    struct compressor *compressor = calloc(1, sizeof *compressor);
    if (!compressor)
        return FAIL(MEMORY, 0, "no memory for a compressor");
    struct status status = openers[ending](compressor);
    if (failed(status)) {
        compressor_close(compressor);
        return status;
    }
    *ret_compressor = compressor;
    return OK;
}

void compressor_close(struct compressor *compressor)
{
    if (!compressor)
        return;
    if (compressor->gzip_open)
        deflateEnd(&compressor->gzip);
    ZSTD_freeCCtx(compressor->zstd);
    free(compressor);
}

static void take(struct bytes *input, size_t size)
{
    if (size > 0)
        *input = bytes_of(input->data + size, input->size - size);
}

static struct status step_gzip(struct compressor *compressor, struct bytes *input, bool last, struct bytes *ret_output,
                               bool *ret_more)
{
    z_stream *gzip = &compressor->gzip;
    size_t size = input->size < INPUT_MAX ? input->size : INPUT_MAX;
    gzip->next_in = (uint8_t *)(uintptr_t)input->data; /* not const in zlib, but not written */
    gzip->avail_in = (uInt)size;
    gzip->next_out = compressor->output;
    gzip->avail_out = OUTPUT_SIZE;
    last = last && size == input->size;
    int result = deflate(gzip, last ? Z_FINISH : Z_NO_FLUSH);
    assert(result != Z_STREAM_ERROR);
    take(input, size - gzip->avail_in);
    *ret_output = bytes_of(compressor->output, OUTPUT_SIZE - gzip->avail_out);
    *ret_more = input->size > 0 || gzip->avail_out == 0 || (last && result != Z_STREAM_END);
    return OK;
}

static struct status step_zstd(struct compressor *compressor, struct bytes *input, bool last, struct bytes *ret_output,
                               bool *ret_more)
{
    ZSTD_inBuffer in = {input->data, input->size, 0};
    ZSTD_outBuffer out = {compressor->output, OUTPUT_SIZE, 0};
    size_t left = ZSTD_compressStream2(compressor->zstd, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
    if (ZSTD_isError(left))
        return FAIL(MEMORY, 0, "no memory for a compressor");
    take(input, in.pos);
    *ret_output = bytes_of(compressor->output, out.pos);
    *ret_more = input->size > 0 || (last && left > 0);
    return OK;
}

struct status compressor_step(struct compressor *compressor, struct bytes *input, bool last, struct bytes *ret_output,
                              bool *ret_more)
{
    return (compressor->zstd ? step_zstd : step_gzip)(compressor, input, last, ret_output, ret_more);
}

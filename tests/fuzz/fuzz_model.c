// SPDX-License-Identifier: Apache-2.0
/* Arbitrary bytes as a model: as they are, and in a frame with a right checksum, so that the fuzzer gets further. What
 * is accepted must come back the same, when it is of floats, and score.
 * Input: a model without its frame. */
#include <eddy/core/frame.h>
#include <eddy/core/model.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char magic[FRAME_MAGIC_SIZE] = "eddymdl";

static void must(struct status status)
{
    if (failed(status))
        abort();
}

static void must_score(const struct model *model)
{
    uint32_t count = model_item_count(model), width = model_options(model)->width;
    const uint32_t starts[] = {0, 1, 4}, items[] = {0, count - 1, 0, count / 2};
    const struct model_sessions sessions = {2, starts, items};
    float *rows = malloc((size_t)count * width * sizeof *rows), *vectors = malloc(2 * width * sizeof *vectors);
    float *scores = malloc(2 * (size_t)count * sizeof *scores);
    struct arena arena = {0};
    if (!rows || !vectors || !scores)
        abort();
    model_item_rows(model, rows);
    must(model_vectors(model, &sessions, &arena, vectors));
    model_score(model, rows, vectors, 2, scores);
    arena_release(&arena);
    free(rows);
    free(vectors);
    free(scores);
}

static void decode(struct bytes frame)
{
    struct model *model;
    AUTO(buffer) again = {0};
    if (failed(model_decode(frame, &model)))
        return;
    must(model_encode(model, buffer_sink(&again)));
    if (frame_version(frame) == 1 && !bytes_equal(buffer_bytes(&again), frame))
        abort();
    must_score(model);
    model_close(model);
}

/* Version 1 is of floats, 2 of any precision. */
static void decode_framed(struct bytes content, uint32_t version)
{
    AUTO(buffer) framed = {0};
    size_t start = frame_begin(&framed, magic, version);
    buffer_append_bytes(&framed, content);
    frame_end(&framed, start);
    decode(buffer_bytes(&framed));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    decode(bytes_of(data, size));
    decode_framed(bytes_of(data, size), 1);
    decode_framed(bytes_of(data, size), 2);
    return 0;
}

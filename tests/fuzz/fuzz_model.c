// SPDX-License-Identifier: Apache-2.0
/* Arbitrary bytes as a model: as they are, and in a frame with a right checksum, so that the fuzzer gets further. What
 * is accepted must come back the same, once it is of floats, and score.
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

/* As floats, which is what it is in memory. */
static void must_come_back(const struct model *model)
{
    AUTO(buffer) first = {0};
    AUTO(buffer) second = {0};
    struct model *again;
    must(model_encode(model, buffer_sink(&first)));
    must(model_decode(buffer_bytes(&first), &again));
    must(model_encode(again, buffer_sink(&second)));
    if (!bytes_equal(buffer_bytes(&first), buffer_bytes(&second)))
        abort();
    model_close(again);
}

static void decode(struct bytes frame)
{
    struct model *model;
    if (failed(model_decode(frame, &model)))
        return;
    must_come_back(model);
    must_score(model);
    model_close(model);
}

static void decode_framed(struct bytes content)
{
    AUTO(buffer) framed = {0};
    size_t start = frame_begin(&framed, magic, 2);
    buffer_append_bytes(&framed, content);
    frame_end(&framed, start);
    decode(buffer_bytes(&framed));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    decode(bytes_of(data, size));
    decode_framed(bytes_of(data, size));
    return 0;
}

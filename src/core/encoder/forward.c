// SPDX-License-Identifier: Apache-2.0
#include "core/encoder/forward.h"

#include "core/encoder/kernels.h"
#include "core/model/arithmetic.h"

#include <math.h>
#include <stdlib.h>

struct forward_work {
    float *x;     /* (rows, width) what goes from layer to layer */
    float *wide;  /* (rows, 3 width) or (rows, inner) */
    float *mixed; /* (rows, width) */
    float *next;  /* (rows, width) */
    float *scratch;
    uint32_t rows;
};

struct status forward_work_open(const struct encoder_settings *settings, uint32_t rows, uint32_t length,
                                struct forward_work **ret_work)
{
    struct forward_work *work = calloc(1, sizeof *work);
    if (!work)
        return FAIL(MEMORY, sizeof *work, "no memory to encode texts in");
    size_t width = settings->width, wide = 3 * width > settings->inner ? 3 * width : settings->inner;
    work->rows = rows;
    work->x = malloc(rows * width * sizeof(float));
    work->wide = malloc(rows * wide * sizeof(float));
    work->mixed = malloc(rows * width * sizeof(float));
    work->next = malloc(rows * width * sizeof(float));
    work->scratch = malloc(kernel_attention_scratch(settings->width, settings->heads, length) * sizeof(float));
    if (!work->x || !work->wide || !work->mixed || !work->next || !work->scratch) {
        forward_work_close(work);
        return FAIL(MEMORY, rows, "no memory to encode texts in");
    }
    *ret_work = work;
    return OK;
}

void forward_work_close(struct forward_work *work)
{
    if (!work)
        return;
    free(work->x);
    free(work->wide);
    free(work->mixed);
    free(work->next);
    free(work->scratch);
    free(work);
}

static uint32_t text_length(const struct token_batch *batch, uint32_t text)
{
    return batch->starts[text + 1] - batch->starts[text];
}

static struct kernel_norm norm_of(const struct encoder_settings *settings, const float *gain, const float *shift)
{
    return (struct kernel_norm){gain, shift, settings->epsilon, settings->width};
}

static void begin(const struct encoder_settings *settings, const struct encoder_weights *weights,
                  const struct token_batch *batch, float *x)
{
    uint32_t width = settings->width, rows = batch->starts[batch->count];
    for (uint32_t text = 0; text < batch->count; text++)
        for (uint32_t i = 0; i < text_length(batch, text); i++) {
            uint32_t row = batch->starts[text] + i;
            memcpy(x + (size_t)row * width, weights->words + (size_t)batch->tokens[row] * width, width * sizeof *x);
            vector_add(weights->positions + (size_t)i * width, x + (size_t)row * width, width);
        }
    struct kernel_norm norm = norm_of(settings, weights->gain, weights->shift);
    kernel_norm_rows(&norm, x, NULL, NULL, rows);
}

static void attend(const struct encoder_settings *settings, const struct encoder_layer *layer,
                   const struct token_batch *batch, struct forward_work *work)
{
    uint32_t width = settings->width, rows = batch->starts[batch->count];
    struct kernel_attention attention = {width, settings->heads, work->scratch};
    matrix_nt(rows, 3 * width, width, 1, work->x, layer->qkv, 0, work->wide);
    for (uint32_t row = 0; row < rows; row++)
        vector_add(layer->qkv_bias, work->wide + (size_t)row * 3 * width, 3 * width);
    for (uint32_t text = 0; text < batch->count; text++) {
        size_t first = (size_t)batch->starts[text] * width;
        kernel_attend(&attention, work->wide + 3 * first, text_length(batch, text), work->mixed + first);
    }
}

static void run_layer(const struct encoder_settings *settings, const struct encoder_layer *layer,
                      const struct token_batch *batch, struct forward_work *work)
{
    uint32_t width = settings->width, inner = settings->inner, rows = batch->starts[batch->count];
    struct kernel_norm mixed = norm_of(settings, layer->mixed_gain, layer->mixed_shift);
    struct kernel_norm settled = norm_of(settings, layer->settled_gain, layer->settled_shift);
    attend(settings, layer, batch, work);
    matrix_nt(rows, width, width, 1, work->mixed, layer->out, 0, work->next);
    kernel_norm_rows(&mixed, work->x, work->next, layer->out_bias, rows);
    matrix_nt(rows, inner, width, 1, work->x, layer->up, 0, work->wide);
    kernel_gelu(work->wide, layer->up_bias, rows, inner);
    matrix_nt(rows, width, inner, 1, work->wide, layer->down, 0, work->next);
    kernel_norm_rows(&settled, work->x, work->next, layer->down_bias, rows);
}

/* The sum of the rows points where their mean does. */
static struct status pool(const float *rows, uint32_t length, uint32_t width, float *vector)
{
    memcpy(vector, rows, width * sizeof *vector);
    for (uint32_t row = 1; row < length; row++)
        vector_add(rows + (size_t)row * width, vector, width);
    float size = sqrtf(vector_dot(vector, vector, width));
    if (!isfinite(size))
        return FAIL(BAD_INPUT, 0, "an encoder's weights give a vector that is not finite");
    if (size > 0)
        vector_scale(1 / size, vector, width);
    return OK;
}

struct status forward(const struct encoder_settings *settings, const struct encoder_weights *weights,
                      const struct token_batch *batch, struct forward_work *work, float *vectors)
{
    uint32_t width = settings->width;
    assert(batch->count > 0 && batch->starts[batch->count] <= work->rows);
    begin(settings, weights, batch, work->x);
    for (uint32_t i = 0; i < settings->layers; i++)
        run_layer(settings, &weights->layers[i], batch, work);
    for (uint32_t text = 0; text < batch->count; text++)
        TRY(pool(work->x + (size_t)batch->starts[text] * width, text_length(batch, text), width,
                 vectors + (size_t)text * width));
    return OK;
}

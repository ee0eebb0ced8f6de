// SPDX-License-Identifier: Apache-2.0
#include <eddy/core/neural.h>

#include "core/model/arithmetic.h"
#include "core/model/lanes.h"
#include "core/model/neural.h"
#include "core/model/top_items.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NO_ROW        UINT32_MAX
#define FETCHED_AHEAD 8

struct neural {
    const struct model *model;
    uint32_t row_count, number_count;
    uint32_t *numbers;  /* (row_count) */
    uint32_t *rows_of;  /* (number_count) NO_ROW */
    float *item_rows;   /* (row_count, width) as they are scored with */
    struct tiles tiles; /* of those that may be listed */
    const struct product_kernel *kernel;
};

/* Rows that stand one behind the other move to where tiles want them. */
static void spread(float *rows, uint32_t count, uint32_t width)
{
    uint32_t stride = tiles_stride(width);
    for (size_t row = count; row--;) {
        memmove(rows + row * stride, rows + row * width, width * sizeof *rows);
        memset(rows + row * stride + width, 0, (stride - width) * sizeof *rows);
    }
}

/* Of vectors that are no numbers, or so large that products of two are none, nothing can be said. */
static bool is_sound(const float *vector, uint32_t width)
{
    return vector_dot(vector, vector, width) <= 1e30f;
}

struct status neural_open(const struct model *model, const uint32_t *numbers, uint32_t number_count,
                          struct neural **ret_neural)
{
    uint32_t rows = model_item_count(model);
    struct neural *neural = calloc(1, sizeof *neural);
    if (!neural)
        return FAIL(MEMORY, 0, "no memory for a model at work");
    *neural = (struct neural){.model = model,
                              .row_count = rows,
                              .number_count = number_count,
                              .kernel = product_kernel_best(),
                              .numbers = malloc(rows * sizeof *neural->numbers),
                              .rows_of = malloc(((size_t)number_count + 1) * sizeof *neural->rows_of),
                              .item_rows = calloc(rows, tiles_stride(model_options(model)->width) * sizeof(float))};
    if (!neural->numbers || !neural->rows_of || !neural->item_rows) {
        neural_close(neural);
        return FAIL(MEMORY, rows, "no memory for a model at work");
    }
    memcpy(neural->numbers, numbers, rows * sizeof *numbers);
    memset(neural->rows_of, 0xff, ((size_t)number_count + 1) * sizeof *neural->rows_of);
    for (uint32_t row = 0; row < rows; row++) {
        assert(numbers[row] < number_count || numbers[row] == ITEM_NONE);
        if (numbers[row] != ITEM_NONE)
            neural->rows_of[numbers[row]] = row;
    }
    uint32_t width = model_options(model)->width;
    model_item_rows(model, neural->item_rows);
    for (uint32_t row = 0; row < rows; row++)
        if (!is_sound(neural->item_rows + (size_t)row * width, width))
            neural->numbers[row] = ITEM_NONE; /* it is never listed */
    spread(neural->item_rows, rows, width);
    struct status status = tiles_open(&neural->tiles, neural->item_rows, rows, width, neural->numbers, ITEM_NONE);
    if (failed(status)) {
        neural_close(neural);
        return status;
    }
    *ret_neural = neural;
    return OK;
}

void neural_close(struct neural *neural)
{
    if (!neural)
        return;
    free(neural->numbers);
    free(neural->rows_of);
    free(neural->item_rows);
    tiles_release(&neural->tiles);
    free(neural);
}

static uint32_t row_of(const struct neural *neural, uint32_t number)
{
    return number < neural->number_count ? neural->rows_of[number] : NO_ROW;
}

/* The sessions in rows, without those of which the model knows nothing: which[i] is the number of the i-th that is
 * left. */
struct known {
    struct model_sessions sessions;
    uint32_t *which;
    float *vectors; /* (sessions.count, stride) */
    bool *sound;    /* (sessions.count); a vector that is not is 0 */
};

static struct status know(const struct neural *neural, const struct neural_sessions *sessions, struct arena *arena,
                          struct known *ret_known)
{
    uint32_t *starts = ARENA_ARRAY(arena, uint32_t, sessions->count + 1), count = 0, clicks = 0;
    uint32_t *items = ARENA_ARRAY(arena, uint32_t, sessions->starts[sessions->count] + 1);
    uint32_t *which = ARENA_ARRAY(arena, uint32_t, sessions->count + 1);
    if (!starts || !items || !which)
        return FAIL(MEMORY, sessions->count, "no memory for a batch of sessions");
    for (uint32_t i = 0; i < sessions->count; i++) {
        starts[count] = clicks;
        for (uint32_t click = sessions->starts[i]; click < sessions->starts[i + 1]; click++) {
            uint32_t row = row_of(neural, sessions->items[click]);
            if (row != NO_ROW)
                items[clicks++] = row;
        }
        if (clicks > starts[count])
            which[count++] = i;
    }
    starts[count] = clicks;
    *ret_known = (struct known){.sessions = {count, starts, items}, .which = which};
    return OK;
}

static struct status make_vectors(const struct neural *neural, struct arena *arena, struct known *known)
{
    uint32_t count = known->sessions.count, width = model_options(neural->model)->width;
    known->vectors = ARENA_ARRAY(arena, float, (size_t)(count + 1) * tiles_stride(width));
    known->sound = ARENA_ARRAY(arena, bool, count + 1);
    if (!known->vectors || !known->sound)
        return FAIL(MEMORY, count, "no memory for sessions' vectors");
    if (count > 0)
        TRY(model_vectors(neural->model, &known->sessions, arena, known->vectors));
    for (uint32_t i = 0; i < count; i++) {
        float *vector = known->vectors + (size_t)i * width;
        known->sound[i] = is_sound(vector, width);
        if (!known->sound[i])
            memset(vector, 0, width * sizeof *vector);
    }
    spread(known->vectors, count, width);
    return OK;
}

static float sharpness_of(const struct neural *neural)
{
    const struct model_options *options = model_options(neural->model);
    return options->normalise ? 1 / options->temperature : 1;
}

struct status neural_lists_counted(const struct neural *neural, const struct neural_sessions *sessions,
                                   struct arena *arena, struct scored_item *lists, uint32_t capacity, uint32_t *lengths,
                                   uint64_t *ret_settled)
{
    struct known known;
    assert(capacity >= 1);
    TRY(know(neural, sessions, arena, &known));
    TRY(make_vectors(neural, arena, &known));
    uint32_t count = known.sessions.count, listed = neural->tiles.count < capacity ? neural->tiles.count : capacity;
    memset(lengths, 0, sessions->count * sizeof *lengths);
    *ret_settled = 0;
    if (count == 0)
        return OK;
    const struct catalogue_rows catalogue = {&neural->tiles, neural->item_rows, neural->kernel, sharpness_of(neural)};
    const struct ranked_sessions ranked = {count, known.vectors, lists, known.which, capacity};
    TRY(top_items_make(&catalogue, &ranked, arena, ret_settled));
    for (uint32_t i = 0; i < count; i++) {
        struct scored_item *list = lists + (size_t)known.which[i] * capacity;
        lengths[known.which[i]] = known.sound[i] ? listed : 0;
        for (uint32_t place = 0; place < listed; place++)
            list[place].item = neural->numbers[list[place].item];
    }
    return OK;
}

struct status neural_lists(const struct neural *neural, const struct neural_sessions *sessions, struct arena *arena,
                           struct scored_item *lists, uint32_t capacity, uint32_t *lengths)
{
    uint64_t settled;
    return neural_lists_counted(neural, sessions, arena, lists, capacity, lengths, &settled);
}

struct status neural_vectors(const struct neural *neural, const struct neural_sessions *sessions, struct arena *arena,
                             const float **vectors)
{
    struct known known;
    TRY(know(neural, sessions, arena, &known));
    TRY(make_vectors(neural, arena, &known));
    for (uint32_t i = 0; i < sessions->count; i++)
        vectors[i] = NULL;
    for (uint32_t i = 0; i < known.sessions.count; i++)
        if (known.sound[i])
            vectors[known.which[i]] = known.vectors + (size_t)i * tiles_stride(model_options(neural->model)->width);
    return OK;
}

/* NULL: it is not listed. */
static const float *row_listed(const struct neural *neural, uint32_t number)
{
    uint32_t row = row_of(neural, number);
    if (row == NO_ROW || neural->numbers[row] == ITEM_NONE)
        return NULL;
    return neural->item_rows + (size_t)row * tiles_stride(model_options(neural->model)->width);
}

static void fetch_row(const struct neural *neural, uint32_t number, uint32_t stride)
{
    const float *row = row_listed(neural, number);
    for (uint32_t i = 0; row && i < stride; i += LANES)
        __builtin_prefetch(row + i);
}

void neural_among(const struct neural *neural, const float *vector, const uint32_t *items, uint32_t count,
                  float *probabilities)
{
    uint32_t stride = tiles_stride(model_options(neural->model)->width);
    float sharpness = sharpness_of(neural), best = -INFINITY;
    for (uint32_t i = 0; i < count && i < FETCHED_AHEAD; i++)
        fetch_row(neural, items[i], stride);
    for (uint32_t i = 0; i < count; i++) {
        if (i + FETCHED_AHEAD < count)
            fetch_row(neural, items[i + FETCHED_AHEAD], stride);
        const float *row = row_listed(neural, items[i]);
        probabilities[i] = row ? sharpness * vector_dot(row, vector, stride) : -INFINITY;
        best = probabilities[i] > best ? probabilities[i] : best;
    }
    float sum = best > -INFINITY ? vector_exp(probabilities, best, count) : 0;
    for (uint32_t i = 0; i < count; i++) /* the least that vector_exp() gives is nothing */
        probabilities[i] = sum > 0 && probabilities[i] > FLT_MIN ? probabilities[i] / sum : 0;
}

uint32_t neural_listed(const struct neural *neural)
{
    return neural->tiles.count;
}

void neural_use(struct neural *neural, const struct product_kernel *kernel)
{
    neural->kernel = kernel;
}

size_t neural_memory(const struct neural *neural)
{
    size_t rows = neural->row_count;
    return rows * (sizeof *neural->numbers +
                   tiles_stride(model_options(neural->model)->width) * sizeof *neural->item_rows) +
           neural->number_count * sizeof *neural->rows_of + tiles_memory(&neural->tiles);
}

// SPDX-License-Identifier: Apache-2.0
#include "core/semantic/semantic.h"

#include "core/candidates/power.h"
#include "core/candidates/recent.h"
#include "core/candidates/scratch.h"
#include "core/model/arithmetic.h"

#include <eddy/core/model.h>

#include <math.h>
#include <stdlib.h>

#define TOGETHER   64 /* more in one product are no sooner done */
#define LOG2_E     1.44269504f
#define LENGTH_MIN 1e-6f
#define CLICKS_MAX 256 /* last ones of a session that are looked at */

static struct status copy_rows(struct semantic *semantic, const struct semantic_item *items, const float *vectors,
                               uint32_t number_count)
{
    uint32_t count = semantic->count, width = semantic->width, stride = tiles_stride(width);
    semantic->numbers = malloc(((size_t)count + 1) * sizeof *semantic->numbers);
    semantic->rows_of = malloc(((size_t)number_count + 1) * sizeof *semantic->rows_of);
    semantic->rows = calloc((size_t)count + 1, stride * sizeof *semantic->rows);
    if (!semantic->numbers || !semantic->rows_of || !semantic->rows)
        return FAIL(MEMORY, count, "no memory for titles' vectors");
    memset(semantic->rows_of, 0xff, ((size_t)number_count + 1) * sizeof *semantic->rows_of);
    for (uint32_t row = 0; row < count; row++) {
        const float *vector = vectors + (size_t)row * width;
        assert(items[row].item < number_count);
        float square = vector_dot(vector, vector, width);
        bool sound = square > LENGTH_MIN && square < 4; /* of length 1, but for rounding; and numbers */
        semantic->numbers[row] = sound ? items[row].item : ITEM_NONE;
        if (!sound)
            continue;
        memcpy(semantic->rows + (size_t)row * stride, vector, width * sizeof *vector);
        semantic->rows_of[items[row].item] = row;
    }
    return tiles_open(&semantic->tiles, semantic->rows, count, width, semantic->numbers, ITEM_NONE);
}

struct status semantic_open(const struct semantic_item *items, const float *vectors, uint32_t count, uint32_t width,
                            uint32_t number_count, struct semantic **ret_semantic)
{
    if (width < 1 || width > MODEL_WIDTH_MAX)
        return FAIL(LIMIT, width, "vectors of texts are too wide");
    struct semantic *semantic = calloc(1, sizeof *semantic);
    if (!semantic)
        return FAIL(MEMORY, 0, "no memory for titles' vectors");
    *semantic = (struct semantic){
        .count = count, .width = width, .number_count = number_count, .kernel = product_kernel_best()};
    struct status status = copy_rows(semantic, items, vectors, number_count);
    if (!failed(status))
        status = titles_open(items, count, &semantic->titles);
    if (failed(status)) {
        semantic_close(semantic);
        return status;
    }
    *ret_semantic = semantic;
    return OK;
}

void semantic_close(struct semantic *semantic)
{
    if (!semantic)
        return;
    titles_release(&semantic->titles);
    tiles_release(&semantic->tiles);
    free(semantic->numbers);
    free(semantic->rows_of);
    free(semantic->rows);
    free(semantic);
}

uint32_t semantic_width(const struct semantic *semantic)
{
    return semantic->width;
}

size_t semantic_memory(const struct semantic *semantic)
{
    return sizeof *semantic + semantic->count * (tiles_stride(semantic->width) * sizeof(float) + 2 * sizeof(uint32_t)) +
           semantic->number_count * sizeof(uint32_t) + tiles_memory(&semantic->tiles) +
           interner_memory(semantic->titles.words);
}

const float *semantic_row(const struct semantic *semantic, uint32_t item)
{
    uint32_t row = item < semantic->number_count ? semantic->rows_of[item] : UINT32_MAX;
    return row == UINT32_MAX ? NULL : semantic->rows + (size_t)row * tiles_stride(semantic->width);
}

struct status semantic_nearest(const struct semantic *semantic, const float *vectors, uint32_t count, float temperature,
                               struct arena *arena, struct scored_item *lists, uint32_t capacity, uint32_t *ret_length)
{
    uint32_t *which = ARENA_ARRAY(arena, uint32_t, count + 1);
    uint64_t settled;
    if (!which)
        return FAIL(MEMORY, count, "no memory for a batch of texts");
    for (uint32_t i = 0; i < count; i++)
        which[i] = i;
    const struct catalogue_rows catalogue = {&semantic->tiles, semantic->rows, semantic->kernel, 1 / temperature};
    const struct ranked_sessions ranked = {count, vectors, lists, which, capacity};
    if (semantic->tiles.count && count)
        TRY(top_items_make(&catalogue, &ranked, arena, &settled));
    *ret_length = semantic->tiles.count < capacity ? semantic->tiles.count : capacity;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t place = 0; place < *ret_length; place++) {
            struct scored_item *named = &lists[(size_t)i * capacity + place];
            named->item = semantic->numbers[named->item];
        }
    return OK;
}

/* ---- sessions */

/* The sum of the session's titles, of length 1; false when there is none. */
static bool session_vector(const struct semantic *semantic, const struct query *query, uint32_t items_max,
                           float *vector)
{
    struct recent recent = {.count = 0};
    memset(vector, 0, tiles_stride(semantic->width) * sizeof *vector);
    for (uint32_t i = query->length > CLICKS_MAX ? query->length - CLICKS_MAX : 0; i < query->length; i++)
        recent_add(&recent, query->items[i]);
    for (uint32_t rank = 0; rank < recent.count && rank < items_max; rank++) {
        const float *row = semantic_row(semantic, recent.items[rank]);
        if (row)
            vector_add_scaled(1 / (float)(1 + rank), row, vector, semantic->width);
    }
    float square = vector_dot(vector, vector, semantic->width);
    if (!(square > LENGTH_MIN))
        return false;
    vector_scale(1 / sqrtf(square), vector, semantic->width);
    return true;
}

/* Takes the session's own items out of the list, which would have all of the probability, and makes the cosines of the
 * others probabilities. Returns how many these are, at most `most`. */
static uint32_t take_others(const struct query *query, float temperature, struct scored_item *list, uint32_t length,
                            uint32_t most)
{
    uint32_t kept = 0;
    float sum = 0;
    for (uint32_t i = 0; i < length && kept < most; i++)
        if (!query_has_item(query, list[i].item))
            list[kept++] = list[i];
    for (uint32_t i = kept; i-- > 0;) {
        list[i].score = power_exp2((list[i].score - list[0].score) / temperature * LOG2_E);
        sum += list[i].score;
    }
    for (uint32_t i = 0; i < kept; i++)
        list[i].score /= sum;
    return kept;
}

static struct status ask_some(const struct semantic *semantic, struct query *queries, uint32_t count,
                              const struct semantic_options *options, struct arena *arena)
{
    uint32_t stride = tiles_stride(semantic->width), capacity = options->candidates_max + QUERY_ITEMS_MAX;
    uint32_t known = 0, length, which[TOGETHER];
    float *vectors = ARENA_ARRAY(arena, float, (size_t)count *stride);
    struct scored_item *lists = ARENA_ARRAY(arena, struct scored_item, (size_t)count * capacity);
    if (!vectors || !lists)
        return FAIL(MEMORY, count, "no memory for a batch of sessions");
    for (uint32_t i = 0; i < count; i++) {
        queries[i].named[NAMER_SEMANTIC] = (struct named){0};
        if (session_vector(semantic, &queries[i], options->items_max, vectors + (size_t)known * stride))
            which[known++] = i;
    }
    TRY(semantic_nearest(semantic, vectors, known, 1, arena, lists, capacity, &length));
    for (uint32_t i = 0; i < known; i++) {
        struct scored_item *list = lists + (size_t)i * capacity;
        struct query *query = &queries[which[i]];
        for (uint32_t place = 0; place < length; place++)
            list[place].score =
                vector_dot(semantic_row(semantic, list[place].item), vectors + (size_t)i * stride, stride);
        uint32_t others = take_others(query, options->temperature, list, length, options->candidates_max);
        query->named[NAMER_SEMANTIC] = (struct named){list, others};
    }
    return OK;
}

struct status semantic_ask(const struct semantic *semantic, struct query *queries, uint32_t count,
                           const struct semantic_options *options, struct arena *arena)
{
    assert(options->candidates_max && options->temperature > 0);
    assert(options->items_max && options->items_max <= QUERY_ITEMS_MAX);
    for (uint32_t from = 0; from < count; from += TOGETHER)
        TRY(ask_some(semantic, queries + from, count - from < TOGETHER ? count - from : TOGETHER, options, arena));
    return OK;
}

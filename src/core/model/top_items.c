// SPDX-License-Identifier: Apache-2.0
#include "core/model/top_items.h"

#include "core/candidates/power.h"
#include "core/clones.h"
#include "core/model/arithmetic.h"
#include "core/model/lanes.h"

#include <math.h>
#include <string.h>

#define SESSIONS_MAX   64 /* in a pass: their scores of a tile stay in the first cache */
#define LOG2_OF_E      1.4426950408889634
#define REFERENCE_ROOM 32 /* terms of the denominator are up to 2^32 in size */

/* A pass. Scores are in the unit of their session's digits (tiles.h) until they leave. */
struct pass {
    const struct catalogue_rows *catalogue;
    const float *vectors;
    uint32_t count, capacity;
    uint64_t settled;
    struct scored_item *lists[SESSIONS_MAX]; /* rows and float32 scores */
    int8_t *digits;                          /* (count, groups, 8) */
    int32_t offsets[SESSIONS_MAX];
    float inverses[SESSIONS_MAX]; /* 1 / unit */
    double per_unit[SESSIONS_MAX];
    double least[SESSIONS_MAX], error_factors[SESSIONS_MAX], norm_factors[SESSIONS_MAX];
    double worst[SESSIONS_MAX]; /* score to beat, once the list is full */
    uint64_t above[SESSIONS_MAX];
    float floors[SESSIONS_MAX];     /* of the tile */
    float exponents[SESSIONS_MAX];  /* 2^(exponent score - reference) is an item's term */
    float references[SESSIONS_MAX]; /* whole numbers */
    double weights[SESSIONS_MAX];   /* sum of the terms */
    float scores[SESSIONS_MAX * TILE_ROWS];
};

static void begin_session(struct pass *pass, uint32_t session)
{
    const struct tiles *tiles = pass->catalogue->tiles;
    struct digits digits = digits_make(pass->vectors + (size_t)session * tiles->stride, tiles->width,
                                       pass->digits + (size_t)session * tiles->groups * 8);
    pass->offsets[session] = digits.offset;
    pass->per_unit[session] = 1 / (double)digits.unit;
    pass->inverses[session] = 1 / digits.unit;
    pass->least[session] = digits.least;
    pass->error_factors[session] = digits.error_factor * pass->per_unit[session];
    pass->norm_factors[session] = digits.norm_factor * pass->per_unit[session];
    pass->worst[session] = -INFINITY;
    pass->exponents[session] = (float)((double)digits.unit * (double)pass->catalogue->sharpness * LOG2_OF_E);
    pass->references[session] = -INFINITY;
    pass->weights[session] = 0;
}

/* What an item of the tile must score above to have a chance. A little less than it is: the last step rounds. */
CLONES static void set_floors(struct pass *pass, struct tile_bound bound)
{
    for (uint32_t session = 0; session < pass->count; session++) {
        double floor = pass->worst[session] - pass->error_factors[session] * (double)bound.error -
                       pass->norm_factors[session] * (double)bound.norm;
        pass->floors[session] = (float)(floor - (floor < 0 ? -floor : floor) * 2e-7);
    }
}

CLONES static void add_terms(struct pass *pass)
{
    for (uint32_t session = 0; session < pass->count; session++) {
        const float *scores = pass->scores + session * TILE_ROWS;
        float exponent = pass->exponents[session], reference = pass->references[session], terms[TILE_ROWS];
        lanes sum = {0}, more;
        for (uint32_t i = 0; i < TILE_ROWS; i++)
            terms[i] = power_exp2(scores[i] * exponent - reference);
        for (uint32_t i = 0; i < TILE_ROWS; i += LANES) {
            lanes_load(&more, terms + i, LANES);
            sum += more;
        }
        pass->weights[session] += (double)lanes_sum(&sum);
    }
}

/* Behind its equals: they have lower rows. */
static void list_insert(struct scored_item *list, uint32_t last, struct scored_item item)
{
    uint32_t at = last;
    for (; at && item.score > list[at - 1].score; at--)
        list[at] = list[at - 1];
    list[at] = item;
}

/* Keeps the terms of the denominator within what a float holds: no item that is left below a floor scores above the
 * best on the list. */
static void set_reference(struct pass *pass, uint32_t session)
{
    float best = pass->lists[session][0].score * pass->inverses[session] * pass->exponents[session];
    float old = pass->references[session];
    if (!(best > old + REFERENCE_ROOM))
        return;
    pass->references[session] = ceilf(best);
    pass->weights[session] *= (double)power_exp2(old - pass->references[session]);
}

/* Asks for the rows that will be settled: waiting for them one by one would take as long as all else. */
static void fetch_rows(const struct catalogue_rows *catalogue, uint32_t tile, uint64_t above)
{
    uint32_t stride = catalogue->tiles->stride;
    for (; above; above &= above - 1) {
        uint32_t row = catalogue->tiles->rows[tile * TILE_ROWS + (uint32_t)__builtin_ctzll(above)];
        for (uint32_t i = 0; i < stride; i += LANES)
            __builtin_prefetch(catalogue->rows + (size_t)row * stride + i);
    }
}

/* Scores what is above the session's floor in float32, and lists what belongs there. */
static void settle_tile(struct pass *pass, uint32_t session, uint32_t tile)
{
    const struct tiles *tiles = pass->catalogue->tiles;
    const float *vector = pass->vectors + (size_t)session * tiles->stride;
    struct scored_item *list = pass->lists[session];
    uint32_t first = tile * TILE_ROWS, capacity = pass->capacity, length = first < capacity ? first : capacity;
    for (uint64_t above = pass->above[session]; above; above &= above - 1) {
        uint32_t i = (uint32_t)__builtin_ctzll(above), row = tiles->rows[first + i];
        float score = vector_dot(pass->catalogue->rows + (size_t)row * tiles->stride, vector, tiles->stride);
        pass->scores[session * TILE_ROWS + i] = score * pass->inverses[session];
        if (length < capacity)
            list_insert(list, length++, (struct scored_item){row, score});
        else if (score > list[length - 1].score)
            list_insert(list, length - 1, (struct scored_item){row, score});
        pass->settled++;
    }
    if (length == capacity)
        pass->worst[session] = ((double)list[length - 1].score - pass->least[session]) * pass->per_unit[session];
    set_reference(pass, session);
}

/* Places behind the last row are nobody's. */
static void cut_last(struct pass *pass, uint32_t rows)
{
    for (uint32_t session = 0; session < pass->count; session++)
        for (uint32_t i = rows; i < TILE_ROWS; i++)
            pass->scores[session * TILE_ROWS + i] = -INFINITY;
}

static void rank_tile(struct pass *pass, uint32_t number)
{
    const struct tiles *tiles = pass->catalogue->tiles;
    const struct product_kernel *kernel = pass->catalogue->kernel;
    const struct tile tile = tiles_at(tiles, number);
    const struct digit_table sessions = {pass->digits, pass->offsets, pass->count};
    kernel->multiply(&tile, &sessions, pass->scores);
    if (tiles->count - number * TILE_ROWS < TILE_ROWS)
        cut_last(pass, tiles->count - number * TILE_ROWS);
    set_floors(pass, tiles->bounds[number]);
    for (uint32_t session = 0; session < pass->count; session++) {
        pass->above[session] = kernel->above(pass->scores + session * TILE_ROWS, pass->floors[session]);
        fetch_rows(pass->catalogue, number, pass->above[session]);
    }
    for (uint32_t session = 0; session < pass->count; session++)
        if (pass->above[session])
            settle_tile(pass, session, number);
    add_terms(pass);
}

static void end_session(const struct pass *pass, uint32_t session)
{
    struct scored_item *list = pass->lists[session];
    uint32_t rows = pass->catalogue->tiles->count;
    for (uint32_t i = 0; i < rows && i < pass->capacity; i++) {
        float score = list[i].score * pass->inverses[session]; /* as it was added to the denominator */
        float term = power_exp2(score * pass->exponents[session] - pass->references[session]);
        list[i].score = (float)((double)term / pass->weights[session]);
    }
}

static void rank_sessions(struct pass *pass)
{
    for (uint32_t session = 0; session < pass->count; session++)
        begin_session(pass, session);
    for (uint32_t tile = 0; tile < pass->catalogue->tiles->tile_count; tile++)
        rank_tile(pass, tile);
    for (uint32_t session = 0; session < pass->count; session++)
        end_session(pass, session);
}

struct status top_items_make(const struct catalogue_rows *catalogue, const struct ranked_sessions *sessions,
                             struct arena *arena, uint64_t *ret_settled)
{
    const struct tiles *tiles = catalogue->tiles;
    struct pass *pass = ARENA_ARRAY(arena, struct pass, 1);
    int8_t *digits = ARENA_ARRAY(arena, int8_t, (size_t)SESSIONS_MAX * tiles->groups * 8);
    if (!pass || !digits)
        return FAIL(MEMORY, sessions->count, "no memory to rank all items");
    pass->catalogue = catalogue;
    pass->capacity = sessions->capacity;
    pass->digits = digits;
    pass->settled = 0;
    for (uint32_t done = 0; done < sessions->count; done += pass->count) {
        uint32_t left = sessions->count - done;
        pass->count = left < SESSIONS_MAX ? left : SESSIONS_MAX;
        pass->vectors = sessions->vectors + (size_t)done * tiles->stride;
        for (uint32_t session = 0; session < pass->count; session++)
            pass->lists[session] = sessions->lists + (size_t)sessions->which[done + session] * sessions->capacity;
        rank_sessions(pass);
    }
    *ret_settled = pass->settled;
    return OK;
}

// SPDX-License-Identifier: Apache-2.0
#include "core/model/top_items.h"

#include "core/candidates/power.h"
#include "core/clones.h"
#include "core/model/arithmetic.h"
#include "core/model/lanes.h"
#include "core/model/scores.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define SESSIONS_MAX   64 /* in a pass: their scores of a tile stay in the first cache */
#define LOG2_OF_E      1.4426950408889634
#define REFERENCE_ROOM 32 /* terms of the denominator are up to 2^32 in size */
#define TILES_TOGETHER 32 /* whose terms are added up in floats */
#define FOUND_SPARE    (2 * TILE_ROWS)
#define HALVINGS       10
#define FETCHED_AHEAD  4
#define ALIGNMENT      64

/* Items that may be on a session's list, by row. Their terms are not in the denominator yet. */
struct found {
    uint32_t count;
    uint32_t *rows;
    float *scores;       /* in low precision */
    float *lows, *highs; /* what float32's own score is not below, and not above */
    float *terms;        /* to work with */
};

/* A pass. Scores are in the unit of their session's digits (tiles.h) until they leave. */
struct pass {
    const struct catalogue_rows *catalogue;
    const float *vectors;
    uint32_t count, capacity;
    uint32_t room; /* of what is found */
    uint64_t settled;
    struct scored_item *lists[SESSIONS_MAX]; /* rows and float32 scores */
    struct found found[SESSIONS_MAX];
    int8_t *digits;               /* (SESSIONS_MAX, 2, product_digits(groups)) */
    float inverses[SESSIONS_MAX]; /* 1 / unit */
    double per_unit[SESSIONS_MAX];
    double least[SESSIONS_MAX], error_factors[SESSIONS_MAX], norm_factors[SESSIONS_MAX];
    float worst[SESSIONS_MAX]; /* what a list's last item scores at least */
    float best[SESSIONS_MAX];  /* what its first item scores at least */
    uint64_t above[SESSIONS_MAX];
    float floors[SESSIONS_MAX];                       /* of the tile */
    float exponents[SESSIONS_MAX];                    /* 2^(exponent score - reference) is an item's term */
    float references[SESSIONS_MAX];                   /* whole numbers */
    double weights[SESSIONS_MAX];                     /* sum of the terms, but for those of some tiles: */
    float slopes[SESSIONS_MAX], shifts[SESSIONS_MAX]; /* the two as scores.h wants them */
    _Alignas(ALIGNMENT) int32_t offsets[SESSIONS_MAX * PRODUCT_LANES];
    _Alignas(ALIGNMENT) float terms[SESSIONS_MAX * 2 * PRODUCT_LANES];
    _Alignas(ALIGNMENT) float scores[SESSIONS_MAX * TILE_ROWS];
};

static void begin_session(struct pass *pass, uint32_t session)
{
    const struct tiles *tiles = pass->catalogue->tiles;
    struct digits digits = digits_make(pass->vectors + (size_t)session * tiles->stride, tiles->width,
                                       pass->digits + session * 2 * product_digits(tiles->groups));
    for (uint32_t i = 0; i < PRODUCT_LANES; i++)
        pass->offsets[session * PRODUCT_LANES + i] = digits.offset;
    pass->per_unit[session] = 1 / (double)digits.unit;
    pass->inverses[session] = 1 / digits.unit;
    pass->least[session] = digits.least * pass->per_unit[session];
    pass->error_factors[session] = digits.error_factor * pass->per_unit[session];
    pass->norm_factors[session] = digits.norm_factor * pass->per_unit[session];
    pass->found[session].count = 0;
    pass->worst[session] = pass->best[session] = -INFINITY;
    pass->exponents[session] = (float)((double)digits.unit * (double)pass->catalogue->sharpness * LOG2_OF_E);
    pass->slopes[session] = pass->exponents[session] * SCORES_TERM_UNIT;
    pass->references[session] = -INFINITY;
    pass->shifts[session] = 0; /* there are no terms before there is a reference */
    memset(pass->terms + session * 2 * PRODUCT_LANES, 0, 2 * PRODUCT_LANES * sizeof *pass->terms);
    pass->weights[session] = 0;
}

/* The nearest floats but for one or two: casts round. */
static inline float at_most(double x)
{
    return (float)(x - (x < 0 ? -x : x) * 2e-7);
}

static inline float at_least(double x)
{
    return (float)(x + (x < 0 ? -x : x) * 2e-7);
}

/* How far float32's own scores of the tile may be from these. */
static inline double error_of(const struct pass *pass, uint32_t session, struct tile_bound bound)
{
    return pass->error_factors[session] * (double)bound.error + pass->norm_factors[session] * (double)bound.norm +
           pass->least[session];
}

/* What an item of the tile must score above to have a chance. */
CLONES static void set_floors(struct pass *pass, struct tile_bound bound)
{
    for (uint32_t session = 0; session < pass->count; session++)
        pass->floors[session] = at_most((double)pass->worst[session] - error_of(pass, session, bound));
}

/* ---- the denominator */

/* Before they are so many that a float no longer holds one more. */
static void put_terms_away(struct pass *pass, uint32_t session)
{
    float *terms = pass->terms + session * 2 * PRODUCT_LANES;
    pass->weights[session] += SCORES_TERM_ONE * (double)vector_sum(terms, PRODUCT_LANES) +
                              SCORES_TERM_SQUARE * (double)vector_sum(terms + PRODUCT_LANES, PRODUCT_LANES);
    memset(terms, 0, 2 * PRODUCT_LANES * sizeof *terms);
}

/* Keeps the terms within what a float holds: what is below a floor is below the best, too. */
static void set_reference(struct pass *pass, uint32_t session)
{
    float best = pass->best[session] * pass->exponents[session], old = pass->references[session];
    if (!(best > old + REFERENCE_ROOM))
        return;
    put_terms_away(pass, session);
    pass->references[session] = ceilf(best);
    pass->shifts[session] = (pass->references[session] - SCORES_TERM_ZERO) * SCORES_TERM_UNIT;
    pass->weights[session] *= (double)power_exp2(old - pass->references[session]);
}

/* ---- what is found */

CLONES static uint32_t count_from(const float *values, uint32_t count, float least)
{
    uint32_t total = 0;
    for (uint32_t i = 0; i < count; i++)
        total += values[i] >= least;
    return total;
}

/* Raises the worst that a list may end with, nearly as far as what was found allows. */
static void raise_worst(struct pass *pass, uint32_t session)
{
    const struct found *found = &pass->found[session];
    float low = pass->worst[session], high = pass->best[session];
    if (found->count < pass->capacity)
        return;
    if (!(low > -INFINITY)) {
        low = found->lows[0];
        for (uint32_t i = 1; i < found->count; i++)
            low = found->lows[i] < low ? found->lows[i] : low;
    }
    for (uint32_t i = 0; i < HALVINGS; i++) {
        float middle = low + (high - low) * 0.5f;
        if (count_from(found->lows, found->count, middle) >= pass->capacity)
            low = middle;
        else
            high = middle;
    }
    pass->worst[session] = low;
}

CLONES static void make_terms(const struct pass *pass, uint32_t session, float worst)
{
    const struct found *found = &pass->found[session];
    float exponent = pass->exponents[session], reference = pass->references[session];
    for (uint32_t i = 0; i < found->count; i++) {
        float term = power_exp2(found->scores[i] * exponent - reference);
        found->terms[i] = found->highs[i] >= worst ? 0 : term;
    }
}

/* Lets go of what may score `worst` at most, into the denominator. */
static void let_go(struct pass *pass, uint32_t session, float worst)
{
    struct found *found = &pass->found[session];
    uint32_t count = 0;
    make_terms(pass, session, worst);
    pass->weights[session] += (double)vector_sum(found->terms, found->count);
    for (uint32_t i = 0; i < found->count; i++) {
        bool stays = found->highs[i] >= worst;
        found->rows[count] = found->rows[i];
        found->scores[count] = found->scores[i];
        found->lows[count] = found->lows[i];
        found->highs[count] = found->highs[i];
        count += stays;
    }
    found->count = count;
}

/* Behind its equals: they have lower rows. */
static void list_insert(struct scored_item *list, uint32_t last, struct scored_item item)
{
    uint32_t at = last;
    for (; at && item.score > list[at - 1].score; at--)
        list[at] = list[at - 1];
    list[at] = item;
}

/* Asks for a row that will be scored: waiting for them one by one would take as long as all else. */
static void fetch_row(const struct catalogue_rows *catalogue, uint32_t row)
{
    uint32_t stride = catalogue->tiles->stride;
    for (uint32_t i = 0; i < stride; i += LANES)
        __builtin_prefetch(catalogue->rows + (size_t)row * stride + i);
}

/* Scores what was found in float32 (in place of highs, not in units), and lists the best. Returns how many. */
static uint32_t settle(struct pass *pass, uint32_t session)
{
    const struct catalogue_rows *catalogue = pass->catalogue;
    uint32_t stride = catalogue->tiles->stride, capacity = pass->capacity, length = 0;
    const float *vector = pass->vectors + (size_t)session * stride;
    struct scored_item *list = pass->lists[session];
    struct found *found = &pass->found[session];
    for (uint32_t i = 0; i < found->count && i < FETCHED_AHEAD; i++)
        fetch_row(catalogue, found->rows[i]);
    for (uint32_t i = 0; i < found->count; i++) {
        if (i + FETCHED_AHEAD < found->count)
            fetch_row(catalogue, found->rows[i + FETCHED_AHEAD]);
        float score = vector_dot(catalogue->rows + (size_t)found->rows[i] * stride, vector, stride);
        struct scored_item item = {found->rows[i], score};
        found->highs[i] = score;
        found->scores[i] = score * pass->inverses[session];
        pass->best[session] = fmaxf(pass->best[session], found->scores[i]);
        if (length < capacity)
            list_insert(list, length++, item);
        else if (score > list[length - 1].score)
            list_insert(list, length - 1, item);
    }
    pass->settled += found->count;
    set_reference(pass, session);
    return length;
}

/* The bounds are no help, as with many items that are all but equal: of what was found only the list stays. */
static void keep_list(struct pass *pass, uint32_t session)
{
    struct found *found = &pass->found[session];
    struct scored_item last = pass->lists[session][settle(pass, session) - 1];
    for (uint32_t i = 0; i < found->count; i++) {
        float own = found->highs[i];
        bool listed = own > last.score || (own == last.score && found->rows[i] <= last.item);
        found->lows[i] = at_most((double)own * pass->per_unit[session]);
        found->highs[i] = listed ? at_least((double)own * pass->per_unit[session]) : -INFINITY;
    }
    pass->worst[session] = at_most((double)last.score * pass->per_unit[session]);
    let_go(pass, session, -FLT_MAX);
}

/* Takes what is above the floor. */
static void find(struct pass *pass, uint32_t session, uint32_t number)
{
    const struct tiles *tiles = pass->catalogue->tiles;
    const float *scores = pass->scores + session * TILE_ROWS;
    double error = error_of(pass, session, tiles->bounds[number]);
    struct found *found = &pass->found[session];
    float best = pass->best[session];
    uint32_t count = found->count;
    for (uint64_t above = pass->above[session]; above; above &= above - 1, count++) {
        uint32_t i = (uint32_t)__builtin_ctzll(above);
        found->rows[count] = tiles->rows[number * TILE_ROWS + i];
        found->scores[count] = scores[i];
        found->lows[count] = at_most((double)scores[i] - error);
        found->highs[count] = at_least((double)scores[i] + error);
        best = found->lows[count] > best ? found->lows[count] : best;
    }
    found->count = count;
    pass->best[session] = best;
    set_reference(pass, session);
    if (count + TILE_ROWS <= pass->room)
        return;
    raise_worst(pass, session);
    let_go(pass, session, pass->worst[session]);
    if (found->count + TILE_ROWS > pass->room)
        keep_list(pass, session);
}

static void multiply(struct pass *pass, uint32_t number)
{
    const struct tile tile = tiles_at(pass->catalogue->tiles, number);
    const struct digit_table sessions = {pass->digits, pass->offsets, pass->count};
    const struct score_table table = {pass->floors, pass->slopes, pass->shifts, pass->scores, pass->terms, pass->above};
    pass->catalogue->kernel->multiply(&tile, &sessions, &table);
}

/* Of the last tile, whose places behind the last row are nobody's: nothing counts that is above all floors. */
static void multiply_last(struct pass *pass, uint32_t number, uint32_t rows)
{
    float floors[SESSIONS_MAX];
    memcpy(floors, pass->floors, sizeof floors);
    for (uint32_t session = 0; session < pass->count; session++)
        pass->floors[session] = -INFINITY;
    multiply(pass, number);
    for (uint32_t session = 0; session < pass->count; session++) {
        const float *scores = pass->scores + session * TILE_ROWS;
        pass->above[session] = 0;
        for (uint32_t i = 0; i < rows; i++)
            if (scores[i] > floors[session])
                pass->above[session] |= (uint64_t)1 << i;
            else
                pass->weights[session] +=
                    (double)power_exp2(scores[i] * pass->exponents[session] - pass->references[session]);
    }
}

/* Asks for a session's part of a tile that comes next: for all of it at once the CPU would wait. It does no harm to ask
 * for what is behind the last one. */
static void fetch_tile(const struct pass *pass, uint32_t number, uint32_t session)
{
    const struct tile tile = tiles_at(pass->catalogue->tiles, number);
    size_t lines = (size_t)tile.groups * TILE_ROWS * PRODUCT_GROUP / ALIGNMENT;
    for (size_t i = lines * session / pass->count; i < lines * (session + 1) / pass->count; i++)
        __builtin_prefetch(tile.bytes + i * ALIGNMENT);
}

static void rank_tile(struct pass *pass, uint32_t number)
{
    const struct tiles *tiles = pass->catalogue->tiles;
    uint32_t rows = tiles->count - number * TILE_ROWS;
    set_floors(pass, tiles->bounds[number]);
    if (rows >= TILE_ROWS)
        multiply(pass, number);
    else
        multiply_last(pass, number, rows);
    for (uint32_t session = 0; session < pass->count; session++) {
        fetch_tile(pass, number + 1, session);
        if (pass->above[session])
            find(pass, session, number);
    }
    if (number % TILES_TOGETHER == TILES_TOGETHER - 1)
        for (uint32_t session = 0; session < pass->count; session++)
            put_terms_away(pass, session);
}

static void end_session(struct pass *pass, uint32_t session)
{
    struct scored_item *list = pass->lists[session];
    put_terms_away(pass, session);
    raise_worst(pass, session);
    let_go(pass, session, pass->worst[session]);
    uint32_t length = settle(pass, session);
    let_go(pass, session, INFINITY);
    for (uint32_t i = 0; i < length; i++) {
        float score = list[i].score * pass->inverses[session]; /* as it is in the denominator */
        float term = power_exp2(score * pass->exponents[session] - pass->references[session]);
        list[i].score = (float)((double)term / pass->weights[session]);
    }
}

static void rank_sessions(struct pass *pass)
{
    const struct product_kernel *kernel = pass->catalogue->kernel;
    for (uint32_t session = 0; session < pass->count; session++)
        begin_session(pass, session);
    kernel->begin();
    for (uint32_t tile = 0; tile < pass->catalogue->tiles->tile_count; tile++)
        rank_tile(pass, tile);
    kernel->end();
    for (uint32_t session = 0; session < pass->count; session++)
        end_session(pass, session);
}

static void *allocate(struct arena *arena, size_t size)
{
    uint8_t *memory = arena_alloc(arena, size + ALIGNMENT);
    return memory ? memory + (ALIGNMENT - (uintptr_t)memory % ALIGNMENT) : NULL;
}

static bool make_room(struct pass *pass, uint32_t sessions, struct arena *arena)
{
    bool made = true;
    pass->room = 2 * pass->capacity + FOUND_SPARE;
    pass->digits = allocate(arena, SESSIONS_MAX * 2 * product_digits(pass->catalogue->tiles->groups));
    for (uint32_t session = 0; session < SESSIONS_MAX && session < sessions; session++) {
        struct found *found = &pass->found[session];
        *found = (struct found){0,
                                ARENA_ARRAY(arena, uint32_t, pass->room),
                                ARENA_ARRAY(arena, float, pass->room),
                                ARENA_ARRAY(arena, float, pass->room),
                                ARENA_ARRAY(arena, float, pass->room),
                                ARENA_ARRAY(arena, float, pass->room)};
        made = made && found->rows && found->scores && found->lows && found->highs && found->terms;
    }
    return made && pass->digits;
}

struct status top_items_make(const struct catalogue_rows *catalogue, const struct ranked_sessions *sessions,
                             struct arena *arena, uint64_t *ret_settled)
{
    const struct tiles *tiles = catalogue->tiles;
    struct pass *pass = allocate(arena, sizeof *pass);
    if (pass) {
        pass->catalogue = catalogue;
        pass->capacity = sessions->capacity;
        pass->settled = 0;
    }
    if (!pass || !make_room(pass, sessions->count, arena))
        return FAIL(MEMORY, sessions->count, "no memory to rank all items");
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

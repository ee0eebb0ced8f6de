// SPDX-License-Identifier: Apache-2.0
#include "core/model/amx.h"

#include "core/model/scores.h"

#include <eddy/core/model.h>

static bool allowed;

void matrix_allow_amx(void)
{
    allowed = true;
}

#ifdef __x86_64__

#define AMX    __attribute__((target("amx-tile,amx-int8,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")))
#define INLINE static inline __attribute__((always_inline))
/* Sessions, and items, of a register of sums. Other registers have 4 times as many bytes a row. */
#define REGISTER PRODUCT_TOGETHER
#define LEAST    5 /* sessions; fewer are better off with VNNI */
#define PAIR     2 /* registers of sums, one for high digits, one for low ones */
#define WINDOW   2 /* pairs, next to each other */

/* They do not tell the compiler that they read it: what is to be there has to be written by now. */
#define READ_BY_INTRINSICS(memory) __asm__ volatile("" ::"r"(memory) : "memory")

bool amx_supported(void)
{
    return allowed;
}

uint32_t amx_worth(uint32_t sessions)
{
    uint32_t rest = sessions % REGISTER;
    return rest < LEAST ? sessions - rest : sessions;
}

struct tile_configuration { /* as the instruction wants it */
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
};

AMX void amx_begin(void)
{
    struct tile_configuration configuration = {.palette = 1};
    for (uint32_t i = 0; i < 8; i++) {
        configuration.row_bytes[i] = 4 * REGISTER;
        configuration.rows[i] = REGISTER;
    }
    READ_BY_INTRINSICS(&configuration);
    _tile_loadconfig(&configuration);
}

AMX void amx_end(void)
{
    _tile_release();
}

/* A block: 16 sessions and 32 items, or so many of them as there are. */
struct block {
    /* Of high digits and of low ones, by item / 16, session, item % 16. */
    _Alignas(64) int32_t sums[PAIR][WINDOW][REGISTER][REGISTER];
    uint32_t row, first, count; /* of the tile's rows; of the sessions */
};

/* What is left of a block's sessions. */
struct rest {
    const struct tile *tile;
    const struct digit_table *sessions;
    const struct score_table *table;
    const struct block *block;
    uint32_t done;
};

AMX INLINE void finish(struct rest *rest, uint32_t count)
{
    const struct block *block = rest->block;
    uint32_t end = rest->done + count < block->count ? rest->done + count : block->count;
    for (; rest->done < end; rest->done++) {
        __m512i high[WINDOW], low[WINDOW];
        for (uint32_t i = 0; i < WINDOW; i++) {
            high[i] = _mm512_load_si512(block->sums[0][i][rest->done]);
            low[i] = _mm512_load_si512(block->sums[1][i][rest->done]);
        }
        scores_finish(rest->tile, block->row, WINDOW, high, low, block->first + rest->done, rest->table);
    }
}

/* Adds up a block's sums while the rest of the block before is finished. Left in two, the CPU would do first one and
 * then the other: it does not look so far ahead. */
AMX INLINE void add_up(struct block *block, struct rest *rest)
{
    const uint8_t *items = rest->tile->bytes + (size_t)block->row * PRODUCT_GROUP;
    size_t digits = product_digits(rest->tile->groups), step = PRODUCT_STRIDE * PRODUCT_GROUP;
    const int8_t *high = rest->sessions->digits + block->first * 2 * digits;
    uint32_t share = (uint32_t)(REGISTER * step / (PAIR * WINDOW * digits)) + 1;
    const int32_t *offsets = rest->sessions->offsets + (size_t)block->first * REGISTER;
    _tile_zero(0);
    _tile_loadd(1, offsets, REGISTER * sizeof *offsets);
    _tile_zero(2);
    _tile_loadd(3, offsets, REGISTER * sizeof *offsets);
    for (size_t done = 0; done < digits; done += step, items += step * TILE_ROWS) {
        _tile_loadd(4, high + done, 2 * digits);
        _tile_loadd(6, items, TILE_ROWS * PRODUCT_GROUP);
        _tile_dpbsud(0, 4, 6);
        finish(rest, share);
        _tile_loadd(5, high + digits + done, 2 * digits);
        _tile_dpbsud(1, 5, 6);
        finish(rest, share);
        _tile_loadd(7, items + REGISTER * PRODUCT_GROUP, TILE_ROWS * PRODUCT_GROUP);
        _tile_dpbsud(2, 4, 7);
        finish(rest, share);
        _tile_dpbsud(3, 5, 7);
        finish(rest, share);
    }
    _tile_stored(0, block->sums[0][0], REGISTER * sizeof(int32_t));
    _tile_stored(1, block->sums[1][0], REGISTER * sizeof(int32_t));
    _tile_stored(2, block->sums[0][1], REGISTER * sizeof(int32_t));
    _tile_stored(3, block->sums[1][1], REGISTER * sizeof(int32_t));
}

AMX void amx_multiply(const struct tile *tile, const struct digit_table *sessions, const struct score_table *table)
{
    struct block blocks[2];
    struct rest rest = {tile, sessions, table, &blocks[1], 0};
    uint32_t turn = 0;
    blocks[1].count = 0;
    READ_BY_INTRINSICS(tile);
    for (uint32_t first = 0; first < sessions->count; first += REGISTER)
        for (uint32_t row = 0; row < TILE_ROWS; row += WINDOW * REGISTER, turn++) {
            struct block *block = &blocks[turn % 2];
            uint32_t left = sessions->count - first;
            block->row = row;
            block->first = first;
            block->count = left < REGISTER ? left : REGISTER;
            add_up(block, &rest);
            rest.block = block;
            rest.done = 0;
        }
    finish(&rest, REGISTER);
}

#else

bool amx_supported(void)
{
    return false;
}

uint32_t amx_worth(uint32_t sessions)
{
    (void)sessions;
    return 0;
}

void amx_begin(void)
{
}

void amx_end(void)
{
}

void amx_multiply(const struct tile *tile, const struct digit_table *sessions, const struct score_table *table)
{
    (void)tile, (void)sessions, (void)table;
}

#endif

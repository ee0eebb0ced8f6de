// SPDX-License-Identifier: Apache-2.0
#pragma once
/* scores: what the kernels of products.h make of a sum. The same bits in plain C and in AVX-512.
 *
 * A term is about 2^x, with a relative error of 0.2 % at most, as much of it above as below, which is enough for sums
 * of many at a third of the cost of power_exp2(). x is given in units of 2^-23, with 127 added: then its bits are those
 * of a float 2^n m, n whole, 1 <= m < 2, and 2^x = 2^n 2^(m - 1), of which the second is about ONE + SQUARE m^2. The
 * two parts are added up by themselves. */
#include "core/model/lanes.h"
#include "core/model/products.h"

#define SCORES_BASE_SHIFT   7 /* 128 = 1 << 7 */

#define SCORES_TERM_UNIT    8388608.0f /* 2^23 */
#define SCORES_TERM_ZERO    127
#define SCORES_TERM_LEAST   8388608.0f /* x = -126 */
#define SCORES_TERM_ONE     0.66853616
#define SCORES_TERM_SQUARE  0.33187491
#define SCORES_FRACTION     0x007fffff /* bits of a float; a mask, */
#define SCORES_EXPONENT     0x7f800000
#define SCORES_EXPONENT_ONE 0x3f800000 /* and the exponent of 1 */

/* 2^n and 2^n m^2. */
static inline void scores_term(float x, float *ret_one, float *ret_square)
{
    int32_t bits = (int32_t)(x > SCORES_TERM_LEAST ? x : SCORES_TERM_LEAST);
    int32_t one = bits & SCORES_EXPONENT, m_bits = (bits & SCORES_FRACTION) | SCORES_EXPONENT_ONE;
    float power, m;
    memcpy(ret_one, &one, sizeof one);
    memcpy(&power, &bits, sizeof power);
    memcpy(&m, &m_bits, sizeof m);
    *ret_square = power * m;
}

/* The rest of a session's table, once its scores are there. */
static inline __attribute__((always_inline)) void scores_weigh(const struct score_table *table, uint32_t session)
{
    const float *scores = table->scores + (size_t)session * TILE_ROWS;
    float *sums = table->terms + (size_t)session * 2 * PRODUCT_LANES, ones[TILE_ROWS], squares[TILE_ROWS];
    float floor = table->floors[session], slope = table->slopes[session], shift = table->shifts[session];
    uint64_t above = 0;
    for (uint32_t row = 0; row < TILE_ROWS; row++)
        above |= (uint64_t)(scores[row] > floor) << row;
    for (uint32_t row = 0; row < TILE_ROWS; row++) {
        bool counts = !(scores[row] > floor);
        float one, square;
        scores_term(counts ? scores[row] * slope - shift : 0, &one, &square);
        ones[row] = counts ? one : 0;
        squares[row] = counts ? square : 0;
    }
    for (uint32_t row = 0; row < TILE_ROWS; row += PRODUCT_LANES)
        for (uint32_t lane = 0; lane < PRODUCT_LANES; lane++) {
            sums[lane] += ones[row + lane];
            sums[PRODUCT_LANES + lane] += squares[row + lane];
        }
    table->above[session] = above;
}

#ifdef __x86_64__
#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")))

/* All of a session's table for `vectors` (a constant) times 16 rows, beginning with `row`, from the sums of products
 * with its high digits and, begun with its offset, of those with its low ones. */
AVX512 static inline __attribute__((always_inline)) void scores_finish(const struct tile *tile, uint32_t row,
                                                                       uint32_t vectors, const __m512i *high,
                                                                       const __m512i *low, uint32_t session,
                                                                       const struct score_table *table)
{
    float *sums = table->terms + (size_t)session * 2 * PRODUCT_LANES;
    float *scores = table->scores + (size_t)session * TILE_ROWS + row;
    __m512 floor = _mm512_set1_ps(table->floors[session]);
    __m512 slope = _mm512_set1_ps(table->slopes[session]), shift = _mm512_set1_ps(table->shifts[session]);
    __m512 ones = _mm512_loadu_ps(sums), squares = _mm512_loadu_ps(sums + PRODUCT_LANES);
    uint64_t below = 0;
    for (uint32_t v = 0; v < vectors; v++) {
        __m512i sum = _mm512_add_epi32(_mm512_slli_epi32(high[v], SCORES_BASE_SHIFT), low[v]);
        __m512 score = _mm512_mul_ps(_mm512_cvtepi32_ps(sum), _mm512_loadu_ps(tile->scales + row + v * PRODUCT_LANES));
        __m512 x = _mm512_sub_ps(_mm512_mul_ps(score, slope), shift);
        __mmask16 counts = _mm512_cmp_ps_mask(score, floor, _CMP_NGT_UQ);
        __m512i bits = _mm512_cvttps_epi32(_mm512_max_ps(x, _mm512_set1_ps(SCORES_TERM_LEAST)));
        __m512i one = _mm512_and_si512(bits, _mm512_set1_epi32(SCORES_EXPONENT));
        __m512i m = _mm512_or_si512(_mm512_and_si512(bits, _mm512_set1_epi32(SCORES_FRACTION)),
                                    _mm512_set1_epi32(SCORES_EXPONENT_ONE));
        __m512 square = _mm512_mul_ps(_mm512_castsi512_ps(bits), _mm512_castsi512_ps(m));
        ones = _mm512_mask_add_ps(ones, counts, ones, _mm512_castsi512_ps(one));
        squares = _mm512_mask_add_ps(squares, counts, squares, square);
        _mm512_storeu_ps(scores + v * PRODUCT_LANES, score);
        below |= (uint64_t)counts << (row + v * PRODUCT_LANES);
    }
    _mm512_storeu_ps(sums, ones);
    _mm512_storeu_ps(sums + PRODUCT_LANES, squares);
    table->above[session] = (row ? table->above[session] : ~(uint64_t)0) & ~below;
}

#endif

// SPDX-License-Identifier: Apache-2.0
#include "core/model/products.h"

#include "core/model/amx.h"
#include "core/model/scores.h"

#include <string.h>

#define GROUP       PRODUCT_GROUP
#define GROUP_BYTES (TILE_ROWS * GROUP) /* of a tile */
#define INLINE      static inline __attribute__((always_inline))

/* ---- plain C */

static void multiply_plain(const struct tile *tile, const struct digit_table *sessions, const struct score_table *table)
{
    size_t digit_count = product_digits(tile->groups);
    for (uint32_t session = 0; session < sessions->count; session++) {
        const int8_t *high = sessions->digits + session * 2 * digit_count, *low = high + digit_count;
        const uint8_t *bytes = tile->bytes;
        float *scores = table->scores + (size_t)session * TILE_ROWS;
        int32_t sums[TILE_ROWS];
        for (uint32_t row = 0; row < TILE_ROWS; row++)
            sums[row] = sessions->offsets[(size_t)session * PRODUCT_LANES];
        for (uint32_t group = 0; group < tile->groups; group++, high += GROUP, low += GROUP, bytes += GROUP_BYTES)
            for (uint32_t row = 0; row < TILE_ROWS; row++)
                for (uint32_t i = 0; i < GROUP; i++)
                    sums[row] += bytes[row * GROUP + i] * (high[i] * (1 << SCORES_BASE_SHIFT) + low[i]);
        for (uint32_t row = 0; row < TILE_ROWS; row++)
            scores[row] = (float)sums[row] * tile->scales[row];
        scores_weigh(table, session);
    }
}

static void nothing(void)
{
}

static bool always(void)
{
    return true;
}

#ifdef __x86_64__

/* Four digits, as often as there is room for. */
INLINE int32_t four(const int8_t *digits)
{
    int32_t four;
    memcpy(&four, digits, sizeof four);
    return four;
}

/* ---- AVX2: bytes times digits are added in pairs of 16 bits, the pairs in 32 */

#define AVX2 __attribute__((target("avx2")))

AVX2 INLINE __m256i add_avx2(__m256i sum, __m256i bytes, const int8_t *digits)
{
    __m256i pairs = _mm256_maddubs_epi16(bytes, _mm256_set1_epi32(four(digits)));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

/* `sessions` and `vectors` (of 8 rows) are constants where it is called, so that all sums are registers. */
AVX2 INLINE void block_avx2(const struct tile *tile, uint32_t row, const struct digit_table *table, uint32_t first,
                            uint32_t sessions, uint32_t vectors, float *scores)
{
    __m256i high[2][2], low[2][2], items[2];
    size_t digit_count = product_digits(tile->groups);
    const uint8_t *bytes = tile->bytes + (size_t)row * GROUP;
    const int8_t *digits = table->digits + first * 2 * digit_count;
    for (uint32_t s = 0; s < sessions; s++)
        for (uint32_t v = 0; v < vectors; v++) {
            high[s][v] = _mm256_setzero_si256();
            low[s][v] = _mm256_set1_epi32(table->offsets[(size_t)(first + s) * PRODUCT_LANES]);
        }
    for (uint32_t group = 0; group < tile->groups; group++, bytes += GROUP_BYTES, digits += GROUP) {
        for (uint32_t v = 0; v < vectors; v++)
            items[v] = _mm256_load_si256((const __m256i *)(const void *)(bytes + v * sizeof(__m256i)));
        for (uint32_t s = 0; s < sessions; s++) {
            const int8_t *digit = digits + s * 2 * digit_count;
            for (uint32_t v = 0; v < vectors; v++) {
                high[s][v] = add_avx2(high[s][v], items[v], digit);
                low[s][v] = add_avx2(low[s][v], items[v], digit + digit_count);
            }
        }
    }
    for (uint32_t s = 0; s < sessions; s++)
        for (uint32_t v = 0; v < vectors; v++) {
            uint32_t at = row + v * 8;
            __m256i sum = _mm256_add_epi32(_mm256_slli_epi32(high[s][v], SCORES_BASE_SHIFT), low[s][v]);
            _mm256_storeu_ps(scores + (size_t)(first + s) * TILE_ROWS + at,
                             _mm256_mul_ps(_mm256_cvtepi32_ps(sum), _mm256_loadu_ps(tile->scales + at)));
        }
}

AVX2 static void multiply_avx2(const struct tile *tile, const struct digit_table *sessions,
                               const struct score_table *table)
{
    uint32_t session = 0;
    for (; session + 2 <= sessions->count; session += 2)
        for (uint32_t row = 0; row < TILE_ROWS; row += 16)
            block_avx2(tile, row, sessions, session, 2, 2, table->scores);
    for (; session < sessions->count; session++)
        for (uint32_t row = 0; row < TILE_ROWS; row += 16)
            block_avx2(tile, row, sessions, session, 1, 2, table->scores);
    for (session = 0; session < sessions->count; session++)
        scores_weigh(table, session);
}

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2");
}

/* ---- AVX-512 VNNI: one instruction adds four products of bytes and digits to each of sixteen sums */

AVX512 INLINE __m512i add_vnni(__m512i sum, __m512i bytes, const int8_t *digits)
{
    return _mm512_dpbusd_epi32(sum, bytes, _mm512_set1_epi32(four(digits)));
}

/* Like block_avx2, with vectors of 16 rows, and to the end. */
AVX512 INLINE void block_vnni(const struct tile *tile, uint32_t row, const struct digit_table *sessions, uint32_t first,
                              uint32_t count, uint32_t vectors, const struct score_table *table)
{
    __m512i high[4][4], low[4][4], items[4];
    size_t digit_count = product_digits(tile->groups);
    const uint8_t *bytes = tile->bytes + (size_t)row * GROUP;
    const int8_t *digits = sessions->digits + first * 2 * digit_count;
    for (uint32_t s = 0; s < count; s++)
        for (uint32_t v = 0; v < vectors; v++) {
            high[s][v] = _mm512_setzero_si512();
            low[s][v] = _mm512_loadu_si512(sessions->offsets + (size_t)(first + s) * PRODUCT_LANES);
        }
    for (uint32_t group = 0; group < tile->groups; group++, bytes += GROUP_BYTES, digits += GROUP) {
        for (uint32_t v = 0; v < vectors; v++)
            items[v] = _mm512_load_si512(bytes + v * sizeof(__m512i));
        for (uint32_t s = 0; s < count; s++) {
            const int8_t *digit = digits + s * 2 * digit_count;
            for (uint32_t v = 0; v < vectors; v++) {
                high[s][v] = add_vnni(high[s][v], items[v], digit);
                low[s][v] = add_vnni(low[s][v], items[v], digit + digit_count);
            }
        }
    }
    for (uint32_t s = 0; s < count; s++)
        scores_finish(tile, row, vectors, high[s], low[s], first + s, table);
}

AVX512 static void multiply_vnni(const struct tile *tile, const struct digit_table *sessions,
                                 const struct score_table *table)
{
    uint32_t session = 0;
    for (; session + 4 <= sessions->count; session += 4)
        for (uint32_t row = 0; row < TILE_ROWS; row += 32)
            block_vnni(tile, row, sessions, session, 4, 2, table);
    for (; session < sessions->count; session++)
        block_vnni(tile, 0, sessions, session, 1, 4, table);
}

static bool has_vnni(void)
{
    return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vnni");
}

#else

#define multiply_vnni multiply_plain
#define multiply_avx2 multiply_plain
#define has_vnni      always
#define has_avx2      always

#endif

/* Fewer sessions than AMX is worth its while for are left to VNNI. */
static void multiply_amx(const struct tile *tile, const struct digit_table *sessions, const struct score_table *table)
{
    uint32_t many = amx_worth(sessions->count);
    const struct digit_table first = {sessions->digits, sessions->offsets, many},
                             rest = {sessions->digits + many * 2 * product_digits(tile->groups),
                                     sessions->offsets + (size_t)many * PRODUCT_LANES, sessions->count - many};
    const struct score_table rest_table = {table->floors + many,
                                           table->slopes + many,
                                           table->shifts + many,
                                           table->scores + (size_t)many * TILE_ROWS,
                                           table->terms + (size_t)many * 2 * PRODUCT_LANES,
                                           table->above + many};
    if (first.count > 0)
        amx_multiply(tile, &first, table);
    if (rest.count > 0)
        multiply_vnni(tile, &rest, &rest_table);
}

static bool has_amx(void)
{
    return amx_supported() && has_vnni();
}

const struct product_kernel product_kernels[PRODUCT_KERNEL_COUNT] = {
    {"amx", has_amx, amx_begin, amx_end, multiply_amx},
    {"vnni", has_vnni, nothing, nothing, multiply_vnni},
    {"avx2", has_avx2, nothing, nothing, multiply_avx2},
    {"plain", always, nothing, nothing, multiply_plain},
};

const struct product_kernel *product_kernel_best(void)
{
    const struct product_kernel *kernel = product_kernels;
    while (!kernel->supported())
        kernel++;
    return kernel;
}

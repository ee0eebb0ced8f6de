// SPDX-License-Identifier: Apache-2.0
#include "core/model/products.h"

#include <string.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

#define GROUP        4
#define DIGITS       2
#define GROUP_DIGITS (DIGITS * GROUP)    /* bytes of a session */
#define GROUP_BYTES  (TILE_ROWS * GROUP) /* bytes of a tile */
#define BASE_SHIFT   7                   /* 128 = 1 << 7 */
#define INLINE       static inline __attribute__((always_inline))

static inline const int8_t *digits_of(const struct tile *tile, const struct digit_table *sessions, uint32_t session)
{
    return sessions->digits + (size_t)session * tile->groups * GROUP_DIGITS;
}

/* ---- plain C */

static void multiply_plain(const struct tile *tile, const struct digit_table *sessions, float *scores)
{
    for (uint32_t session = 0; session < sessions->count; session++, scores += TILE_ROWS) {
        const int8_t *digits = digits_of(tile, sessions, session);
        const uint8_t *bytes = tile->bytes;
        int32_t sums[TILE_ROWS];
        for (uint32_t row = 0; row < TILE_ROWS; row++)
            sums[row] = sessions->offsets[session];
        for (uint32_t group = 0; group < tile->groups; group++, digits += GROUP_DIGITS, bytes += GROUP_BYTES)
            for (uint32_t row = 0; row < TILE_ROWS; row++)
                for (uint32_t i = 0; i < GROUP; i++)
                    sums[row] += bytes[row * GROUP + i] * (digits[i] * (1 << BASE_SHIFT) + digits[GROUP + i]);
        for (uint32_t row = 0; row < TILE_ROWS; row++)
            scores[row] = (float)sums[row] * tile->scales[row];
    }
}

static uint64_t above_plain(const float *scores, float floor)
{
    uint64_t above = 0;
    for (uint32_t row = 0; row < TILE_ROWS; row++)
        above |= (uint64_t)(scores[row] > floor) << row;
    return above;
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
    const uint8_t *bytes = tile->bytes + (size_t)row * GROUP;
    const int8_t *digits = digits_of(tile, table, first);
    for (uint32_t s = 0; s < sessions; s++)
        for (uint32_t v = 0; v < vectors; v++) {
            high[s][v] = _mm256_setzero_si256();
            low[s][v] = _mm256_set1_epi32(table->offsets[first + s]);
        }
    for (uint32_t group = 0; group < tile->groups; group++, bytes += GROUP_BYTES, digits += GROUP_DIGITS) {
        for (uint32_t v = 0; v < vectors; v++)
            items[v] = _mm256_load_si256((const __m256i *)(const void *)(bytes + v * sizeof(__m256i)));
        for (uint32_t s = 0; s < sessions; s++) {
            const int8_t *digit = digits + (size_t)s * tile->groups * GROUP_DIGITS;
            for (uint32_t v = 0; v < vectors; v++) {
                high[s][v] = add_avx2(high[s][v], items[v], digit);
                low[s][v] = add_avx2(low[s][v], items[v], digit + GROUP);
            }
        }
    }
    for (uint32_t s = 0; s < sessions; s++)
        for (uint32_t v = 0; v < vectors; v++) {
            uint32_t at = row + v * 8;
            __m256i sum = _mm256_add_epi32(_mm256_slli_epi32(high[s][v], BASE_SHIFT), low[s][v]);
            _mm256_storeu_ps(scores + (first + s) * TILE_ROWS + at,
                             _mm256_mul_ps(_mm256_cvtepi32_ps(sum), _mm256_loadu_ps(tile->scales + at)));
        }
}

AVX2 static void multiply_avx2(const struct tile *tile, const struct digit_table *sessions, float *scores)
{
    uint32_t session = 0;
    for (; session + 2 <= sessions->count; session += 2)
        for (uint32_t row = 0; row < TILE_ROWS; row += 16)
            block_avx2(tile, row, sessions, session, 2, 2, scores);
    for (; session < sessions->count; session++)
        for (uint32_t row = 0; row < TILE_ROWS; row += 16)
            block_avx2(tile, row, sessions, session, 1, 2, scores);
}

AVX2 static uint64_t above_avx2(const float *scores, float floor)
{
    __m256 floors = _mm256_set1_ps(floor);
    uint64_t above = 0;
    for (uint32_t row = 0; row < TILE_ROWS; row += 8) {
        __m256 higher = _mm256_cmp_ps(_mm256_loadu_ps(scores + row), floors, _CMP_GT_OQ);
        above |= (uint64_t)(uint32_t)_mm256_movemask_ps(higher) << row;
    }
    return above;
}

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2");
}

/* ---- AVX-512 VNNI: one instruction adds four products of bytes and digits to each of sixteen sums */

#define VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))

VNNI INLINE __m512i add_vnni(__m512i sum, __m512i bytes, const int8_t *digits)
{
    return _mm512_dpbusd_epi32(sum, bytes, _mm512_set1_epi32(four(digits)));
}

/* Like block_avx2, with vectors of 16 rows. */
VNNI INLINE void block_vnni(const struct tile *tile, uint32_t row, const struct digit_table *table, uint32_t first,
                            uint32_t sessions, uint32_t vectors, float *scores)
{
    __m512i high[4][4], low[4][4], items[4];
    const uint8_t *bytes = tile->bytes + (size_t)row * GROUP;
    const int8_t *digits = digits_of(tile, table, first);
    for (uint32_t s = 0; s < sessions; s++)
        for (uint32_t v = 0; v < vectors; v++) {
            high[s][v] = _mm512_setzero_si512();
            low[s][v] = _mm512_set1_epi32(table->offsets[first + s]);
        }
    for (uint32_t group = 0; group < tile->groups; group++, bytes += GROUP_BYTES, digits += GROUP_DIGITS) {
        for (uint32_t v = 0; v < vectors; v++)
            items[v] = _mm512_load_si512(bytes + v * sizeof(__m512i));
        for (uint32_t s = 0; s < sessions; s++) {
            const int8_t *digit = digits + (size_t)s * tile->groups * GROUP_DIGITS;
            for (uint32_t v = 0; v < vectors; v++) {
                high[s][v] = add_vnni(high[s][v], items[v], digit);
                low[s][v] = add_vnni(low[s][v], items[v], digit + GROUP);
            }
        }
    }
    for (uint32_t s = 0; s < sessions; s++)
        for (uint32_t v = 0; v < vectors; v++) {
            uint32_t at = row + v * 16;
            __m512i sum = _mm512_add_epi32(_mm512_slli_epi32(high[s][v], BASE_SHIFT), low[s][v]);
            _mm512_storeu_ps(scores + (first + s) * TILE_ROWS + at,
                             _mm512_mul_ps(_mm512_cvtepi32_ps(sum), _mm512_loadu_ps(tile->scales + at)));
        }
}

VNNI static void multiply_vnni(const struct tile *tile, const struct digit_table *sessions, float *scores)
{
    uint32_t session = 0;
    for (; session + 4 <= sessions->count; session += 4)
        for (uint32_t row = 0; row < TILE_ROWS; row += 32)
            block_vnni(tile, row, sessions, session, 4, 2, scores);
    for (; session < sessions->count; session++)
        block_vnni(tile, 0, sessions, session, 1, 4, scores);
}

VNNI static uint64_t above_vnni(const float *scores, float floor)
{
    __m512 floors = _mm512_set1_ps(floor);
    uint64_t above = 0;
    for (uint32_t row = 0; row < TILE_ROWS; row += 16)
        above |= (uint64_t)_mm512_cmp_ps_mask(_mm512_loadu_ps(scores + row), floors, _CMP_GT_OQ) << row;
    return above;
}

static bool has_vnni(void)
{
    return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512vnni");
}

#else

#define multiply_vnni multiply_plain
#define multiply_avx2 multiply_plain
#define has_vnni      always
#define has_avx2      always
#define above_vnni    above_plain
#define above_avx2    above_plain

#endif

const struct product_kernel product_kernels[PRODUCT_KERNEL_COUNT] = {
    {"vnni", has_vnni, multiply_vnni, above_vnni},
    {"avx2", has_avx2, multiply_avx2, above_avx2},
    {"plain", always, multiply_plain, above_plain},
};

const struct product_kernel *product_kernel_best(void)
{
    const struct product_kernel *kernel = product_kernels;
    while (!kernel->supported())
        kernel++;
    return kernel;
}

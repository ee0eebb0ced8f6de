// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "support/layer_rig.h"

#include <math.h>

void layer_rig_open(struct layer_rig *rig, uint64_t seed)
{
    print_message("seed %llu\n", (unsigned long long)seed);
    rig->count = 0;
    random_seed(&rig->random, seed);
}

void layer_rig_close(struct layer_rig *rig)
{
    while (rig->count)
        free(rig->blocks[--rig->count]);
}

void *rig_block(struct layer_rig *rig, size_t size)
{
    assert_in_range(rig->count, 0, LAYER_RIG_BLOCKS - 1);
    void *block = malloc(size ? size : 1);
    assert_non_null(block);
    rig->blocks[rig->count++] = block;
    return block;
}

float *rig_random(struct layer_rig *rig, uint32_t count)
{
    float *values = rig_block(rig, count * sizeof *values);
    for (uint32_t i = 0; i < count; i++)
        values[i] = (float)(2 * random_unit(&rig->random) - 1);
    return values;
}

float *rig_unset(struct layer_rig *rig, uint32_t count)
{
    float *values = rig_block(rig, count * sizeof *values);
    for (uint32_t i = 0; i < count; i++)
        values[i] = NAN;
    return values;
}

float *rig_copy(struct layer_rig *rig, const float *values, uint32_t count)
{
    float *copy = rig_block(rig, count * sizeof *copy);
    memcpy(copy, values, count * sizeof *copy);
    return copy;
}

struct parameter rig_input(struct layer_rig *rig, uint32_t count)
{
    return (struct parameter){.values = rig_random(rig, count), .gradient = rig_unset(rig, count), .count = count};
}

struct parameter rig_weight(struct layer_rig *rig, uint32_t count)
{
    struct parameter weight = {rig_random(rig, count), rig_random(rig, count), NULL, count};
    weight.before = rig_copy(rig, weight.gradient, count);
    return weight;
}

struct packed rig_sessions(struct layer_rig *rig, uint32_t count, uint32_t length_max)
{
    uint32_t *starts = rig_block(rig, (count + 1) * sizeof *starts), single = random_below(&rig->random, count);
    starts[0] = 0;
    for (uint32_t i = 0; i < count; i++)
        starts[i + 1] = starts[i] + (i == single ? 1 : 1 + random_below(&rig->random, length_max));
    return (struct packed){count, starts};
}

struct packed rig_reverse_sessions(struct layer_rig *rig, struct packed sessions)
{
    uint32_t *starts = rig_block(rig, (sessions.count + 1) * sizeof *starts);
    for (uint32_t i = 0; i <= sessions.count; i++)
        starts[i] = packed_rows(sessions) - sessions.starts[sessions.count - i];
    return (struct packed){sessions.count, starts};
}

float *rig_reverse_rows(struct layer_rig *rig, const float *rows, struct packed sessions, uint32_t width)
{
    uint32_t total = packed_rows(sessions);
    float *reversed = rig_block(rig, (size_t)total * width * sizeof *reversed);
    for (uint32_t i = 0; i < sessions.count; i++) {
        uint32_t first = sessions.starts[i], end = sessions.starts[i + 1];
        memcpy(reversed + (size_t)(total - end) * width, rows + (size_t)first * width,
               (size_t)(end - first) * width * sizeof *reversed);
    }
    return reversed;
}

void assert_close(const float *values, const double *wanted, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!(fabs((double)values[i] - wanted[i]) <= 2e-5 * fmax(1, fabs(wanted[i]))))
            fail_msg("place %u of %u: %g instead of %g", i, count, (double)values[i], wanted[i]);
}

void assert_same_floats(const float *values, const float *wanted, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!(fabsf(values[i] - wanted[i]) <= 1e-5f * fmaxf(1, fabsf(wanted[i]))))
            fail_msg("place %u of %u: %g instead of %g", i, count, (double)values[i], (double)wanted[i]);
}

double loss_of(const float *d_y, const double *y, uint32_t count)
{
    double loss = 0;
    for (uint32_t i = 0; i < count; i++)
        loss += (double)d_y[i] * y[i];
    return loss;
}

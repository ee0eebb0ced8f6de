// SPDX-License-Identifier: Apache-2.0
#include "core/candidates/popularity.h"

#include "core/candidates/power.h"

#include <stdlib.h>

#define HALF_LIVES_MAX 32.0

void popularity_open(struct popularity *popularity, const struct learned_options *options)
{
    *popularity = (struct popularity){.half_life_ms = options->popularity_half_life_ms};
}

void popularity_release(struct popularity *popularity)
{
    free(popularity->values);
    free(popularity->ranks);
    *popularity = (struct popularity){0};
}

size_t popularity_memory(const struct popularity *popularity)
{
    return popularity->entry_capacity * (sizeof *popularity->values + sizeof *popularity->ranks);
}

struct status popularity_reserve_entries(struct popularity *popularity, uint32_t entry_count)
{
    if (entry_count > popularity->entry_capacity) {
        uint32_t capacity = popularity->entry_capacity ? popularity->entry_capacity : 1024;
        while (capacity < entry_count)
            capacity *= 2;
        float *values = realloc(popularity->values, capacity * sizeof *values);
        if (!values)
            return FAIL(MEMORY, capacity, "no memory for popularity");
        popularity->values = values;
        uint16_t *ranks = realloc(popularity->ranks, capacity * sizeof *ranks);
        if (!ranks)
            return FAIL(MEMORY, capacity, "no memory for popularity");
        popularity->ranks = ranks;
        popularity->entry_capacity = capacity;
    }
    for (; popularity->entry_count < entry_count; popularity->entry_count++) {
        popularity->values[popularity->entry_count] = 0;
        popularity->ranks[popularity->entry_count] = POPULARITY_TOP;
    }
    return OK;
}

/* Moves all values to the base `time_ms`. */
static void rebase(struct popularity *popularity, int64_t time_ms, double half_lives)
{
    float factor = power_exp2(-(float)half_lives);
    for (uint32_t i = 0; i < popularity->entry_count; i++)
        popularity->values[i] *= factor;
    popularity->total *= (double)factor;
    popularity->base_ms = time_ms;
}

/* Restores the order of the top list after the entry's value has grown. */
static void move_up(struct popularity *popularity, uint32_t entry)
{
    uint32_t *top = popularity->top;
    float value = popularity->values[entry];
    uint32_t rank = popularity->ranks[entry];
    if (rank == POPULARITY_TOP) {
        if (popularity->top_count < POPULARITY_TOP) {
            rank = popularity->top_count++;
        } else {
            rank = POPULARITY_TOP - 1;
            if (popularity->values[top[rank]] >= value)
                return;
            popularity->ranks[top[rank]] = POPULARITY_TOP;
        }
    }
    for (; rank && popularity->values[top[rank - 1]] < value; rank--) {
        top[rank] = top[rank - 1];
        popularity->ranks[top[rank]] = (uint16_t)rank;
    }
    top[rank] = entry;
    popularity->ranks[entry] = (uint16_t)rank;
}

void popularity_add(struct popularity *popularity, uint32_t entry, float weight, int64_t time_ms)
{
    if (!popularity->started) {
        popularity->started = true;
        popularity->base_ms = time_ms;
    }
    double half_lives = ((double)time_ms - (double)popularity->base_ms) / (double)popularity->half_life_ms;
    if (half_lives > HALF_LIVES_MAX) {
        rebase(popularity, time_ms, half_lives);
        half_lives = 0;
    }
    float value = weight * power_exp2((float)half_lives);
    popularity->values[entry] += value;
    popularity->total += (double)value;
    move_up(popularity, entry);
}

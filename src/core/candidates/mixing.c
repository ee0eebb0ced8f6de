// SPDX-License-Identifier: Apache-2.0
#include "core/candidates/mixing.h"

#include "core/candidates/power.h"

#include <assert.h>
#include <math.h>

#define RATE         0.7f
#define UPDATES_FREE 25 /* clicks' worth of trust in the start */
#define RATE_LEAST   0.002f
#define SHARE        0.0005f
#define SHIFT_RATE   0.5f
#define SHIFT_MAX    4.0f
#define REPEAT_MAX   0.98f /* the session's items together */
#define REPEAT_LEAST 1e-6f /* below it there is nothing to shift */
#define LOG2_E       1.44269504f

bool mixing_normalise(struct mixing *mixing, uint32_t *ret_cell)
{
    for (uint32_t cell = 0; cell < MIX_CELLS; cell++) {
        float sum = 0;
        for (uint32_t s = 0; s < MIX_SCORERS; s++)
            sum += mixing->weights[s][cell];
        if (!(sum > 0)) {
            *ret_cell = cell;
            return false;
        }
        if (sum > 0.9999f && sum < 1.0001f) /* they are; dividing again would move their last digits */
            continue;
        for (uint32_t s = 0; s < MIX_SCORERS; s++)
            mixing->weights[s][cell] /= sum;
    }
    return true;
}

/* What Soft-Bayes came to on the validation days of two public clickstreams, averaged (bench/README.md); texts had no
 * part in that, and stand beside with what was good on two others. */
struct mixing mixing_default(void)
{
    struct mixing mixing =
        {
            .weights =
                {
                    [MIX_KNN] = {0.05f, 0.12f, 0.25f, 0.11f, 0.16f, 0.26f, 0.09f, 0.19f, 0.29f, 0.15f, 0.27f, 0.33f},
                    [MIX_TRANSITION] = {0.05f, 0.09f, 0.09f, 0.08f, 0.07f, 0.1f, 0.04f, 0.08f, 0.13f, 0.06f, 0.08f,
                                        0.08f},
                    [MIX_WALK] = {0.4f, 0.32f, 0.28f, 0.24f, 0.2f, 0.18f, 0.26f, 0.21f, 0.17f, 0.23f, 0.15f, 0.17f},
                    [MIX_NEURAL] = {0.4f, 0.35f, 0.28f, 0.53f, 0.51f, 0.33f, 0.55f, 0.45f, 0.34f, 0.52f, 0.44f, 0.32f},
                    [MIX_POPULAR] = {0.1f, 0.12f, 0.1f, 0.04f, 0.06f, 0.13f, 0.06f, 0.07f, 0.07f, 0.04f, 0.06f, 0.1f},
                    [MIX_SEMANTIC] = {0.05f, 0.05f, 0.05f,
                                      0.05f, 0.05f, 0.05f, 0.05f, 0.05f, 0.05f, 0.05f, 0.05f, 0.05f},
                    [MIX_AGENT] = {0.05f, 0.05f, 0.05f, 0.05f, 0.05f, 0.05f, 0.05f, 0.05f, 0.05f, 0.05f, 0.05f, 0.05f},
                },
        };
    uint32_t cell;
    bool sound = mixing_normalise(&mixing, &cell);
    assert(sound);
    return mixing;
}

void mixer_open(struct mixer *mixer, const struct mixing *start)
{
    *mixer = (struct mixer){.now = *start};
}

bool mixer_is_sound(const struct mixer *mixer)
{
    for (uint32_t cell = 0; cell < MIX_CELLS; cell++) {
        float sum = 0, shift = mixer->now.repeat_shifts[cell];
        for (uint32_t s = 0; s < MIX_SCORERS; s++)
            sum += mixer->now.weights[s][cell];
        if (!(sum > 0.5f && sum < 2 && shift >= -SHIFT_MAX && shift <= SHIFT_MAX))
            return false;
    }
    return true;
}

uint32_t mix_cell_of(uint32_t distinct_items, float sessions_log2)
{
    uint32_t length = distinct_items <= 2 ? distinct_items - 1 : distinct_items <= 4 ? 2 : 3;
    uint32_t support = sessions_log2 < 4 ? 0 : sessions_log2 < 7 ? 1 : 2;
    return length * SUPPORT_BUCKETS + support;
}

void mixer_weights(const struct mixer *mixer, uint32_t cell, const bool awake[MIX_SCORERS],
                   float ret_weights[MIX_SCORERS])
{
    const float(*weights)[MIX_CELLS] = mixer->now.weights;
    float sum = 0;
    for (uint32_t s = 0; s < MIX_SCORERS; s++)
        sum += awake[s] ? weights[s][cell] : 0;
    for (uint32_t s = 0; s < MIX_SCORERS; s++)
        ret_weights[s] = awake[s] && sum > 0 ? weights[s][cell] / sum : 0;
}

static float logistic(float z)
{
    return 1 / (1 + power_exp2(-z * LOG2_E));
}

float mixer_repeats(const struct mixer *mixer, uint32_t cell, float repeats)
{
    if (repeats < REPEAT_LEAST)
        return 0;
    repeats = repeats < REPEAT_MAX ? repeats : REPEAT_MAX;
    float odds = power_log2(repeats / (1 - repeats)) / LOG2_E;
    float shifted = logistic(odds + mixer->now.repeat_shifts[cell]);
    return shifted < REPEAT_MAX ? shifted : REPEAT_MAX;
}

/* The derivative of the loss -log P by the shift is repeats - 1 for a repeat, and repeats for a new item. */
static void learn_shift(struct mixer *mixer, uint32_t cell, float repeats, bool repeated)
{
    float *shift = &mixer->now.repeat_shifts[cell];
    float *squares = &mixer->repeat_squares[cell];
    float gradient = repeats - (repeated ? 1 : 0);
    if (repeats < REPEAT_LEAST)
        return;
    *squares += gradient * gradient;
    *shift -= SHIFT_RATE * gradient / sqrtf(1 + *squares);
    *shift = *shift > SHIFT_MAX ? SHIFT_MAX : *shift < -SHIFT_MAX ? -SHIFT_MAX : *shift;
}

static void learn_weights(struct mixer *mixer, const struct mixing *start, uint32_t cell, const bool awake[MIX_SCORERS],
                          const float *probabilities)
{
    float(*weights)[MIX_CELLS] = mixer->now.weights, part = 0, mixed = 0;
    for (uint32_t s = 0; s < MIX_SCORERS; s++) {
        part += awake[s] ? weights[s][cell] : 0;
        mixed += awake[s] ? weights[s][cell] * probabilities[s] : 0;
    }
    if (!(mixed > 0))
        return;
    float *updates = &mixer->weight_updates[cell], rate = RATE / sqrtf(UPDATES_FREE + *updates);
    *updates += 1;
    rate = rate > RATE_LEAST ? rate : RATE_LEAST;
    for (uint32_t s = 0; s < MIX_SCORERS; s++) {
        if (awake[s]) /* of the part that is awake; what sleeps keeps its weight */
            weights[s][cell] *= 1 - rate + rate * probabilities[s] * part / mixed;
        weights[s][cell] += SHARE * (start->weights[s][cell] - weights[s][cell]);
    }
}

void mixer_learn(struct mixer *mixer, const struct mixing *start, uint32_t cell, float repeats,
                 const bool awake[MIX_SCORERS], const float *probabilities)
{
    learn_shift(mixer, cell, repeats, !probabilities);
    if (probabilities)
        learn_weights(mixer, start, cell, awake, probabilities);
}

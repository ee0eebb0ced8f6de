// SPDX-License-Identifier: Apache-2.0
#pragma once
/* The mixing weights and what they learn by (include/eddy/core/mixing.h). */
#include <eddy/core/mixing.h>

#include <stdbool.h>

struct mixer {
    struct mixing now;
    float weight_updates[MIX_CELLS];
    float repeat_squares[MIX_CELLS]; /* of the gradients, summed */
};

void mixer_open(struct mixer *mixer, const struct mixing *start);

/* Whether it can have come about by learning. */
bool mixer_is_sound(const struct mixer *mixer);

/* sessions_log2: of how many sessions have the last item; 0: none or one. */
uint32_t mix_cell_of(uint32_t distinct_items, float sessions_log2);

/* The weights of the scorers that have something to say: they sum to 1, or are all 0. */
void mixer_weights(const struct mixer *mixer, uint32_t cell, const bool awake[MIX_SCORERS],
                   float ret_weights[MIX_SCORERS]);
/* What the repeats are in all, 0 .. <1, after the shift of the cell. */
float mixer_repeats(const struct mixer *mixer, uint32_t cell, float repeats);

/* A click followed. repeats: what mixer_repeats() gave; probabilities: of a new item that was clicked, by scorer, NULL
 * when it was one of the session's. */
void mixer_learn(struct mixer *mixer, const struct mixing *start, uint32_t cell, float repeats,
                 const bool awake[MIX_SCORERS], const float *probabilities);

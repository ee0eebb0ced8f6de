// SPDX-License-Identifier: Apache-2.0
#pragma once
/* mixing: how much each scorer's word counts, learned from the clicks that followed.
 *
 *   P(i) = repeat(i)                                        for items of the session
 *   P(i) = (1 - sum of repeats) * sum over s of w_s P_s(i)  for new items, each P_s a distribution over these
 *
 * The weights stand in a cell of their own for each length of session (distinct items) and support of its last item
 * (how many of the sessions held have it). A scorer that has nothing to say leaves its weight to the others. After a
 * new item was clicked its cell's weights move by Soft-Bayes (Orseau, Lattimore & Legg 2017, "Soft-Bayes: Prod for
 * Mixtures of Experts with Log-Loss"),
 *   w_s <- w_s (1 - r + r P_s(i) / sum over s of w_s P_s(i)),  r = rate / sqrt(updates), not below a least
 * whose loss stays within O(sqrt(T N log N)) of the best fixed weights', and drift back to the start a little, so
 * that none is lost for good (Herbster & Warmuth 1998). What the repeats are in all is shifted in the logit, by
 * Adagrad on the same loss (Duchi et al. 2011). */
#include <stdbool.h>
#include <stdint.h>

enum mix_scorer { MIX_KNN, MIX_TRANSITION, MIX_WALK, MIX_NEURAL, MIX_POPULAR, MIX_SEMANTIC, MIX_AGENT, MIX_SCORERS };

#define LENGTH_BUCKETS  4 /* distinct items in the session: 1, 2, 3..4, 5 and more */
#define SUPPORT_BUCKETS 3 /* sessions that have its last item: up to 15, up to 127, more */
#define MIX_CELLS       (LENGTH_BUCKETS * SUPPORT_BUCKETS) /* length * SUPPORT_BUCKETS + support */

struct mixing {
    float weights[MIX_SCORERS][MIX_CELLS]; /* >= 0, those of a cell sum to 1 */
    float repeat_shifts[MIX_CELLS];
};

struct mixing mixing_default(void);

/* Makes the weights of each cell parts of 1; false, *ret_cell having no weight, when that cannot be. */
bool mixing_normalise(struct mixing *mixing, uint32_t *ret_cell);

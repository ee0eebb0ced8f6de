// SPDX-License-Identifier: Apache-2.0
#pragma once
/* top_items: the best of all items for some sessions, and what they weigh among all (softmax), in one pass over the
 * tiles:
 *
 *   tile x digits --products--> sums --> scores --above the session's floor?--> found --bounds--> vector_dot --> list
 *                                          |                                     |                   |
 *                                          +--> e^score, added up <--------------+<------------------+
 *
 * The floor is what an item must score in low precision to have any chance of a place on the list, by the proved bound
 * of tiles.h: lists are those of vector_dot over all items, equals by row, whatever the CPU and whoever else is asked
 * about in the same pass. What is found is kept with its bounds, and is scored in float32 only at the end, when they
 * have ruled out most of it: reading the rows costs more than all else about them. (When bounds do not rule out enough,
 * it is scored in between.)
 *
 * Only the denominator takes items far from the list at low precision. A term of it is then off by
 * e^(sharpness bound) - 1 of its size at most, some 10 % for cosines of width 100 over a temperature of 0.07, and by
 * what scores.h adds; as rows are rounded independently of each other, the terms' errors all but cancel, and the sum is
 * off by less than 0.1 % (bench_scoring measures it).
 *
 * It is used however few items there are. In batches, below some thousand of them, one product of matrices would be up
 * to 2 us a click faster, and would give other bits on other CPUs. */
#include "core/model/tiles.h"

#include <eddy/base/arena.h>
#include <eddy/core/scorer.h>

struct catalogue_rows {
    const struct tiles *tiles;
    const float *rows; /* (all rows, stride) what the tiles were made of */
    const struct product_kernel *kernel;
    float sharpness; /* > 0: probabilities are a softmax over sharpness x score */
};

struct ranked_sessions {
    uint32_t count;
    const float *vectors;      /* (count, stride) */
    struct scored_item *lists; /* (capacity) each; session i's is the which[i]-th */
    const uint32_t *which;
    uint32_t capacity; /* >= 1 */
};

/* The lists: rows and probabilities, best first; all of length min(capacity, rows in tiles). No value of a row or
 * vector and no product of two norms may be above 1e30. *ret_settled: how many items were scored in float32. MEMORY. */
MUST_CHECK struct status top_items_make(const struct catalogue_rows *catalogue, const struct ranked_sessions *sessions,
                                        struct arena *arena, uint64_t *ret_settled);

// SPDX-License-Identifier: Apache-2.0
#pragma once
/* neural: a trained model at work on a catalogue: the best of all items for each of some sessions, with probabilities
 * (a softmax over the scores of all items that may be listed).
 *
 * Items are scored in 8 bits first, and in float32 where the proved error leaves them a chance of a place: a list is
 * that of float32 scores added up in the project's own order (vector_dot). For one and the same vector of a session,
 * neither the CPU nor the sessions that are asked about beside it change a bit of the list. Whether the vector is the
 * same is the backbone's affair; PW-CORE's is. Probabilities are float32's to three digits (core/model/top_items.h).
 *
 * With very many items even that takes longer than an answer may. Then those alone are scored, in float32, that other
 * scorers propose (neural_among()): the cost follows from the session, and new items wait for another scorer to find
 * them.
 *
 * Rows of the model and numbers of the catalogue are translated both ways. What does not change is shared; each thread
 * brings an arena. */
#include <eddy/base/arena.h>
#include <eddy/core/model.h>
#include <eddy/core/scorer.h>

struct neural;

/* numbers: (items of the model) the catalogue's number of each row, below `number_count`; ITEM_NONE: is never listed
 * and never in a session. The model is borrowed, the numbers are copied. MEMORY. */
MUST_CHECK struct status neural_open(const struct model *model, const uint32_t *numbers, uint32_t number_count,
                                     struct neural **ret_neural);
void neural_close(struct neural *neural);

/* Items that may be listed. */
uint32_t neural_listed(const struct neural *neural);

/* Sessions one behind the other: session i's clicks are items[starts[i]] .. items[starts[i + 1] - 1], numbers of the
 * catalogue, oldest first. */
struct neural_sessions {
    uint32_t count;
    const uint32_t *starts; /* (count + 1) */
    const uint32_t *items;
};

/* lists: (count, capacity) best first, equals by row; lengths: (count) how many of them there are: 0 for a session of
 * which the model knows no item. Sessions are best asked about 8 to 64 at a time. Works in `arena`: what the backbone
 * needs, some 70 KiB, and for each of up to 64 sessions 3 KiB and 40 bytes a place of its list; however many items
 * there are. MEMORY. */
MUST_CHECK struct status neural_lists(const struct neural *neural, const struct neural_sessions *sessions,
                                      struct arena *arena, struct scored_item *lists, uint32_t capacity,
                                      uint32_t *lengths);

/* The sessions' vectors in one go, in `arena`: vectors (count), each for neural_among(); NULL for a session of which
 * the model knows no item. MEMORY. */
MUST_CHECK struct status neural_vectors(const struct neural *neural, const struct neural_sessions *sessions,
                                        struct arena *arena, const float **vectors);

/* items: (count) catalogue numbers, each once; probabilities: (count) that the session goes on with the item, given
 * that it goes on with one of these: a softmax over their float32 scores. 0 for an item that the model does not list.
 * They are those among all items, divided by their sum; what is in a list of neural_lists() has the same order in both.
 */
void neural_among(const struct neural *neural, const float *vector, const uint32_t *items, uint32_t count,
                  float *probabilities);

struct neural_options {
    uint32_t candidates_max; /* > 0: so many of its best items go into the fusion */
    uint32_t full_items;     /* with more items that may be listed only candidates are scored */
};

/* Asks about `count` sessions in one product: sets named[NAMER_NEURAL] of each query to its best `candidates_max`
 * items; or its vector, where these would be too many to choose from: what is scored depends on the model's size alone,
 * not on how long anything takes. All of it lives in `arena`, as does what it works with. MEMORY. */
MUST_CHECK struct status neural_ask(const struct neural *neural, struct query *queries, uint32_t count,
                                    const struct neural_options *options, struct arena *arena);

// SPDX-License-Identifier: Apache-2.0
#pragma once
/* Inside the learner: learner.c what it does, mix.c what it teaches of mixing, snapshot.c the same as bytes. */
#include <eddy/core/learner.h>

#define SIZE_CLASSES 24 /* blocks of 256 B << class */

/* What orders sessions, all partitions together. */
struct place {
    int64_t close_ms;
    struct session_origin origin;
};

/* A session copied into one block of memory: the arrays and bytes of `session` point behind the struct. */
struct pending {
    struct place place;
    struct closed_session session;
    unsigned size_class;
    struct pending *next_free;
    uint32_t asked;      /* clicks after which it is asked what comes next; 0: it is not */
    struct named neural; /* what the session model says then; only while sessions are being learned */
    struct session_vector vector;
};

struct learner {
    struct learner_options options;
    struct learned *learned;
    struct pending **heap; /* binary min-heap by place */
    uint32_t count, capacity;
    struct pending *free_blocks[SIZE_CLASSES];
    struct place *marks; /* per partition, the last offered; close_ms == INT64_MIN: none */
    uint32_t mark_count;
    struct place learned_last;
    struct learner_counts counts;
    struct scoring_scratch *scratch;
    const struct neural *neural;
    int64_t trained_to_ms;
    struct arena arena; /* what the session model says of the sessions being learned */
};

/* The order in which sessions are learned. */
int learner_compare(const struct place *a, const struct place *b);
/* After which click the session is asked what comes next, 0: not at all. Follows from the place alone. */
void learner_unsay(struct pending *pending);
uint32_t learner_asked(const struct learner *learner, const struct place *place, uint32_t length);
#define LEARNER_SLICE 512 /* sessions that the session model is asked about before the first of them is learned */

/* Asks the session model, in few products, about the first LEARNER_SLICE sessions that are due: *ret_count of them are
 * to be learned next. */
MUST_CHECK struct status learner_ask_model(struct learner *learner, int64_t due_ms, uint32_t *ret_count);
/* Teaches how to mix by a session that is about to be learned. */
MUST_CHECK struct status learner_mix(struct learner *learner, const struct pending *pending);
/* Room for the partition's mark. BAD_INPUT, MEMORY. */
MUST_CHECK struct status learner_reserve_marks(struct learner *learner, int32_t partition);

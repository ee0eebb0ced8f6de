// SPDX-License-Identifier: Apache-2.0
#pragma once
/* Inside the learner: learner.c what it does, snapshot.c the same as bytes. */
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
};

/* The order in which sessions are learned. */
int learner_compare(const struct place *a, const struct place *b);
/* Room for the partition's mark. BAD_INPUT, MEMORY. */
MUST_CHECK struct status learner_reserve_marks(struct learner *learner, int32_t partition);

// SPDX-License-Identifier: Apache-2.0
#pragma once
/* history: what should have come of a clicks topic, and what came of it, as facts.
 *
 *   clicks --model--> expected      topics, stores --decoders--> found      compared by history_judge() */
#include "app/config.h"
#include "chaos/dump.h"
#include "chaos/facts.h"

enum story {
    STORY_RECOMMENDATIONS, /* (partition, offset, revision) of the click, and what the answer says of it */
    STORY_SESSIONS,        /* closed: (partition, close_offset, close_sequence) */
    STORY_LATE,            /* as received */
    STORY_DEAD,
    STORY_OPEN,      /* stored sessions */
    STORY_POSITIONS, /* stored positions */
    STORY_COUNT
};

struct history {
    struct facts told[STORY_COUNT];
    /* The same records as bytes, to be compared with those of another run; of a model there are none. */
    struct facts bytes[STORY_COUNT];
    size_t clicks, duplicates, cut, longest; /* of a model */
};

void history_release(struct history *history);

/* What is to come of the clicks. */
MUST_CHECK struct status history_expect(const struct config *config, const struct dump *clicks, struct history *history,
                                        struct complaint *complaint);

/* The records of an output topic. */
MUST_CHECK struct status history_read(const struct config *config, enum story story, const struct dump *dump,
                                      struct history *history, struct complaint *complaint);

/* The stores in these state directories; of each partition the one that has come farthest. */
MUST_CHECK struct status history_read_stores(const struct config *config, const char *const *directories, size_t count,
                                             int32_t partitions, struct history *history, struct complaint *complaint);

/* Writes a report; true when all that was found is what was expected. `calm` is another run's history over the same
 * clicks, or NULL. */
bool history_judge(struct history *expected, struct history *found, struct history *calm, FILE *out);

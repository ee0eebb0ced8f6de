// SPDX-License-Identifier: Apache-2.0
#pragma once
/* recorded_intents: files of recorded answers (core/recorded.h), JSON Lines, plain or compressed. */
#include "app/log_reading.h"

#include <eddy/base/arena.h>
#include <eddy/base/interner.h>
#include <eddy/core/recorded.h>

struct recorded_intent {
    uint32_t session; /* number of its id in the interner */
    uint32_t position;
    uint64_t line; /* of the file */
    struct answered_session answer;
};

struct recorded_intents {
    struct recorded_intent *intents; /* by session and position, each once */
    size_t count;
    size_t strangers; /* about sessions that the interner does not have */
    struct arena arena;
};

/* The whole file is read at once. A broken line, or one about a prefix that an earlier line is about, is skipped and
 * shown as broken clicks are. What file_read() fails with, and with `strict` BAD_INPUT. {0} may be released. */
MUST_CHECK struct status recorded_intents_read(const char *path, const struct interner *session_ids,
                                               struct log_reading *reading, struct recorded_intents *ret_intents,
                                               struct complaint *complaint);
void recorded_intents_release(struct recorded_intents *intents);

/* NULL: there is none. */
const struct recorded_intent *recorded_intents_find(const struct recorded_intents *intents, uint32_t session,
                                                    uint32_t position);

/* Gives every prefix the answer about another one of its side, 1 or more; those of side 0 keep theirs, as does one that
 * is alone on its side. The control of whether it is what they say that counts. sides: (count). MEMORY. */
MUST_CHECK struct status recorded_intents_shuffle(struct recorded_intents *intents, const uint8_t *sides,
                                                  uint64_t seed);

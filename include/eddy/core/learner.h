// SPDX-License-Identifier: Apache-2.0
#pragma once
/* learner: decides when a closed session enters the learned state, by stream time and never by when a thread got
 * to it, so that a replay of the log learns at the same clicks (docs/adr/0003).
 *
 *   own tasks' closed sessions  --+
 *   the `sessions` topic          +-> learner_offer -> [pending, by (close_ms, partition, offset, sequence)]
 *                                                          | learner_advance(time)
 *                                                          v
 *                                            [fuse_learn] -> learned_learn
 *
 * A session is known by (source partition, close_ms, offset, sequence), which rises along a partition; what is at or
 * below a partition's mark has been offered before (the topic repeats what the own task offered directly) and is
 * dropped. learner_advance(t) learns every pending session with close_ms + delay_ms <= t, in order. One that arrives
 * after a later one was learned is learned at the next advance and counted. Pending sessions are copied and bounded
 * (`pending_max`; beyond it the earliest are learned at once). Needs the writer lock. */
#include <eddy/core/fusion.h>
#include <eddy/core/neural.h>

struct learner_options {
    int64_t delay_ms;
    uint32_t pending_max;
    /* One click in so many also teaches how to mix (fuse_learn()), before its session is learned; 0: none. Which one
     * follows from the session's identity. */
    uint32_t mix_every;
    struct fusion_options fusion; /* how it is asked then */
    struct neural_options neural;
};

struct session_origin { /* which log position closed a session */
    int32_t partition;
    int64_t offset;    /* of the click (or of the last click before the watermark step) that closed it */
    uint32_t sequence; /* 0, 1, ... among those closed there */
};

struct learner;

MUST_CHECK struct status learner_open(const struct learner_options *options, struct learned *learned,
                                      struct learner **ret_learner);
void learner_close(struct learner *learner);

/* The session model whose word is judged from now on, NULL: none. Of sessions that ended up to trained_to_ms it knows
 * too much to be judged by, so nothing is learned of mixing from these. It must outlive its use here. */
void learner_set_model(struct learner *learner, const struct neural *neural, int64_t trained_to_ms);

/* *ret_fresh (may be NULL) says whether the session was taken (false: seen before). */
MUST_CHECK struct status learner_offer(struct learner *learner, const struct closed_session *session,
                                       struct session_origin origin, bool *ret_fresh);
MUST_CHECK struct status learner_advance(struct learner *learner, int64_t time_ms);
/* Learns all that is pending. */
MUST_CHECK struct status learner_drain(struct learner *learner);

/* What is pending, and what was offered and learned last, as bytes; goes with the learned state as it is now. */
void learner_encode(const struct learner *learner, const struct catalogue *catalogue, struct buffer *out);
/* Back into a learner that was just opened, interning items. CORRUPT, NEWER, LIMIT when the catalogue is full, MEMORY:
 * the learner is then to be closed. Survives any bytes. */
MUST_CHECK struct status learner_restore(struct bytes snapshot, struct catalogue *catalogue, struct learner *learner);

struct learner_counts {
    uint64_t learned, late, repeated;
    uint64_t early; /* of those learned: before their time, at pending_max */
    uint32_t pending;
};
struct learner_counts learner_counts(const struct learner *learner);

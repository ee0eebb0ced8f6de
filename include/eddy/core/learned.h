// SPDX-License-Identifier: Apache-2.0
#pragma once
/* learned: what a process has learned from closed sessions, incrementally and within bounds. Everything that the
 * retrieval scorers read is here:
 *   index       the newest `sessions_max` sessions and, per item, its newest `postings_max` sessions (VMIS-kNN:
 *               Kersbergen, Sprangers, Schelter, "Serenade", SIGMOD 2022; VS-kNN/VSTAN: Ludewig & Jannach)
 *   transitions per item, weighted rules to the items near it in sessions, both ways (sequential rules: Ludewig &
 *               Jannach, UMUAI 2018), the weakest forgotten at `successors_max`
 *   popularity  per item, with exponential decay in event time
 *   repeats     how often the next click is the current or an earlier item of the session
 *   mixing      how much each scorer's word counts (mixing.h); fuse_learn() teaches it
 *
 * learned_learn() is a function of the sequence of sessions and nothing else: same sequence, same state, same
 * answers, bit for bit. Items get numbers of their own in the order in which they are first learned, so that not even
 * ties depend on how the catalogue was filled. One writer; readers share it const under the process's reader-writer
 * lock.
 *
 * Memory, about: 12 bytes a session and 4 a click kept, 6 a posting, 16 a rule, 75 an item; grows by doubling up to
 * what the options bound. Nothing is allocated once the bounds are reached and every item's lists are at theirs. */
#include <eddy/base/buffer.h>
#include <eddy/core/catalogue.h>
#include <eddy/core/mixing.h>
#include <eddy/core/session.h>

#define LEARNED_SESSION_ITEMS_MAX 255
#define LEARNED_SESSIONS_MAX      (1u << 30)
#define LEARNED_POSTINGS_MAX      65536
#define LEARNED_SUCCESSORS_MAX    1024
#define LEARNED_ITEMS_MAX         ((1u << 29) - 1) /* different items; a catalogue with no more never meets it */

struct learned_options {
    uint32_t sessions_max;      /* sessions kept in the index, 1..LEARNED_SESSIONS_MAX; the oldest leave */
    uint32_t postings_max;      /* newest sessions kept per item, 1..LEARNED_POSTINGS_MAX */
    uint32_t session_items_max; /* last clicks of a closed session that are learned, 2..LEARNED_SESSION_ITEMS_MAX */
    uint32_t successors_max;    /* rules kept per item, 8..LEARNED_SUCCESSORS_MAX */
    float forward_decay;        /* a rule d clicks ahead weighs exp(-(d - 1) / forward_decay); > 0 */
    float backward_decay;       /* the same for d clicks back */
    float rules_decay_sessions; /* rules fade with exp(-sessions learned since / this); 0: never */
    int64_t popularity_half_life_ms;
    float type_weights[CLICK_TYPE_COUNT]; /* view, click, add_to_cart, purchase: how much a click of that type counts */
    struct mixing mixing;                 /* to begin with */
};

struct learned_options learned_options_default(void);

struct learned;

/* CONFIG when an option is out of its bounds. */
MUST_CHECK struct status learned_open(const struct learned_options *options, struct learned **ret_learned);
void learned_close(struct learned *learned);

/* Learns one closed session; items are catalogue numbers. Sessions with fewer than two clicks teach popularity only.
 * MEMORY leaves the state as it was. */
MUST_CHECK struct status learned_learn(struct learned *learned, const struct closed_session *session);

uint64_t learned_count(const struct learned *learned); /* sessions ever learned */
uint32_t learned_index_sessions(const struct learned *learned);
uint64_t learned_forgotten(const struct learned *learned); /* sessions that left the index at sessions_max */
uint32_t learned_items(const struct learned *learned);     /* items met in learned sessions */
size_t learned_memory(const struct learned *learned);
/* Of that, what the kNN scorer alone reads: sessions, postings and counts. */
size_t learned_index_memory(const struct learned *learned);

/* The weights as they stand, and back to those to begin with. */
const struct mixing *learned_mixing(const struct learned *learned);
void learned_reset_mixing(struct learned *learned);

/* A short hash of the order and content of all that was learned (for the record's learned_version). */
uint64_t learned_version(const struct learned *learned);

/* The whole state as bytes, and back: version, options that shape it, item ids as text, XXH3 checksum at the end. A
 * restored state is the one that was saved, bit for bit: it gives the same answers and learns on in the same way.
 * About as large as learned_memory(): give `out` a limit that allows it. */
void learned_encode(const struct learned *learned, const struct catalogue *catalogue, struct buffer *out);
/* Opens a new state, interning the items. CORRUPT when the bytes are not a whole snapshot, NEWER when of a later
 * version, CONFIG when it was made with other options; MEMORY, or LIMIT when the catalogue is full. Survives any
 * bytes; on failure items may have been interned. */
MUST_CHECK struct status learned_restore(struct bytes snapshot, const struct learned_options *options,
                                         struct catalogue *catalogue, struct learned **ret_learned);

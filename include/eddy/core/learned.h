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
 *
 * learned_learn() is a function of the sequence of sessions and nothing else: same sequence, same state, same
 * answers, bit for bit. One writer; readers share it const under the process's reader-writer lock. */
#include <eddy/base/buffer.h>
#include <eddy/core/catalogue.h>
#include <eddy/core/session.h>

struct learned_options {
    uint32_t sessions_max;      /* sessions kept in the index; the oldest leave */
    uint32_t postings_max;      /* newest sessions kept per item */
    uint32_t session_items_max; /* last items of a closed session that are learned */
    uint32_t successors_max;    /* rules kept per item */
    int64_t popularity_half_life_ms;
    float type_weights[CLICK_TYPE_COUNT]; /* view, click, add_to_cart, purchase: how much a click of that type counts */
};

struct learned;

MUST_CHECK struct status learned_open(const struct learned_options *options, struct learned **ret_learned);
void learned_close(struct learned *learned);

/* Learns one closed session; items are catalogue numbers. Sessions with fewer than two clicks teach popularity only.
 * MEMORY leaves the state as it was. */
MUST_CHECK struct status learned_learn(struct learned *learned, const struct closed_session *session);

uint64_t learned_count(const struct learned *learned); /* sessions ever learned */
uint32_t learned_index_sessions(const struct learned *learned);
size_t learned_memory(const struct learned *learned);

/* A short hash of the order and content of all that was learned (for the record's learned_version). */
uint64_t learned_version(const struct learned *learned);

/* The whole state as bytes, and back: version, options that shape it, item ids as text, XXH3 checksum at the end.
 * learned_restore opens a new state, interning the items; CORRUPT, NEWER, or CONFIG (options differ). */
void learned_encode(const struct learned *learned, const struct catalogue *catalogue, struct buffer *out);
MUST_CHECK struct status learned_restore(struct bytes snapshot, const struct learned_options *options,
                                         struct catalogue *catalogue, struct learned **ret_learned);

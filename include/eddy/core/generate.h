// SPDX-License-Identifier: Apache-2.0
#pragma once
/* generate: a synthetic shop and its clickstream, for load and simulation; with structure that can be learned.
 *
 * Items belong to interests; popularity inside an interest, and of the interests, follows a power law whose ranking
 * moves on by one place every `drift_ms` of event time. `sessions` are open at any time, each with an interest of its
 * own; the next click comes from one of them at random. It is
 *   with repeat_rate   an item of the session's last clicks,
 *   with follow_rate   one of the few items that tend to follow the current one (a Markov chain over items),
 *   otherwise          an item drawn from the interest's popularity, after a new interest with switch_rate.
 * Session lengths follow a power law, 1..length_max. A user who comes back does so an hour or more after the visit
 * before, so that sessions that are kept by user end too. (Two power laws: Kersbergen et al., "ETUDE", ICDE 2024.)
 *
 * Same options, same clicks. No allocation after opening; one thread. Memory: 40 bytes a session, 8 bytes a rank. */
#include <eddy/core/catalogue.h>
#include <eddy/core/click.h>

struct generate_options {
    uint64_t seed;
    uint32_t items;     /* 1 .. 16,777,216 */
    uint32_t interests; /* 1 .. items, at most 65,536; 0: one for every 100 items */
    uint32_t sessions;  /* open at once, 1 .. 16,777,216 */
    uint32_t length_max;
    double item_exponent;   /* 0..4; of rank; 0: all items of an interest alike */
    double length_exponent; /* 0..10 */
    double repeat_rate, follow_rate, switch_rate;
    double user_rate;         /* share of sessions with a user_id */
    int64_t start_ms;         /* event time of the first click */
    double clicks_per_second; /* in event time; 0: so many that a session clicks every 20 s */
    int64_t drift_ms;         /* below 2^32; 0: popularity stays */
};

/* 10,000 items, 1,000 sessions of 1..200 clicks, from 2024-01-01. */
struct generate_options generate_defaults(void);

/* Event time between the first and the last of so many clicks; INT64_MAX when it is longer than that. */
int64_t generate_span_ms(const struct generate_options *options, int64_t clicks);

struct generator;

/* CONFIG with a complaint that names the option out of its range; MEMORY. */
MUST_CHECK struct status generator_open(const struct generate_options *options, struct complaint *complaint,
                                        struct generator **ret_generator);
void generator_close(struct generator *generator);

/* The next click of the endless stream; its bytes live until the next call. */
void generator_next(struct generator *generator, struct click *ret_click);

/* The catalogue entry of item `index`, 0 .. items-1; its bytes live until the next call. */
void generator_item(struct generator *generator, uint32_t index, struct item *ret_item);

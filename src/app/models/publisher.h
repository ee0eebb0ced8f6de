// SPDX-License-Identifier: Apache-2.0
#pragma once
/* model_publisher: makes versions of a session model known on the models topic, and says which one is in use.
 *
 *   open    -> the producer is ours alone: one that was opened before is fenced
 *   read    -> what the topic holds: the current version's manifest says how far it has learned
 *   publish -> chunks, manifest, tombstones of what is not kept, `current`: one transaction
 *   point   -> `current` or `pinned` to a version that is there, or away from it: one transaction
 *
 * A version is seen whole or not at all; a process that dies meanwhile leaves all as it was. A slot of the ring of
 * models.keep + 1 is chosen that holds neither the current nor the pinned version. Beyond the model itself two chunks
 * and the producer's queue are in memory. On the embedded broker, whose transactions are a stub, records are seen as
 * they come and nobody is fenced; readers tell what is not whole by its hash.
 *
 * FENCED: another publisher has taken over, by a command of a person perhaps; this one is only good for closing. After
 * other failures the next call tries with a new producer. One thread. */
#include "app/config.h"
#include "app/models/topic.h"

struct model_publisher;

/* Creates nothing: the topic must be there. NOT_FOUND, CONFIG: it is not, or has more than one partition; UNAVAILABLE;
 * IO: not allowed. `config` and `kafka` are borrowed, and `stop`: once it is true nothing is waited for any more, here
 * and in all that follows: INTERRUPTED. What was being published is then there or not, whole in any case. NULL: never.
 */
MUST_CHECK struct status model_publisher_open(const struct config *config, const struct kafka_options *kafka,
                                              const _Atomic bool *stop, struct model_publisher **ret_publisher,
                                              struct complaint *complaint);
void model_publisher_close(struct model_publisher *publisher);

/* Brings the directory up to the topic's present end; publish and point do so themselves. UNAVAILABLE, MEMORY. */
MUST_CHECK struct status model_publisher_read(struct model_publisher *publisher, struct complaint *complaint);
const struct model_directory *model_publisher_directory(const struct model_publisher *publisher);
/* The model of a version that is there, to go on learning from. As models_topic_fetch() and model_assembly_model(). */
MUST_CHECK struct status model_publisher_fetch(struct model_publisher *publisher, const struct model_manifest *manifest,
                                               struct model_file *ret_file, struct complaint *complaint);

/* What is published; all borrowed for the call. */
struct model_publication {
    const struct model *model;
    struct model_items items; /* the ids of its rows */
    int64_t created_ms;
    const struct sessions_read *sessions; /* in the order of partitions; how far it has learned */
    uint32_t session_count;
    struct model_gate gate;
    struct model_training training;
    const char *note; /* "": none; cut at MODEL_TEXT_MAX */
};

/* The new version is then in the directory, as its current one, unless the brokers do not show it for some seconds.
 * LIMIT: it is larger than models.size_max_bytes, or no slot is free; FENCED; IO, UNAVAILABLE: it is not published. */
MUST_CHECK struct status model_publisher_publish(struct model_publisher *publisher,
                                                 const struct model_publication *publication,
                                                 struct complaint *complaint);
/* MODEL_KEY_CURRENT or MODEL_KEY_PINNED to a version; 0 takes the pointer away. NOT_FOUND: the version is not there, or
 * not whole; otherwise as above. */
MUST_CHECK struct status model_publisher_point(struct model_publisher *publisher, enum model_key_kind pointer,
                                               int64_t version, struct complaint *complaint);

// SPDX-License-Identifier: Apache-2.0
#pragma once
/* ends: how far partitions were delivered, and whether that is the end that their logs have now.
 *
 *   shard: kafka_ends_reached() --wish--> consumer: kafka_ends_wanted(), asks the leaders, kafka_ends_tell()
 *     ^------------------------------------------------answer-----------------------------------'
 *
 * The shard must not wait for a leader: on its connection the answer stands behind a fetch, for half a second when
 * there is nothing to fetch, and for longer when it is away. */
#include <eddy/base/status.h>

#include <librdkafka/rdkafka.h>
#include <pthread.h>

/* A broker that stood still or was cut off while another became the leader may not know: to it, the log ends where it
 * did then. As a rule it hears of its successor within seconds. One answer is one glimpse: only when a log has seemed
 * to end too early for so long, with no glimpse further from the next than that, is it held to be so. */
#define KAFKA_BEHIND_US   30000000
#define KAFKA_GLIMPSES_US 5000000

struct kafka_end {
    int64_t next;          /* to be delivered. The shard's alone, as the next three */
    int64_t delivered;     /* where its log was last delivered to the end; -1: more came since */
    int64_t behind_us;     /* since when its log seems to end before `next`; 0: it does not ... */
    int64_t glimpse_us;    /* ... and when it last did */
    int64_t asked_back_us; /* when its end was last asked for because of that. The shard's alone */
    int64_t known;         /* under lock: where its log ended already; one that ends before is not the leader's */
    bool wanted;           /* under lock: the leader is to be asked */
    int64_t told;          /* under lock: where it last said that the log ends ... */
    int64_t told_us;       /* ... and when it was asked; 0: never */
    int64_t silent_us;     /* under lock: when it last gave no answer; 0: it did */
};

struct kafka_ends {
    pthread_mutex_t lock; /* for the above, and for changes of the array, which the shard makes */
    struct kafka_end *ends;
    int32_t count;
};

void kafka_ends_open(struct kafka_ends *ends);
void kafka_ends_close(struct kafka_ends *ends);

/* The shard's; for partitions that were begun. `end`: where the log ended already. */
MUST_CHECK struct status kafka_ends_begin(struct kafka_ends *ends, int32_t partition, int64_t offset, int64_t end);
int64_t kafka_ends_next(const struct kafka_ends *ends, int32_t partition);
/* What is there at the next offset, or behind it, is delivered: a record at `offset`; the end of the log there. */
void kafka_ends_pass(struct kafka_ends *ends, int32_t partition, int64_t offset);
void kafka_ends_note(struct kafka_ends *ends, int32_t partition, int64_t offset);
/* True when the end is to be asked for because the next offset was not there: not more than once a second. */
bool kafka_ends_may_ask(struct kafka_ends *ends, int32_t partition, int64_t now_us);
/* A broker says that the log ends before the next offset: what is to be made of it. */
enum kafka_behind { KAFKA_BEHIND_FIRST, KAFKA_BEHIND_STILL, KAFKA_BEHIND_FOR_GOOD };
enum kafka_behind kafka_ends_note_behind(struct kafka_ends *ends, int32_t partition, int64_t now_us);
/* It says that it does not. True when it seemed so before. */
bool kafka_ends_note_ahead(struct kafka_ends *ends, int32_t partition);
/* True when it was, as of an answer not older than some seconds. Asks for another one, for the next time. */
bool kafka_ends_reached(struct kafka_ends *ends, int32_t partition, int64_t now_us);

/* The consumer's. Adds the partitions that are asked for to the list, but for those whose leader gave no answer a short
 * while ago. */
void kafka_ends_wanted(struct kafka_ends *ends, const char *topic, int64_t now_us,
                       rd_kafka_topic_partition_list_t *list);
/* offset < 0: there was no answer. */
void kafka_ends_tell(struct kafka_ends *ends, int32_t partition, int64_t offset, int64_t asked_us);

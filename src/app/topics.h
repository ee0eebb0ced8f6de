// SPDX-License-Identifier: Apache-2.0
#pragma once
/* topics: which topics eddy needs, how they must be, and whether they are. */
#include "app/config.h"

#include <eddy/io/kafka_topics.h>

struct topic_need {
    enum topic topic;
    bool compacted;
    bool stamped_by_broker;   /* record times must not be the producers' */
    int32_t partitions;       /* must have so many; 0: topics.partitions when eddy creates it, otherwise any */
    int32_t record_bytes;     /* its records are as large; 0: the broker's default will do */
    const char *retention_ms; /* when eddy creates it; NULL: the broker's default */
};

#define TOPIC_PROPERTIES_MAX 4

/* The settings with which eddy creates a topic, but for its cleanup.policy; returns how many. */
size_t topic_properties(const struct topic_need *need, struct kafka_property properties[TOPIC_PROPERTIES_MAX]);

/* The topics a configuration needs, in the order of the enum; `needs` has room for TOPIC_COUNT. */
size_t topics_needed(const struct config *config, struct topic_need needs[TOPIC_COUNT]);

struct topic_counts {
    int32_t partitions[TOPIC_COUNT]; /* 0: missing, or not needed */
};

/* How many partitions each needed topic has. UNAVAILABLE when no broker answers. */
MUST_CHECK struct status topics_count(const struct config *config, struct kafka_admin *admin, int timeout_ms,
                                      struct topic_counts *ret_counts, struct complaint *complaint);

/* How many partitions a topic has. NOT_FOUND when there is none of the name, UNAVAILABLE when no broker answers. */
MUST_CHECK struct status topic_count_partitions(const struct kafka_options *kafka, const char *topic, int timeout_ms,
                                                int32_t *ret_count, struct complaint *complaint);

/* CONFIG with all there is to complain about: topics that are missing, numbers of partitions that do not fit. */
MUST_CHECK struct status topics_check(const struct config *config, const struct topic_counts *counts,
                                      struct complaint *complaint);

/* Appends a remark, with what to do, when topics.partitions was set and the topic has another number. Late clicks have
 * what the clicks have, see topics_check(). */
void topic_write_partitions(const struct config *config, enum topic topic, int32_t partitions, struct buffer *out);

/* How a setting of an existing topic should be, and why. */
struct topic_advice {
    const char *setting; /* "cleanup.policy" */
    const char *is, *wanted;
    const char *why; /* what happens otherwise */
    bool remark;     /* nothing is lost as long as nothing else goes wrong */
};

#define TOPIC_ADVICES_MAX 3

/* What is not as it should be in a topic's settings; returns how many it wrote. They borrow from `settings`. */
size_t topic_judge(const struct topic_need *need, const struct kafka_topic_settings *settings,
                   struct topic_advice advices[TOPIC_ADVICES_MAX]);
/* Appends a sentence with the command that changes the setting. */
void topic_advice_write(const struct config *config, enum topic topic, const struct topic_advice *advice,
                        struct buffer *out);

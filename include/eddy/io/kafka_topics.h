// SPDX-License-Identifier: Apache-2.0
#pragma once
/* kafka_topics: what exists on the cluster, and creating what does not. Blocking calls of one thread, each with its
 * own short-lived client; not for the hot path. */
#include <eddy/io/kafka.h>

struct kafka_admin;

/* No connection is made yet. */
MUST_CHECK struct status kafka_admin_open(const struct kafka_options *options, struct kafka_admin **ret_admin,
                                          struct complaint *complaint);
void kafka_admin_close(struct kafka_admin *admin);

struct kafka_topic_info {
    int32_t partition_count; /* 0: there is no such topic */
};

/* UNAVAILABLE with a complaint that names the brokers and the last error when none answers in time, or all refuse
 * connections for a second; IO when the cluster refuses (authorization). Never creates the topic. */
MUST_CHECK struct status kafka_topic_describe(struct kafka_admin *admin, const char *topic, int timeout_ms,
                                              struct kafka_topic_info *ret_info, struct complaint *complaint);

struct kafka_topic_settings {
    char cleanup_policy[32];    /* "compact", "delete", "compact,delete" */
    char max_message_bytes[16]; /* a number; "" when the cluster does not say */
    bool stamped_by_broker;     /* message.timestamp.type is LogAppendTime: producers have no say in record times */
};

/* Of an existing topic. IO when the cluster does not say: no permission, or the embedded broker, which knows none. */
MUST_CHECK struct status kafka_topic_read_settings(struct kafka_admin *admin, const char *topic, int timeout_ms,
                                                   struct kafka_topic_settings *ret_settings,
                                                   struct complaint *complaint);

struct kafka_new_topic {
    const char *name;
    int32_t partition_count;
    int32_t replication; /* -1: the broker's default */
    bool compacted;
    const struct kafka_property *properties; /* further topic settings: retention.ms, ... */
    size_t property_count;
};

/* *ret_created is false when the topic exists already. */
MUST_CHECK struct status kafka_topic_create(struct kafka_admin *admin, const struct kafka_new_topic *topic,
                                            int timeout_ms, bool *ret_created, struct complaint *complaint);

/* Adds partitions to a topic until it has partition_count. IO when the cluster refuses. */
MUST_CHECK struct status kafka_topic_grow(struct kafka_admin *admin, const char *topic, int32_t partition_count,
                                          int timeout_ms, struct complaint *complaint);

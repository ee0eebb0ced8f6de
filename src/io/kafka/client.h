// SPDX-License-Identifier: Apache-2.0
#pragma once
/* client: what all clients share: a librdkafka handle with eddy's and the user's properties and a listener. */
#include <eddy/io/kafka.h>

#include <librdkafka/rdkafka.h>
#include <pthread.h>

struct kafka_client { /* the first member of what is the handle's opaque */
    rd_kafka_t *handle;
    struct kafka_listener listener;
    pthread_mutex_t lock;
    char last_error[512];  /* under lock */
    _Atomic bool all_down; /* none of the brokers known takes a connection; as of the last poll */
    _Atomic bool refused;  /* one that was reached will not have this client, for what is configured; none has since */
};

/* Properties in three layers: `defaults`, over them the user's, and `fixed`, which the user may not set. Both lists end
 * with a NULL name. */
struct kafka_setup {
    rd_kafka_type_t type;
    const char *role; /* "clicks", added to the client id */
    const struct kafka_property *defaults, *fixed;
};

/* A configuration with `client` as its opaque, for the caller to finish and give to kafka_client_start(). Initialises
 * the client. */
MUST_CHECK struct status kafka_client_configure(struct kafka_client *client, const struct kafka_options *options,
                                                const struct kafka_setup *setup, rd_kafka_conf_t **ret_conf,
                                                struct complaint *complaint);
/* Takes `conf`, also when it fails. */
MUST_CHECK struct status kafka_client_start(struct kafka_client *client, rd_kafka_type_t type, rd_kafka_conf_t *conf,
                                            struct complaint *complaint);
/* Destroys the handle (NULL is fine); another one may be started. */
void kafka_client_destroy(struct kafka_client *client);
/* Destroys the handle and what kafka_client_configure() made. */
void kafka_client_stop(struct kafka_client *client);

void kafka_client_report(struct kafka_client *client, int level, const char *facility, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* What a queue that is polled for events hands out where others call back: logs and errors, for the listener. */
void kafka_client_take(struct kafka_client *client, rd_kafka_event_t *event);
/* The last connection error, for complaints: "" when none. */
void kafka_client_last_error(struct kafka_client *client, char *text, size_t size);

/* Which options to look at for an error of a connection, "" when unknown. librdkafka names some of its properties, not
 * always the right ones, and OpenSSL none. */
const char *kafka_advice(const char *text);

/* The partitions of a topic of the handle; UNAVAILABLE when no broker says in time, IO when there is no such topic. */
MUST_CHECK struct status kafka_client_count_partitions(struct kafka_client *client, rd_kafka_topic_t *topic,
                                                       int timeout_ms, int32_t *ret_count);

/* Of a consumer that is to see committed records alone, over what the user wants of others. */
void kafka_client_read_committed(rd_kafka_conf_t *conf);

/* Fills ret_message; the bytes belong to `from`. */
void kafka_message_view(const rd_kafka_message_t *from, struct message *ret_message);

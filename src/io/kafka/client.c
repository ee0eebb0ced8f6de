// SPDX-License-Identifier: Apache-2.0
#include "io/kafka/client.h"

#include <eddy/io/system.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <syslog.h>

#define ATTEMPTS_MAX       1000000
#define DESTROY_PATIENCE_S 10
#define THREADS_MIN        8 /* of a client of three brokers */

const char *kafka_library_version(void)
{
    return rd_kafka_version_str();
}

void kafka_client_report(struct kafka_client *client, int level, const char *facility, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (client->listener.log)
        client->listener.log(client->listener.context, level, facility, text);
}

void kafka_client_last_error(struct kafka_client *client, char *text, size_t size)
{
    pthread_mutex_lock(&client->lock);
    snprintf(text, size, "%s", client->last_error);
    pthread_mutex_unlock(&client->lock);
}

static void note_connection(struct kafka_client *client, const char *facility, const char *text)
{
    struct kafka_broker_report report;
    if (!strcmp(facility, "CONNECTED"))
        client->all_down = false;
    if (kafka_read_broker_report(facility, text, &report) && report.reachable)
        client->refused = false;
}

static void on_log(const rd_kafka_t *handle, int level, const char *facility, const char *text)
{
    struct kafka_client *client = rd_kafka_opaque(handle);
    if (!strcmp(facility, "CONFWARN"))
        return; /* the user's properties go to producers and consumers alike */
    if (client)
        note_connection(client, facility, text);
    if (client && client->listener.log)
        client->listener.log(client->listener.context, level, facility, text);
}

static void on_error(rd_kafka_t *handle, int code, const char *reason, void *opaque)
{
    (void)handle;
    struct kafka_client *client = opaque;
    /* "all brokers are down" follows the reason, and says less */
    if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        pthread_mutex_lock(&client->lock);
        const char *advice = kafka_advice(reason);
        client->refused = client->refused || *advice;
        snprintf(client->last_error, sizeof client->last_error, "%.300s%s%s", reason, *advice ? ": " : "", advice);
        pthread_mutex_unlock(&client->lock);
    } else {
        client->all_down = true;
    }
    kafka_client_report(client, LOG_ERR, rd_kafka_err2name((rd_kafka_resp_err_t)code), "%s", reason);
}

void kafka_client_take(struct kafka_client *client, rd_kafka_event_t *event)
{
    int level;
    const char *facility, *text;
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR)
        on_error(client->handle, rd_kafka_event_error(event), rd_kafka_event_error_string(event), client);
    else if (!rd_kafka_event_log(event, &facility, &text, &level))
        on_log(client->handle, level, facility, text);
}

/* librdkafka's text may repeat the value, so it is not passed on. */
static struct status set(rd_kafka_conf_t *conf, const struct kafka_property *property, struct complaint *complaint)
{
    char text[256];
    switch (rd_kafka_conf_set(conf, property->name, property->value, text, sizeof text)) {
    case RD_KAFKA_CONF_OK:
        return OK;
    case RD_KAFKA_CONF_UNKNOWN:
        return complain(complaint, FAIL(CONFIG, RD_KAFKA_CONF_UNKNOWN, "unknown Kafka property"),
                        "kafka.%s: librdkafka %s has no such property", property->name, rd_kafka_version_str());
    default:
        return complain(complaint, FAIL(CONFIG, 0, "bad value of a Kafka property"),
                        "kafka.%s: librdkafka %s does not accept this value", property->name, rd_kafka_version_str());
    }
}

struct status kafka_check_property(const struct kafka_property *property, struct complaint *complaint)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    struct status status = set(conf, property, complaint);
    rd_kafka_conf_destroy(conf);
    return failed(status) && status.detail == RD_KAFKA_CONF_UNKNOWN ? FAIL(NOT_FOUND, 0, "unknown Kafka property")
                                                                    : status;
}

/* librdkafka has no other list of them than its table for people: "name   | C/P | range | ...". */
void kafka_property_names(struct buffer *out)
{
    char *table = NULL, *rest;
    size_t size;
    FILE *stream = open_memstream(&table, &size);
    if (!stream)
        return; /* nothing depends on them but a suggestion */
    rd_kafka_conf_properties_show(stream);
    fclose(stream);
    for (char *line = strtok_r(table, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        bool of_program = strstr(line, "see dedicated API"); /* callbacks and the like */
        if (!strchr(line, '|') || line[0] == '-' || !strncmp(line, "Property ", 9) || of_program)
            continue;
        buffer_append_bytes(out, bytes_of(line, strcspn(line, " |")));
        buffer_append_byte(out, 0);
    }
    free(table);
}

static struct status set_all(rd_kafka_conf_t *conf, const struct kafka_property *properties,
                             struct complaint *complaint)
{
    for (; properties->name; properties++)
        TRY(set(conf, properties, complaint));
    return OK;
}

static struct status set_users(rd_kafka_conf_t *conf, const struct kafka_options *options,
                               const struct kafka_property *fixed, struct complaint *complaint)
{
    for (size_t i = 0; i < options->property_count; i++) {
        const struct kafka_property *property = &options->properties[i];
        for (const struct kafka_property *own = fixed; own->name; own++)
            if (!strcmp(own->name, property->name))
                return complain(complaint, FAIL(CONFIG, 0, "a Kafka property that is not the user's"),
                                "kafka.%s is set by eddy itself and cannot be changed", property->name);
        TRY(set(conf, property, complaint));
    }
    return OK;
}

static struct status configure(rd_kafka_conf_t *conf, const struct kafka_options *options,
                               const struct kafka_setup *setup, struct complaint *complaint)
{
    char client_id[128];
    snprintf(client_id, sizeof client_id, "%s-%s", options->client_id ? options->client_id : "eddy", setup->role);
    const struct kafka_property common_defaults[] = {
        {"client.id", client_id},
        {"reconnect.backoff.max.ms", "5000"},
        {"debug", "broker"}, /* nothing else tells that a broker is reached */
        {NULL, NULL},
    };
    const struct kafka_property common_fixed[] = {
        {"bootstrap.servers", options->bootstrap},
        {"log.queue", "true"}, /* the listener is called by whoever polls the client, never by its own threads */
        {NULL, NULL},
    };
    TRY(set_all(conf, common_defaults, complaint));
    TRY(set_all(conf, setup->defaults, complaint));
    TRY(set_users(conf, options, setup->fixed, complaint));
    TRY(set_all(conf, setup->fixed, complaint));
    return set_all(conf, common_fixed, complaint);
}

struct status kafka_client_configure(struct kafka_client *client, const struct kafka_options *options,
                                     const struct kafka_setup *setup, rd_kafka_conf_t **ret_conf,
                                     struct complaint *complaint)
{
    client->handle = NULL;
    client->listener = options->listener;
    client->last_error[0] = 0;
    client->all_down = client->refused = false;
    pthread_mutex_init(&client->lock, NULL);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    struct status status = configure(conf, options, setup, complaint);
    if (failed(status)) {
        rd_kafka_conf_destroy(conf);
        return status;
    }
    rd_kafka_conf_set_opaque(conf, client);
    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_conf_set_error_cb(conf, on_error);
    *ret_conf = conf;
    return OK;
}

void kafka_client_read_committed(rd_kafka_conf_t *conf)
{
    char text[256];
    rd_kafka_conf_res_t result = rd_kafka_conf_set(conf, "isolation.level", "read_committed", text, sizeof text);
    assert(result == RD_KAFKA_CONF_OK);
    (void)result;
}

/* librdkafka makes a thread for each broker, and asserts that it gets those for the coordinators. */
static bool has_room_for_threads(void)
{
    size_t stack = 0;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_getstacksize(&attributes, &stack);
    pthread_attr_destroy(&attributes);
    void *room = mmap(NULL, THREADS_MIN * stack, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED)
        return false;
    munmap(room, THREADS_MIN * stack);
    return true;
}

struct status kafka_client_start(struct kafka_client *client, rd_kafka_type_t type, rd_kafka_conf_t *conf,
                                 struct complaint *complaint)
{
    char text[512];
    if (!has_room_for_threads()) {
        rd_kafka_conf_destroy(conf);
        return complain(complaint, FAIL(MEMORY, 0, "there is no room for librdkafka's threads"),
                        "kafka: there is no address space left for librdkafka's threads");
    }
    client->handle = rd_kafka_new(type, conf, text, sizeof text);
    if (client->handle) {
        rd_kafka_set_log_queue(client->handle, NULL);
        return OK;
    }
    /* Without threads or memory it is not the configuration's fault, and another try may succeed. */
    bool starved = rd_kafka_last_error() == RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE;
    rd_kafka_conf_destroy(conf);
    return complain(complaint,
                    starved ? FAIL(MEMORY, 0, "librdkafka does not get what it needs of the system")
                            : FAIL(CONFIG, 0, "librdkafka refuses its configuration"),
                    "kafka: %s", text);
}

/* ---- the end: librdkafka before 2.5 may wait for itself for ever when a topic was removed under a consumer (its
 * issues 4362 and 4667). A process must end all the same, so it is waited for only so long, and left to the process's
 * end. */

struct destruction {
    rd_kafka_t *handle;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool done, left; /* whoever comes second frees this */
};

static void destruction_free(struct destruction *destruction)
{
    pthread_mutex_destroy(&destruction->lock);
    pthread_cond_destroy(&destruction->changed);
    free(destruction);
}

static void *destroy(void *context)
{
    struct destruction *destruction = context;
    rd_kafka_destroy(destruction->handle);
    pthread_mutex_lock(&destruction->lock);
    destruction->done = true;
    bool last = destruction->left;
    pthread_cond_signal(&destruction->changed);
    pthread_mutex_unlock(&destruction->lock);
    if (last)
        destruction_free(destruction);
    return NULL;
}

static struct destruction *begin_destruction(rd_kafka_t *handle)
{
    pthread_t thread;
    struct destruction *destruction = calloc(1, sizeof *destruction);
    if (!destruction)
        return NULL;
    destruction->handle = handle;
    pthread_mutex_init(&destruction->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&destruction->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&thread, NULL, destroy, destruction)) {
        destruction_free(destruction);
        return NULL;
    }
    pthread_detach(thread);
    return destruction;
}

/* False when it was left. */
static bool await_destruction(struct destruction *destruction)
{
    struct time_source time = system_time();
    struct timespec end = {.tv_sec = time.ops->monotonic_us(time.self) / 1000000 + DESTROY_PATIENCE_S + 1};
    pthread_mutex_lock(&destruction->lock);
    while (!destruction->done && !pthread_cond_timedwait(&destruction->changed, &destruction->lock, &end))
        ;
    bool done = destruction->done;
    destruction->left = !done;
    pthread_mutex_unlock(&destruction->lock);
    if (done)
        destruction_free(destruction);
    return done;
}

void kafka_client_destroy(struct kafka_client *client)
{
    struct destruction *destruction = client->handle ? begin_destruction(client->handle) : NULL;
    if (destruction && !await_destruction(destruction))
        kafka_client_report(client, LOG_WARNING, "DESTROY",
                            "librdkafka has not ended a client within %d s; it is left until the process ends",
                            DESTROY_PATIENCE_S);
    else if (!destruction && client->handle) /* no memory, or no thread */
        rd_kafka_destroy(client->handle);
    client->handle = NULL;
}

void kafka_client_stop(struct kafka_client *client)
{
    kafka_client_destroy(client);
    pthread_mutex_destroy(&client->lock);
}

struct status kafka_client_count_partitions(struct kafka_client *client, rd_kafka_topic_t *topic, int timeout_ms,
                                            int32_t *ret_count)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t error = rd_kafka_metadata(client->handle, 0, topic, &metadata, timeout_ms);
    if (error)
        return FAIL(UNAVAILABLE, error, "the number of partitions is not told");
    error = metadata->topic_cnt == 1 ? metadata->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    int32_t count = error ? 0 : metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    if (count <= 0)
        return FAIL(IO, error, "the number of partitions is not told");
    *ret_count = count;
    return OK;
}

/* Anybody can write a header: what is no sensible number is none. */
static uint32_t attempt_of(const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers;
    const void *text;
    size_t size;
    int64_t attempt;
    if (rd_kafka_message_headers(message, &headers) ||
        rd_kafka_header_get_last(headers, ATTEMPT_HEADER, &text, &size) ||
        !bytes_to_int64(bytes_of(text, size), &attempt) || attempt < 0 || attempt > ATTEMPTS_MAX)
        return 0;
    return (uint32_t)attempt;
}

void kafka_message_view(const rd_kafka_message_t *from, struct message *ret_message)
{
    rd_kafka_timestamp_type_t type;
    rd_kafka_headers_t *headers;
    const void *header = NULL;
    size_t header_size = 0;
    if (!rd_kafka_message_headers(from, &headers))
        rd_kafka_header_get_last(headers, SCHEMA_HEADER, &header, &header_size);
    *ret_message = (struct message){.partition = from->partition,
                                    .attempt = attempt_of(from),
                                    .offset = from->offset,
                                    .timestamp_ms = rd_kafka_message_timestamp(from, &type),
                                    .key = bytes_of(from->key, from->key_len),
                                    .value = bytes_of(from->payload, from->len),
                                    .schema_header = bytes_of(header, header_size)};
}

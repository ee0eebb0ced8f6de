// SPDX-License-Identifier: Apache-2.0
#include "app/topics.h"

#define YEAR_MS "31536000000"
#define DAY_MS  "86400000"

/* A model's chunk with all that is around it, and the setting of a topic that takes one: Kafka's default, which
 * clusters may have lowered. */
#define MODEL_RECORD_BYTES     1000000
#define MODEL_RECORD_BYTES_MAX "1048588"

static const struct topic_need all_needs[] = {
    {.topic = TOPIC_CLICKS, .stamped_by_broker = true},
    {.topic = TOPIC_ITEMS, .compacted = true},
    {.topic = TOPIC_RECOMMENDATIONS},
    {.topic = TOPIC_SESSIONS, .retention_ms = YEAR_MS}, /* what a new process learns from */
    {.topic = TOPIC_LATE_CLICKS},
    {.topic = TOPIC_DEAD_LETTERS},
    {.topic = TOPIC_MODELS, .compacted = true, .partitions = 1, .record_bytes = MODEL_RECORD_BYTES},
};

size_t topics_needed(const struct config *config, struct topic_need needs[TOPIC_COUNT])
{
    size_t count = 0;
    for (size_t i = 0; i < sizeof all_needs / sizeof *all_needs; i++)
        if ((all_needs[i].topic != TOPIC_ITEMS || config->items_enabled) &&
            (all_needs[i].topic != TOPIC_MODELS || config->models.enabled))
            needs[count++] = all_needs[i];
    return count;
}

/* The newest segment of a log is never compacted: old versions of models would stay until it is full, 1 GB later. */
size_t topic_properties(const struct topic_need *need, struct kafka_property properties[TOPIC_PROPERTIES_MAX])
{
    size_t count = 0;
    if (need->retention_ms)
        properties[count++] = (struct kafka_property){"retention.ms", need->retention_ms};
    if (need->stamped_by_broker)
        properties[count++] = (struct kafka_property){"message.timestamp.type", "LogAppendTime"};
    if (need->record_bytes) {
        properties[count++] = (struct kafka_property){"max.message.bytes", MODEL_RECORD_BYTES_MAX};
        properties[count++] = (struct kafka_property){"segment.ms", DAY_MS};
    }
    return count;
}

struct status topics_count(const struct config *config, struct kafka_admin *admin, int timeout_ms,
                           struct topic_counts *ret_counts, struct complaint *complaint)
{
    struct topic_need needs[TOPIC_COUNT];
    struct topic_counts counts = {0};
    size_t count = topics_needed(config, needs);
    for (size_t i = 0; i < count; i++) {
        struct kafka_topic_info info;
        TRY(kafka_topic_describe(admin, config_topic(config, needs[i].topic), timeout_ms, &info, complaint));
        counts.partitions[needs[i].topic] = info.partition_count;
    }
    *ret_counts = counts;
    return OK;
}

struct status topic_count_partitions(const struct kafka_options *kafka, const char *topic, int timeout_ms,
                                     int32_t *ret_count, struct complaint *complaint)
{
    struct kafka_admin *admin;
    struct kafka_topic_info info = {0};
    TRY(kafka_admin_open(kafka, &admin, complaint));
    struct status status = kafka_topic_describe(admin, topic, timeout_ms, &info, complaint);
    kafka_admin_close(admin);
    TRY(status);
    if (info.partition_count == 0)
        return complain(complaint, FAIL(NOT_FOUND, 0, "no such topic"), "there is no topic %s", topic);
    *ret_count = info.partition_count;
    return OK;
}

static struct status check_missing(const struct config *config, const struct topic_counts *counts,
                                   struct complaint *complaint)
{
    struct topic_need needs[TOPIC_COUNT];
    size_t count = topics_needed(config, needs), missing = 0;
    AUTO(buffer) names = {0};
    for (size_t i = 0; i < count; i++)
        if (!counts->partitions[needs[i].topic])
            buffer_format(&names, "%s%s", missing++ ? ", " : "", config_topic(config, needs[i].topic));
    if (!missing)
        return OK;
    return complain(
        complaint, FAIL(CONFIG, missing, "topics are missing"),
        "the cluster has no topic %s. Correct topics.* in the configuration, or create what is missing with "
        "'eddy topics create'",
        buffer_text(&names));
}

/* A late click goes to the partition number it came from, so that the user's own partitioning is kept. */
static struct status check_late_clicks(const struct config *config, const struct topic_counts *counts,
                                       struct complaint *complaint)
{
    int32_t clicks = counts->partitions[TOPIC_CLICKS], late = counts->partitions[TOPIC_LATE_CLICKS];
    if (late == clicks)
        return OK;
    return complain(
        complaint, FAIL(CONFIG, late, "a wrong number of partitions"),
        "topic %s has %d partitions and topic %s has %d: late clicks keep their partition, so both need the same "
        "number. %s, or name another topic in topics.late_clicks",
        config_topic(config, TOPIC_LATE_CLICKS), late, config_topic(config, TOPIC_CLICKS), clicks,
        late < clicks ? "Add partitions with 'eddy topics create --grow'" : "Add partitions to the clicks");
}

/* A version is read in the order in which it was written. */
static struct status check_models(const struct config *config, const struct topic_counts *counts,
                                  struct complaint *complaint)
{
    int32_t partitions = counts->partitions[TOPIC_MODELS];
    if (!config->models.enabled || partitions == 1)
        return OK;
    return complain(complaint, FAIL(CONFIG, partitions, "a wrong number of partitions"),
                    "topic %s has %d partitions and needs one: the chunks of a model are read in their order. Name "
                    "another topic in topics.models and create it with 'eddy topics create'",
                    config_topic(config, TOPIC_MODELS), partitions);
}

struct status topics_check(const struct config *config, const struct topic_counts *counts, struct complaint *complaint)
{
    TRY(check_missing(config, counts, complaint));
    TRY(check_models(config, counts, complaint));
    return check_late_clicks(config, counts, complaint);
}

void topic_write_partitions(const struct config *config, enum topic topic, int32_t partitions, struct buffer *out)
{
    int32_t wanted = (int32_t)config->topics.partitions;
    if (topic == TOPIC_LATE_CLICKS || topic == TOPIC_MODELS || partitions == wanted ||
        !config_is_set(config, "topics.partitions"))
        return;
    buffer_format(out, "%d partitions, and topics.partitions is %d, which is for topics that eddy creates. ",
                  partitions, wanted);
    if (partitions > wanted) {
        buffer_format(out, "If a new cluster is to have as many, set topics.partitions to %d", partitions);
        return;
    }
    const char *brokers = config_kafka(config, "bootstrap.servers");
    buffer_format(out,
                  "Set that to %d, or add partitions with: kafka-topics.sh --bootstrap-server %s --alter --topic %s "
                  "--partitions %d; %s",
                  partitions, brokers ? brokers : "HOST:9092", config_topic(config, topic), wanted,
                  topic == TOPIC_CLICKS ? "keys then change their partition, so stop the shop and eddy for it, and "
                                          "run 'eddy topics create --grow' for the late clicks"
                                        : "eddy sees them when it is started again");
}

/* ---- settings */

static const struct topic_advice must_be_compact = {
    .setting = "cleanup.policy",
    .wanted = "compact",
    .why = "retention takes the items' records, and with them what an item's title is and whether it is available"};
static const struct topic_advice must_keep_models = {
    .setting = "cleanup.policy",
    .wanted = "compact",
    .why = "retention takes the model in use, and whatever is started then has none"};
static const struct topic_advice must_take_chunks = {.setting = "max.message.bytes",
                                                     .wanted = MODEL_RECORD_BYTES_MAX,
                                                     .why = "the chunks of a model, of up to 900 KiB, are refused"};
static const struct topic_advice must_be_delete = {
    .setting = "cleanup.policy", .wanted = "delete", .why = "of records with equal keys all but one are lost"};
static const struct topic_advice should_be_stamped = {
    .setting = "message.timestamp.type",
    .is = "CreateTime",
    .wanted = "LogAppendTime",
    .why = "one producer whose clock is ahead closes the sessions of all others in its partition, and their clicks are "
           "late until time has caught up",
    .remark = true};

static const struct topic_advice *cleanup_advice(const struct topic_need *need)
{
    if (!need->compacted)
        return &must_be_delete;
    return need->topic == TOPIC_MODELS ? &must_keep_models : &must_be_compact;
}

static bool takes_records(const struct topic_need *need, const struct kafka_topic_settings *settings)
{
    int64_t bytes;
    return !bytes_to_int64(bytes_of_text(settings->max_message_bytes), &bytes) || bytes >= need->record_bytes;
}

size_t topic_judge(const struct topic_need *need, const struct kafka_topic_settings *settings,
                   struct topic_advice advices[TOPIC_ADVICES_MAX])
{
    const char *policy = settings->cleanup_policy;
    size_t count = 0;
    if (need->compacted ? strcmp(policy, "compact") != 0 : strstr(policy, "compact") != NULL) {
        advices[count] = *cleanup_advice(need);
        advices[count++].is = policy;
    }
    if (need->stamped_by_broker && !settings->stamped_by_broker)
        advices[count++] = should_be_stamped;
    if (!takes_records(need, settings)) {
        advices[count] = must_take_chunks;
        advices[count++].is = settings->max_message_bytes;
    }
    return count;
}

void topic_advice_write(const struct config *config, enum topic topic, const struct topic_advice *advice,
                        struct buffer *out)
{
    const char *brokers = config_kafka(config, "bootstrap.servers");
    buffer_format(out,
                  "%s is %s and should be %s, for otherwise %s. Change it with: kafka-configs.sh --bootstrap-server %s "
                  "--alter --entity-type topics --entity-name %s --add-config %s=%s",
                  advice->setting, advice->is, advice->wanted, advice->why, brokers ? brokers : "HOST:9092",
                  config_topic(config, topic), advice->setting, advice->wanted);
}

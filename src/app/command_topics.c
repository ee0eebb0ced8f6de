// SPDX-License-Identifier: Apache-2.0
/* eddy topics create|check: the topics a configuration needs, made or looked at. */
#include "app/config_arguments.h"
#include "app/topics.h"

#include <eddy/io/system.h>

#include <stdio.h>

#define TIMEOUT_MS      10000
#define VISIBLE_STEP_MS 50

struct topics_command {
    const struct config *config;
    struct kafka_admin *admin;
    struct topic_counts counts;
    bool grow, problems;
};

/* Late clicks keep their partition, so their topic follows the clicks that are there. */
static int32_t partitions_wanted(const struct topics_command *command, enum topic topic)
{
    int32_t clicks = command->counts.partitions[TOPIC_CLICKS];
    if (topic == TOPIC_MODELS)
        return 1;
    return topic == TOPIC_LATE_CLICKS && clicks ? clicks : (int32_t)command->config->topics.partitions;
}

/* Whether partitions are to be added to an existing topic: to the late clicks alone, for those of others there is no
 * number that must be. */
static bool must_grow(const struct topics_command *command, enum topic topic)
{
    int32_t partitions = command->counts.partitions[topic];
    return command->grow && topic == TOPIC_LATE_CLICKS && partitions && partitions < partitions_wanted(command, topic);
}

static struct status grow_one(struct topics_command *command, enum topic topic, struct complaint *complaint)
{
    const char *name = config_topic(command->config, topic);
    int32_t wanted = partitions_wanted(command, topic);
    TRY(kafka_topic_grow(command->admin, name, wanted, TIMEOUT_MS, complaint));
    printf("%-24s grown from %d to %d partitions\n", name, command->counts.partitions[topic], wanted);
    command->counts.partitions[topic] = wanted;
    return OK;
}

static struct status create_one(struct topics_command *command, const struct topic_need *need,
                                struct complaint *complaint)
{
    const struct config *config = command->config;
    struct kafka_property properties[TOPIC_PROPERTIES_MAX];
    size_t property_count = topic_properties(need, properties);
    const struct kafka_new_topic topic = {.name = config_topic(config, need->topic),
                                          .partition_count = partitions_wanted(command, need->topic),
                                          .replication = (int32_t)config->topics.replication,
                                          .compacted = need->compacted,
                                          .properties = properties,
                                          .property_count = property_count};
    bool created;
    TRY(kafka_topic_create(command->admin, &topic, TIMEOUT_MS, &created, complaint));
    if (created) {
        command->counts.partitions[need->topic] = topic.partition_count;
        printf("%-24s created, %d partitions%s%s\n", topic.name, topic.partition_count,
               topic.compacted ? ", compacted" : "", need->stamped_by_broker ? ", LogAppendTime" : "");
    } else {
        printf("%-24s is there already, %d partitions\n", topic.name, command->counts.partitions[need->topic]);
    }
    return OK;
}

/* Nothing is made when what is there and what would be made do not fit each other. */
static struct status check_plan(const struct topics_command *command, const struct topic_need *needs, size_t count,
                                struct complaint *complaint)
{
    struct topic_counts plan = command->counts;
    for (size_t i = 0; i < count; i++)
        if (!plan.partitions[needs[i].topic] || must_grow(command, needs[i].topic))
            plan.partitions[needs[i].topic] = partitions_wanted(command, needs[i].topic);
    return topics_check(command->config, &plan, complaint);
}

static struct status create(struct topics_command *command, struct complaint *complaint)
{
    struct topic_need needs[TOPIC_COUNT];
    size_t count = topics_needed(command->config, needs);
    TRY(check_plan(command, needs, count, complaint));
    for (size_t i = 0; i < count; i++)
        TRY(must_grow(command, needs[i].topic) ? grow_one(command, needs[i].topic, complaint)
                                               : create_one(command, &needs[i], complaint));
    /* What the controller has created reaches the brokers a little later, and `eddy run` may be the next command. */
    struct status status;
    for (int waited_ms = 0;; waited_ms += VISIBLE_STEP_MS) {
        TRY(topics_count(command->config, command->admin, TIMEOUT_MS, &command->counts, complaint));
        status = topics_check(command->config, &command->counts, complaint);
        if (!failed(status) || waited_ms >= TIMEOUT_MS)
            return status;
        system_wait_ms(VISIBLE_STEP_MS);
    }
}

static void print_advice(struct topics_command *command, const struct topic_need *need,
                         const struct kafka_topic_settings *settings)
{
    struct topic_advice advices[TOPIC_ADVICES_MAX];
    size_t count = topic_judge(need, settings, advices);
    for (size_t i = 0; i < count; i++) {
        AUTO(buffer) text = {0};
        topic_advice_write(command->config, need->topic, &advices[i], &text);
        printf("  %s: %s\n", advices[i].remark ? "remark" : "WRONG", buffer_text(&text));
        command->problems = command->problems || !advices[i].remark;
    }
}

static struct status check_one(struct topics_command *command, const struct topic_need *need,
                               struct complaint *complaint)
{
    const char *name = config_topic(command->config, need->topic);
    int32_t partitions = command->counts.partitions[need->topic];
    struct kafka_topic_settings settings;
    struct complaint why = {0};
    if (!partitions) {
        printf("%-24s missing\n", name);
        return OK;
    }
    AUTO(buffer) remark = {0};
    topic_write_partitions(command->config, need->topic, partitions, &remark);
    struct status status = kafka_topic_read_settings(command->admin, name, TIMEOUT_MS, &settings, &why);
    if (failed_as(status, FAULT_IO)) { /* reading them is a permission of its own, and eddy runs without it */
        printf("%-24s %d partitions; its settings cannot be read: %s\n", name, partitions, why.text);
    } else if (failed(status)) {
        return complain(complaint, status, "%s", why.text);
    } else {
        printf("%-24s %d partitions, %s\n", name, partitions, settings.cleanup_policy);
        print_advice(command, need, &settings);
    }
    if (remark.size)
        printf("  remark: %s\n", buffer_text(&remark));
    return OK;
}

static struct status check(struct topics_command *command, struct complaint *complaint)
{
    struct topic_need needs[TOPIC_COUNT];
    size_t count = topics_needed(command->config, needs);
    for (size_t i = 0; i < count; i++)
        TRY(check_one(command, &needs[i], complaint));
    TRY(topics_check(command->config, &command->counts, complaint));
    if (command->problems)
        return complain(complaint, FAIL(CONFIG, 0, "topics are wrong"), "topics are not as they must be, see above");
    return OK;
}

static struct status run(const struct config *config, bool grow,
                         struct status (*verb)(struct topics_command *, struct complaint *),
                         struct complaint *complaint)
{
    struct topics_command command = {.config = config, .grow = grow};
    struct kafka_options kafka;
    TRY(config_kafka_options(config, &kafka, complaint));
    TRY(kafka_admin_open(&kafka, &command.admin, complaint));
    struct status status = topics_count(config, command.admin, TIMEOUT_MS, &command.counts, complaint);
    if (!failed(status))
        status = verb(&command, complaint);
    kafka_admin_close(command.admin);
    return status;
}

int command_topics(int argc, char **argv)
{
    struct config_arguments from = {0};
    struct argument_list verbs = {0};
    bool grow = false;
    const struct argument arguments[] = {
        {"grow", NULL, "create: add partitions to the late clicks, when the clicks have more", ARGUMENT_FLAG, &grow},
        CONFIG_ARGUMENTS(from),
        {0},
    };
    const struct usage usage = {
        "eddy topics create|check [OPTION...]",
        "create makes the topics that are missing (topics.partitions, topics.replication); those that\n"
        "are there stay as they are, but for --grow. check says what is missing or not as it must be, and\n"
        "remarks on what would be better otherwise.\n"
        "\n"
        "The clicks topic is made with message.timestamp.type=LogAppendTime: then a record's time is the\n"
        "broker's, and no producer with a wrong clock can close sessions before their time. The items\n"
        "topic must have cleanup.policy=compact, the others must not.\n",
        arguments,
        "  eddy topics create --config eddy.yaml\n"
        "  eddy topics create --config eddy.yaml --grow\n"
        "  eddy topics check --set kafka.bootstrap.servers=localhost:9092\n",
    };
    switch (arguments_parse(&usage, argc, argv, &verbs)) {
    case ARGUMENTS_OK:
        break;
    case ARGUMENTS_HELP:
        return EXIT_OK;
    default:
        return EXIT_USAGE;
    }
    const char *verb = verbs.count == 1 ? verbs.texts[0] : "";
    bool creates = !strcmp(verb, "create");
    if (!creates && strcmp(verb, "check") != 0) {
        fputs("eddy topics: say 'create' or 'check'\nRun 'eddy topics --help' for what they do.\n", stderr);
        return EXIT_USAGE;
    }
    if (grow && !creates) {
        fputs("eddy topics: --grow is for 'create'\n", stderr);
        return EXIT_USAGE;
    }
    struct config config;
    int code = config_from_arguments(argv[0], &from, CONFIG_ONLY, &config);
    if (code != EXIT_OK)
        return code;
    struct complaint complaint = {0};
    struct status status = run(&config, grow, creates ? create : check, &complaint);
    config_release(&config);
    return failed(status) ? command_fail("topics", status, &complaint) : EXIT_OK;
}

// SPDX-License-Identifier: Apache-2.0
#include "app/run/embedded.h"

#include "app/topics.h"

#include <eddy/io/kafka_mock.h>
#include <stdio.h>
#include <stdlib.h>

struct embedded {
    struct kafka_mock *mock;
};

/* What people send by hand and read with their eyes. What the user has said about it holds. */
static struct status prefer_json(struct config *config, struct complaint *complaint)
{
    static const char *const keys[] = {"formats.clicks", "formats.items", "formats.recommendations"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        char assignment[64];
        snprintf(assignment, sizeof assignment, "%s=json", keys[i]);
        if (!config_is_set(config, keys[i]))
            TRY(config_set(config, assignment, complaint));
    }
    return OK;
}

static struct status start(struct embedded *embedded, struct config *config, struct complaint *complaint)
{
    struct topic_need needs[TOPIC_COUNT];
    size_t count = topics_needed(config, needs);
    if (config->delivery == DELIVERY_EXACTLY_ONCE)
        return complain(complaint, FAIL(CONFIG, 0, "the embedded broker has no transactions"),
                        "delivery: exactly_once needs a real broker; the embedded one has no transactions");
    TRY(kafka_mock_open(1, &embedded->mock));
    for (size_t i = 0; i < count; i++)
        TRY(kafka_mock_create_topic(embedded->mock, config_topic(config, needs[i].topic),
                                    needs[i].partitions ? needs[i].partitions : (int)config->topics.partitions));
    char assignment[256];
    snprintf(assignment, sizeof assignment, "kafka.bootstrap.servers=%s", embedded_bootstrap(embedded));
    TRY(config_set(config, assignment, complaint));
    TRY(prefer_json(config, complaint));
    TRY(config_set(config, "static_membership=false", complaint)); /* nobody comes back to it */
    /* The mock cluster answers a fetch that found nothing only when its time is up, whatever was produced meanwhile. */
    if (!config_kafka(config, "fetch.wait.max.ms"))
        TRY(config_set(config, "kafka.fetch.wait.max.ms=2", complaint));
    return config_check(config, complaint);
}

struct status embedded_open(struct config *config, struct embedded **ret_embedded, struct complaint *complaint)
{
    struct embedded *embedded = calloc(1, sizeof *embedded);
    if (!embedded)
        return FAIL(MEMORY, 0, "no memory for the embedded broker");
    struct status status = start(embedded, config, complaint);
    if (failed(status)) {
        embedded_close(embedded);
        return status;
    }
    *ret_embedded = embedded;
    return OK;
}

void embedded_close(struct embedded *embedded)
{
    if (!embedded)
        return;
    kafka_mock_close(embedded->mock);
    free(embedded);
}

const char *embedded_bootstrap(const struct embedded *embedded)
{
    return kafka_mock_bootstrap(embedded->mock);
}

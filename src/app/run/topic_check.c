// SPDX-License-Identifier: Apache-2.0
#include "app/run/topic_check.h"

#include "app/log.h"

#include <eddy/io/system.h>
#include <stdatomic.h>

#define TIMEOUT_MS  5000
#define PATIENCE_MS 3000
#define PAUSE_MS    500

static void warn(const struct config *config, const struct topic_need *need,
                 const struct kafka_topic_settings *settings)
{
    struct topic_advice advices[TOPIC_ADVICES_MAX];
    size_t count = topic_judge(need, settings, advices);
    for (size_t i = 0; i < count; i++) {
        AUTO(buffer) note = {0};
        topic_advice_write(config, need->topic, &advices[i], &note);
        log_always(LOG_WARN, "topic_setting", "topic=%s note=%s", config_topic(config, need->topic),
                   buffer_text(&note));
    }
}

/* Reading settings is a permission of its own: without it, or without an answer, there is nothing but a debug line. */
static void warn_of_settings(const struct config *config, struct kafka_admin *admin)
{
    struct topic_need needs[TOPIC_COUNT];
    size_t count = topics_needed(config, needs);
    for (size_t i = 0; i < count; i++) {
        const char *name = config_topic(config, needs[i].topic);
        struct kafka_topic_settings settings;
        struct complaint why = {0};
        struct status status = kafka_topic_read_settings(admin, name, TIMEOUT_MS, &settings, &why);
        if (!failed(status)) {
            warn(config, &needs[i], &settings);
            continue;
        }
        log_event(LOG_DEBUG, "topic_settings_unknown", "topic=%s reason=%s", name, why.text);
        if (failed_as(status, FAULT_UNAVAILABLE)) /* the next would wait as long */
            return;
    }
}

static struct status count_topics(const struct config *config, struct kafka_admin *admin,
                                  struct topic_counts *ret_counts, struct complaint *complaint)
{
    TRY(topics_count(config, admin, TIMEOUT_MS, ret_counts, complaint));
    return topics_check(config, ret_counts, complaint);
}

struct status topic_check(const struct config *config, const struct kafka_options *kafka, const _Atomic bool *stop,
                          struct topic_counts *ret_counts, struct complaint *complaint)
{
    struct kafka_admin *admin;
    TRY(kafka_admin_open(kafka, &admin, complaint));
    struct status status;
    for (int waited_ms = 0;; waited_ms += PAUSE_MS) {
        status = count_topics(config, admin, ret_counts, complaint);
        if (!failed_as(status, FAULT_CONFIG) || waited_ms >= PATIENCE_MS || atomic_load(stop))
            break;
        system_wait_ms(PAUSE_MS);
    }
    if (!failed(status))
        warn_of_settings(config, admin);
    kafka_admin_close(admin);
    return status;
}

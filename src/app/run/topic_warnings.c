// SPDX-License-Identifier: Apache-2.0
#include "app/run/topic_warnings.h"

#include "app/log.h"

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

void topic_warnings(const struct config *config, struct kafka_admin *admin, int timeout_ms)
{
    struct topic_need needs[TOPIC_COUNT];
    size_t count = topics_needed(config, needs);
    for (size_t i = 0; i < count; i++) {
        const char *name = config_topic(config, needs[i].topic);
        struct kafka_topic_settings settings;
        struct complaint why = {0};
        struct status status = kafka_topic_read_settings(admin, name, timeout_ms, &settings, &why);
        if (!failed(status)) {
            warn(config, &needs[i], &settings);
            continue;
        }
        log_event(LOG_DEBUG, "topic_settings_unknown", "topic=%s reason=%s", name, why.text);
        if (failed_as(status, FAULT_UNAVAILABLE)) /* the next would wait as long */
            return;
    }
}

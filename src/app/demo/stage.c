// SPDX-License-Identifier: Apache-2.0
#include "app/demo/stage.h"

#include "app/config_arguments.h"
#include "app/log.h"
#include "app/run/embedded.h"
#include "app/run/process.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

struct stage {
    struct config config;
    struct embedded *broker;
    struct kafka_options kafka;
    struct process *process;
    pthread_t thread;
    bool started;
    _Atomic bool ended; /* then these two are set */
    struct status outcome;
    struct complaint complaint;
};

/* What is other than by default: records that people can read in the topic, no port, and no wall clock that moves the
 * watermark of a stream from long ago. */
static const char *const own_settings[] = {
    "formats.clicks=json", "formats.items=json",  "formats.recommendations=json",
    "items.enabled=true",  "session.idle_ms=0",   "start=earliest",
    "http.listen=",        "topics.partitions=2", "log.level=error",
};

#define OWN_COUNT (sizeof own_settings / sizeof *own_settings)

int stage_open(const struct argument_list *settings, struct stage **ret_stage, struct complaint *complaint)
{
    struct config_arguments from = {0};
    struct stage *stage = calloc(1, sizeof *stage);
    if (!stage)
        return EXIT_FAILED;
    for (size_t i = 0; i < OWN_COUNT; i++)
        from.sets.texts[from.sets.count++] = own_settings[i];
    for (size_t i = 0; i < settings->count && from.sets.count < ARGUMENT_LIST_MAX; i++)
        from.sets.texts[from.sets.count++] = settings->texts[i];
    int code = config_from_arguments("demo", &from, CONFIG_ONLY, &stage->config);
    if (code != EXIT_OK) {
        free(stage);
        return code;
    }
    log_configure(stage->config.log.level, stage->config.log.format, STDERR_FILENO);
    struct status status = embedded_open(&stage->config, &stage->broker, complaint);
    if (!failed(status))
        status = config_kafka_options(&stage->config, &stage->kafka, complaint);
    if (failed(status)) {
        stage_close(stage);
        return EXIT_FAILED;
    }
    *ret_stage = stage;
    return EXIT_OK;
}

static void *run(void *argument)
{
    struct stage *stage = argument;
    stage->outcome = process_run(stage->process, &stage->complaint);
    atomic_store(&stage->ended, true);
    return NULL;
}

struct status stage_start(struct stage *stage, struct complaint *complaint)
{
    struct process_options options = {.config = &stage->config, .state_in_memory = true};
    TRY(process_open(&options, &stage->process, complaint));
    int error = pthread_create(&stage->thread, NULL, run, stage);
    if (error)
        return FAIL(MEMORY, error, "cannot start a thread");
    stage->started = true;
    return OK;
}

void stage_close(struct stage *stage)
{
    if (!stage)
        return;
    if (stage->started) {
        process_stop(stage->process);
        pthread_join(stage->thread, NULL);
    }
    process_close(stage->process);
    embedded_close(stage->broker);
    config_release(&stage->config);
    free(stage);
}

const struct config *stage_config(const struct stage *stage)
{
    return &stage->config;
}

const struct kafka_options *stage_kafka(const struct stage *stage)
{
    return &stage->kafka;
}

const struct metrics *stage_metrics(const struct stage *stage)
{
    return process_metrics(stage->process);
}

struct status stage_failure(const struct stage *stage, struct complaint *complaint)
{
    if (!atomic_load(&stage->ended) || !failed(stage->outcome))
        return OK;
    *complaint = stage->complaint;
    return stage->outcome;
}

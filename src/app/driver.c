// SPDX-License-Identifier: Apache-2.0
#include "app/driver.h"

#include "app/session_model.h"

#include <stdlib.h>

struct driver {
    const struct config *config;
    struct performer performer;
    struct catalogue *catalogue;
    struct learned *learned;
    struct learner *learner;
    struct session_model model;
    struct scoring scoring;
    struct arena batch;
    struct engine *engines[DRIVER_PARTITIONS_MAX]; /* by partition, opened with its first click */
};

static struct status open_parts(struct driver *driver, struct complaint *complaint)
{
    const struct config *config = driver->config;
    TRY(catalogue_open(&config->catalogue, &driver->catalogue));
    TRY(learned_open(&config->learned, &driver->learned));
    TRY(learner_open(&config->learner, driver->learned, &driver->learner));
    if (config->neural.model[0])
        TRY(session_model_open(config->neural.model, driver->catalogue, &driver->model, complaint));
    if (driver->model.neural)
        learner_set_model(driver->learner, driver->model.neural, model_trained_to(driver->model.file.model));
    driver->scoring.neural = driver->model.neural;
    driver->scoring.model_version = bytes_of_text(driver->model.version);
    return scoring_scratch_open(&driver->scoring.scratch);
}

struct status driver_open(const struct config *config, struct performer performer, struct driver **ret_driver,
                          struct complaint *complaint)
{
    struct driver *driver = calloc(1, sizeof *driver);
    if (!driver)
        return FAIL(MEMORY, 0, "no memory for the engine");
    driver->config = config;
    driver->performer = performer;
    struct status status = open_parts(driver, complaint);
    if (failed(status)) {
        driver_close(driver);
        return status;
    }
    *ret_driver = driver;
    return OK;
}

void driver_close(struct driver *driver)
{
    if (!driver)
        return;
    for (size_t i = 0; i < DRIVER_PARTITIONS_MAX; i++)
        engine_close(driver->engines[i]);
    scoring_scratch_close(driver->scoring.scratch);
    session_model_release(&driver->model);
    learner_close(driver->learner);
    learned_close(driver->learned);
    catalogue_close(driver->catalogue);
    arena_release(&driver->batch);
    free(driver);
}

struct catalogue *driver_catalogue(struct driver *driver)
{
    return driver->catalogue;
}

const struct learned *driver_learned(const struct driver *driver)
{
    return driver->learned;
}

struct learner_counts driver_learner_counts(const struct driver *driver)
{
    return learner_counts(driver->learner);
}

uint32_t driver_sessions_open(const struct driver *driver)
{
    uint32_t count = 0;
    for (size_t i = 0; i < DRIVER_PARTITIONS_MAX; i++)
        if (driver->engines[i])
            count += session_table_count(engine_sessions(driver->engines[i]));
    return count;
}

static struct status engine_of(struct driver *driver, int32_t partition, struct engine **ret_engine)
{
    if (partition < 0 || partition >= DRIVER_PARTITIONS_MAX)
        return FAIL(BAD_INPUT, partition, "an impossible partition");
    if (!driver->engines[partition]) {
        struct engine_options options = driver->config->engine;
        options.partition = partition;
        TRY(engine_open(&options, driver->catalogue, driver->learned, &driver->engines[partition]));
    }
    *ret_engine = driver->engines[partition];
    return OK;
}

/* Effects out, then what they teach. */
static struct status perform(struct driver *driver, const struct effects *effects)
{
    TRY(driver->performer.perform(driver->performer.context, effects));
    for (size_t i = 0; i < effects->closed_count; i++)
        TRY(learner_offer(driver->learner, &effects->closed[i].session, effects->closed[i].origin, NULL));
    return effects->learn ? learner_advance(driver->learner, effects->learn_to_ms) : OK;
}

static struct status answer(struct driver *driver, struct engine *engine, const struct engine_click *click)
{
    struct effects effects;
    do {
        TRY(engine_step(engine, click, 1, &driver->scoring, &driver->batch, &effects));
        assert(effects.consumed > 0 || effects.learn);
        TRY(perform(driver, &effects));
    } while (effects.consumed == 0);
    return OK;
}

struct status driver_click(struct driver *driver, const struct driver_click *click, bool *ret_room)
{
    struct engine *engine;
    struct engine_click step = {
        .click = click->click, .offset = click->offset, .record_time_ms = click->record_time_ms};
    TRY(engine_of(driver, click->partition, &engine));
    struct status status = catalogue_intern(driver->catalogue, click->click.item_id, &step.item);
    *ret_room = !failed_as(status, FAULT_LIMIT);
    if (!*ret_room)
        return OK;
    TRY(status);
    status = answer(driver, engine, &step);
    arena_reset(&driver->batch);
    return status;
}

/* The watermark at which every session of the engine is over. */
static int64_t end_of_time(const struct driver *driver, const struct engine *engine)
{
    const struct session_options *session = &driver->config->engine.session;
    return engine_position(engine).watermark_ms + session->gap_ms + session->max_duration_ms + session->grace_ms;
}

struct status driver_finish(struct driver *driver)
{
    for (size_t i = 0; i < DRIVER_PARTITIONS_MAX; i++) {
        struct engine *engine = driver->engines[i];
        struct effects effects;
        if (!engine || engine_position(engine).watermark_ms == INT64_MIN)
            continue;
        TRY(engine_advance(engine, end_of_time(driver, engine), &driver->batch, &effects));
        TRY(perform(driver, &effects));
        arena_reset(&driver->batch);
    }
    return learner_drain(driver->learner);
}

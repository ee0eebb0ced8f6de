// SPDX-License-Identifier: Apache-2.0
#include <eddy/core/engine.h>

#include <stdlib.h>

struct engine {
    struct engine_options options;
    const struct catalogue *catalogue;
    const struct learned *learned;
    struct session_table *sessions;
    struct engine_position position;
    int64_t learned_to_ms; /* the last boundary handed out */
};

/* What one step collects; becomes the caller's effects at its end. */
struct collector {
    struct arena *batch;
    struct effects effects;
    struct recommendation *recommendations;
    struct query *queries; /* of the recommendations */
    struct late_click *late;
    struct engine_closed *closed;
    size_t closed_capacity;
    struct closed_list expired; /* emptied into `closed` after each call that fills it */
};

struct status engine_open(const struct engine_options *options, const struct catalogue *catalogue,
                          const struct learned *learned, struct engine **ret_engine)
{
    assert(options->learn_interval_ms > 0);
    struct engine *engine = calloc(1, sizeof *engine);
    if (!engine)
        return FAIL(MEMORY, 0, "no memory for the engine");
    engine->options = *options;
    engine->catalogue = catalogue;
    engine->learned = learned;
    engine->position = (struct engine_position){.offset = -1, .watermark_ms = INT64_MIN, .close_offset = -1};
    engine->learned_to_ms = INT64_MIN;
    struct status status = session_table_open(&options->session, &engine->sessions);
    if (failed(status)) {
        engine_close(engine);
        return status;
    }
    *ret_engine = engine;
    return OK;
}

void engine_close(struct engine *engine)
{
    if (!engine)
        return;
    session_table_close(engine->sessions);
    free(engine);
}

struct session_table *engine_sessions(struct engine *engine)
{
    return engine->sessions;
}

struct engine_position engine_position(const struct engine *engine)
{
    return engine->position;
}

void engine_restore_position(struct engine *engine, struct engine_position position)
{
    engine->position = position;
}

static struct status collector_start(struct collector *collector, struct arena *batch, size_t count)
{
    *collector = (struct collector){.batch = batch};
    collector->recommendations = ARENA_ARRAY(batch, struct recommendation, count);
    collector->queries = ARENA_ARRAY(batch, struct query, count);
    collector->late = ARENA_ARRAY(batch, struct late_click, count);
    if (!collector->recommendations || !collector->queries || !collector->late)
        return FAIL(MEMORY, count, "no memory for a batch's effects");
    return OK;
}

static struct effects collector_finish(const struct collector *collector)
{
    struct effects effects = collector->effects;
    effects.recommendations = collector->recommendations;
    effects.late = collector->late;
    effects.closed = collector->closed;
    return effects;
}

static struct status closed_reserve(struct collector *collector)
{
    size_t count = collector->effects.closed_count;
    if (count < collector->closed_capacity)
        return OK;
    size_t capacity = count ? count * 2 : 16;
    struct engine_closed *closed = ARENA_ARRAY(collector->batch, struct engine_closed, capacity);
    if (!closed)
        return FAIL(MEMORY, capacity, "no memory for closed sessions");
    if (count)
        memcpy(closed, collector->closed, count * sizeof *closed);
    collector->closed = closed;
    collector->closed_capacity = capacity;
    return OK;
}

/* The identity of the next session closed at `offset`: sequences count from 0 at each offset. */
static struct session_origin next_origin(struct engine *engine, int64_t offset)
{
    struct engine_position *position = &engine->position;
    position->close_sequence = position->close_offset == offset ? position->close_sequence + 1 : 0;
    position->close_offset = offset;
    return (struct session_origin){engine->options.partition, offset, position->close_sequence};
}

/* Gives what session_expire or session_apply closed its identity. */
static struct status collect_closed(struct engine *engine, struct collector *collector, int64_t offset, bool silent)
{
    for (size_t i = 0; i < collector->expired.count; i++) {
        TRY(closed_reserve(collector));
        collector->closed[collector->effects.closed_count++] =
            (struct engine_closed){collector->expired.sessions[i], next_origin(engine, offset), silent};
        collector->effects.counts.evicted += collector->expired.sessions[i].evicted;
    }
    collector->expired.count = 0;
    return OK;
}

/* Moves the watermark on and closes what that closes; in portions, of which effects.closing says that more follow. */
static struct status watermark_advance(struct engine *engine, int64_t watermark_ms, struct collector *collector,
                                       int64_t offset, bool silent)
{
    if (watermark_ms <= engine->position.watermark_ms)
        return OK;
    int64_t reached_ms = watermark_ms;
    TRY(session_expire(engine->sessions, &reached_ms, engine->options.closed_max, collector->batch,
                       &collector->expired));
    if (reached_ms > engine->position.watermark_ms) /* sessions stored with longer gaps may all be overdue */
        engine->position.watermark_ms = reached_ms;
    collector->effects.closing = reached_ms < watermark_ms;
    return collect_closed(engine, collector, offset, silent);
}

/* True when the watermark has entered a new learning interval; says so in the effects. */
static bool learning_is_due(struct engine *engine, struct effects *effects)
{
    int64_t interval_ms = engine->options.learn_interval_ms;
    int64_t watermark_ms = engine->position.watermark_ms;
    if (watermark_ms == INT64_MIN)
        return false;
    int64_t boundary_ms = watermark_ms - watermark_ms % interval_ms;
    if (boundary_ms <= engine->learned_to_ms)
        return false;
    engine->learned_to_ms = boundary_ms;
    effects->learn = true;
    effects->learn_to_ms = boundary_ms;
    return true;
}

/* A copy that outlives the next change of the sessions. */
static struct status keep(struct arena *batch, struct bytes *bytes)
{
    size_t size = bytes->size;
    *bytes = arena_copy(batch, *bytes);
    return bytes->size == size ? OK : FAIL(MEMORY, size, "no memory for a recommendation");
}

/* Takes down what the click is to be answered. */
static struct status answer(struct engine *engine, const struct engine_click *click,
                            const struct session_outcome *outcome, const struct scoring *scoring,
                            struct collector *collector)
{
    struct session_view view;
    TRY(session_read(engine->sessions, outcome->session, collector->batch, &view));
    TRY(keep(collector->batch, &view.session_id));
    TRY(keep(collector->batch, &view.user_id));
    size_t at = collector->effects.recommendation_count++;
    collector->queries[at] = (struct query){.items = view.items,
                                            .times_ms = view.times_ms,
                                            .types = view.types,
                                            .length = view.length,
                                            .now_ms = view.times_ms[view.length - 1]};
    collector->recommendations[at] = (struct recommendation){.session_id = view.session_id,
                                                             .user_id = view.user_id,
                                                             .partition = engine->options.partition,
                                                             .offset = click->offset,
                                                             .position = outcome->position,
                                                             .click_time_ms = click->click.time_ms,
                                                             .record_time_ms = click->record_time_ms,
                                                             .click_item = click->item,
                                                             .learned_version = learned_version(engine->learned),
                                                             .model_version = scoring->model_version};
    return OK;
}

static struct status apply(struct engine *engine, const struct engine_click *click, const struct scoring *scoring,
                           struct collector *collector)
{
    struct session_outcome outcome;
    struct effects *effects = &collector->effects;
    TRY(session_apply(engine->sessions, &click->click, click->item, engine->position.watermark_ms, collector->batch,
                      &collector->expired, &outcome));
    TRY(collect_closed(engine, collector, click->offset, click->silent));
    engine->position.offset = click->offset + 1;
    if (outcome.result == SESSION_LATE) {
        if (!click->silent)
            collector->late[effects->late_count++] = (struct late_click){click->offset};
        return OK;
    }
    effects->counts.duplicates += outcome.result == SESSION_DUPLICATE;
    if (outcome.result == SESSION_DUPLICATE)
        return OK;
    effects->counts.opened += outcome.opened;
    effects->counts.out_of_order += outcome.out_of_order;
    effects->counts.silent += click->silent;
    effects->counts.answered += !click->silent;
    return click->silent ? OK : answer(engine, click, &outcome, scoring, collector);
}

/* Fills in the lists of all recommendations of the step. */
static struct status recommend(struct engine *engine, const struct scoring *scoring, struct collector *collector)
{
    const struct engine_options *options = &engine->options;
    size_t count = collector->effects.recommendation_count, size = options->fusion.list_size;
    if (!options->scoring || !count)
        return OK;
    struct recommended_item *items = ARENA_ARRAY(collector->batch, struct recommended_item, count * size);
    if (!items)
        return FAIL(MEMORY, count, "no memory for lists");
    if (scoring->neural)
        TRY(neural_ask(scoring->neural, collector->queries, (uint32_t)count, &options->neural, collector->batch));
    for (size_t i = 0; i < count; i++) {
        struct recommendation *recommendation = &collector->recommendations[i];
        recommendation->items = items + i * size;
        TRY(fuse(engine->learned, engine->catalogue, &collector->queries[i], &options->fusion, scoring->scratch,
                 items + i * size, &recommendation->count));
    }
    return OK;
}

struct status engine_step(struct engine *engine, const struct engine_click *clicks, size_t count,
                          const struct scoring *scoring, struct arena *batch, struct effects *ret_effects)
{
    struct collector collector;
    TRY(collector_start(&collector, batch, count));
    for (size_t i = 0; i < count; i++) {
        const struct engine_click *click = &clicks[i];
        int64_t seen_ms = click->click.time_ms < click->record_time_ms ? click->click.time_ms : click->record_time_ms;
        TRY(watermark_advance(engine, seen_ms, &collector, click->offset, click->silent));
        if (collector.effects.closing || learning_is_due(engine, &collector.effects))
            break;
        TRY(apply(engine, click, scoring, &collector));
        collector.effects.consumed++;
    }
    TRY(recommend(engine, scoring, &collector));
    *ret_effects = collector_finish(&collector);
    return OK;
}

void engine_pass(struct engine *engine, int64_t offset)
{
    engine->position.offset = offset + 1;
}

struct status engine_advance(struct engine *engine, int64_t watermark_ms, struct arena *batch,
                             struct effects *ret_effects)
{
    struct collector collector;
    TRY(collector_start(&collector, batch, 1));
    TRY(watermark_advance(engine, watermark_ms, &collector, engine->position.offset - 1, false));
    if (!collector.effects.closing)
        learning_is_due(engine, &collector.effects);
    *ret_effects = collector_finish(&collector);
    return OK;
}

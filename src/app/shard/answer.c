// SPDX-License-Identifier: Apache-2.0
#include "app/shard/shard.h"

#include "app/log.h"

/* ---- publishing */

/* The queue is full although the partitions stop before it is: one step had very much to say. */
static struct status wait_for_room(struct shard *shard)
{
    struct record_sink sink = shard->ports.sink;
    TRY(shard_pause(shard, true));
    if (atomic_load(&shard->interrupted))
        return FAIL(INTERRUPTED, 0, "interrupted while the output queue is full");
    struct status status = sink.ops->flush(sink.self, FLUSH_SLICE_MS);
    return failed_as(status, FAULT_UNAVAILABLE) ? OK : status;
}

struct status shard_publish(struct shard *shard, const struct output_record *record)
{
    struct record_sink sink = shard->ports.sink;
    struct status status;
    while (failed_as(status = sink.ops->publish(sink.self, record), FAULT_LIMIT))
        TRY(wait_for_room(shard));
    return status;
}

struct status shard_send(struct shard *shard)
{
    TRY(buffer_check(&shard->outbox));
    for (size_t i = 0; i < shard->outgoing_count; i++) {
        const struct outgoing *outgoing = &shard->outgoing[i];
        const uint8_t *data = shard->outbox.data + outgoing->at;
        const struct header header = {SCHEMA_HEADER, shard->options.schema_headers[outgoing->output]};
        const struct output_record record = {.output = outgoing->output,
                                             .partition = outgoing->partition,
                                             .timestamp_ms = outgoing->timestamp_ms,
                                             .key = bytes_of(data, outgoing->key_size),
                                             .value = bytes_of(data + outgoing->key_size, outgoing->value_size),
                                             .headers = &header,
                                             .header_count = header.value.size > 0};
        TRY(shard_publish(shard, &record));
    }
    shard->outgoing_count = 0;
    buffer_clear(&shard->outbox);
    return OK;
}

/* Begins a record in the outbox: the caller appends the value and calls outbox_end(). */
static struct status outbox_begin(struct shard *shard, enum output output, int32_t partition, struct bytes key)
{
    if (shard->outgoing_count == OUTBOX_MAX || shard->outbox.size >= OUTBOX_BYTES_MAX)
        TRY(shard_send(shard));
    shard->outgoing[shard->outgoing_count] =
        (struct outgoing){.output = output, .partition = partition, .at = shard->outbox.size, .key_size = key.size};
    buffer_append_bytes(&shard->outbox, key);
    return OK;
}

static void outbox_end(struct shard *shard, int64_t timestamp_ms)
{
    struct outgoing *outgoing = &shard->outgoing[shard->outgoing_count++];
    outgoing->timestamp_ms = timestamp_ms;
    outgoing->value_size = shard->outbox.size - outgoing->at - outgoing->key_size;
}

/* Item ids can be had from their numbers without the lock, so none is held while encoding and publishing. */
static struct status put_recommendations(struct shard *shard, const struct effects *effects)
{
    int64_t empty = 0;
    for (size_t i = 0; i < effects->recommendation_count; i++) {
        const struct recommendation *recommendation = &effects->recommendations[i];
        struct bytes key = shard->options.limits.by_user ? recommendation->user_id : recommendation->session_id;
        empty += recommendation->count == 0;
        TRY(outbox_begin(shard, OUTPUT_RECOMMENDATIONS, -1, key));
        encode_recommendation(shard->options.recommendations, recommendation, shard->options.topic,
                              knowledge_catalogue(shard->ports.knowledge), &shard->outbox);
        outbox_end(shard, recommendation->record_time_ms);
    }
    metric_add(shard->ports.metrics, METRIC_RECOMMENDATIONS, (int64_t)effects->recommendation_count);
    metric_add(shard->ports.metrics, METRIC_RECOMMENDATIONS_EMPTY, empty);
    return OK;
}

static struct status put_closed(struct shard *shard, const struct effects *effects)
{
    int64_t live = 0, evicted = 0; /* those closed in silence were counted before the restart */
    for (size_t i = 0; i < effects->closed_count; i++) {
        const struct engine_closed *closed = &effects->closed[i];
        if (closed->silent)
            continue;
        live++;
        evicted += closed->session.evicted;
        /* One partition's sessions stay in one partition: their order is what the learner tells repeats by. */
        TRY(outbox_begin(shard, OUTPUT_SESSIONS, closed->origin.partition, closed->session.view.session_id));
        encode_closed_session(shard->options.sessions, &closed->session, closed->origin,
                              knowledge_catalogue(shard->ports.knowledge), &shard->outbox);
        outbox_end(shard, 0);
    }
    metric_add(shard->ports.metrics, METRIC_SESSIONS_CLOSED, live);
    metric_add(shard->ports.metrics, METRIC_SESSIONS_EVICTED, evicted);
    return OK;
}

/* Producers may compress, so a click that the broker took may be too large to be sent on: the broker would refuse it,
 * now and after every restart. */
static struct status publish_late_click(struct shard *shard, const struct message *message)
{
    size_t size = message->key.size + message->value.size;
    if (size > LATE_CLICK_BYTES_MAX) {
        struct complaint complaint = {0};
        struct status status =
            complain(&complaint, FAIL(LIMIT, (int64_t)size, "a late click is too large"),
                     "the click is late, and with %zu bytes too large to be handed on to the late clicks", size);
        return shard_publish_dead_letter(shard, message, status, &complaint);
    }
    const struct header header = {SCHEMA_HEADER, message->schema_header};
    /* To the partition it came from, whatever partitioner the user has. */
    const struct output_record record = {.output = OUTPUT_LATE_CLICKS,
                                         .partition = message->partition,
                                         .timestamp_ms = message->timestamp_ms,
                                         .key = message->key,
                                         .value = message->value,
                                         .headers = &header,
                                         .header_count = header.value.size > 0};
    metric_add(shard->ports.metrics, METRIC_CLICKS_LATE, 1);
    return shard_publish(shard, &record);
}

/* `messages` are those of the clicks of the step, in the same order. */
static struct status publish_late(struct shard *shard, const struct effects *effects,
                                  const struct message *const *messages, size_t count)
{
    size_t at = 0;
    for (size_t i = 0; i < effects->late_count; i++) {
        while (at < count && messages[at]->offset != effects->late[i].offset)
            at++;
        assert(at < count);
        TRY(publish_late_click(shard, messages[at]));
    }
    return OK;
}

static void count_clicks(struct shard *shard, const struct effects *effects)
{
    struct metrics *metrics = shard->ports.metrics;
    metric_add(metrics, METRIC_CLICKS_ANSWERED, effects->counts.answered);
    metric_add(metrics, METRIC_CLICKS_SILENT, effects->counts.silent);
    metric_add(metrics, METRIC_CLICKS_DUPLICATE, effects->counts.duplicates);
    metric_add(metrics, METRIC_CLICKS_OUT_OF_ORDER, effects->counts.out_of_order);
    shard->clicks_since_commit += effects->consumed;
}

/* ---- learning */

static struct status copy_array(struct arena *arena, const void *from, size_t size, const void **ret_copy)
{
    void *copy = arena_alloc(arena, size + 1);
    if (!copy)
        return FAIL(MEMORY, size, "no memory for a closed session");
    memcpy(copy, from, size);
    *ret_copy = copy;
    return OK;
}

static struct status copy_session(struct arena *arena, const struct closed_session *from,
                                  struct closed_session *ret_copy)
{
    struct closed_session copy = *from;
    size_t length = from->view.length;
    const void *items, *times_ms, *types;
    TRY(copy_array(arena, from->view.items, length * sizeof *from->view.items, &items));
    TRY(copy_array(arena, from->view.times_ms, length * sizeof *from->view.times_ms, &times_ms));
    TRY(copy_array(arena, from->view.types, length * sizeof *from->view.types, &types));
    copy.view.items = items;
    copy.view.times_ms = times_ms;
    copy.view.types = types;
    copy.view.session_id = arena_copy(arena, from->view.session_id);
    copy.view.user_id = arena_copy(arena, from->view.user_id);
    if (copy.view.session_id.size != from->view.session_id.size || copy.view.user_id.size != from->view.user_id.size)
        return FAIL(MEMORY, length, "no memory for a closed session");
    copy.view.key = (struct bytes){0};
    *ret_copy = copy;
    return OK;
}

/* The writer lock is held. */
static struct status offer_all(struct shard *shard)
{
    struct learner *learner = knowledge_learner(shard->ports.knowledge);
    for (size_t i = 0; i < shard->offer_count; i++)
        TRY(learner_offer(learner, &shard->offers[i].session, shard->offers[i].origin, NULL));
    shard->offer_count = 0;
    arena_reset(&shard->offers_memory);
    return OK;
}

static struct status offer_now(struct shard *shard)
{
    knowledge_lock_write(shard->ports.knowledge);
    struct status status = offer_all(shard);
    knowledge_unlock(shard->ports.knowledge);
    return status;
}

/* Sessions closed in silence were published before the restart, so the sessions topic brings them. */
static struct status collect_offers(struct shard *shard, const struct effects *effects)
{
    for (size_t i = 0; i < effects->closed_count; i++) {
        const struct engine_closed *closed = &effects->closed[i];
        if (closed->silent)
            continue;
        if (shard->offer_count == OFFERS_MAX)
            TRY(offer_now(shard));
        struct offer *offer = &shard->offers[shard->offer_count];
        TRY(copy_session(&shard->offers_memory, &closed->session, &offer->session));
        offer->origin = closed->origin;
        shard->offer_count++;
    }
    return OK;
}

static struct status learn(struct shard *shard, struct task *task, int64_t time_ms)
{
    struct knowledge *knowledge = shard->ports.knowledge;
    knowledge_lock_write(knowledge);
    struct status status = offer_all(shard);
    if (!failed(status))
        status = knowledge_reached(knowledge, task->partition, time_ms);
    if (task->idle)
        knowledge_set_idle(knowledge, task->partition);
    knowledge_unlock(knowledge);
    return status;
}

/* ---- a run */

/* Looks up the items of the run from `from` on and returns where the first new one stands (or the run ends). A new
 * item is named when its click's turn comes and not before: what clicks before it are answered must not depend on how
 * the stream was cut into runs. The reader lock is held. */
static size_t find_items(struct shard *shard, size_t from)
{
    const struct catalogue *catalogue = knowledge_catalogue(shard->ports.knowledge);
    for (; from < shard->run_count; from++) {
        struct engine_click *click = &shard->run[from];
        if (click->item == ITEM_NONE)
            click->item = catalogue_find(catalogue, click->click.item_id);
        if (click->item == ITEM_NONE)
            break;
    }
    return from;
}

/* Names a click's new item. When the catalogue is full the click is a dead letter; those on known items go on. */
static struct status name_item(struct shard *shard, size_t at, bool *ret_named)
{
    struct engine_click *click = &shard->run[at];
    knowledge_lock_write(shard->ports.knowledge);
    struct status status =
        catalogue_intern(knowledge_catalogue(shard->ports.knowledge), click->click.item_id, &click->item);
    knowledge_unlock(shard->ports.knowledge);
    *ret_named = !failed(status);
    metric_add(shard->ports.metrics, METRIC_CLICKS_UNKNOWN_ITEM, 1);
    if (!failed_as(status, FAULT_LIMIT))
        return status;
    struct complaint complaint;
    complain(&complaint, status, "the item is new and the catalogue is full (items.max, items.memory_max_bytes)");
    return click->silent ? OK : shard_publish_dead_letter(shard, shard->run_messages[at], status, &complaint);
}

static struct status effects_out(struct shard *shard, struct task *task, const struct effects *effects,
                                 const struct message *const *messages, size_t count)
{
    TRY(put_recommendations(shard, effects));
    TRY(publish_late(shard, effects, messages, count));
    TRY(put_closed(shard, effects));
    TRY(collect_offers(shard, effects));
    count_clicks(shard, effects);
    arena_reset(&shard->effects);
    task->changed = true;
    /* What was closed before the restart has been read from the sessions topic, and learned up to where this ends. */
    return effects->learn && !task->catching_up ? learn(shard, task, effects->learn_to_ms) : OK;
}

/* Steps the engine over the clicks from `from` on whose items have numbers; *ret_named is where those end. */
static struct status step_engine(struct shard *shard, struct task *task, size_t from, size_t *ret_named,
                                 struct effects *ret_effects)
{
    struct status status = OK;
    struct knowledge *knowledge = shard->ports.knowledge;
    knowledge_lock_read(knowledge);
    /* Recommendations are encoded without the lock, when the model may be another. */
    memcpy(shard->model_version, knowledge_model_version(knowledge), sizeof shard->model_version);
    const struct scoring scoring = {.scratch = shard->scratch,
                                    .neural = knowledge_neural(knowledge),
                                    .model_version = bytes_of_text(shard->model_version)};
    *ret_named = find_items(shard, from);
    if (*ret_named > from)
        status =
            engine_step(task->engine, shard->run + from, *ret_named - from, &scoring, &shard->effects, ret_effects);
    knowledge_unlock(knowledge);
    return status;
}

static struct status answer_next(struct shard *shard, struct task *task)
{
    struct effects effects = {0};
    size_t at = shard->run_answered, named;
    TRY(step_engine(shard, task, at, &named, &effects));
    if (named == at) {
        bool now_named;
        TRY(name_item(shard, at, &now_named));
        if (!now_named)
            engine_pass(task->engine, shard->run[at].offset);
        shard->run_answered += !now_named;
        return OK;
    }
    assert(effects.consumed > 0 || effects.learn || effects.closing);
    shard->run_answered += effects.consumed;
    TRY(effects_out(shard, task, &effects, shard->run_messages + at, effects.consumed));
    if (!effects.closing || task->catching_up)
        return OK;
    task->next_offset = shard->run[shard->run_answered].offset; /* it can be committed so */
    TRY(shard_send(shard));
    shard->uncommitted = shard_must_commit(shard);
    return OK;
}

void shard_drop_run(struct shard *shard)
{
    shard->run_count = shard->run_answered = 0;
    shard->run_task = NULL;
    arena_reset(&shard->batch);
}

struct status shard_answer_run(struct shard *shard, bool *ret_done)
{
    struct task *task = shard->run_task;
    *ret_done = true;
    if (!shard->run_count)
        return OK;
    while (shard->run_answered < shard->run_count && !shard->uncommitted)
        TRY(answer_next(shard, task));
    *ret_done = !shard->uncommitted;
    if (shard->uncommitted)
        return OK;
    task->next_offset = shard->run[shard->run_count - 1].offset + 1;
    task->changed = true;
    task->awake_ms = shard_wall_ms(shard);
    task->awake_watermark_ms = engine_position(task->engine).watermark_ms;
    task->idle = false;
    shard_drop_run(shard);
    return task_mind_catching_up(shard, task);
}

struct status shard_advance(struct shard *shard, struct task *task, int64_t watermark_ms)
{
    struct effects effects;
    do {
        TRY(engine_advance(task->engine, watermark_ms, &shard->effects, &effects));
        if (task->catching_up)
            effects.closed_count = 0; /* published before the restart */
        TRY(effects_out(shard, task, &effects, NULL, 0));
        if (effects.closing && !task->catching_up)
            TRY(shard_send(shard));
    } while (effects.closing && (task->catching_up || !shard_must_commit(shard)));
    return OK;
}

// SPDX-License-Identifier: Apache-2.0
#include "app/evaluation.h"

#include "app/progress.h"
#include "app/session_model.h"

#include <eddy/core/intent.h>
#include <eddy/io/system.h>

#include <stdlib.h>

#define EXPOSED       20 /* places of a list that count as shown */
#define QUESTIONS_MAX 64 /* asked together */

/* One configuration at work. */
struct run {
    const struct evaluation_data *data;
    const struct config *config;
    struct fusion_options options;
    bool tune;
    uint64_t mixed; /* clicks that the mixing could learn from */
    struct learned *learned;
    struct scoring_scratch *scratch;
    struct session_model model; /* none: no neural */
    struct neural_options neural_options;
    const struct semantics *texts;    /* NULL: they say nothing */
    struct localized_intent *intents; /* by place in the data's; NULL: none */
    struct arena arena, intents_arena;
    struct query queries[QUESTIONS_MAX];
    struct recommended_item *list;
    struct list_dump *dump;
    struct complaint *complaint;
    size_t done; /* predictions */
    struct progress progress;
};

static void run_release(struct run *run)
{
    learned_close(run->learned);
    scoring_scratch_close(run->scratch);
    session_model_release(&run->model);
    arena_release(&run->arena);
    arena_release(&run->intents_arena);
    free(run->intents);
    free(run->list);
}

static struct bytes session_name(const struct evaluation_data *data, const struct whole_session *session)
{
    return interner_get(data->log.session_ids, session->name);
}

static struct query query_at(const struct evaluation_data *data, const struct whole_session *session, uint32_t length)
{
    const struct session_log *log = &data->log;
    return (struct query){.items = log->items + session->start,
                          .times_ms = log->times_ms + session->start,
                          .types = log->types + session->start,
                          .length = length,
                          .now_ms = log->times_ms[session->start + length - 1]};
}

/* What was recorded about the prefix that is asked about, if anything was. */
static struct status say_intent(struct run *run, const struct whole_session *session, struct query *query)
{
    const struct recorded_intents *recorded = &run->data->intents;
    const struct recorded_intent *intent = run->intents ? evaluation_intent(run->data, session, query->length) : NULL;
    if (!intent)
        return OK;
    return intent_say(&run->intents[intent - recorded->intents], &run->config->intent, &run->arena, query);
}

/* Learns to mix from one click in so many, and, whether texts say anything or not, from those about which something was
 * recorded, before their session is learned. A session model has most likely been trained on these sessions, so that
 * nothing can be learned from how well it knows them. */
static struct status learn_to_mix(struct run *run, const struct whole_session *session)
{
    uint32_t every = run->config->learner.mix_every;
    if (!every || run->model.neural)
        return OK;
    for (uint32_t length = 1; length < session->length; length++) {
        struct query query = query_at(run->data, session, length);
        bool due = run->mixed++ % every == 0;
        if (!due && !evaluation_intent(run->data, session, length))
            continue;
        arena_reset(&run->arena);
        if (run->texts)
            TRY(semantic_ask(run->texts->semantic, &query, 1, &run->config->semantic, &run->arena));
        TRY(say_intent(run, session, &query));
        TRY(fuse_learn(run->learned, &query, query.items[length], &run->options, run->scratch));
    }
    return OK;
}

/* What was recorded, in items of the catalogue. */
static struct status localize(struct run *run, const struct semantics *texts, struct evaluation_result *result)
{
    const struct recorded_intents *recorded = &run->data->intents;
    if (!texts || !texts->semantic)
        return OK;
    run->texts = texts;
    if (recorded->count == 0)
        return OK;
    struct answered_session *answers = malloc(recorded->count * sizeof *answers);
    run->intents = malloc(recorded->count * sizeof *run->intents);
    struct status status = answers && run->intents ? OK : FAIL(MEMORY, recorded->count, "no memory for intents");
    for (size_t i = 0; i < recorded->count && !failed(status); i++)
        answers[i] = recorded->intents[i].answer;
    if (!failed(status))
        status = localize_answers(texts->semantic, &texts->embedder, answers, (uint32_t)recorded->count,
                                  &run->config->localize, &run->intents_arena, run->intents, &result->titles,
                                  run->complaint);
    free(answers);
    return status;
}

static struct status learn(struct run *run, int64_t gap_ms, struct evaluation_result *result)
{
    const struct evaluation_data *data = run->data;
    int64_t start_ns = system_thread_cpu_ns();
    for (size_t i = 0; i < data->train_count; i++) {
        const struct whole_session *session = &data->log.sessions[data->train[i]];
        struct bytes name = session_name(data, session);
        struct closed_session closed = {
            .view = {.key = name,
                     .session_id = name,
                     .items = data->log.items + session->start,
                     .times_ms = data->log.times_ms + session->start,
                     .types = data->log.types + session->start,
                     .length = session->length,
                     .total = session->length},
            .close_ms = session->last_ms + gap_ms,
        };
        TRY(learn_to_mix(run, session));
        TRY(learned_learn(run->learned, &closed));
    }
    result->learn_ns = system_thread_cpu_ns() - start_ns;
    result->learned_sessions = learned_count(run->learned);
    result->learned_bytes = learned_memory(run->learned);
    return OK;
}

struct list_line evaluation_line(const struct evaluation_data *data, const struct whole_session *session,
                                 uint32_t position, const struct recommended_item *list, uint32_t count)
{
    return (struct list_line){.session_id = session_name(data, session),
                              .position = position,
                              .item = data->log.items[session->start + position - 1],
                              .list = list,
                              .count = count};
}

/* Takes note of a list of `count` items whose true next item was `truth`. */
static void judge(struct run *run, uint32_t truth, uint32_t count, struct evaluation_result *result)
{
    uint32_t rank = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t item = run->list[i].item;
        if (item == truth)
            rank = i + 1;
        if (i < EXPOSED && item < run->data->train_items)
            result->exposure[item]++;
    }
    result->ranks[run->done++] = rank;
}

/* The list after `query`, for which namers took `namers_ns` already. */
static struct status ask(struct run *run, const struct whole_session *session, const struct query *query,
                         int64_t namers_ns, struct evaluation_result *result)
{
    uint32_t count, truth = run->data->log.items[session->start + query->length];
    int64_t start_ns = system_thread_cpu_ns();
    TRY(fuse(run->learned, run->data->catalogue, query, &run->options, run->scratch, run->list, &count));
    int64_t took_ns = system_thread_cpu_ns() - start_ns + namers_ns;
    histogram_record(&result->latency_ns, (uint64_t)(took_ns > 0 ? took_ns : 0));
    result->predict_ns += took_ns;
    judge(run, truth, count, result);
    if (run->tune)
        TRY(fuse_learn(run->learned, query, truth, &run->options, run->scratch));
    struct list_line line = evaluation_line(run->data, session, query->length + 1, run->list, count);
    if (run->dump)
        TRY(list_dump_write(run->dump, &line, run->complaint));
    progress_tick(&run->progress, INT64_MIN);
    return OK;
}

static const struct whole_session *session_of(const struct evaluation_data *data,
                                              const struct evaluation_question *question)
{
    return &data->log.sessions[data->test[question->test]];
}

/* What the session model and texts have to say on some questions. */
static struct status ask_namers(struct run *run, const struct evaluation_question *questions, uint32_t count)
{
    if (run->model.neural)
        TRY(neural_ask(run->model.neural, run->queries, count, &run->neural_options, &run->arena));
    if (run->texts)
        TRY(semantic_ask(run->texts->semantic, run->queries, count, &run->config->semantic, &run->arena));
    for (uint32_t i = 0; i < count; i++)
        TRY(say_intent(run, session_of(run->data, &questions[i]), &run->queries[i]));
    return OK;
}

static struct status test_some(struct run *run, const struct evaluation_question *questions, uint32_t count,
                               struct evaluation_result *result)
{
    const struct evaluation_data *data = run->data;
    for (uint32_t i = 0; i < count; i++)
        run->queries[i] = query_at(data, session_of(data, &questions[i]), questions[i].length);
    arena_reset(&run->arena);
    int64_t start_ns = system_thread_cpu_ns();
    TRY(ask_namers(run, questions, count));
    int64_t namers_ns = system_thread_cpu_ns() - start_ns;
    for (uint32_t i = 0; i < count; i++)
        TRY(ask(run, session_of(data, &questions[i]), &run->queries[i], namers_ns / count, result));
    return OK;
}

static struct status test(struct run *run, struct evaluation_result *result)
{
    size_t total = run->data->predictions;
    run->progress = progress_start("predictions");
    for (size_t from = 0, count; from < total; from += count) {
        count = total - from < QUESTIONS_MAX ? total - from : QUESTIONS_MAX;
        TRY(test_some(run, run->data->questions + from, (uint32_t)count, result));
    }
    progress_end(&run->progress);
    return OK;
}

static struct status run_all(struct run *run, const struct config *config, const struct semantics *texts,
                             struct evaluation_result *result)
{
    const struct evaluation_data *data = run->data;
    if (run->options.list_size < cutoffs[CUTOFF_COUNT - 1])
        run->options.list_size = cutoffs[CUTOFF_COUNT - 1];
    run->list = malloc(run->options.list_size * sizeof *run->list);
    result->ranks = calloc(data->predictions, sizeof *result->ranks);
    result->exposure = calloc((size_t)data->train_items + 1, sizeof *result->exposure);
    if (!run->list || !result->ranks || !result->exposure)
        return FAIL(MEMORY, data->predictions, "no memory for an evaluation");
    TRY(learned_open(&config->learned, &run->learned));
    TRY(scoring_scratch_open(&run->scratch));
    if (config->neural.model[0])
        TRY(session_model_open_among(config->neural.model, data->catalogue, data->train_items, &run->model,
                                     run->complaint));
    TRY(localize(run, texts, result));
    TRY(learn(run, config->engine.session.gap_ms, result));
    run->neural_options = config->engine.neural;
    TRY(test(run, result));
    assert(run->done == data->predictions);
    result->mixing = *learned_mixing(run->learned);
    return OK;
}

struct status evaluation_run(const struct evaluation_data *data, const struct config *config,
                             const struct semantics *texts, bool tune, struct list_dump *dump,
                             struct evaluation_result *ret_result, struct complaint *complaint)
{
    AUTO(run)
    run = {.data = data,
           .config = config,
           .options = config->engine.fusion,
           .tune = tune,
           .dump = dump,
           .complaint = complaint};
    struct evaluation_result result = {0};
    struct status status = run_all(&run, config, texts, &result);
    if (failed(status)) {
        evaluation_result_release(&result);
        return status;
    }
    *ret_result = result;
    return OK;
}

void evaluation_result_release(struct evaluation_result *result)
{
    free(result->ranks);
    free(result->exposure);
    result->ranks = NULL;
    result->exposure = NULL;
}

void evaluation_session_sums(const struct evaluation_data *data, const struct evaluation_result *result,
                             const struct evaluation_result *base, const struct measure *measure,
                             struct session_sums *ret_sums)
{
    const uint32_t cutoff = cutoffs[CUTOFF_COUNT - 1];
    memset(ret_sums, 0, data->test_count * sizeof *ret_sums);
    for (size_t i = 0; i < data->predictions; i++) {
        struct session_sums *sums = &ret_sums[data->questions[i].test];
        sums->count++;
        sums->sum += measure->value(result->ranks[i], cutoff);
        if (base)
            sums->sum -= measure->value(base->ranks[i], cutoff);
    }
}

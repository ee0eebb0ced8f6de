// SPDX-License-Identifier: Apache-2.0
#include "app/evaluation_model.h"

#include "app/progress.h"
#include "app/session_model.h"

#include <eddy/io/system.h>

#include <stdlib.h>

#define LIST_SIZE     20
#define QUESTIONS_MAX 32          /* together */
#define SCORES_MAX    (16u << 20) /* of all items for these */

struct run {
    const struct evaluation_data *data;
    struct session_model model;
    struct arena arena;
    struct list_dump *dump;
    struct complaint *complaint;
    struct progress progress;
    struct scored_item lists[QUESTIONS_MAX * LIST_SIZE];
    uint32_t lengths[QUESTIONS_MAX];
    size_t done; /* predictions */
};

static void run_close(struct run *run)
{
    session_model_release(&run->model);
    arena_release(&run->arena);
    free(run);
}

static struct status judge(struct run *run, const struct whole_session *session, uint32_t length, uint32_t place,
                           struct evaluation_result *result)
{
    const struct scored_item *list = run->lists + (size_t)place * LIST_SIZE;
    struct recommended_item items[LIST_SIZE] = {0};
    uint32_t rank = 0, truth = run->data->log.items[session->start + length];
    for (uint32_t i = 0; i < run->lengths[place]; i++) {
        items[i].item = list[i].item;
        items[i].score = list[i].score;
        rank = list[i].item == truth ? i + 1 : rank;
        result->exposure[list[i].item]++;
    }
    result->ranks[run->done++] = rank;
    progress_tick(&run->progress, INT64_MIN);
    if (!run->dump)
        return OK;
    struct list_line line = evaluation_line(run->data, session, length + 1, items, run->lengths[place]);
    return list_dump_write(run->dump, &line, run->complaint);
}

static struct status test_some(struct run *run, const struct evaluation_question *questions, uint32_t count,
                               struct evaluation_result *result)
{
    const struct evaluation_data *data = run->data;
    const struct whole_session *sessions[QUESTIONS_MAX];
    uint32_t starts[QUESTIONS_MAX + 1] = {0};
    for (uint32_t i = 0; i < count; i++) {
        sessions[i] = &data->log.sessions[data->test[questions[i].test]];
        starts[i + 1] = starts[i] + questions[i].length;
    }
    arena_reset(&run->arena);
    uint32_t *clicks = ARENA_ARRAY(&run->arena, uint32_t, starts[count]);
    if (!clicks)
        return FAIL(MEMORY, count, "no memory for sessions' prefixes");
    for (uint32_t i = 0; i < count; i++)
        memcpy(clicks + starts[i], data->log.items + sessions[i]->start, questions[i].length * sizeof *clicks);
    int64_t start_ns = system_thread_cpu_ns();
    const struct neural_sessions asked = {count, starts, clicks};
    TRY(neural_lists(run->model.neural, &asked, &run->arena, run->lists, LIST_SIZE, run->lengths));
    int64_t took_ns = system_thread_cpu_ns() - start_ns;
    result->predict_ns += took_ns;
    for (uint32_t i = 0; i < count; i++) {
        histogram_record(&result->latency_ns, (uint64_t)(took_ns > 0 ? took_ns / count : 0));
        TRY(judge(run, sessions[i], questions[i].length, i, result));
    }
    return OK;
}

static struct status run_all(struct run *run, const char *path, struct evaluation_result *result)
{
    const struct evaluation_data *data = run->data;
    TRY(session_model_open_among(path, data->catalogue, data->train_items, &run->model, run->complaint));
    result->ranks = calloc(data->predictions, sizeof *result->ranks);
    result->exposure = calloc((size_t)data->train_items + 1, sizeof *result->exposure);
    if (!result->ranks || !result->exposure)
        return FAIL(MEMORY, data->predictions, "no memory for an evaluation");
    result->learned_bytes = model_parameter_count(run->model.file.model) * sizeof(float);
    run->progress = progress_start("predictions");
    uint32_t together = SCORES_MAX / model_item_count(run->model.file.model);
    together = together < 1 ? 1 : together > QUESTIONS_MAX ? QUESTIONS_MAX : together;
    for (size_t from = 0, count; from < data->predictions; from += count) {
        count = data->predictions - from < together ? data->predictions - from : together;
        TRY(test_some(run, data->questions + from, (uint32_t)count, result));
    }
    progress_end(&run->progress);
    assert(run->done == data->predictions);
    return OK;
}

struct status evaluation_run_model(const struct evaluation_data *data, const char *path, struct list_dump *dump,
                                   struct evaluation_result *ret_result, struct complaint *complaint)
{
    struct run *run = calloc(1, sizeof *run);
    struct evaluation_result result = {0};
    if (!run)
        return FAIL(MEMORY, sizeof *run, "no memory for an evaluation");
    run->data = data;
    run->dump = dump;
    run->complaint = complaint;
    struct status status = run_all(run, path, &result);
    run_close(run);
    if (failed(status)) {
        evaluation_result_release(&result);
        return status;
    }
    *ret_result = result;
    return OK;
}

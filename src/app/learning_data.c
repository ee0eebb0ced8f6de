// SPDX-License-Identifier: Apache-2.0
#include "app/learning.h"

#include <eddy/base/timestamp.h>

#include <stdlib.h>

static int compare_closing(const void *a, const void *b, void *context)
{
    const struct whole_session *sessions = context;
    const struct whole_session *x = &sessions[*(const uint32_t *)a], *y = &sessions[*(const uint32_t *)b];
    return x->last < y->last ? -1 : x->last > y->last;
}

static int compare_questions(const void *a, const void *b)
{
    const struct learning_question *x = a, *y = b;
    if (x->time_ms != y->time_ms)
        return x->time_ms < y->time_ms ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

/* The middle of the time between the first and the last click. */
static int64_t middle(const struct session_log *log)
{
    int64_t first_ms = log->sessions[0].first_ms, last_ms = first_ms;
    for (size_t i = 0; i < log->session_count; i++)
        last_ms = log->sessions[i].last_ms > last_ms ? log->sessions[i].last_ms : last_ms;
    return first_ms + (last_ms - first_ms) / 2;
}

static struct status choose_sessions(struct learning_data *data)
{
    struct session_log *log = &data->log;
    data->closing = malloc((log->session_count + 1) * sizeof *data->closing);
    data->tested = malloc((log->session_count + 1) * sizeof *data->tested);
    if (!data->closing || !data->tested)
        return FAIL(MEMORY, log->session_count, "no memory to put sessions in order");
    for (uint32_t i = 0; i < log->session_count; i++) {
        const struct whole_session *session = &log->sessions[i];
        if (session->length < 2)
            continue;
        data->closing[data->closing_count++] = i;
        if (session->last_ms + data->gap_ms <= data->from_ms) {
            data->first_sessions++;
            data->first_clicks += session->length;
        }
        if (session->first_ms >= data->from_ms && session->first_ms < data->before_ms) {
            data->tested[data->tested_count++] = i;
            data->predictions += session->length - 1;
        }
    }
    qsort_r(data->closing, data->closing_count, sizeof *data->closing, compare_closing, log->sessions);
    return OK;
}

/* Items get the numbers 0, 1, ... as the sessions close, so that what a model has learned is its first rows. */
static struct status number_items(struct learning_data *data)
{
    struct session_log *log = &data->log;
    uint32_t count = interner_count(log->item_ids), *numbers = malloc((count + 1ul) * sizeof *numbers);
    data->names = malloc((count + 1ul) * sizeof *data->names);
    if (!numbers || !data->names) {
        free(numbers);
        return FAIL(MEMORY, count, "no memory to number items");
    }
    memset(numbers, 0xff, count * sizeof *numbers);
    for (size_t i = 0; i < data->closing_count; i++) {
        const struct whole_session *session = &log->sessions[data->closing[i]];
        for (size_t click = session->start; click < session->start + session->length; click++) {
            uint32_t *number = &numbers[log->items[click]];
            if (*number == UINT32_MAX) {
                data->names[data->items] = log->items[click];
                *number = data->items++;
            }
            log->items[click] = *number;
        }
    }
    free(numbers);
    return OK;
}

static struct status list_questions(struct learning_data *data)
{
    uint32_t place = 0;
    data->questions = malloc((data->predictions + 1) * sizeof *data->questions);
    if (!data->questions)
        return FAIL(MEMORY, data->predictions, "no memory to list what is to be predicted");
    for (size_t i = 0; i < data->tested_count; i++) {
        const struct whole_session *session = &data->log.sessions[data->tested[i]];
        for (uint32_t length = 1; length < session->length; length++, place++)
            data->questions[place] =
                (struct learning_question){data->log.times_ms[session->start + length], data->tested[i], length, place};
    }
    qsort(data->questions, data->predictions, sizeof *data->questions, compare_questions);
    return OK;
}

static struct status refuse(const struct learning_data *data, struct complaint *complaint)
{
    char from[TIMESTAMP_TEXT_MAX];
    struct status status = FAIL(BAD_INPUT, data->log.session_count, "a side of the split is empty");
    if (data->log.session_count == 0)
        return complain(complaint, status, "there is not one click in the files that can be used");
    return complain(complaint, status,
                    "of %zu sessions of two clicks and more %zu close before %s and are learned from, and %zu that "
                    "begin then are predicted; both sides need some",
                    data->closing_count, data->first_sessions, timestamp_text(data->from_ms, from), data->tested_count);
}

static struct status prepare(struct learning_data *data, struct complaint *complaint)
{
    if (data->log.session_count == 0)
        return refuse(data, complaint);
    if (data->from_ms == INT64_MIN)
        data->from_ms = middle(&data->log);
    TRY(choose_sessions(data));
    if (data->first_sessions == 0 || data->tested_count == 0)
        return refuse(data, complaint);
    TRY(number_items(data));
    return list_questions(data);
}

struct status learning_data_open(const char *const *paths, size_t path_count, const struct learning_split *split,
                                 int64_t gap_ms, struct log_reading *reading, struct learning_data *ret_data,
                                 struct complaint *complaint)
{
    struct learning_data data = {.from_ms = split->from_ms, .before_ms = split->before_ms, .gap_ms = gap_ms};
    TRY(session_log_read(paths, path_count, reading, &data.log, complaint));
    struct status status = prepare(&data, complaint);
    if (failed(status)) {
        learning_data_release(&data);
        return status;
    }
    *ret_data = data;
    return OK;
}

void learning_data_release(struct learning_data *data)
{
    session_log_release(&data->log);
    free(data->closing);
    free(data->tested);
    free(data->names);
    free(data->questions);
    *data = (struct learning_data){0};
}

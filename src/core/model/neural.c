// SPDX-License-Identifier: Apache-2.0
#include <eddy/core/neural.h>

#include "core/model/arithmetic.h"

#include <stdlib.h>
#include <string.h>

#define NO_ROW  UINT32_MAX
#define NO_RANK (-1e30f)

struct neural {
    const struct model *model;
    uint32_t row_count, number_count;
    uint32_t *numbers; /* (row_count) */
    uint32_t *rows_of; /* (number_count) NO_ROW */
    float *item_rows;  /* (row_count, width) as they are scored with */
};

struct status neural_open(const struct model *model, const uint32_t *numbers, uint32_t number_count,
                          struct neural **ret_neural)
{
    uint32_t rows = model_item_count(model);
    struct neural *neural = calloc(1, sizeof *neural);
    if (!neural)
        return FAIL(MEMORY, 0, "no memory for a model at work");
    *neural = (struct neural){.model = model,
                              .row_count = rows,
                              .number_count = number_count,
                              .numbers = malloc(rows * sizeof *neural->numbers),
                              .rows_of = malloc(((size_t)number_count + 1) * sizeof *neural->rows_of),
                              .item_rows = malloc((size_t)rows * model_options(model)->width * sizeof(float))};
    if (!neural->numbers || !neural->rows_of || !neural->item_rows) {
        neural_close(neural);
        return FAIL(MEMORY, rows, "no memory for a model at work");
    }
    memcpy(neural->numbers, numbers, rows * sizeof *numbers);
    memset(neural->rows_of, 0xff, ((size_t)number_count + 1) * sizeof *neural->rows_of);
    for (uint32_t row = 0; row < rows; row++) {
        assert(numbers[row] < number_count || numbers[row] == ITEM_NONE);
        if (numbers[row] != ITEM_NONE)
            neural->rows_of[numbers[row]] = row;
    }
    model_item_rows(model, neural->item_rows);
    *ret_neural = neural;
    return OK;
}

void neural_close(struct neural *neural)
{
    if (!neural)
        return;
    free(neural->numbers);
    free(neural->rows_of);
    free(neural->item_rows);
    free(neural);
}

/* The sessions in rows, without those of which the model knows nothing: which[i] is the number of the i-th that is
 * left. */
struct known {
    struct model_sessions sessions;
    uint32_t *which;
};

static struct status know(const struct neural *neural, const struct neural_sessions *sessions, struct arena *arena,
                          struct known *ret_known)
{
    uint32_t *starts = ARENA_ARRAY(arena, uint32_t, sessions->count + 1), count = 0, clicks = 0;
    uint32_t *items = ARENA_ARRAY(arena, uint32_t, sessions->starts[sessions->count] + 1);
    uint32_t *which = ARENA_ARRAY(arena, uint32_t, sessions->count + 1);
    if (!starts || !items || !which)
        return FAIL(MEMORY, sessions->count, "no memory for a batch of sessions");
    for (uint32_t i = 0; i < sessions->count; i++) {
        starts[count] = clicks;
        for (uint32_t click = sessions->starts[i]; click < sessions->starts[i + 1]; click++) {
            uint32_t number = sessions->items[click];
            uint32_t row = number < neural->number_count ? neural->rows_of[number] : NO_ROW;
            if (row != NO_ROW)
                items[clicks++] = row;
        }
        if (clicks > starts[count])
            which[count++] = i;
    }
    starts[count] = clicks;
    *ret_known = (struct known){{count, starts, items}, which};
    return OK;
}

/* The best of `scores`, best first; a later equal stays behind. */
static uint32_t best_of(const struct neural *neural, const float *scores, struct scored_item *list, uint32_t capacity)
{
    uint32_t count = 0;
    for (uint32_t row = 0; row < neural->row_count; row++) {
        if (count == capacity && !(scores[row] > list[count - 1].score))
            continue;
        if (neural->numbers[row] == ITEM_NONE)
            continue;
        uint32_t at = count < capacity ? count++ : count - 1;
        for (; at && scores[row] > list[at - 1].score; at--)
            list[at] = list[at - 1];
        list[at] = (struct scored_item){neural->numbers[row], scores[row]};
    }
    return count;
}

/* Scores become probabilities among what may be listed. */
static void to_probabilities(const struct neural *neural, float *scores, struct scored_item *list, uint32_t count)
{
    if (count == 0)
        return;
    float best = list[0].score;
    for (uint32_t row = 0; row < neural->row_count; row++)
        if (neural->numbers[row] == ITEM_NONE)
            scores[row] = NO_RANK;
    float sum = vector_exp(scores, best, neural->row_count);
    for (uint32_t i = 0; i < count; i++)
        vector_exp(&list[i].score, best, 1);
    for (uint32_t i = 0; i < count; i++)
        list[i].score /= sum;
}

struct status neural_lists(const struct neural *neural, const struct neural_sessions *sessions, struct arena *arena,
                           struct scored_item *lists, uint32_t capacity, uint32_t *lengths)
{
    struct known known;
    assert(capacity >= 1);
    TRY(know(neural, sessions, arena, &known));
    uint32_t count = known.sessions.count, width = model_options(neural->model)->width;
    float *vectors = ARENA_ARRAY(arena, float, (size_t)count *width);
    float *scores = ARENA_ARRAY(arena, float, (size_t)count * neural->row_count);
    if (!vectors || !scores)
        return FAIL(MEMORY, count, "no memory to score all items");
    memset(lengths, 0, sessions->count * sizeof *lengths);
    if (count == 0)
        return OK;
    TRY(model_vectors(neural->model, &known.sessions, arena, vectors));
    model_score(neural->model, neural->item_rows, vectors, count, scores);
    for (uint32_t i = 0; i < count; i++) {
        struct scored_item *list = lists + (size_t)known.which[i] * capacity;
        float *of_session = scores + (size_t)i * neural->row_count;
        lengths[known.which[i]] = best_of(neural, of_session, list, capacity);
        to_probabilities(neural, of_session, list, lengths[known.which[i]]);
    }
    return OK;
}

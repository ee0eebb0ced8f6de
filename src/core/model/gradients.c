// SPDX-License-Identifier: Apache-2.0
/* One step's loss and gradients: forward through sessions and candidates, backward to the rows of both. */
#include "core/model/arithmetic.h"
#include "core/model/loss.h"
#include "core/model/trainer.h"

#include <string.h>

/* Rows of the item table as a step sees them: some dropped, some normalised. */
struct item_rows {
    const uint32_t *items;
    uint32_t count;
    float *x;       /* (count, width) after dropout */
    uint8_t *mask;  /* NULL: no dropout */
    float *y;       /* after normalisation; x itself without */
    float *inverse; /* NULL: not normalised */
    bool offset;    /* directed items, as what is scored */
};

struct step {
    struct trainer *trainer;
    uint32_t count, width;
    struct backbone_batch batch;
    struct item_rows clicks, candidates;
    struct session_vectors vectors;
    const void *trace;
    float *session, *inverse; /* (count, width) as scored with, (count) */
    float *logits;            /* (count, candidates) */
    struct softmax_candidates softmax;
    uint32_t *targets; /* (count) their columns */
    bool all_items;
};

static bool take_rows(struct step *step, struct item_rows *rows, bool normalise)
{
    struct arena *arena = &step->trainer->arena;
    size_t size = (size_t)rows->count * step->width;
    bool dropped = step->trainer->options.dropout > 0;
    rows->x = ARENA_ARRAY(arena, float, size);
    rows->mask = dropped ? ARENA_ARRAY(arena, uint8_t, size) : NULL;
    rows->y = normalise ? ARENA_ARRAY(arena, float, size) : rows->x;
    rows->inverse = normalise ? ARENA_ARRAY(arena, float, rows->count) : NULL;
    return rows->x && rows->y && (rows->mask || !dropped) && (rows->inverse || !normalise);
}

static void gather(struct step *step, struct item_rows *rows)
{
    struct trainer *trainer = step->trainer;
    uint32_t width = step->width;
    float scored[MODEL_WIDTH_MAX];
    for (uint32_t i = 0; i < rows->count; i++) {
        const float *row = trainer->model->items + (size_t)rows->items[i] * width;
        if (rows->offset) {
            model_scored_row(trainer->model, rows->items[i], scored);
            row = scored;
        }
        size_t at = (size_t)i * width;
        if (rows->mask)
            dropout_forward(&trainer->random, trainer->options.dropout, row, rows->x + at, rows->mask + at, width);
        else
            memcpy(rows->x + at, row, width * sizeof *row);
    }
    if (rows->inverse)
        l2_forward(rows->x, rows->y, rows->inverse, rows->count, width);
}

static void scatter(struct step *step, const struct item_rows *rows, const float *d_y)
{
    struct trainer *trainer = step->trainer;
    uint32_t width = step->width;
    float d_normal[MODEL_WIDTH_MAX], d_kept[MODEL_WIDTH_MAX];
    for (uint32_t i = 0; i < rows->count; i++, d_y += width) {
        const float *d = d_y;
        size_t at = (size_t)i * width;
        if (rows->inverse) {
            l2_backward(rows->y + at, rows->inverse + i, d, d_normal, 1, width);
            d = d_normal;
        }
        if (rows->mask) {
            dropout_backward(trainer->options.dropout, rows->mask + at, d, d_kept, width);
            d = d_kept;
        }
        vector_add(d, item_gradients_row(&trainer->gradients, rows->items[i]), width);
        if (rows->offset)
            vector_add(d, item_gradients_row(&trainer->gradients, trainer->model->item_count + rows->items[i]), width);
    }
}

static struct status cut_sessions(struct step *step, const uint32_t *samples)
{
    struct trainer *trainer = step->trainer;
    struct arena *arena = &trainer->arena;
    uint32_t length_max = trainer->model->options.length_max, rows = 0;
    uint32_t *starts = ARENA_ARRAY(arena, uint32_t, step->count + 1);
    uint32_t *items = ARENA_ARRAY(arena, uint32_t, (size_t)step->count * length_max);
    if (!starts || !items)
        return FAIL(MEMORY, step->count, "no memory for a batch of samples");
    for (uint32_t i = 0; i < step->count; i++) {
        uint32_t length = trainer->places[samples[i]] < length_max ? trainer->places[samples[i]] : length_max;
        memcpy(items + rows, trainer->sessions.items + samples[i] - length, length * sizeof *items);
        starts[i] = rows;
        rows += length;
    }
    starts[step->count] = rows;
    step->batch.sessions = (struct packed){step->count, starts};
    step->batch.items = step->clicks.items = items;
    step->clicks.count = rows;
    return OK;
}

/* Every item is a candidate once, in its own column. */
static void all_candidates(struct step *step, const uint32_t *samples, uint32_t *items)
{
    for (uint32_t i = 0; i < step->candidates.count; i++)
        items[i] = i;
    for (uint32_t i = 0; i < step->count; i++)
        step->targets[i] = step->trainer->sessions.items[samples[i]];
}

/* The targets, then what is drawn. */
static void drawn_candidates(struct step *step, const uint32_t *samples, uint32_t *items, float *log_q)
{
    struct trainer *trainer = step->trainer;
    for (uint32_t i = 0; i < step->count; i++) {
        items[i] = trainer->sessions.items[samples[i]];
        step->targets[i] = i;
    }
    for (uint32_t i = step->count; i < step->candidates.count; i++)
        items[i] = sampler_draw(&trainer->sampler, &trainer->random);
    for (uint32_t i = 0; i < step->candidates.count; i++)
        log_q[i] = trainer->log_q[items[i]];
}

static struct status choose_candidates(struct step *step, const uint32_t *samples)
{
    struct trainer *trainer = step->trainer;
    struct arena *arena = &trainer->arena;
    step->all_items = trainer->options.negatives == 0;
    step->candidates.count = step->all_items ? trainer->model->item_count : step->count + trainer->options.negatives;
    uint32_t *items = ARENA_ARRAY(arena, uint32_t, step->candidates.count);
    float *log_q = ARENA_ARRAY(arena, float, step->all_items ? 1 : step->candidates.count);
    step->targets = ARENA_ARRAY(arena, uint32_t, step->count);
    if (!items || !log_q || !step->targets)
        return FAIL(MEMORY, step->candidates.count, "no memory for a step's candidates");
    if (step->all_items)
        all_candidates(step, samples, items);
    else
        drawn_candidates(step, samples, items, log_q);
    step->candidates.items = items;
    step->candidates.offset = trainer->model->options.directed;
    step->softmax = (struct softmax_candidates){step->candidates.count, items, step->all_items ? NULL : log_q};
    return OK;
}

static struct status take_memory(struct step *step, bool normalise)
{
    struct arena *arena = &step->trainer->arena;
    size_t size = (size_t)step->count * step->width;
    step->vectors = (struct session_vectors){.local = ARENA_ARRAY(arena, float, size),
                                             .global = ARENA_ARRAY(arena, float, size),
                                             .session = ARENA_ARRAY(arena, float, size)};
    step->session = normalise ? ARENA_ARRAY(arena, float, size) : step->vectors.session;
    step->inverse = ARENA_ARRAY(arena, float, step->count);
    step->logits = ARENA_ARRAY(arena, float, (size_t)step->count * step->candidates.count);
    bool taken = take_rows(step, &step->clicks, false) && take_rows(step, &step->candidates, normalise) &&
                 step->vectors.local && step->vectors.global && step->vectors.session && step->session &&
                 step->inverse && step->logits;
    return taken ? OK : FAIL(MEMORY, step->candidates.count, "no memory for a step");
}

static struct status forward(struct step *step)
{
    struct trainer *trainer = step->trainer;
    const struct model *model = trainer->model;
    gather(step, &step->clicks);
    gather(step, &step->candidates);
    step->batch.x = step->clicks.x;
    step->batch.random = &trainer->random;
    step->batch.dropout = trainer->options.dropout;
    TRY(model->options.backbone->forward(&model->options, &model->parameters, &step->batch, &trainer->arena,
                                         &step->vectors, &step->trace));
    if (model->options.normalise)
        l2_forward(step->vectors.session, step->session, step->inverse, step->count, step->width);
    return OK;
}

static struct status backward(struct step *step, float unit)
{
    struct trainer *trainer = step->trainer;
    const struct model *model = trainer->model;
    uint32_t count = step->count, width = step->width, candidates = step->candidates.count;
    float *d_session = ARENA_ARRAY(&trainer->arena, float, (size_t)count *width);
    float *d_vector = ARENA_ARRAY(&trainer->arena, float, (size_t)count *width);
    float *d_candidates = ARENA_ARRAY(&trainer->arena, float, (size_t)candidates *width);
    float *d_clicks = ARENA_ARRAY(&trainer->arena, float, (size_t)step->clicks.count *width);
    if (!d_session || !d_vector || !d_candidates || !d_clicks)
        return FAIL(MEMORY, candidates, "no memory for a step");
    matrix_nn(count, width, candidates, unit, step->logits, step->candidates.y, 0, d_session);
    matrix_tn(candidates, width, count, unit, step->logits, step->session, 0, d_candidates);
    struct session_vectors d = {.session = d_session};
    if (model->options.normalise) {
        l2_backward(step->session, step->inverse, d_session, d_vector, count, width);
        d.session = d_vector;
    }
    TRY(model->options.backbone->backward(&model->options, &model->parameters, &step->batch, step->trace,
                                          &trainer->arena, &d, d_clicks));
    scatter(step, &step->candidates, d_candidates);
    scatter(step, &step->clicks, d_clicks);
    return OK;
}

struct status trainer_gradients(struct trainer *trainer, const uint32_t *samples, uint32_t count, double *ret_loss)
{
    const struct model_options *options = &trainer->model->options;
    struct step step = {.trainer = trainer, .count = count, .width = options->width};
    float unit = options->normalise ? 1 / options->temperature : 1;
    arena_reset(&trainer->arena);
    TRY(cut_sessions(&step, samples));
    TRY(choose_candidates(&step, samples));
    TRY(take_memory(&step, options->normalise));
    TRY(forward(&step));
    matrix_nt(count, step.candidates.count, step.width, unit, step.session, step.candidates.y, 0, step.logits);
    double loss = softmax_loss(step.logits, count, &step.softmax, step.targets);
    TRY(backward(&step, unit));
    *ret_loss = loss;
    return OK;
}

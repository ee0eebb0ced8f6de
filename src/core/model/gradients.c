// SPDX-License-Identifier: Apache-2.0
/* One step's loss and gradients: forward through sessions and candidates, backward to the rows of both. */
#include "core/model/arithmetic.h"
#include "core/model/room.h"
#include "core/model/step.h"

#include <string.h>

/* What a part has at least: with less, the products of matrices are no longer as fast as one of the whole. */
#define SESSIONS_LEAST   128
#define CANDIDATES_LEAST 512
#define ROWS_LEAST       256 /* of gradients */

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
    step->starts = starts;
    step->clicks.items = items;
    step->clicks.count = rows;
    return OK;
}

static struct status weigh_samples(struct step *step, const uint32_t *samples)
{
    const struct trainer *trainer = step->trainer;
    if (!(trainer->options.half_life > 0))
        return OK;
    step->weights = ARENA_ARRAY(&step->trainer->arena, float, step->count);
    if (!step->weights)
        return FAIL(MEMORY, step->count, "no memory for a batch of samples");
    for (uint32_t i = 0; i < step->count; i++)
        step->weights[i] = trainer_weight(trainer, samples[i]);
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
    bool all_items = trainer->options.negatives == 0;
    step->candidates.count = all_items ? trainer->model->item_count : step->count + trainer->options.negatives;
    uint32_t *items = ARENA_ARRAY(arena, uint32_t, step->candidates.count);
    float *log_q = ARENA_ARRAY(arena, float, all_items ? 1 : step->candidates.count);
    step->targets = ARENA_ARRAY(arena, uint32_t, step->count);
    if (!items || !log_q || !step->targets)
        return FAIL(MEMORY, step->candidates.count, "no memory for a step's candidates");
    if (all_items)
        all_candidates(step, samples, items);
    else
        drawn_candidates(step, samples, items, log_q);
    step->candidates.items = items;
    step->softmax = (struct softmax_candidates){step->candidates.count, items, all_items ? NULL : log_q};
    return OK;
}

static struct status take_memory(struct step *step, bool normalise)
{
    struct arena *arena = &step->trainer->arena;
    struct room room = {.arena = arena};
    size_t size = (size_t)step->count * step->width;
    step->vectors = ROOM(&room, float, size);
    step->local = ROOM(&room, float, size);
    step->global = ROOM(&room, float, size);
    step->scored = normalise ? ROOM(&room, float, size) : step->vectors;
    step->inverse = normalise ? ROOM(&room, float, step->count) : NULL;
    step->logits = ROOM(&room, float, (size_t)step->count * step->candidates.count);
    step->d_shares = ROOM(&room, float, step->candidate_parts *size);
    step->d_candidates = ROOM(&room, float, (size_t)step->candidates.count * step->width);
    step->d_clicks = ROOM(&room, float, (size_t)step->clicks.count * step->width);
    TRY(room_taken(&room));
    TRY(item_rows_take(&step->clicks, false, arena));
    return item_rows_take(&step->candidates, normalise, arena);
}

/* Each part drops by numbers of its own, which come from the step's. */
static void cut_parts(struct step *step)
{
    struct random *random = &step->trainer->random;
    step->session_parts = parts_of(step->count, SESSIONS_LEAST);
    step->candidate_parts = parts_of(step->candidates.count, CANDIDATES_LEAST);
    for (uint32_t i = 0; i < step->session_parts; i++)
        step->sessions[i].sessions = part_of(step->count, step->session_parts, i);
    if (!(step->trainer->options.dropout > 0))
        return;
    for (uint32_t i = 0; i < step->session_parts; i++)
        random_seed(&step->sessions[i].random, random_u64(random));
    for (uint32_t i = 0; i < step->candidate_parts; i++)
        random_seed(&step->draws[i], random_u64(random));
}

/* ---- from a step's rows to the items', which many of them may be of */

static void add_part(void *context, uint32_t index)
{
    const struct step *step = context;
    struct item_gradients *gradients = &step->trainer->gradients;
    struct span span = part_of(gradients->count, parts_of(gradients->count, ROWS_LEAST), index);
    memset(gradients->rows + (size_t)span.from * step->width, 0,
           (size_t)(span.to - span.from) * step->width * sizeof *gradients->rows);
    item_rows_add(&step->candidates, step->d_candidates, span, gradients);
    item_rows_add(&step->clicks, step->d_clicks, span, gradients);
}

static void add_gradients(struct step *step)
{
    struct item_gradients *gradients = &step->trainer->gradients;
    item_rows_place(&step->candidates, gradients);
    item_rows_place(&step->clicks, gradients);
    parallel_run(step->trainer->parallel, add_part, step, parts_of(gradients->count, ROWS_LEAST));
}

struct status trainer_gradients(struct trainer *trainer, const uint32_t *samples, uint32_t count, double *ret_loss)
{
    const struct model_options *options = &trainer->model->options;
    struct step step = {.trainer = trainer, .count = count, .width = options->width};
    step.unit = options->normalise ? 1 / options->temperature : 1;
    step.clicks = step.candidates = (struct item_rows){.model = trainer->model, .dropout = trainer->options.dropout};
    step.candidates.offset = options->directed;
    arena_reset(&trainer->arena);
    TRY(cut_sessions(&step, samples));
    TRY(weigh_samples(&step, samples));
    TRY(choose_candidates(&step, samples));
    cut_parts(&step);
    TRY(take_memory(&step, options->normalise));
    TRY(step_encode(&step));
    step_score(&step);
    double loss = step_compete(&step);
    step_blame(&step);
    TRY(step_decode(&step));
    add_gradients(&step);
    *ret_loss = loss;
    return OK;
}

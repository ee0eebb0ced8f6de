// SPDX-License-Identifier: Apache-2.0
#include "core/model/arithmetic.h"
#include "core/model/room.h"
#include "core/model/step.h"

#include <string.h>

/* The part's sessions as a batch of their own. The first part adds to the model's gradients, which are zeros; each
 * other one to zeros of its own. */
static struct status open_part(const struct step *step, struct session_part *part, struct arena *arena)
{
    uint32_t count = part->sessions.to - part->sessions.from;
    const uint32_t *starts = step->starts + part->sessions.from;
    const struct trainer *trainer = step->trainer;
    struct room room = {.arena = arena};
    bool first = part->sessions.from == 0;
    uint32_t *own = ROOM(&room, uint32_t, count + 1);
    float *gradient = first ? trainer->model->parameters.gradient : ROOM(&room, float, trainer->model->parameters.size);
    TRY(room_taken(&room));
    for (uint32_t i = 0; i <= count; i++)
        own[i] = starts[i] - starts[0];
    part->parameters = trainer->model->parameters;
    part->parameters.gradient = gradient;
    if (!first)
        memset(gradient, 0, part->parameters.size * sizeof *gradient);
    part->clicks = (struct span){starts[0], starts[count]};
    part->batch = (struct backbone_batch){.sessions = {count, own},
                                          .items = step->clicks.items + starts[0],
                                          .x = step->clicks.x + (size_t)starts[0] * step->width,
                                          .random = &part->random,
                                          .dropout = trainer->options.dropout};
    return OK;
}

static struct status encode_part(struct step *step, struct session_part *part, struct arena *arena)
{
    const struct model_options *options = &step->trainer->model->options;
    size_t first = (size_t)part->sessions.from * step->width;
    struct session_vectors vectors = {step->local + first, step->global + first, step->vectors + first};
    arena_reset(arena);
    TRY(open_part(step, part, arena));
    item_rows_gather(&step->clicks, part->clicks, &part->random);
    TRY(options->backbone->forward(options, &part->parameters, &part->batch, arena, &vectors, &part->trace));
    if (step->inverse)
        l2_forward(step->vectors + first, step->scored + first, step->inverse + part->sessions.from,
                   part->batch.sessions.count, step->width);
    return OK;
}

static struct status decode_part(struct step *step, struct session_part *part, struct arena *arena)
{
    const struct model_options *options = &step->trainer->model->options;
    size_t all = (size_t)step->count * step->width, first = (size_t)part->sessions.from * step->width;
    uint32_t count = part->batch.sessions.count, size = count * step->width;
    float *d_vectors = step->d_shares + first; /* the shares are added up in place */
    for (uint32_t i = 1; i < step->candidate_parts; i++)
        vector_add(step->d_shares + i * all + first, d_vectors, size);
    if (step->inverse)
        l2_backward(step->scored + first, step->inverse + part->sessions.from, d_vectors, d_vectors, count,
                    step->width);
    struct session_vectors d = {.session = d_vectors};
    TRY(options->backbone->backward(options, &part->parameters, &part->batch, part->trace, arena, &d,
                                    step->d_clicks + (size_t)part->clicks.from * step->width));
    item_rows_backward(&step->clicks, part->clicks, step->d_clicks);
    return OK;
}

static void encode(void *context, uint32_t index)
{
    struct step *step = context;
    step->sessions[index].status = encode_part(step, &step->sessions[index], &step->trainer->part_arenas[index]);
}

static void decode(void *context, uint32_t index)
{
    struct step *step = context;
    step->sessions[index].status = decode_part(step, &step->sessions[index], &step->trainer->part_arenas[index]);
}

static struct status run(struct step *step, parallel_part *part)
{
    parallel_run(step->trainer->parallel, part, step, step->session_parts);
    for (uint32_t i = 0; i < step->session_parts; i++)
        TRY(step->sessions[i].status);
    return OK;
}

struct status step_encode(struct step *step)
{
    return run(step, encode);
}

struct status step_decode(struct step *step)
{
    struct parameters *parameters = &step->trainer->model->parameters;
    TRY(run(step, decode));
    for (uint32_t i = 1; i < step->session_parts; i++)
        vector_add(step->sessions[i].parameters.gradient, parameters->gradient, (uint32_t)parameters->size);
    return OK;
}

// SPDX-License-Identifier: Apache-2.0
#include "core/model/arithmetic.h"
#include "core/model/step.h"

static void score(void *context, uint32_t index)
{
    struct step *step = context;
    const struct item_rows *candidates = &step->candidates;
    struct span span = part_of(candidates->count, step->candidate_parts, index);
    item_rows_gather(candidates, span, &step->draws[index]);
    const struct matrix sessions = {step->scored, step->width};
    const struct matrix items = {candidates->y + (size_t)span.from * step->width, step->width};
    matrix_nt_in(step->count, span.to - span.from, step->width, step->unit, sessions, items, 0,
                 step->logits + span.from, candidates->count);
}

void step_score(struct step *step)
{
    parallel_run(step->trainer->parallel, score, step, step->candidate_parts);
}

static void compete(void *context, uint32_t index)
{
    struct step *step = context;
    struct session_part *part = &step->sessions[index];
    struct span span = part->sessions;
    part->loss =
        softmax_loss(step->logits + (size_t)span.from * step->candidates.count, span.to - span.from, step->count,
                     &step->softmax, step->targets + span.from, step->weights ? step->weights + span.from : NULL);
}

double step_compete(struct step *step)
{
    double loss = 0;
    parallel_run(step->trainer->parallel, compete, step, step->session_parts);
    for (uint32_t i = 0; i < step->session_parts; i++)
        loss += step->sessions[i].loss;
    return loss;
}

static void blame(void *context, uint32_t index)
{
    struct step *step = context;
    const struct item_rows *candidates = &step->candidates;
    struct span span = part_of(candidates->count, step->candidate_parts, index);
    size_t first = (size_t)span.from * step->width, size = (size_t)step->count * step->width;
    const struct matrix d_logits = {step->logits + span.from, candidates->count};
    const struct matrix items = {candidates->y + first, step->width}, sessions = {step->scored, step->width};
    matrix_nn_in(step->count, step->width, span.to - span.from, step->unit, d_logits, items, 0,
                 step->d_shares + index * size, step->width);
    matrix_tn_in(span.to - span.from, step->width, step->count, step->unit, d_logits, sessions, 0,
                 step->d_candidates + first, step->width);
    item_rows_backward(candidates, span, step->d_candidates);
}

void step_blame(struct step *step)
{
    parallel_run(step->trainer->parallel, blame, step, step->candidate_parts);
}

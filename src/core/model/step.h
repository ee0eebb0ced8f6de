// SPDX-License-Identifier: Apache-2.0
#pragma once
/* step: what a step works in. It is cut into parts twice, by its samples' sessions and by its candidates:
 *
 *   encode    a part of the sessions: rows of their clicks -> their vectors                    step_sessions.c
 *   score     a part of the candidates: their rows -> a column each of the logits              step_candidates.c
 *   compete   a part of the sessions: rows of the logits -> losses, gradients of the logits
 *   blame     a part of the candidates: -> gradients of these, and a share of those of all sessions' vectors
 *   decode    a part of the sessions: shares added -> gradients of weights and of the clicks' rows   step_sessions.c
 *
 * Each takes what the parts before it have made, so all of these are done first. */
#include "core/model/item_rows.h"
#include "core/model/loss.h"
#include "core/model/trainer.h"

struct session_part {
    struct span sessions, clicks;
    struct backbone_batch batch;
    struct parameters parameters; /* the model's; the first part's gradients are too, the others have their own */
    struct random random;
    const void *trace;
    double loss;
    struct status status;
};

struct step {
    struct trainer *trainer;
    uint32_t count, width;
    float unit;             /* what a product of vectors is to be multiplied by */
    const uint32_t *starts; /* (count + 1) */
    struct item_rows clicks, candidates;
    float *vectors;          /* (count, width) of the sessions, */
    float *scored, *inverse; /* (count, width) as they are scored with, (count); the vectors themselves, NULL */
    float *local, *global;   /* (count, width) what a backbone gives besides */
    float *logits;           /* (count, candidates) */
    uint32_t *targets;       /* (count) their columns */
    float *weights;          /* (count) of the samples; NULL: 1 each */
    struct softmax_candidates softmax;

    uint32_t session_parts, candidate_parts;
    struct session_part sessions[PARTS_MAX];
    struct random draws[PARTS_MAX]; /* of the candidates' dropout */
    float *d_shares;                /* (candidate_parts, count, width) of the sessions' vectors */
    float *d_candidates, *d_clicks; /* (candidates, width), (clicks, width) */
};

/* MEMORY. */
MUST_CHECK struct status step_encode(struct step *step);
void step_score(struct step *step);
/* Returns the loss. */
double step_compete(struct step *step);
void step_blame(struct step *step);
/* MEMORY. */
MUST_CHECK struct status step_decode(struct step *step);

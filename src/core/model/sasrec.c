// SPDX-License-Identifier: Apache-2.0
/* sasrec: SASRec (Kang & McAuley 2018): blocks of causal self-attention over the clicks and their places, counted from
 * the first that is seen; the last click's row at the end is the session's vector. A block normalises behind its parts,
 * as RecBole 1.2 has it, not before them:
 *
 *   x = LN(items' rows + positions), dropout
 *   x = LN(x + dropout(W attention(x) + b))   x = LN(x + dropout(W relu(U x + c) + b))   twice
 *
 * One head and an inner layer as wide as the rest, as in the authors' code. LN is layers.h's, with 1e-5 below the root
 * (RecBole: 1e-12). Attention's weights pass no dropout. local is the session's vector, global the mean of all its
 * rows. */
#include "core/model/arithmetic.h"
#include "core/model/backbone.h"
#include "core/model/room.h"

#include <stdio.h>
#include <string.h>

#define BLOCKS 2
#define HEADS  1

/* What ends each of the two parts of a block, LN(x + dropout(w part + b)). */
enum { END_W, END_B, END_GAIN, END_BIAS, END_TENSORS };
enum { QKV_W, QKV_B, ATTENTION_END, INNER_W = ATTENTION_END + END_TENSORS, INNER_B, INNER_END };
enum { BLOCK_TENSORS = INNER_END + END_TENSORS };
enum { POSITIONS, INPUT_GAIN, INPUT_BIAS, FIRST_BLOCK };

/* (rows, width) but for what is said */
struct norm_trace {
    float *normal, *inverse; /* inverse: (rows) */
    uint8_t *mask;           /* NULL: nothing was dropped */
};

struct block_trace {
    const float *x;           /* what goes in */
    float *qkv, *weights;     /* (rows, 3 width), (attention_weights_size) */
    float *attended, *middle; /* what the first part ends with, and ends in */
    float *inner, *y;         /* so for the second: behind relu, and what goes out */
    struct norm_trace norms[2];
};

struct trace {
    float *x; /* (rows, width) what the first block gets */
    struct norm_trace input;
    struct block_trace blocks[BLOCKS];
};

/* What all steps of a pass need. */
struct pass {
    const struct parameters *parameters;
    const struct backbone_batch *batch;
    uint32_t rows, width, size; /* size: rows * width */
    struct attention_shape shape;
    float *work; /* (rows, width) */
};

/* What the way back works in, (rows, width) but for what is said. */
struct back {
    float *d_beside, *d_part; /* of what goes past a part of a block, and of what goes through it */
    float *d_qkv, *d_scores;  /* (rows, 3 width), (attention_weights_size) */
};

static struct start items(const struct model_options *options)
{
    (void)options;
    return (struct start){START_NORMAL, 0.02f};
}

static void declare_block(struct parameters *parameters, uint32_t block, uint32_t width, struct start weights)
{
    static const char *const names[BLOCK_TENSORS] = {"qkv.w",          "qkv.b",          "attention.w", "attention.b",
                                                     "attention.gain", "attention.bias", "inner.w",     "inner.b",
                                                     "outer.w",        "outer.b",        "outer.gain",  "outer.bias"};
    for (uint32_t i = 0; i < BLOCK_TENSORS; i++) {
        bool matrix = i == QKV_W || i == ATTENTION_END + END_W || i == INNER_W || i == INNER_END + END_W;
        bool gain = i == ATTENTION_END + END_GAIN || i == INNER_END + END_GAIN;
        bool wide = i == QKV_W || i == QKV_B;
        uint32_t out = wide ? 3 * width : width;
        char name[TENSOR_NAME_MAX];
        snprintf(name, sizeof name, "block%u.%s", block, names[i]);
        parameters_declare(parameters, name, matrix ? out : 1, matrix ? width : out,
                           matrix ? weights : (struct start){START_CONSTANT, gain}, 1);
    }
}

static void declare(const struct model_options *options, struct parameters *parameters)
{
    uint32_t width = options->width;
    struct start weights = items(options);
    parameters_declare(parameters, "positions", options->length_max, width, weights, 1);
    parameters_declare(parameters, "input.gain", 1, width, (struct start){START_CONSTANT, 1}, 1);
    parameters_declare(parameters, "input.bias", 1, width, (struct start){START_CONSTANT, 0}, 1);
    for (uint32_t block = 0; block < BLOCKS; block++)
        declare_block(parameters, block, width, weights);
}

/* ---- steps and their opposites */

static void drop(const struct pass *pass, const float *x, float *y, uint8_t *mask)
{
    if (mask)
        dropout_forward(pass->batch->random, pass->batch->dropout, x, y, mask, pass->size);
    else
        memcpy(y, x, pass->size * sizeof *y);
}

static void drop_back(const struct pass *pass, const uint8_t *mask, const float *d_y, float *d_x)
{
    if (mask)
        dropout_backward(pass->batch->dropout, mask, d_y, d_x, pass->size);
    else
        memcpy(d_x, d_y, pass->size * sizeof *d_x);
}

static void norm(const struct pass *pass, uint32_t gain, const float *x, float *y, const struct norm_trace *trace)
{
    layer_norm_forward(x, parameters_of(pass->parameters, gain), parameters_of(pass->parameters, gain + 1), y,
                       trace->normal, trace->inverse, pass->rows, pass->width);
}

static void norm_back(const struct pass *pass, uint32_t gain, const struct norm_trace *trace, const float *d_y,
                      float *d_x)
{
    layer_norm_backward(parameters_of(pass->parameters, gain), trace->normal, trace->inverse, d_y, d_x,
                        parameters_gradient(pass->parameters, gain), parameters_gradient(pass->parameters, gain + 1),
                        pass->rows, pass->width);
}

/* y = x w^T + b, where b is declared behind w, as a norm's bias is behind its gain. */
static void linear(const struct pass *pass, uint32_t w, const float *x, float *y, uint32_t out)
{
    linear_forward(x, parameters_of(pass->parameters, w), parameters_of(pass->parameters, w + 1), y, pass->rows,
                   pass->width, out);
}

static void linear_back(const struct pass *pass, uint32_t w, const float *x, const float *d_y, float *d_x, uint32_t out)
{
    linear_backward(x, parameters_of(pass->parameters, w), d_y, d_x, parameters_gradient(pass->parameters, w),
                    parameters_gradient(pass->parameters, w + 1), pass->rows, pass->width, out);
}

static void relu(float *x, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        x[i] = x[i] > 0 ? x[i] : 0;
}

static void relu_back(const float *y, float *d_y, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        d_y[i] = y[i] > 0 ? d_y[i] : 0;
}

static void end_part(const struct pass *pass, uint32_t tensors, const float *x, const float *part, float *y,
                     const struct norm_trace *trace)
{
    linear(pass, tensors + END_W, part, y, pass->width);
    drop(pass, y, pass->work, trace->mask);
    vector_add(x, pass->work, pass->size);
    norm(pass, tensors + END_GAIN, pass->work, y, trace);
}

/* d_x and d_part are set. */
static void end_part_back(const struct pass *pass, uint32_t tensors, const float *part, const struct norm_trace *trace,
                          const float *d_y, float *d_x, float *d_part)
{
    norm_back(pass, tensors + END_GAIN, trace, d_y, d_x);
    drop_back(pass, trace->mask, d_x, pass->work);
    linear_back(pass, tensors + END_W, part, pass->work, d_part, pass->width);
}

static void block_forward(const struct pass *pass, uint32_t tensors, const struct block_trace *trace)
{
    linear(pass, tensors + QKV_W, trace->x, trace->qkv, 3 * pass->width);
    attention_forward(trace->qkv, trace->attended, trace->weights, pass->batch->sessions, pass->shape);
    end_part(pass, tensors + ATTENTION_END, trace->x, trace->attended, trace->middle, &trace->norms[0]);
    linear(pass, tensors + INNER_W, trace->middle, trace->inner, pass->width);
    relu(trace->inner, pass->size);
    end_part(pass, tensors + INNER_END, trace->middle, trace->inner, trace->y, &trace->norms[1]);
}

/* d: (rows, width) of the block's output, then of its input */
static void block_backward(const struct pass *pass, uint32_t tensors, const struct block_trace *trace,
                           const struct back *back, float *d)
{
    end_part_back(pass, tensors + INNER_END, trace->inner, &trace->norms[1], d, back->d_beside, back->d_part);
    relu_back(trace->inner, back->d_part, pass->size);
    linear_back(pass, tensors + INNER_W, trace->middle, back->d_part, d, pass->width);
    vector_add(back->d_beside, d, pass->size);
    end_part_back(pass, tensors + ATTENTION_END, trace->attended, &trace->norms[0], d, back->d_beside, back->d_part);
    attention_backward(trace->qkv, trace->weights, back->d_part, back->d_qkv, back->d_scores, pass->batch->sessions,
                       pass->shape);
    linear_back(pass, tensors + QKV_W, trace->x, back->d_qkv, d, 3 * pass->width);
    vector_add(back->d_beside, d, pass->size);
}

static void input_forward(const struct pass *pass, float *x, const struct norm_trace *trace)
{
    const float *positions = parameters_of(pass->parameters, POSITIONS);
    struct packed sessions = pass->batch->sessions;
    memcpy(x, pass->batch->x, pass->size * sizeof *x);
    for (uint32_t i = 0; i < sessions.count; i++)
        vector_add(positions, x + (size_t)sessions.starts[i] * pass->width,
                   (sessions.starts[i + 1] - sessions.starts[i]) * pass->width);
    norm(pass, INPUT_GAIN, x, pass->work, trace);
    drop(pass, pass->work, x, trace->mask);
}

static void input_backward(const struct pass *pass, const struct norm_trace *trace, const float *d, float *d_x)
{
    float *d_positions = parameters_gradient(pass->parameters, POSITIONS);
    struct packed sessions = pass->batch->sessions;
    drop_back(pass, trace->mask, d, pass->work);
    norm_back(pass, INPUT_GAIN, trace, pass->work, d_x);
    for (uint32_t i = 0; i < sessions.count; i++)
        vector_add(d_x + (size_t)sessions.starts[i] * pass->width, d_positions,
                   (sessions.starts[i + 1] - sessions.starts[i]) * pass->width);
}

/* ---- passes */

static struct pass pass_of(const struct model_options *options, const struct parameters *parameters,
                           const struct backbone_batch *batch, struct room *room)
{
    uint32_t rows = packed_rows(batch->sessions), size = rows * options->width;
    return (struct pass){.parameters = parameters,
                         .batch = batch,
                         .rows = rows,
                         .width = options->width,
                         .size = size,
                         .shape = {options->width, HEADS, .causal = true},
                         .work = ROOM(room, float, size)};
}

static struct norm_trace take_norm(const struct pass *pass, struct room *room)
{
    bool dropped = pass->batch->random && pass->batch->dropout > 0;
    return (struct norm_trace){.normal = ROOM(room, float, pass->size),
                               .inverse = ROOM(room, float, pass->rows),
                               .mask = dropped ? ROOM(room, uint8_t, pass->size) : NULL};
}

static struct block_trace take_block(const struct pass *pass, const float *x, struct room *room)
{
    return (struct block_trace){
        .x = x,
        .qkv = ROOM(room, float, 3 * (size_t)pass->size),
        .weights = ROOM(room, float, attention_weights_size(pass->batch->sessions, HEADS)),
        .attended = ROOM(room, float, pass->size),
        .middle = ROOM(room, float, pass->size),
        .inner = ROOM(room, float, pass->size),
        .y = ROOM(room, float, pass->size),
        .norms = {take_norm(pass, room), take_norm(pass, room)},
    };
}

static struct status forward(const struct model_options *options, const struct parameters *parameters,
                             const struct backbone_batch *batch, struct arena *arena, struct session_vectors *vectors,
                             const void **ret_trace)
{
    struct room room = {.arena = arena};
    const struct pass pass = pass_of(options, parameters, batch, &room);
    struct trace trace = {.x = ROOM(&room, float, pass.size), .input = take_norm(&pass, &room)};
    for (uint32_t i = 0; i < BLOCKS; i++)
        trace.blocks[i] = take_block(&pass, i ? trace.blocks[i - 1].y : trace.x, &room);
    TRY(room_taken(&room));
    input_forward(&pass, trace.x, &trace.input);
    for (uint32_t i = 0; i < BLOCKS; i++)
        block_forward(&pass, FIRST_BLOCK + i * BLOCK_TENSORS, &trace.blocks[i]);
    const float *y = trace.blocks[BLOCKS - 1].y;
    last_forward(y, vectors->session, batch->sessions, pass.width);
    last_forward(y, vectors->local, batch->sessions, pass.width);
    mean_forward(y, vectors->global, batch->sessions, pass.width);
    return room_keep(arena, &trace, sizeof trace, ret_trace);
}

static struct status backward(const struct model_options *options, const struct parameters *parameters,
                              const struct backbone_batch *batch, const void *trace_of, struct arena *arena,
                              struct session_vectors *d, float *d_x)
{
    const struct trace *trace = trace_of;
    struct room room = {.arena = arena};
    const struct pass pass = pass_of(options, parameters, batch, &room);
    const struct back back = {
        .d_beside = ROOM(&room, float, pass.size),
        .d_part = ROOM(&room, float, pass.size),
        .d_qkv = ROOM(&room, float, 3 * (size_t)pass.size),
        .d_scores = ROOM(&room, float, attention_weights_size(batch->sessions, HEADS)),
    };
    float *d_y = ROOM(&room, float, pass.size);
    TRY(room_taken(&room));
    memset(d_y, 0, pass.size * sizeof *d_y);
    last_backward(d->session, d_y, batch->sessions, pass.width);
    if (d->local)
        last_backward(d->local, d_y, batch->sessions, pass.width);
    if (d->global)
        mean_backward(d->global, d_y, batch->sessions, pass.width);
    for (uint32_t i = BLOCKS; i-- > 0;)
        block_backward(&pass, FIRST_BLOCK + i * BLOCK_TENSORS, &trace->blocks[i], &back, d_y);
    input_backward(&pass, &trace->input, d_y, d_x);
    return OK;
}

const struct backbone backbone_sasrec = {"sasrec", "SASRec", items, declare, forward, backward};

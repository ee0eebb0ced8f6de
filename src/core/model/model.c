// SPDX-License-Identifier: Apache-2.0
#include "core/model/model.h"

#include "core/model/arithmetic.h"

#include <stdlib.h>
#include <string.h>

const struct backbone *const backbones[BACKBONE_COUNT] = {&backbone_pw_core, &backbone_stamp,  &backbone_narm,
                                                          &backbone_gru4rec, &backbone_sr_gnn, &backbone_sasrec};

const char *backbone_name(const struct backbone *backbone)
{
    return backbone->name;
}

const char *backbone_title(const struct backbone *backbone)
{
    return backbone->title;
}

const struct backbone *backbone_named(const char *name)
{
    for (size_t i = 0; i < BACKBONE_COUNT; i++)
        if (strcmp(backbones[i]->name, name) == 0)
            return backbones[i];
    return NULL;
}

struct status model_open_empty(const struct model_options *options, uint32_t item_count, struct model **ret_model)
{
    assert(options->width >= 1 && options->width <= MODEL_WIDTH_MAX);
    assert(options->length_max >= 1 && options->length_max <= MODEL_LENGTH_MAX);
    assert(!options->normalise || options->temperature > 0);
    assert(item_count >= 1);
    struct model *model = calloc(1, sizeof *model);
    if (!model)
        return FAIL(MEMORY, 0, "no memory for a model");
    model->options = *options;
    model->item_count = item_count;
    model->trained_to_ms = INT64_MIN;
    model->items = calloc(model_rows(model) * options->width, sizeof *model->items);
    options->backbone->declare(options, &model->parameters);
    struct status status =
        model->items ? parameters_open(&model->parameters) : FAIL(MEMORY, item_count, "no memory for a model's items");
    if (failed(status)) {
        model_close(model);
        return status;
    }
    *ret_model = model;
    return OK;
}

struct status model_open(const struct model_options *options, uint32_t item_count, uint64_t seed,
                         struct model **ret_model)
{
    struct random random;
    struct model *model;
    TRY(model_open_empty(options, item_count, &model));
    random_seed(&random, seed);
    start_values(options->backbone->items(options), model->items, (size_t)item_count * options->width, &random);
    parameters_start(&model->parameters, &random);
    *ret_model = model;
    return OK;
}

struct status model_copy(const struct model *model, struct model **ret_model)
{
    struct model *copy;
    TRY(model_open_empty(&model->options, model->item_count, &copy));
    copy->trained_to_ms = model->trained_to_ms;
    memcpy(copy->items, model->items, model_rows(model) * model->options.width * sizeof *copy->items);
    memcpy(copy->parameters.values, model->parameters.values, model->parameters.size * sizeof(float));
    *ret_model = copy;
    return OK;
}

struct status model_grow(struct model *model, uint32_t item_count, uint64_t seed)
{
    struct model grown = *model;
    size_t width = model->options.width, there = model->item_count * width, now = item_count * width;
    assert(item_count >= model->item_count && !model->parameters.gradient);
    grown.item_count = item_count;
    grown.items = calloc(model_rows(&grown) * width, sizeof *grown.items);
    if (!grown.items)
        return FAIL(MEMORY, item_count, "no memory for more items of a model");
    memcpy(grown.items, model->items, there * sizeof *grown.items);
    if (model->options.directed)
        memcpy(grown.items + now, model->items + there, there * sizeof *grown.items);
    struct random random;
    random_seed(&random, seed);
    start_values(model->options.backbone->items(&model->options), grown.items + there, now - there, &random);
    free(model->items);
    *model = grown;
    return OK;
}

void model_close(struct model *model)
{
    if (!model)
        return;
    parameters_release(&model->parameters);
    free(model->items);
    free(model);
}

const struct model_options *model_options(const struct model *model)
{
    return &model->options;
}

int64_t model_trained_to(const struct model *model)
{
    return model->trained_to_ms;
}

void model_set_trained_to(struct model *model, int64_t time_ms)
{
    model->trained_to_ms = time_ms;
}

uint32_t model_item_count(const struct model *model)
{
    return model->item_count;
}

size_t model_parameter_count(const struct model *model)
{
    return model_rows(model) * model->options.width + model->parameters.size;
}

/* The clicks that the model sees, in the arena. */
static struct status cut(const struct model *model, const struct model_sessions *sessions, struct arena *arena,
                         struct packed *ret_packed, const uint32_t **ret_items)
{
    uint32_t *starts = ARENA_ARRAY(arena, uint32_t, sessions->count + 1);
    uint32_t *items = ARENA_ARRAY(arena, uint32_t, sessions->starts[sessions->count] + 1);
    if (!starts || !items)
        return FAIL(MEMORY, sessions->count, "no memory for a batch of sessions");
    starts[0] = 0;
    for (uint32_t i = 0; i < sessions->count; i++) {
        uint32_t end = sessions->starts[i + 1], length = end - sessions->starts[i];
        assert(length >= 1);
        if (length > model->options.length_max)
            length = model->options.length_max;
        memcpy(items + starts[i], sessions->items + end - length, length * sizeof *items);
        starts[i + 1] = starts[i] + length;
    }
    *ret_packed = (struct packed){sessions->count, starts};
    *ret_items = items;
    return OK;
}

struct status model_vectors(const struct model *model, const struct model_sessions *sessions, struct arena *arena,
                            float *vectors)
{
    uint32_t width = model->options.width;
    struct backbone_batch batch = {0};
    TRY(cut(model, sessions, arena, &batch.sessions, &batch.items));
    size_t rows = packed_rows(batch.sessions), count = sessions->count;
    float *x = ARENA_ARRAY(arena, float, rows *width), *inverse = ARENA_ARRAY(arena, float, count);
    struct session_vectors made = {.local = ARENA_ARRAY(arena, float, count *width),
                                   .global = ARENA_ARRAY(arena, float, count *width),
                                   .session = ARENA_ARRAY(arena, float, count *width)};
    if (!x || !inverse || !made.local || !made.global || !made.session)
        return FAIL(MEMORY, rows, "no memory for a batch of sessions");
    for (size_t row = 0; row < rows; row++)
        memcpy(x + row * width, model->items + (size_t)batch.items[row] * width, width * sizeof *x);
    batch.x = x;
    const void *trace;
    TRY(model->options.backbone->forward(&model->options, &model->parameters, &batch, arena, &made, &trace));
    if (model->options.normalise)
        l2_forward(made.session, vectors, inverse, sessions->count, width);
    else
        memcpy(vectors, made.session, count * width * sizeof *vectors);
    return OK;
}

void model_scored_row(const struct model *model, uint32_t item, float *row)
{
    uint32_t width = model->options.width;
    memcpy(row, model->items + (size_t)item * width, width * sizeof *row);
    if (model->options.directed)
        vector_add(model->items + ((size_t)model->item_count + item) * width, row, width);
}

void model_item_rows(const struct model *model, float *rows)
{
    uint32_t width = model->options.width;
    float row[MODEL_WIDTH_MAX], inverse;
    for (uint32_t i = 0; i < model->item_count; i++, rows += width) {
        model_scored_row(model, i, row);
        if (model->options.normalise)
            l2_forward(row, rows, &inverse, 1, width);
        else
            memcpy(rows, row, width * sizeof *rows);
    }
}

void model_score(const struct model *model, const float *rows, const float *vectors, uint32_t count, float *scores)
{
    float unit = model->options.normalise ? 1 / model->options.temperature : 1;
    matrix_nt(count, model->item_count, model->options.width, unit, vectors, rows, 0, scores);
}

void model_score_table(const struct model *model, struct span items, const float *vectors, uint32_t count,
                       float *scores)
{
    uint32_t width = model->options.width, some = items.to - items.from, all = model->item_count;
    const float *rows = model->items + (size_t)items.from * width;
    float unit = model->options.normalise ? 1 / model->options.temperature : 1;
    const struct matrix sessions = {vectors, width};
    matrix_nt_in(count, some, width, unit, sessions, (struct matrix){rows, width}, 0, scores + items.from, all);
    if (model->options.directed)
        matrix_nt_in(count, some, width, unit, sessions, (struct matrix){rows + (size_t)all * width, width}, 1,
                     scores + items.from, all);
}

// SPDX-License-Identifier: Apache-2.0
/* Models and trainers as bytes, little-endian, each in a frame (core/frame.h):
 *   model: u8 size and backbone, u32 width, u32 length_max, u8 normalise, f32 temperature, u8 directed, u32 items,
 *     u32 tensors, then per tensor u8 size and name, u32 rows, u32 columns, f32 values; then f32 rows of the items
 *   trainer: u64 what it is made for, u64 steps, u64 x 4 random state, f32 mean and square of the items, then of the
 *     tensors */
#include "core/model/trainer.h"

#include <eddy/core/frame.h>

#include <math.h>
#include <string.h>

#define MODEL_VERSION   1
#define TRAINER_VERSION 1

static const char model_magic[FRAME_MAGIC_SIZE] = "eddymdl", trainer_magic[FRAME_MAGIC_SIZE] = "eddytrn";

#define PUT(out, value) frame_writer_put((out), &(value), sizeof(value))
#define GET(rest, to)   frame_take((rest), &(to), sizeof(to))

static void put_name(const char *name, struct frame_writer *out)
{
    uint8_t size = (uint8_t)strlen(name);
    PUT(out, size);
    frame_writer_put(out, name, size);
}

static struct status get_name(struct bytes *rest, char name[TENSOR_NAME_MAX])
{
    uint8_t size;
    struct bytes text;
    TRY(GET(rest, size));
    TRY(frame_take_bytes(rest, size, &text));
    if (size >= TENSOR_NAME_MAX || memchr(text.data, 0, size))
        return FAIL(CORRUPT, size, "a name in a model is too long or has a NUL");
    memcpy(name, text.data, size);
    name[size] = 0;
    return OK;
}

static struct status get_floats(struct bytes *rest, float *values, size_t count)
{
    TRY(frame_take(rest, values, count * sizeof *values));
    for (size_t i = 0; i < count; i++)
        if (!isfinite(values[i]))
            return FAIL(CORRUPT, i, "a weight of a model is no number");
    return OK;
}

/* ---- models */

struct status model_encode(const struct model *model, struct byte_sink sink)
{
    const struct model_options *options = &model->options;
    const struct parameters *parameters = &model->parameters;
    uint8_t normalise = options->normalise, directed = options->directed;
    struct frame_writer *out;
    TRY(frame_writer_open(sink, model_magic, MODEL_VERSION, &out));
    put_name(options->backbone->name, out);
    PUT(out, options->width);
    PUT(out, options->length_max);
    PUT(out, normalise);
    PUT(out, options->temperature);
    PUT(out, directed);
    PUT(out, model->item_count);
    PUT(out, parameters->count);
    for (uint32_t i = 0; i < parameters->count; i++) {
        const struct tensor *tensor = &parameters->tensors[i];
        put_name(tensor->name, out);
        PUT(out, tensor->rows);
        PUT(out, tensor->columns);
        frame_writer_put(out, parameters->values + tensor->place,
                         (size_t)tensor->rows * tensor->columns * sizeof *parameters->values);
    }
    frame_writer_put(out, model->items, model_rows(model) * options->width * sizeof *model->items);
    return frame_writer_close(out);
}

static struct status get_options(struct bytes *rest, struct model_options *ret_options, uint32_t *ret_item_count)
{
    char name[TENSOR_NAME_MAX];
    struct model_options options = {0};
    uint8_t normalise, directed;
    TRY(get_name(rest, name));
    TRY(GET(rest, options.width));
    TRY(GET(rest, options.length_max));
    TRY(GET(rest, normalise));
    TRY(GET(rest, options.temperature));
    TRY(GET(rest, directed));
    TRY(GET(rest, *ret_item_count));
    options.normalise = normalise;
    options.directed = directed;
    options.backbone = backbone_named(name);
    if (!options.backbone)
        return FAIL(NOT_FOUND, 0, "a model's backbone is not known");
    bool right = options.width >= 1 && options.width <= MODEL_WIDTH_MAX && options.length_max >= 1 &&
                 options.length_max <= MODEL_LENGTH_MAX && normalise <= 1 && isfinite(options.temperature) &&
                 (!normalise || options.temperature > 0) && directed <= 1 && *ret_item_count >= 1;
    if (!right)
        return FAIL(CORRUPT, options.width, "a model's options are out of range");
    /* before memory is taken for them */
    if (rest->size / sizeof(float) / options.width / (directed + 1u) < *ret_item_count)
        return FAIL(CORRUPT, *ret_item_count, "a model has fewer items than it says");
    *ret_options = options;
    return OK;
}

static struct status get_weights(struct bytes *rest, struct model *model)
{
    const struct parameters *parameters = &model->parameters;
    uint32_t count, rows, columns;
    char name[TENSOR_NAME_MAX];
    TRY(GET(rest, count));
    if (count != parameters->count)
        return FAIL(CORRUPT, count, "a model has other tensors than its backbone");
    for (uint32_t i = 0; i < count; i++) {
        const struct tensor *tensor = &parameters->tensors[i];
        TRY(get_name(rest, name));
        TRY(GET(rest, rows));
        TRY(GET(rest, columns));
        if (strcmp(name, tensor->name) != 0 || rows != tensor->rows || columns != tensor->columns)
            return FAIL(CORRUPT, i, "a model has other tensors than its backbone");
        TRY(get_floats(rest, parameters->values + tensor->place, (size_t)rows * columns));
    }
    TRY(get_floats(rest, model->items, model_rows(model) * model->options.width));
    return rest->size == 0 ? OK : FAIL(CORRUPT, rest->size, "a model has more than it says");
}

struct status model_decode(struct bytes frame, struct model **ret_model)
{
    struct model_options options;
    uint32_t item_count;
    struct model *model;
    TRY(frame_open(&frame, model_magic, MODEL_VERSION));
    TRY(get_options(&frame, &options, &item_count));
    TRY(model_open_empty(&options, item_count, &model));
    struct status status = get_weights(&frame, model);
    if (failed(status)) {
        model_close(model);
        return status;
    }
    *ret_model = model;
    return OK;
}

/* ---- trainers */

/* A hash of all that decides what a step does, other than what the frame holds and the weights. */
static uint64_t purpose_of(const struct trainer *trainer)
{
    const struct trainer_options *options = &trainer->options;
    const struct training_sessions *sessions = &trainer->sessions;
    const struct model_options *model = &trainer->model->options;
    const uint64_t numbers[] = {
        options->epochs,
        options->batch,
        options->negatives,
        options->seed,
        options->optimiser,
        bytes_hash(bytes_of(&options->negative_power, sizeof options->negative_power)),
        bytes_hash(bytes_of(&options->rate, sizeof options->rate)),
        bytes_hash(bytes_of(&options->dropout, sizeof options->dropout)),
        bytes_hash(bytes_of(&options->decay, sizeof options->decay)),
        bytes_hash(bytes_of(sessions->starts, (sessions->count + 1) * sizeof *sessions->starts)),
        bytes_hash(bytes_of(sessions->items, sessions->starts[sessions->count] * sizeof *sessions->items)),
        bytes_hash(bytes_of_text(model->backbone->name)),
        model->width,
        model->length_max,
        model->normalise,
        model->directed,
        bytes_hash(bytes_of(&model->temperature, sizeof model->temperature)),
        trainer->model->item_count,
    };
    return bytes_hash(bytes_of(numbers, sizeof numbers));
}

struct status trainer_encode(const struct trainer *trainer, struct byte_sink sink)
{
    const struct parameters *parameters = &trainer->model->parameters;
    size_t items = model_rows(trainer->model) * trainer->model->options.width;
    uint64_t purpose = purpose_of(trainer);
    struct frame_writer *out;
    TRY(frame_writer_open(sink, trainer_magic, TRAINER_VERSION, &out));
    PUT(out, purpose);
    PUT(out, trainer->steps);
    PUT(out, trainer->random.state);
    frame_writer_put(out, trainer->mean, items * sizeof *trainer->mean);
    frame_writer_put(out, trainer->square, items * sizeof *trainer->square);
    frame_writer_put(out, parameters->mean, parameters->size * sizeof *parameters->mean);
    frame_writer_put(out, parameters->square, parameters->size * sizeof *parameters->square);
    return frame_writer_close(out);
}

struct status trainer_restore(struct trainer *trainer, struct bytes frame)
{
    struct parameters *parameters = &trainer->model->parameters;
    size_t items = model_rows(trainer->model) * trainer->model->options.width;
    uint64_t purpose, steps;
    struct random random;
    TRY(frame_open(&frame, trainer_magic, TRAINER_VERSION));
    TRY(GET(&frame, purpose));
    TRY(GET(&frame, steps));
    TRY(GET(&frame, random.state));
    if (purpose != purpose_of(trainer) || steps > trainer->steps_total)
        return FAIL(CONFIG, 0, "a trainer's state is of other sessions or other options");
    if (frame.size != 2 * (items + parameters->size) * sizeof(float))
        return FAIL(CORRUPT, frame.size, "a trainer's state has another size than its model");
    TRY(get_floats(&frame, trainer->mean, items));
    TRY(get_floats(&frame, trainer->square, items));
    TRY(get_floats(&frame, parameters->mean, parameters->size));
    TRY(get_floats(&frame, parameters->square, parameters->size));
    trainer->steps = steps;
    trainer->random = random;
    return OK;
}

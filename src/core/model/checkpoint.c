// SPDX-License-Identifier: Apache-2.0
/* Models and trainers as bytes, little-endian, each in a frame (core/frame.h):
 *   model: u8 size and backbone, u32 width, u32 length_max, u8 normalise, f32 temperature, u8 directed, i64 trained up
 *     to, u32 items, u32 tensors, u8 precision, then per tensor u8 size and name, u32 rows, u32 columns, f32 values;
 *     then the items' vectors, and offsets when they are directed, in that precision (core/model/precision.h)
 *   trainer: u64 what it is made for, u64 steps, u64 x 4 random state, f32 mean and square of the items, then of the
 *     tensors */
#include "core/model/precision.h"
#include "core/model/trainer.h"

#include <eddy/core/frame.h>

#include <math.h>
#include <string.h>

#define MODEL_VERSION   2
#define TRAINER_VERSION 2 /* also of how a step is cut (core/model/parts.h, gradients.c): it decides the bits */

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

static void put_tensors(const struct parameters *parameters, struct frame_writer *out)
{
    for (uint32_t i = 0; i < parameters->count; i++) {
        const struct tensor *tensor = &parameters->tensors[i];
        put_name(tensor->name, out);
        PUT(out, tensor->rows);
        PUT(out, tensor->columns);
        frame_writer_put(out, parameters->values + tensor->place,
                         (size_t)tensor->rows * tensor->columns * sizeof *parameters->values);
    }
}

/* Row by row: all of it packed would be half a table more in memory. */
static void put_items(const struct model *model, enum model_precision precision, struct frame_writer *out)
{
    uint32_t width = model->options.width;
    uint8_t packed[MODEL_WIDTH_MAX * sizeof(float)];
    for (size_t row = 0; row < model_rows(model); row++) {
        precision_pack(precision, model->items + row * width, width, packed);
        frame_writer_put(out, packed, precision_row_size(precision, width));
    }
}

struct status model_encode_as(const struct model *model, enum model_precision precision, struct byte_sink sink)
{
    const struct model_options *options = &model->options;
    uint8_t normalise = options->normalise, directed = options->directed, code = (uint8_t)precision;
    struct frame_writer *out;
    TRY(frame_writer_open(sink, model_magic, MODEL_VERSION, &out));
    put_name(options->backbone->name, out);
    PUT(out, options->width);
    PUT(out, options->length_max);
    PUT(out, normalise);
    PUT(out, options->temperature);
    PUT(out, directed);
    PUT(out, model->trained_to_ms);
    PUT(out, model->item_count);
    PUT(out, model->parameters.count);
    PUT(out, code);
    put_tensors(&model->parameters, out);
    put_items(model, precision, out);
    return frame_writer_close(out);
}

struct status model_encode(const struct model *model, struct byte_sink sink)
{
    return model_encode_as(model, MODEL_FLOAT32, sink);
}

/* What stands before the weights. */
struct head {
    struct model_options options;
    int64_t trained_to_ms;
    uint32_t item_count, tensor_count;
    enum model_precision precision;
};

static struct status get_precision(struct bytes *rest, struct head *head)
{
    uint8_t code;
    TRY(GET(rest, head->tensor_count));
    TRY(GET(rest, code));
    if (code >= MODEL_PRECISION_COUNT)
        return FAIL(CORRUPT, code, "a model's precision is not known");
    head->precision = (enum model_precision)code;
    /* before memory is taken for them */
    size_t vectors = head->options.directed ? 2 : 1;
    if (rest->size / precision_row_size(head->precision, head->options.width) / vectors < head->item_count)
        return FAIL(CORRUPT, head->item_count, "a model has fewer items than it says");
    return OK;
}

static struct status get_head(struct bytes *rest, struct head *head)
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
    TRY(GET(rest, head->trained_to_ms));
    TRY(GET(rest, head->item_count));
    options.normalise = normalise;
    options.directed = directed;
    options.backbone = backbone_named(name);
    if (!options.backbone)
        return FAIL(NOT_FOUND, 0, "a model's backbone is not known");
    bool right = options.width >= 1 && options.width <= MODEL_WIDTH_MAX && options.length_max >= 1 &&
                 options.length_max <= MODEL_LENGTH_MAX && normalise <= 1 && isfinite(options.temperature) &&
                 (!normalise || options.temperature > 0) && directed <= 1 && head->item_count >= 1;
    if (!right)
        return FAIL(CORRUPT, options.width, "a model's options are out of range");
    head->options = options;
    return get_precision(rest, head);
}

static struct status get_items(struct bytes *rest, enum model_precision precision, struct model *model)
{
    uint32_t width = model->options.width;
    size_t size = precision_row_size(precision, width);
    for (size_t row = 0; row < model_rows(model); row++) {
        struct bytes packed;
        TRY(frame_take_bytes(rest, size, &packed));
        TRY(precision_unpack(precision, packed.data, width, model->items + row * width));
    }
    return OK;
}

static struct status get_weights(struct bytes *rest, const struct head *head, struct model *model)
{
    const struct parameters *parameters = &model->parameters;
    uint32_t rows, columns;
    char name[TENSOR_NAME_MAX];
    if (head->tensor_count != parameters->count)
        return FAIL(CORRUPT, head->tensor_count, "a model has other tensors than its backbone");
    for (uint32_t i = 0; i < parameters->count; i++) {
        const struct tensor *tensor = &parameters->tensors[i];
        TRY(get_name(rest, name));
        TRY(GET(rest, rows));
        TRY(GET(rest, columns));
        if (strcmp(name, tensor->name) != 0 || rows != tensor->rows || columns != tensor->columns)
            return FAIL(CORRUPT, i, "a model has other tensors than its backbone");
        TRY(get_floats(rest, parameters->values + tensor->place, (size_t)rows * columns));
    }
    TRY(get_items(rest, head->precision, model));
    return rest->size == 0 ? OK : FAIL(CORRUPT, rest->size, "a model has more than it says");
}

struct status model_decode(struct bytes frame, struct model **ret_model)
{
    struct head head;
    struct model *model;
    TRY(frame_open(&frame, model_magic, MODEL_VERSION));
    TRY(get_head(&frame, &head));
    TRY(model_open_empty(&head.options, head.item_count, &model));
    model->trained_to_ms = head.trained_to_ms;
    struct status status = get_weights(&frame, &head, model);
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
        trainer->steps_before,
        bytes_hash(bytes_of(&options->negative_power, sizeof options->negative_power)),
        bytes_hash(bytes_of(&options->rate, sizeof options->rate)),
        bytes_hash(bytes_of(&options->rate_end, sizeof options->rate_end)),
        bytes_hash(bytes_of(&options->dropout, sizeof options->dropout)),
        bytes_hash(bytes_of(&options->decay, sizeof options->decay)),
        bytes_hash(bytes_of(&options->half_life, sizeof options->half_life)),
        bytes_hash(bytes_of(sessions->starts, (sessions->count + 1) * sizeof *sessions->starts)),
        bytes_hash(bytes_of(sessions->items, sessions->starts[sessions->count] * sizeof *sessions->items)),
        bytes_hash(bytes_of(trainer->chosen.clicks, trainer->chosen.count * sizeof *trainer->chosen.clicks)),
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

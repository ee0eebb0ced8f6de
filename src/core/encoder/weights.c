// SPDX-License-Identifier: Apache-2.0
#include "core/encoder/weights.h"

#include "core/model/arithmetic.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define NAME_SIZE  128
#define CACHE_LINE 64 /* bytes: where each matrix begins */
#define LINE       (CACHE_LINE / sizeof(float))

/* Hands out the block's memory; without one it adds up what is needed. */
struct block {
    float *at;
    uint64_t used;
};

static float *take(struct block *block, uint64_t rows, uint64_t columns)
{
    float *numbers = block->at ? block->at + block->used : NULL;
    block->used += (rows * columns + LINE - 1) / LINE * LINE;
    return numbers;
}

static void take_layer(struct block *block, const struct encoder_settings *settings, struct encoder_layer *layer)
{
    uint64_t width = settings->width, inner = settings->inner;
    layer->qkv = take(block, 3 * width, width);
    layer->qkv_bias = take(block, 3, width);
    layer->out = take(block, width, width);
    layer->out_bias = take(block, 1, width);
    layer->mixed_gain = take(block, 1, width);
    layer->mixed_shift = take(block, 1, width);
    layer->up = take(block, inner, width);
    layer->up_bias = take(block, 1, inner);
    layer->down = take(block, width, inner);
    layer->down_bias = take(block, 1, width);
    layer->settled_gain = take(block, 1, width);
    layer->settled_shift = take(block, 1, width);
}

static void take_all(struct block *block, const struct encoder_settings *settings, struct encoder_weights *weights)
{
    struct encoder_layer unused;
    weights->words = take(block, settings->vocabulary, settings->width);
    weights->positions = take(block, settings->positions, settings->width);
    weights->gain = take(block, 1, settings->width);
    weights->shift = take(block, 1, settings->width);
    for (uint32_t i = 0; i < settings->layers; i++)
        take_layer(block, settings, weights->layers ? &weights->layers[i] : &unused);
}

/* The file has two bytes at least for each number that is asked of it, so no settings make it a larger block. */
static struct status allocate(const struct encoder_settings *settings, uint64_t file_size,
                              struct encoder_weights *weights, struct complaint *complaint)
{
    struct block needed = {NULL, 0}, block;
    take_all(&needed, settings, weights);
    if (needed.used / 2 > file_size)
        return complain(complaint, FAIL(BAD_INPUT, (int64_t)file_size, "weights are fewer than a model's"),
                        "%s: %llu bytes are too few for the model that %s describes",
                        encoder_file_names[ENCODER_WEIGHTS], (unsigned long long)file_size,
                        encoder_file_names[ENCODER_CONFIG]);
    weights->block = aligned_alloc(CACHE_LINE, needed.used * sizeof(float));
    weights->layers = calloc(settings->layers, sizeof *weights->layers);
    if (!weights->block || !weights->layers)
        return FAIL(MEMORY, (int64_t)needed.used, "no memory for an encoder's weights");
    block = (struct block){weights->block, 0};
    take_all(&block, settings, weights);
    return OK;
}

/* Where tensors are read from, and what their names begin with. */
struct origin {
    const struct safetensors *tensors;
    char prefix[NAME_SIZE];
    struct complaint *complaint;
};

static struct status read(const struct origin *origin, const char *name, uint32_t rows, uint32_t columns,
                          float *numbers)
{
    char full[2 * NAME_SIZE];
    snprintf(full, sizeof full, "%s%s", origin->prefix, name);
    return safetensors_read(origin->tensors, full, rows, columns, numbers, origin->complaint);
}

/* A matrix and its vector: "NAME.weight", "NAME.bias". */
static struct status read_pair(const struct origin *origin, const char *name, uint32_t rows, uint32_t columns,
                               float *matrix, float *vector)
{
    char full[NAME_SIZE];
    snprintf(full, sizeof full, "%s.weight", name);
    TRY(read(origin, full, rows, columns, matrix));
    snprintf(full, sizeof full, "%s.bias", name);
    return read(origin, full, 1, rows > 1 ? rows : columns, vector);
}

static struct status read_attention(const struct origin *origin, const struct encoder_settings *settings,
                                    const struct encoder_layer *layer)
{
    static const char *const names[] = {"attention.self.query", "attention.self.key", "attention.self.value"};
    uint32_t width = settings->width, head = width / settings->heads, square = width * width;
    for (uint32_t i = 0; i < 3; i++)
        TRY(read_pair(origin, names[i], width, width, layer->qkv + (size_t)i * square, layer->qkv_bias + i * width));
    float scale = 1 / sqrtf((float)head);
    vector_scale(scale, layer->qkv, square);
    vector_scale(scale, layer->qkv_bias, width);
    return OK;
}

static struct status read_layer(const struct origin *origin, const struct encoder_settings *settings,
                                const struct encoder_layer *layer)
{
    uint32_t width = settings->width, inner = settings->inner;
    TRY(read_attention(origin, settings, layer));
    TRY(read_pair(origin, "attention.output.dense", width, width, layer->out, layer->out_bias));
    TRY(read_pair(origin, "attention.output.LayerNorm", 1, width, layer->mixed_gain, layer->mixed_shift));
    TRY(read_pair(origin, "intermediate.dense", inner, width, layer->up, layer->up_bias));
    TRY(read_pair(origin, "output.dense", width, inner, layer->down, layer->down_bias));
    return read_pair(origin, "output.LayerNorm", 1, width, layer->settled_gain, layer->settled_shift);
}

/* All tokens of a sentence are of type 0, the first row of its table. */
static struct status read_positions(const struct origin *origin, const struct encoder_settings *settings,
                                    const struct encoder_weights *weights)
{
    uint32_t width = settings->width;
    float *types = malloc((size_t)settings->types * width * sizeof *types);
    if (!types)
        return FAIL(MEMORY, settings->types, "no memory for an encoder's token types");
    struct status status = read(origin, "position_embeddings.weight", settings->positions, width, weights->positions);
    if (!failed(status))
        status = read(origin, "token_type_embeddings.weight", settings->types, width, types);
    for (uint32_t i = 0; !failed(status) && i < settings->positions; i++)
        vector_add(types, weights->positions + (size_t)i * width, width);
    free(types);
    return status;
}

static struct status read_all(const struct encoder_settings *settings, const struct safetensors *tensors,
                              const struct encoder_weights *weights, struct complaint *complaint)
{
    /* A BertModel, or the one within a model with a head. */
    const char *root = safetensors_have(tensors, "bert.embeddings.word_embeddings.weight") ? "bert." : "";
    struct origin origin = {.tensors = tensors, .complaint = complaint};
    snprintf(origin.prefix, sizeof origin.prefix, "%sembeddings.", root);
    TRY(read(&origin, "word_embeddings.weight", settings->vocabulary, settings->width, weights->words));
    TRY(read_positions(&origin, settings, weights));
    TRY(read_pair(&origin, "LayerNorm", 1, settings->width, weights->gain, weights->shift));
    for (uint32_t i = 0; i < settings->layers; i++) {
        snprintf(origin.prefix, sizeof origin.prefix, "%sencoder.layer.%u.", root, i);
        TRY(read_layer(&origin, settings, &weights->layers[i]));
    }
    return OK;
}

struct status encoder_weights_read(const struct encoder_settings *settings, const struct safetensors *tensors,
                                   uint64_t file_size, struct encoder_weights *weights, struct complaint *complaint)
{
    TRY(allocate(settings, file_size, weights, complaint));
    return read_all(settings, tensors, weights, complaint);
}

void encoder_weights_release(struct encoder_weights *weights)
{
    free(weights->block);
    free(weights->layers);
    *weights = (struct encoder_weights){0};
}

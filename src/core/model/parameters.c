// SPDX-License-Identifier: Apache-2.0
#include "core/model/parameters.h"

#include <stdio.h>
#include <stdlib.h>

void parameters_declare(struct parameters *parameters, const char *name, uint32_t rows, uint32_t columns,
                        struct start start, float rate)
{
    assert(parameters->count < TENSORS_MAX && !parameters->values);
    struct tensor *tensor = &parameters->tensors[parameters->count++];
    *tensor =
        (struct tensor){.rows = rows, .columns = columns, .start = start, .rate = rate, .place = parameters->size};
    int size = snprintf(tensor->name, sizeof tensor->name, "%s", name);
    assert(size > 0 && (size_t)size < sizeof tensor->name);
    (void)size;
    parameters->size += (size_t)rows * columns;
}

static struct status open_block(size_t size, float **ret_block)
{
    float *block = calloc(size + 1, sizeof *block); /* some backbones have none */
    if (!block)
        return FAIL(MEMORY, size, "no memory for a model's weights");
    *ret_block = block;
    return OK;
}

struct status parameters_open(struct parameters *parameters)
{
    return open_block(parameters->size, &parameters->values);
}

struct status parameters_open_training(struct parameters *parameters)
{
    TRY(open_block(parameters->size, &parameters->gradient));
    TRY(open_block(parameters->size, &parameters->mean));
    return open_block(parameters->size, &parameters->square);
}

void parameters_close_training(struct parameters *parameters)
{
    free(parameters->gradient);
    free(parameters->mean);
    free(parameters->square);
    parameters->gradient = parameters->mean = parameters->square = NULL;
}

void parameters_release(struct parameters *parameters)
{
    free(parameters->values);
    parameters_close_training(parameters);
    *parameters = (struct parameters){0};
}

/* Twelve uniform draws, less six, have mean 0 and variance 1; better ways need a logarithm and a cosine, which differ
 * by machine. */
static float normal(struct random *random)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += random_unit(random);
    return (float)sum;
}

void start_values(struct start start, float *values, size_t count, struct random *random)
{
    for (size_t i = 0; i < count; i++)
        values[i] = start.kind == START_CONSTANT  ? start.scale
                    : start.kind == START_UNIFORM ? start.scale * (float)(2 * random_unit(random) - 1)
                                                  : start.scale * normal(random);
}

void parameters_start(struct parameters *parameters, struct random *random)
{
    for (uint32_t i = 0; i < parameters->count; i++) {
        const struct tensor *tensor = &parameters->tensors[i];
        start_values(tensor->start, parameters->values + tensor->place, (size_t)tensor->rows * tensor->columns, random);
    }
}

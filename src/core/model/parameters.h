// SPDX-License-Identifier: Apache-2.0
#pragma once
/* parameters: a model's weights other than the item table, by name: one block of memory for all values, and one each
 * for what training adds to them. A backbone declares its tensors in a fixed order and finds them by that order. */
#include <eddy/base/random.h>
#include <eddy/base/status.h>

#include <stddef.h>

#define TENSORS_MAX     32
#define TENSOR_NAME_MAX 32

/* What weights are before training. */
struct start {
    enum { START_CONSTANT, START_UNIFORM, START_NORMAL } kind;
    float scale; /* the constant; UNIFORM within +-scale; NORMAL with this deviation from 0 */
};

struct tensor {
    char name[TENSOR_NAME_MAX];
    uint32_t rows, columns;
    struct start start;
    float rate;   /* of training, as a multiple of the others' */
    size_t place; /* of its first value in each of the blocks */
};

struct parameters {
    struct tensor tensors[TENSORS_MAX];
    uint32_t count;
    size_t size;                     /* values of all tensors */
    float *values;                   /* (size) */
    float *gradient, *mean, *square; /* (size) each; NULL when the model is not trained */
};

/* Only before parameters_open(). */
void parameters_declare(struct parameters *parameters, const char *name, uint32_t rows, uint32_t columns,
                        struct start start, float rate);
/* Zeros; MEMORY. */
MUST_CHECK struct status parameters_open(struct parameters *parameters);
/* Adds what training needs, zeros; MEMORY. */
MUST_CHECK struct status parameters_open_training(struct parameters *parameters);
void parameters_close_training(struct parameters *parameters);
void parameters_release(struct parameters *parameters);
void parameters_start(struct parameters *parameters, struct random *random);
/* Values that begin so. The same on every machine. */
void start_values(struct start start, float *values, size_t count, struct random *random);

static inline const float *parameters_of(const struct parameters *parameters, uint32_t tensor)
{
    return parameters->values + parameters->tensors[tensor].place;
}

static inline float *parameters_gradient(const struct parameters *parameters, uint32_t tensor)
{
    return parameters->gradient + parameters->tensors[tensor].place;
}

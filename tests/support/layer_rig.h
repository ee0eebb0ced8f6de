// SPDX-License-Identifier: Apache-2.0
#pragma once
/* layer_rig: arrays and sessions for tests of layers. Each array is a block of its own and of its exact size, so that a
 * sanitizer sees what is read or written beside it; layer_rig_close() frees all. */
#include "core/model/layers.h"
#include "support/gradient.h"

#define LAYER_RIG_BLOCKS 128

struct layer_rig {
    struct random random;
    void *blocks[LAYER_RIG_BLOCKS];
    uint32_t count;
};

/* Prints the seed. */
void layer_rig_open(struct layer_rig *rig, uint64_t seed);
void layer_rig_close(struct layer_rig *rig);

void *rig_block(struct layer_rig *rig, size_t size);
/* Between -1 and 1. */
float *rig_random(struct layer_rig *rig, uint32_t count);
/* All NAN: what a layer does not set spoils what is made of it. */
float *rig_unset(struct layer_rig *rig, uint32_t count);
float *rig_copy(struct layer_rig *rig, const float *values, uint32_t count);
/* Random values; the gradient is not set yet, as a layer sets it. */
struct parameter rig_input(struct layer_rig *rig, uint32_t count);
/* Random values; the gradient begins with random ones, as a layer adds to it. */
struct parameter rig_weight(struct layer_rig *rig, uint32_t count);
/* One session at least has one row; the longest may have `length_max`. */
struct packed rig_sessions(struct layer_rig *rig, uint32_t count, uint32_t length_max);

/* The sessions the other way round, and their rows. */
struct packed rig_reverse_sessions(struct layer_rig *rig, struct packed sessions);
float *rig_reverse_rows(struct layer_rig *rig, const float *rows, struct packed sessions, uint32_t width);

/* Fails the test unless all values are within 2e-5 of what is wanted, relatively where that is above 1. */
void assert_close(const float *values, const double *wanted, uint32_t count);
void assert_same_floats(const float *values, const float *wanted, uint32_t count);
/* sum of d_y * y, the loss whose gradient with respect to y is d_y */
double loss_of(const float *d_y, const double *y, uint32_t count);

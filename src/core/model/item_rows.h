// SPDX-License-Identifier: Apache-2.0
#pragma once
/* item_rows: rows of the item table as a step sees them, some numbers dropped, some rows normalised; and the way of
 * their gradients back to the table. Functions take a span of the rows, so that parts can share them. */
#include "core/model/item_gradients.h"
#include "core/model/model.h"
#include "core/model/parts.h"

struct item_rows {
    const struct model *model;
    const uint32_t *items;
    uint32_t count;
    bool offset;      /* directed items, as what is scored */
    float dropout;    /* 0: nothing is dropped */
    float *x;         /* (count, width) after dropout */
    uint8_t *mask;    /* NULL: no dropout */
    float *y;         /* after normalisation; x itself without */
    float *inverse;   /* NULL: not normalised */
    uint32_t *places; /* (count) of their gradients, and, when there are offsets, (count) of these' */
};

/* Memory for all but items. MEMORY. */
MUST_CHECK struct status item_rows_take(struct item_rows *rows, bool normalise, struct arena *arena);
void item_rows_gather(const struct item_rows *rows, struct span span, struct random *random);
/* d: (count, width), gradients with respect to y, become those with respect to the table's rows. */
void item_rows_backward(const struct item_rows *rows, struct span span, float *d);
/* The places of their gradients. */
void item_rows_place(struct item_rows *rows, struct item_gradients *gradients);
/* Adds those that have a place in the span. */
void item_rows_add(const struct item_rows *rows, const float *d, struct span places, struct item_gradients *gradients);

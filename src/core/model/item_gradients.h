// SPDX-License-Identifier: Apache-2.0
#pragma once
/* item_gradients: the gradients of the items that a step touches, a row each, in the order in which they came up. */
#include <eddy/base/status.h>

#include <stddef.h>

struct item_gradients {
    uint32_t width, count, capacity;
    uint32_t *slots; /* (items of the model) its row; NO_SLOT */
    uint32_t *items; /* (capacity) */
    float *rows;     /* (capacity, width) */
};

/* `capacity`: the most items that one step touches. MEMORY. */
MUST_CHECK struct status item_gradients_open(uint32_t item_count, uint32_t capacity, uint32_t width,
                                             struct item_gradients *ret_gradients);
void item_gradients_release(struct item_gradients *gradients);
/* Which row is the item's; what is in it is the caller's to set. */
uint32_t item_gradients_place(struct item_gradients *gradients, uint32_t item);
void item_gradients_clear(struct item_gradients *gradients);

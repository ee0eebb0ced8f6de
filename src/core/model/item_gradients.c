// SPDX-License-Identifier: Apache-2.0
#include "core/model/item_gradients.h"

#include <stdlib.h>
#include <string.h>

#define NO_SLOT UINT32_MAX

struct status item_gradients_open(uint32_t item_count, uint32_t capacity, uint32_t width,
                                  struct item_gradients *ret_gradients)
{
    if (capacity > item_count)
        capacity = item_count;
    struct item_gradients gradients = {.width = width,
                                       .capacity = capacity,
                                       .slots = malloc((size_t)item_count * sizeof *gradients.slots),
                                       .items = malloc((size_t)capacity * sizeof *gradients.items),
                                       .rows = malloc((size_t)capacity * width * sizeof *gradients.rows)};
    if (!gradients.slots || !gradients.items || !gradients.rows) {
        item_gradients_release(&gradients);
        return FAIL(MEMORY, item_count, "no memory for the items' gradients");
    }
    memset(gradients.slots, 0xff, (size_t)item_count * sizeof *gradients.slots);
    *ret_gradients = gradients;
    return OK;
}

void item_gradients_release(struct item_gradients *gradients)
{
    free(gradients->slots);
    free(gradients->items);
    free(gradients->rows);
    *gradients = (struct item_gradients){0};
}

uint32_t item_gradients_place(struct item_gradients *gradients, uint32_t item)
{
    if (gradients->slots[item] != NO_SLOT)
        return gradients->slots[item];
    assert(gradients->count < gradients->capacity);
    gradients->slots[item] = gradients->count;
    gradients->items[gradients->count] = item;
    return gradients->count++;
}

void item_gradients_clear(struct item_gradients *gradients)
{
    for (uint32_t i = 0; i < gradients->count; i++)
        gradients->slots[gradients->items[i]] = NO_SLOT;
    gradients->count = 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "core/model/growth.h"

#include "core/model/arithmetic.h"
#include "core/model/model.h"

#include <stdlib.h>
#include <string.h>

#define NOBODY UINT32_MAX

struct growth {
    struct model *model;
    uint32_t first_new;
    uint32_t *neighbours; /* (new items) how many are in the sum that is the row as yet */
};

static void add_neighbour(struct growth *growth, uint32_t item, uint32_t neighbour)
{
    const struct model *model = growth->model;
    size_t width = model->options.width;
    bool first = growth->neighbours[item - growth->first_new]++ == 0;
    for (size_t rows = 0; rows < model_rows(model); rows += model->item_count) { /* vectors, then offsets */
        float *row = model->items + (rows + item) * width;
        if (first)
            memset(row, 0, width * sizeof *row);
        vector_add(model->items + (rows + neighbour) * width, row, (uint32_t)width);
    }
}

/* One after the other: `step` is 1 or -1, and a new item's neighbour the last older one before it on this way. */
static void walk(struct growth *growth, const uint32_t *items, uint32_t length, int step)
{
    uint32_t last = NOBODY;
    int64_t end = step > 0 ? (int64_t)length : -1;
    for (int64_t i = step > 0 ? 0 : (int64_t)length - 1; i != end; i += step) {
        if (items[i] < growth->first_new)
            last = items[i];
        else if (last != NOBODY && items[i] < growth->model->item_count)
            add_neighbour(growth, items[i], last);
    }
}

struct status growth_begin_rows(struct model *model, uint32_t first_new, const struct training_sessions *sessions)
{
    struct growth growth = {model, first_new, NULL};
    uint32_t count = model->item_count - first_new, width = model->options.width;
    if (count == 0)
        return OK;
    growth.neighbours = calloc(count, sizeof *growth.neighbours);
    if (!growth.neighbours)
        return FAIL(MEMORY, count, "no memory for new items");
    for (uint32_t i = 0; i < sessions->count; i++) {
        const uint32_t *items = sessions->items + sessions->starts[i];
        uint32_t length = sessions->starts[i + 1] - sessions->starts[i];
        walk(&growth, items, length, 1);
        walk(&growth, items, length, -1);
    }
    for (size_t rows = 0; rows < model_rows(model); rows += model->item_count)
        for (uint32_t i = 0; i < count; i++)
            if (growth.neighbours[i] > 0)
                vector_scale(1 / (float)growth.neighbours[i], model->items + (rows + first_new + i) * width, width);
    free(growth.neighbours);
    return OK;
}

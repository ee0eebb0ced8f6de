// SPDX-License-Identifier: Apache-2.0
#include "app/session_model.h"

#include <stdio.h>
#include <stdlib.h>

/* A model that was just read, its items' numbers to be filled in. */
static struct status read_model(const char *path, struct session_model *model, uint32_t **ret_numbers,
                                struct complaint *complaint)
{
    TRY(model_file_read(path, &model->file, complaint));
    snprintf(model->version, sizeof model->version, "%016llx", (unsigned long long)model->file.hash);
    uint32_t count = interner_count(model->file.item_ids);
    *ret_numbers = malloc(((size_t)count + 1) * sizeof **ret_numbers);
    return *ret_numbers ? OK : FAIL(MEMORY, count, "no memory to find a model's items");
}

static struct status intern_items(const struct interner *item_ids, struct catalogue *catalogue, uint32_t *numbers)
{
    for (uint32_t row = 0; row < interner_count(item_ids); row++) {
        struct status status = catalogue_intern(catalogue, interner_get(item_ids, row), &numbers[row]);
        if (failed_as(status, FAULT_LIMIT))
            numbers[row] = ITEM_NONE;
        else
            TRY(status);
    }
    return OK;
}

static uint32_t find_items(const struct interner *item_ids, const struct catalogue *catalogue, uint32_t number_count,
                           uint32_t *numbers)
{
    uint32_t known = 0;
    for (uint32_t row = 0; row < interner_count(item_ids); row++) {
        uint32_t number = catalogue_find(catalogue, interner_get(item_ids, row));
        numbers[row] = number < number_count ? number : ITEM_NONE;
        known += numbers[row] != ITEM_NONE;
    }
    return known;
}

struct status session_model_open(const char *path, struct catalogue *catalogue, struct session_model *ret_model,
                                 struct complaint *complaint)
{
    struct session_model model = {0};
    uint32_t *numbers = NULL;
    struct status status = read_model(path, &model, &numbers, complaint);
    if (!failed(status))
        status = intern_items(model.file.item_ids, catalogue, numbers);
    if (!failed(status))
        status = neural_open(model.file.model, numbers, catalogue_count(catalogue), &model.neural);
    free(numbers);
    if (failed(status))
        session_model_release(&model);
    else
        *ret_model = model;
    return status;
}

struct status session_model_open_among(const char *path, const struct catalogue *catalogue, uint32_t number_count,
                                       struct session_model *ret_model, struct complaint *complaint)
{
    struct session_model model = {0};
    uint32_t *numbers = NULL;
    struct status status = read_model(path, &model, &numbers, complaint);
    if (!failed(status) && !find_items(model.file.item_ids, catalogue, number_count, numbers))
        status = complain(complaint, FAIL(BAD_INPUT, number_count, "a model of other items"),
                          "%s knows none of the items that train: is it another shop's?", path);
    if (!failed(status))
        status = neural_open(model.file.model, numbers, number_count, &model.neural);
    free(numbers);
    if (failed(status))
        session_model_release(&model);
    else
        *ret_model = model;
    return status;
}

void session_model_release(struct session_model *model)
{
    neural_close(model->neural);
    model_file_release(&model->file);
    *model = (struct session_model){0};
}

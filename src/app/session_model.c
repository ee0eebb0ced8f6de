// SPDX-License-Identifier: Apache-2.0
#include "app/session_model.h"

#include <stdio.h>
#include <stdlib.h>

void model_version_write(int64_t number, struct bytes sha256, char text[MODEL_VERSION_SIZE])
{
    assert(sha256.size >= MODEL_VERSION_DIGITS);
    snprintf(text, MODEL_VERSION_SIZE, "%lld-%.*s", (long long)number, MODEL_VERSION_DIGITS, (const char *)sha256.data);
}

/* A model that was just read, its items' numbers to be filled in. */
static struct status read_model(const char *path, struct session_model *model, uint32_t **ret_numbers,
                                struct complaint *complaint)
{
    char sha256[SHA256_TEXT_SIZE];
    TRY(model_file_read_signed(path, &model->file, sha256, complaint));
    model_version_write(0, bytes_of_text(sha256), model->version);
    uint32_t count = interner_count(model->file.item_ids);
    *ret_numbers = malloc(((size_t)count + 1) * sizeof **ret_numbers);
    return *ret_numbers ? OK : FAIL(MEMORY, count, "no memory to find a model's items");
}

struct status session_model_number(const struct model_file *file, uint32_t from, uint32_t to,
                                   struct catalogue *catalogue, uint32_t *numbers)
{
    for (uint32_t row = from; row < to; row++) {
        struct status status = catalogue_intern(catalogue, interner_get(file->item_ids, row), &numbers[row]);
        if (failed_as(status, FAULT_LIMIT))
            numbers[row] = ITEM_NONE;
        else
            TRY(status);
    }
    return OK;
}

struct status session_model_make(struct model_file *file, const uint32_t *numbers, uint32_t number_count,
                                 struct session_model *ret_model)
{
    struct neural *neural;
    TRY(neural_open(file->model, numbers, number_count, &neural));
    *ret_model = (struct session_model){.file = *file, .neural = neural};
    *file = (struct model_file){0};
    return OK;
}

/* Puts a model to work whose items have their numbers, if that has gone well: frees them. */
static struct status begin_model(struct status status, struct session_model *model, uint32_t *numbers,
                                 uint32_t number_count, struct session_model *ret_model)
{
    if (!failed(status))
        status = neural_open(model->file.model, numbers, number_count, &model->neural);
    free(numbers);
    if (failed(status))
        session_model_release(model);
    else
        *ret_model = *model;
    return status;
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
        status = session_model_number(&model.file, 0, interner_count(model.file.item_ids), catalogue, numbers);
    return begin_model(status, &model, numbers, catalogue_count(catalogue), ret_model);
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
    return begin_model(status, &model, numbers, number_count, ret_model);
}

void session_model_release(struct session_model *model)
{
    neural_close(model->neural);
    model_file_release(&model->file);
    *model = (struct session_model){0};
}

// SPDX-License-Identifier: Apache-2.0
#include "app/item_properties.h"

#include <eddy/base/interner.h>

#include <stdlib.h>

#define NAMES_MAX       (UINT32_C(1) << 30)
#define NAMES_MAX_BYTES ((size_t)16 << 30)
#define DEPTH_MAX       64 /* levels of a tree; also the end of a category that is within itself */

struct known_item {
    int64_t category_ms, available_ms; /* since when */
    uint32_t category;                 /* INTERNER_NONE: none */
    bool available;
};

struct item_properties {
    struct interner *item_ids, *category_ids;
    struct known_item *items; /* by number, as are the parents */
    uint32_t *parents;        /* INTERNER_NONE: a root, or not in the tree */
    size_t item_capacity, category_capacity;
};

struct status item_properties_open(struct item_properties **ret_properties)
{
    struct item_properties *properties = calloc(1, sizeof *properties);
    if (!properties)
        return FAIL(MEMORY, sizeof *properties, "no memory for properties of items");
    struct status status = interner_open(NAMES_MAX, NAMES_MAX_BYTES, &properties->item_ids);
    if (!failed(status))
        status = interner_open(NAMES_MAX, NAMES_MAX_BYTES, &properties->category_ids);
    if (failed(status)) {
        item_properties_close(properties);
        return status;
    }
    *ret_properties = properties;
    return OK;
}

void item_properties_close(struct item_properties *properties)
{
    if (!properties)
        return;
    interner_close(properties->item_ids);
    interner_close(properties->category_ids);
    free(properties->items);
    free(properties->parents);
    free(properties);
}

static struct status number_item(struct item_properties *properties, struct bytes id, uint32_t *ret_number)
{
    uint32_t before = interner_count(properties->item_ids);
    if (before == properties->item_capacity) {
        size_t capacity = before ? 2 * (size_t)before : 1 << 12;
        struct known_item *items = realloc(properties->items, capacity * sizeof *items);
        if (!items)
            return FAIL(MEMORY, capacity, "no memory for properties of items");
        properties->items = items;
        properties->item_capacity = capacity;
    }
    TRY(interner_add(properties->item_ids, id, ret_number));
    if (*ret_number == before)
        properties->items[before] = (struct known_item){INT64_MIN, INT64_MIN, INTERNER_NONE, true};
    return OK;
}

static struct status number_category(struct item_properties *properties, struct bytes id, uint32_t *ret_number)
{
    uint32_t before = interner_count(properties->category_ids);
    if (before == properties->category_capacity) {
        size_t capacity = before ? 2 * (size_t)before : 1 << 10;
        uint32_t *parents = realloc(properties->parents, capacity * sizeof *parents);
        if (!parents)
            return FAIL(MEMORY, capacity, "no memory for categories");
        properties->parents = parents;
        properties->category_capacity = capacity;
    }
    TRY(interner_add(properties->category_ids, id, ret_number));
    if (*ret_number == before)
        properties->parents[before] = INTERNER_NONE;
    return OK;
}

static struct status set_category(struct item_properties *properties, struct known_item *item,
                                  const struct layout_record *record)
{
    if (record->value.size == 0 || record->value.size > CLICK_ID_MAX)
        return FAIL(BAD_INPUT, record->value.size, "the value of categoryid is missing or too long");
    if (record->click.time_ms < item->category_ms)
        return OK;
    item->category_ms = record->click.time_ms;
    return number_category(properties, record->value, &item->category);
}

static struct status set_available(struct known_item *item, const struct layout_record *record)
{
    bool yes = bytes_equal_text(record->value, "1");
    if (!yes && !bytes_equal_text(record->value, "0"))
        return FAIL(BAD_INPUT, 0, "the value of available is neither 0 nor 1");
    if (record->click.time_ms < item->available_ms)
        return OK;
    item->available_ms = record->click.time_ms;
    item->available = yes;
    return OK;
}

struct status item_properties_add(struct item_properties *properties, const struct layout_record *record)
{
    uint32_t number;
    if (record->property.size == 0)
        return FAIL(BAD_INPUT, 0, "the property is missing");
    TRY(number_item(properties, record->item.item_id, &number));
    if (bytes_equal_text(record->property, "categoryid"))
        return set_category(properties, &properties->items[number], record);
    if (bytes_equal_text(record->property, "available"))
        return set_available(&properties->items[number], record);
    return OK;
}

struct status item_properties_add_category(struct item_properties *properties, const struct layout_record *record)
{
    uint32_t number, parent = INTERNER_NONE;
    if (record->parent.size > CLICK_ID_MAX)
        return FAIL(BAD_INPUT, record->parent.size, "the parent is too long");
    TRY(number_category(properties, record->item.item_id, &number));
    if (record->parent.size > 0)
        TRY(number_category(properties, record->parent, &parent));
    properties->parents[number] = parent;
    return OK;
}

uint32_t item_properties_count(const struct item_properties *properties)
{
    return interner_count(properties->item_ids);
}

/* From the root on; what is deeper than an item has room for is cut. */
static void set_path(const struct item_properties *properties, uint32_t category, struct item *item)
{
    uint32_t path[DEPTH_MAX], depth = 0;
    for (; category != INTERNER_NONE && depth < DEPTH_MAX; category = properties->parents[category])
        path[depth++] = category;
    if (category != INTERNER_NONE) /* it is within itself */
        depth = 1;
    while (depth > 0 && item->category_count < ITEM_CATEGORIES_MAX)
        item->categories[item->category_count++] = interner_get(properties->category_ids, path[--depth]);
}

struct item item_properties_get(const struct item_properties *properties, uint32_t number)
{
    const struct known_item *known = &properties->items[number];
    struct item item = {.item_id = interner_get(properties->item_ids, number), .available = known->available};
    set_path(properties, known->category, &item);
    return item;
}

// SPDX-License-Identifier: Apache-2.0
#include "core/event/json.h"
#include "core/event/layout.h"

#include <jansson.h>
#include <stdio.h>

#define NUMBER_MAX 32

static void json_release(json_t **json)
{
    json_decref(*json);
}

/* A string as it is, a number as it is written; anything else is no text. */
static struct status text_of(const json_t *value, struct arena *batch, struct bytes *ret_text)
{
    char number[NUMBER_MAX];
    int size = 0;
    if (json_is_string(value)) {
        /* Copied: the value does not live as long as the record. */
        struct bytes text = bytes_of(json_string_value(value), json_string_length(value));
        *ret_text = arena_copy(batch, text);
        return ret_text->size == text.size ? OK : FAIL(MEMORY, text.size, "no memory for a text");
    }
    if (json_is_integer(value))
        size = snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        size = snprintf(number, sizeof number, "%.15g", json_real_value(value));
    *ret_text = arena_copy(batch, bytes_of(number, (size_t)size));
    return ret_text->size == (size_t)size ? OK : FAIL(MEMORY, 0, "no memory for a number");
}

/* A path of categories: an array of texts, or the first of several such arrays. */
static struct status set_categories(struct layout_builder *builder, const json_t *array)
{
    if (json_is_array(json_array_get(array, 0)))
        array = json_array_get(array, 0);
    for (size_t i = 0; i < json_array_size(array) && i < ITEM_CATEGORIES_MAX; i++) {
        struct bytes level;
        TRY(text_of(json_array_get(array, i), builder->batch, &level));
        layout_add_category(builder, level);
    }
    return OK;
}

static struct status set_members(struct layout_builder *builder, const struct layout_side *side, const json_t *object,
                                 struct complaint *complaint)
{
    for (size_t i = 0; i < LAYOUT_NAMES_MAX && side->names[i].name; i++) {
        const json_t *value = json_object_get(object, side->names[i].name);
        enum layout_role role = side->names[i].role;
        struct bytes text;
        if (role == ROLE_CATEGORIES && json_is_array(value)) {
            if (builder->record.item.category_count == 0)
                TRY(set_categories(builder, value));
            continue;
        }
        TRY(text_of(value, builder->batch, &text));
        TRY(layout_set(builder, role, text, complaint));
    }
    return OK;
}

/* The array of events, when the layout has one and this object too. */
static const json_t *events_of(const struct layout_side *side, const json_t *object)
{
    for (size_t i = 0; i < LAYOUT_NAMES_MAX && side->names[i].name; i++)
        if (side->names[i].role == ROLE_EVENTS)
            return json_object_get(object, side->names[i].name);
    return NULL;
}

static struct status read_event(const struct layout_builder *common, const struct layout_side *side, const json_t *json,
                                const struct layout_visitor *visitor, struct complaint *complaint)
{
    struct layout_builder event = *common;
    TRY(set_members(&event, side, json, complaint));
    return layout_visit(&event, visitor, complaint);
}

/* Reads all events, also behind one that is broken; the first of these is complained about. */
static struct status read_events(const struct layout_builder *common, const struct layout_side *side,
                                 const json_t *events, const struct layout_visitor *visitor, uint64_t *ret_broken,
                                 struct complaint *complaint)
{
    struct status first = OK;
    struct complaint reason = {{0}};
    size_t place = 0;
    *ret_broken = 0;
    for (size_t i = 0; i < json_array_size(events); i++) {
        struct complaint own = {{0}};
        struct status status = read_event(common, side, json_array_get(events, i), visitor, &own);
        if (!failed(status))
            continue;
        if (!failed_as(status, FAULT_BAD_INPUT))
            return complain(complaint, status, "%s", own.text);
        if ((*ret_broken)++ > 0)
            continue;
        first = status;
        reason = own;
        place = i + 1;
    }
    if (!failed(first))
        return OK;
    char others[60] = "";
    if (*ret_broken > 1)
        snprintf(others, sizeof others, " (%llu of %zu events are broken)", (unsigned long long)*ret_broken,
                 json_array_size(events));
    return complain(complaint, first, "event %zu: %s%s", place, reason.text[0] ? reason.text : first.fault->what,
                    others);
}

struct status layout_read_json(const struct layout_side *side, struct bytes line, struct arena *batch,
                               const struct layout_visitor *visitor, uint64_t *ret_broken, struct complaint *complaint)
{
    json_error_t error;
    *ret_broken = 1;
    json_memory_begin();
    __attribute__((cleanup(json_release))) json_t *object =
        json_loadb((const char *)line.data, line.size, JSON_REJECT_DUPLICATES, &error);
    if (!object && json_memory_lacked())
        return FAIL(MEMORY, line.size, "no memory for a line");
    if (!json_is_object(object))
        return complain(complaint, FAIL(BAD_INPUT, error.position, "a line is no JSON object"),
                        "this is no JSON object: %s", object ? "another value" : error.text);
    struct layout_builder common = {.batch = batch};
    TRY(set_members(&common, side, object, complaint));
    const json_t *events = events_of(side, object);
    return events ? read_events(&common, side, events, visitor, ret_broken, complaint)
                  : layout_visit(&common, visitor, complaint);
}

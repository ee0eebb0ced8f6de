// SPDX-License-Identifier: Apache-2.0
#include "core/event/layout.h"

#include <eddy/base/timestamp.h>

#include <stdio.h>

static bool has_time(const bool roles[ROLE_COUNT])
{
    for (enum layout_role role = 0; role < ROLE_COUNT; role++)
        if (roles[role] && layout_role_is_time(role))
            return true;
    return false;
}

static bool names_a_record(const bool bound[ROLE_COUNT], const struct layout_side *side, enum layout_kind kind)
{
    if (!bound[ROLE_ITEM])
        return false;
    if (kind == LAYOUT_CLICKS)
        return (bound[ROLE_SESSION] || bound[ROLE_USER]) && has_time(bound);
    if (kind == LAYOUT_CATEGORIES)
        return bound[ROLE_PARENT];
    return !layout_side_has(side, ROLE_PROPERTY) || (bound[ROLE_PROPERTY] && bound[ROLE_VALUE] && has_time(bound));
}

bool layout_bind(const struct layout_side *side, enum layout_kind kind, const struct bytes *names, size_t count,
                 uint8_t *ret_roles)
{
    bool bound[ROLE_COUNT] = {0};
    memset(ret_roles, ROLE_NONE, count);
    for (size_t row = 0; row < LAYOUT_NAMES_MAX && side->names[row].name; row++) {
        const struct layout_column *column = &side->names[row];
        for (size_t i = 0; i < count && !bound[column->role]; i++) {
            if (!bytes_equal_text(names[i], column->name))
                continue;
            ret_roles[i] = (uint8_t)column->role;
            bound[column->role] = true;
        }
    }
    return names_a_record(bound, side, kind);
}

struct status layout_to_utf8(struct arena *batch, struct bytes *text)
{
    if (bytes_is_utf8(*text))
        return OK;
    uint8_t *converted = arena_alloc(batch, 2 * text->size);
    if (!converted)
        return FAIL(MEMORY, text->size, "no memory for a text");
    size_t size = 0;
    for (size_t i = 0; i < text->size; i++) {
        uint8_t byte = text->data[i];
        if (byte < 0x80) {
            converted[size++] = byte;
        } else {
            converted[size++] = (uint8_t)(0xc0 | byte >> 6);
            converted[size++] = (uint8_t)(0x80 | (byte & 0x3f));
        }
    }
    *text = bytes_of(converted, size);
    return OK;
}

void layout_add_category(struct layout_builder *builder, struct bytes level)
{
    struct item *item = &builder->record.item;
    if (level.size > 0 && item->category_count < ITEM_CATEGORIES_MAX)
        item->categories[item->category_count++] = level;
}

static struct status refuse(const char *what, struct bytes text, struct complaint *complaint)
{
    struct bytes shown = bytes_utf8_prefix(text, 60);
    return complain(complaint, FAIL(BAD_INPUT, 0, "a field cannot be read"), "%s is '" BYTES_FORMAT "'", what,
                    BYTES_ARGS(shown));
}

static struct status set_time(struct layout_builder *builder, enum layout_role role, struct bytes text,
                              struct complaint *complaint)
{
    int64_t value = 0;
    bool good;
    char day[32];
    switch (role) {
    case ROLE_TIME_TEXT:
        good = timestamp_parse(text, &value);
        break;
    case ROLE_DATE:
        snprintf(day, sizeof day, "%.10sT00:00:00Z", text.size == 10 ? (const char *)text.data : "");
        good = timestamp_parse(bytes_of_text(day), &value);
        break;
    case ROLE_TIME_S:
        good = bytes_to_int64(text, &value) && !__builtin_mul_overflow(value, 1000, &value);
        break;
    default:
        good = bytes_to_int64(text, &value);
        break;
    }
    if (!good)
        return refuse("the time", text, complaint);
    *(role == ROLE_OFFSET_MS ? &builder->offset_ms : &builder->time_ms) = value;
    return OK;
}

static struct status set_type(struct layout_builder *builder, struct bytes text, struct complaint *complaint)
{
    static const struct {
        const char *word;
        enum click_type type;
    } words[] = {
        {"view", CLICK_TYPE_VIEW},         {"clicks", CLICK_TYPE_VIEW},          {"addtocart", CLICK_TYPE_ADD_TO_CART},
        {"carts", CLICK_TYPE_ADD_TO_CART}, {"transaction", CLICK_TYPE_PURCHASE}, {"orders", CLICK_TYPE_PURCHASE}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (bytes_equal_text(text, words[i].word)) {
            builder->record.click.type = words[i].type;
            return OK;
        }
    }
    return refuse("the type", text, complaint);
}

static struct status set_number(struct bytes text, const char *what, double *ret_number, struct complaint *complaint)
{
    if (text.size > 0 && text.data[0] == '$')
        text = bytes_of(text.data + 1, text.size - 1);
    return bytes_to_double(text, ret_number) ? OK : refuse(what, text, complaint);
}

static void set_categories(struct layout_builder *builder, struct bytes text)
{
    while (text.size > 0) {
        const uint8_t *bar = memchr(text.data, '|', text.size);
        size_t size = bar ? (size_t)(bar - text.data) : text.size;
        layout_add_category(builder, bytes_of(text.data, size));
        size += bar != NULL;
        text = bytes_of(text.data + size, text.size - size);
    }
}

static struct status set_text(struct layout_builder *builder, enum layout_role role, struct bytes text)
{
    struct layout_record *record = &builder->record;
    TRY(layout_to_utf8(builder->batch, &text));
    switch (role) {
    case ROLE_SESSION:
        record->click.session_id = text;
        break;
    case ROLE_USER: /* NA: not known, in R's words */
        record->click.user_id = bytes_equal_text(text, "NA") ? (struct bytes){0} : text;
        break;
    case ROLE_ITEM:
        record->click.item_id = record->item.item_id = text;
        break;
    case ROLE_TITLE:
        record->item.title = text;
        break;
    case ROLE_DESCRIPTION:
        record->item.description = text;
        break;
    case ROLE_PROPERTY:
        record->property = text;
        break;
    case ROLE_VALUE:
        record->value = text;
        break;
    case ROLE_PARENT:
        record->parent = text;
        break;
    default:
        set_categories(builder, text);
        break;
    }
    return OK;
}

struct status layout_set(struct layout_builder *builder, enum layout_role role, struct bytes text,
                         struct complaint *complaint)
{
    struct layout_record *record = &builder->record;
    if (role == ROLE_NONE || role == ROLE_EVENTS || builder->set[role] || text.size == 0)
        return OK;
    builder->set[role] = true;
    switch (role) {
    case ROLE_TIME_S:
    case ROLE_TIME_MS:
    case ROLE_TIME_TEXT:
    case ROLE_DATE:
    case ROLE_OFFSET_MS:
        return set_time(builder, role, text, complaint);
    case ROLE_TYPE:
        return set_type(builder, text, complaint);
    case ROLE_RATING:
        record->has_rating = true;
        return set_number(text, "the rating", &record->rating, complaint);
    case ROLE_PRICE: /* "from 3.99 to 9.99", and worse: left out */
        record->item.has_price = !failed(set_number(text, "the price", &record->item.price, NULL));
        return OK;
    default:
        return set_text(builder, role, text);
    }
}

struct status layout_visit(struct layout_builder *builder, const struct layout_visitor *visitor,
                           struct complaint *complaint)
{
    struct layout_record *record = &builder->record;
    if (record->click.item_id.size > CLICK_ID_MAX || record->click.item_id.size == 0)
        return complain(complaint, FAIL(BAD_INPUT, record->click.item_id.size, "an item id is missing or too long"),
                        "the item is missing or longer than %d bytes", CLICK_ID_MAX);
    bool timed = visitor->kind == LAYOUT_CLICKS || record->property.size > 0;
    if (timed && (!has_time(builder->set) ||
                  __builtin_add_overflow(builder->time_ms, builder->offset_ms, &record->click.time_ms)))
        return complain(complaint, FAIL(BAD_INPUT, 0, "a record without time"), "the time is missing or absurd");
    if (visitor->kind == LAYOUT_CLICKS) {
        struct click_limits limits = {.by_user = record->click.session_id.size == 0 && record->click.user_id.size > 0};
        TRY(click_check(&record->click, record->click.time_ms, &limits, complaint));
    }
    record->item.available = true;
    return visitor->visit(visitor->context, record);
}

struct status layout_read_fields(const uint8_t *roles, const struct bytes *fields, size_t count, struct arena *batch,
                                 const struct layout_visitor *visitor, struct complaint *complaint)
{
    struct layout_builder builder = {.batch = batch};
    for (size_t i = 0; i < count; i++)
        TRY(layout_set(&builder, roles[i], fields[i], complaint));
    return layout_visit(&builder, visitor, complaint);
}

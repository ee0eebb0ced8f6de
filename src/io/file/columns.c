// SPDX-License-Identifier: Apache-2.0
#include "io/file/columns.h"

#include <eddy/base/buffer.h>
#include <eddy/base/timestamp.h>

enum target {
    TARGET_NONE,
    TARGET_SESSION,
    TARGET_USER,
    TARGET_ITEM,
    TARGET_TIME,
    TARGET_TYPE,
    TARGET_EVENT,
    TARGET_TITLE,
    TARGET_CATEGORIES,
    TARGET_DESCRIPTION,
    TARGET_PRICE,
    TARGET_AVAILABLE,
    TARGET_COUNT
};

struct column {
    const char *name;
    enum target target; /* of several columns with one target, the upper row is taken */
};

static const struct column click_columns[] = {
    {"session_id", TARGET_SESSION}, {"user_id", TARGET_USER}, {"item_id", TARGET_ITEM},   {"timestamp_ms", TARGET_TIME},
    {"timestamp", TARGET_TIME},     {"type", TARGET_TYPE},    {"event_id", TARGET_EVENT}, {0},
};

static const struct column item_columns[] = {
    {"item_id", TARGET_ITEM},
    {"title", TARGET_TITLE},
    {"title_composed", TARGET_TITLE},
    {"categories", TARGET_CATEGORIES},
    {"category", TARGET_CATEGORIES},
    {"genres", TARGET_CATEGORIES},
    {"description", TARGET_DESCRIPTION},
    {"price", TARGET_PRICE},
    {"available", TARGET_AVAILABLE},
    {0},
};

static struct status missing(const struct bytes *names, size_t count, const char *wanted, struct complaint *complaint)
{
    AUTO(buffer) list = {0};
    for (size_t i = 0; i < count && list.size < 400; i++)
        buffer_format(&list, "%s" BYTES_FORMAT, i ? ", " : "", BYTES_ARGS(bytes_utf8_prefix(names[i], 60)));
    return complain(complaint, FAIL(BAD_INPUT, count, "a column is missing"),
                    "there is no column %s; the first line must name the columns, it has: %s", wanted,
                    buffer_text(&list));
}

static struct status find(const struct bytes *names, size_t count, const char *wanted, size_t *ret_index,
                          struct complaint *complaint)
{
    *ret_index = count;
    for (size_t i = 0; i < count; i++) {
        if (!bytes_equal_text(names[i], wanted))
            continue;
        if (*ret_index < count)
            return complain(complaint, FAIL(BAD_INPUT, i, "a column stands twice"), "column %s stands twice", wanted);
        *ret_index = i;
    }
    return OK;
}

struct status columns_bind(enum log_file_kind kind, const struct bytes *names, size_t count,
                           struct columns *ret_columns, struct complaint *complaint)
{
    assert(count <= LOG_FILE_COLUMNS_MAX);
    struct columns columns = {.kind = kind, .count = count};
    bool bound[TARGET_COUNT] = {0};
    for (const struct column *column = kind == LOG_FILE_CLICKS ? click_columns : item_columns; column->name; column++) {
        size_t index;
        TRY(find(names, count, column->name, &index, complaint));
        if (index == count || bound[column->target])
            continue;
        columns.targets[index] = (uint8_t)column->target;
        bound[column->target] = true;
    }
    if (!bound[TARGET_ITEM])
        return missing(names, count, "item_id", complaint);
    if (kind == LOG_FILE_CLICKS && !bound[TARGET_SESSION] && !bound[TARGET_USER])
        return missing(names, count, "session_id (or user_id)", complaint);
    if (kind == LOG_FILE_CLICKS && !bound[TARGET_TIME])
        return missing(names, count, "timestamp_ms (or timestamp)", complaint);
    *ret_columns = columns;
    return OK;
}

static struct status check_count(const struct columns *columns, size_t count, struct complaint *complaint)
{
    if (count == columns->count)
        return OK;
    return complain(complaint, FAIL(BAD_INPUT, count, "a line has a wrong number of fields"),
                    "there are %zu fields where the first line names %zu columns", count, columns->count);
}

static struct status refuse(const char *column, struct bytes text, const char *wanted, struct complaint *complaint)
{
    struct bytes shown = bytes_utf8_prefix(text, 60);
    return complain(complaint, FAIL(BAD_INPUT, 0, "a field cannot be read"), "%s is '" BYTES_FORMAT "', wanted %s",
                    column, BYTES_ARGS(shown), wanted);
}

static struct status set_click(enum target target, struct bytes text, struct click *click, struct complaint *complaint)
{
    switch (target) {
    case TARGET_SESSION:
        click->session_id = text;
        break;
    case TARGET_USER:
        click->user_id = text;
        break;
    case TARGET_ITEM:
        click->item_id = text;
        break;
    case TARGET_EVENT:
        click->event_id = text;
        break;
    case TARGET_TIME:
        if (!timestamp_parse_any(text, &click->time_ms))
            return refuse("timestamp", text, "milliseconds or a time like 2014-04-07T10:51:09.277Z", complaint);
        break;
    case TARGET_TYPE:
        if (text.size > 0 && !click_type_of(text, &click->type))
            click->unknown_type = text;
        break;
    default:
        break;
    }
    return OK;
}

struct status columns_read_click(const struct columns *columns, const struct bytes *fields, size_t count,
                                 struct click *ret_click, struct complaint *complaint)
{
    struct click click = {.type = CLICK_TYPE_VIEW};
    TRY(check_count(columns, count, complaint));
    for (size_t i = 0; i < count; i++)
        TRY(set_click(columns->targets[i], fields[i], &click, complaint));
    *ret_click = click;
    return OK;
}

static void set_categories(struct bytes text, struct item *item)
{
    while (text.size > 0 && item->category_count < ITEM_CATEGORIES_MAX) {
        const uint8_t *bar = memchr(text.data, '|', text.size);
        size_t size = bar ? (size_t)(bar - text.data) : text.size;
        if (size > 0)
            item->categories[item->category_count++] = bytes_of(text.data, size);
        text = bytes_of(text.data + size + (bar != NULL), text.size - size - (bar != NULL));
    }
}

static bool truth_of(struct bytes text, bool *ret_value)
{
    static const struct {
        const char *text;
        bool value;
    } words[] = {{"true", true}, {"false", false}, {"yes", true}, {"no", false}, {"1", true}, {"0", false}, {"", true}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (bytes_equal_text(text, words[i].text)) {
            *ret_value = words[i].value;
            return true;
        }
    }
    return false;
}

static struct status set_item(enum target target, struct bytes text, struct item *item, struct complaint *complaint)
{
    switch (target) {
    case TARGET_ITEM:
        item->item_id = text;
        break;
    case TARGET_TITLE:
        item->title = text;
        break;
    case TARGET_DESCRIPTION:
        item->description = text;
        break;
    case TARGET_CATEGORIES:
        set_categories(text, item);
        break;
    case TARGET_PRICE:
        item->has_price = text.size > 0;
        if (item->has_price && !bytes_to_double(text, &item->price))
            return refuse("price", text, "a number", complaint);
        break;
    case TARGET_AVAILABLE:
        if (!truth_of(text, &item->available))
            return refuse("available", text, "true or false", complaint);
        break;
    default:
        break;
    }
    return OK;
}

static struct status check_item(const struct item *item, struct complaint *complaint)
{
    if (item->item_id.size == 0)
        return complain(complaint, FAIL(BAD_INPUT, 0, "an id is missing"), "item_id is missing or empty");
    if (item->item_id.size > CLICK_ID_MAX)
        return complain(complaint, FAIL(BAD_INPUT, item->item_id.size, "an id is too long"),
                        "item_id has %zu bytes, at most %d are allowed", item->item_id.size, CLICK_ID_MAX);
    bool text = bytes_is_utf8(item->item_id) && bytes_is_utf8(item->title) && bytes_is_utf8(item->description);
    for (uint32_t i = 0; i < item->category_count; i++)
        text = text && bytes_is_utf8(item->categories[i]);
    if (!text)
        return complain(complaint, FAIL(BAD_INPUT, 0, "a text is not UTF-8"), "a field is not valid UTF-8");
    return OK;
}

struct status columns_read_item(const struct columns *columns, const struct bytes *fields, size_t count,
                                struct item *ret_item, struct complaint *complaint)
{
    struct item item = {.available = true};
    TRY(check_count(columns, count, complaint));
    for (size_t i = 0; i < count; i++)
        TRY(set_item(columns->targets[i], fields[i], &item, complaint));
    TRY(check_item(&item, complaint));
    *ret_item = item;
    return OK;
}

// SPDX-License-Identifier: Apache-2.0
#include "app/import.h"

#include "app/item_properties.h"
#include "app/progress.h"

#include <eddy/base/interner.h>
#include <eddy/io/file.h>
#include <eddy/io/layout_file.h>
#include <eddy/io/log_writer.h>

#include <stdio.h>
#include <stdlib.h>

#define NAMES_MAX       (UINT32_C(1) << 30)
#define NAMES_MAX_BYTES ((size_t)16 << 30)

struct import_click {
    int64_t time_ms;
    uint32_t session, user, item; /* numbers; INTERNER_NONE: none */
    uint32_t number;              /* place in the files: makes the sort stable */
    uint8_t type;
};

struct import_user { /* for sessions by gap */
    int64_t last_ms;
    uint32_t session;
};

struct import {
    const struct import_options *options;
    struct import_result *result;
    struct complaint *complaint;
    struct interner *sessions, *users, *items;
    struct import_click *clicks;
    size_t count, capacity;
    uint64_t used;                      /* records of the file being read, those left out by their rating too */
    struct item_properties *properties; /* of a layout that has these on lines of their own */
    struct log_writer *click_writer, *item_writer;
};

static void import_release(struct import *import)
{
    interner_close(import->sessions);
    interner_close(import->users);
    interner_close(import->items);
    free(import->clicks);
    item_properties_close(import->properties);
    log_writer_abandon(import->click_writer);
    log_writer_abandon(import->item_writer);
}

/* ---- reading */

static struct status reserve(struct import *import)
{
    if (import->count >= UINT32_MAX - 1)
        return FAIL(LIMIT, import->count, "too many clicks");
    if (import->count < import->capacity)
        return OK;
    size_t capacity = import->capacity ? import->capacity * 2 : 1 << 16;
    struct import_click *clicks = realloc(import->clicks, capacity * sizeof *clicks);
    if (!clicks)
        return FAIL(MEMORY, capacity, "no memory for clicks");
    import->clicks = clicks;
    import->capacity = capacity;
    return OK;
}

static struct status number_of(struct interner *names, struct bytes name, uint32_t *ret_number)
{
    *ret_number = INTERNER_NONE;
    return name.size ? interner_add(names, name, ret_number) : OK;
}

static struct status take_click(void *context, const struct layout_record *record)
{
    struct import *import = context;
    const struct click *click = &record->click;
    import->used++;
    if (record->has_rating && record->rating < import->options->rating_min) {
        import->result->left_out++;
        return OK;
    }
    TRY(reserve(import));
    struct import_click *taken = &import->clicks[import->count];
    enum click_type type = import->options->layout->purchases ? CLICK_TYPE_PURCHASE : click->type;
    *taken = (struct import_click){.time_ms = click->time_ms, .number = (uint32_t)import->count, .type = (uint8_t)type};
    TRY(number_of(import->sessions, click->session_id, &taken->session));
    TRY(number_of(import->users, click->user_id, &taken->user));
    TRY(number_of(import->items, click->item_id, &taken->item));
    import->count++;
    import->result->clicks.records++;
    return OK;
}

static struct status take_item(void *context, const struct layout_record *record)
{
    struct import *import = context;
    TRY(log_writer_item(import->item_writer, &record->item, import->complaint));
    import->used++;
    import->result->items.records++;
    return OK;
}

static struct status take_property(void *context, const struct layout_record *record)
{
    struct import *import = context;
    import->used++;
    return item_properties_add(import->properties, record);
}

static struct status take_category(void *context, const struct layout_record *record)
{
    struct import *import = context;
    TRY(item_properties_add_category(import->properties, record));
    import->used++;
    import->result->categories.records++;
    return OK;
}

struct broken_lines {
    uint64_t count;
    struct complaint first; /* about the first of them */
};

static struct status read_lines(struct import *import, struct layout_file *file, const struct layout_visitor *visitor,
                                struct log_reading *reading, struct broken_lines *broken)
{
    bool found = true;
    struct progress progress = progress_start("lines");
    struct status status = OK;
    while (found && !failed(status)) {
        struct complaint reason = {{0}};
        status = layout_file_next(file, visitor, &found, &reason);
        if (failed(status)) {
            if (broken->count++ == 0)
                broken->first = reason;
            complain(import->complaint, status, "%s", reason.text);
            status = log_reading_skip(reading, status, layout_file_lost(file), &reason);
        }
        progress_tick(&progress, INT64_MIN);
    }
    progress_end(&progress);
    return status;
}

static struct status read_file(struct import *import, const char *path, const struct layout_visitor *visitor,
                               struct log_reading *reading)
{
    struct layout_file *file;
    struct broken_lines broken = {0};
    const struct layout *layout = import->options->layout;
    TRY(layout_file_open(path, layout, visitor->kind, &file, import->complaint));
    import->used = 0;
    struct status status = read_lines(import, file, visitor, reading, &broken);
    layout_file_close(file);
    TRY(status);
    if (import->used > 0 || broken.count == 0)
        return OK;
    AUTO(buffer) wanted = {0};
    layout_describe(layout_side_of(layout, visitor->kind), &wanted);
    return complain(import->complaint, FAIL(BAD_INPUT, broken.count, "no line of a file can be used"),
                    "%s: this is no file of %s of layout %s: not one of %llu lines can be used\n  first:  %.400s\n"
                    "  wanted: %s",
                    path, layout_kind_text(visitor->kind), layout->name, (unsigned long long)broken.count,
                    broken.first.text, buffer_text(&wanted));
}

/* ---- sessions */

static int compare_clicks(const void *a, const void *b)
{
    const struct import_click *x = a, *y = b;
    if (x->time_ms != y->time_ms)
        return x->time_ms < y->time_ms ? -1 : 1;
    return x->number < y->number ? -1 : 1;
}

/* The session of the next click of a user, in time order. */
static struct status name_session(struct import *import, struct import_user *user, struct import_click *click)
{
    bool fresh = user->session == 0 || click->time_ms - user->last_ms > import->options->gap_ms;
    char name[CLICK_ID_MAX + 16];
    struct bytes id = interner_get(import->users, click->user);
    user->session += fresh;
    user->last_ms = click->time_ms;
    int size = snprintf(name, sizeof name, BYTES_FORMAT "-%u", BYTES_ARGS(id), user->session);
    return interner_add(import->sessions, bytes_of(name, (size_t)size), &click->session);
}

static struct status name_sessions(struct import *import)
{
    struct import_user *users = calloc((size_t)interner_count(import->users) + 1, sizeof *users);
    struct status status = users ? OK : FAIL(MEMORY, 0, "no memory for users");
    for (size_t i = 0; i < import->count && !failed(status); i++)
        if (import->clicks[i].session == INTERNER_NONE)
            status = name_session(import, &users[import->clicks[i].user], &import->clicks[i]);
    free(users);
    return status;
}

/* ---- writing */

#define CLICKS_NAME "clicks.tsv.gz"
#define ITEMS_NAME  "items.tsv.gz"

static struct status try_output(const struct import *import, const char *name)
{
    AUTO(buffer) path = {0};
    buffer_format(&path, "%s/%s", import->options->folder, name);
    return file_try(buffer_text(&path), import->complaint);
}

static struct status open_writer(const struct import *import, const char *name, enum record_type type,
                                 struct log_writer **ret_writer)
{
    AUTO(buffer) path = {0};
    buffer_format(&path, "%s/%s", import->options->folder, name);
    return log_writer_open(buffer_text(&path), type, LOG_FILE_TSV, ret_writer, import->complaint);
}

static struct status close_writer(const struct import *import, struct log_writer **writer)
{
    struct log_writer *closing = *writer;
    *writer = NULL;
    return closing ? log_writer_close(closing, import->complaint) : OK;
}

static struct bytes name_of(const struct interner *names, uint32_t number)
{
    return number == INTERNER_NONE ? (struct bytes){0} : interner_get(names, number);
}

static struct status write_clicks(struct import *import)
{
    for (size_t i = 0; i < import->count; i++) {
        const struct import_click *taken = &import->clicks[i];
        struct click click = {.session_id = name_of(import->sessions, taken->session),
                              .user_id = name_of(import->users, taken->user),
                              .item_id = name_of(import->items, taken->item),
                              .time_ms = taken->time_ms,
                              .type = (enum click_type)taken->type};
        TRY(log_writer_click(import->click_writer, &click, import->complaint));
    }
    import->result->written = import->count;
    return OK;
}

static struct status read_clicks(struct import *import)
{
    const struct import_options *options = import->options;
    const struct layout_visitor visitor = {LAYOUT_CLICKS, take_click, import};
    struct import_result *result = import->result;
    for (size_t i = 0; i < options->click_count; i++)
        TRY(read_file(import, options->clicks[i], &visitor, &result->clicks));
    if (import->count == 0 && result->left_out > 0)
        return complain(import->complaint, FAIL(BAD_INPUT, result->left_out, "all clicks are left out"),
                        "every one of %llu clicks is rated lower than --rating-min",
                        (unsigned long long)result->left_out);
    if (import->count == 0)
        return complain(import->complaint, FAIL(BAD_INPUT, 0, "there are no clicks"), "%s: there are no clicks in it",
                        options->clicks[0]);
    qsort(import->clicks, import->count, sizeof *import->clicks, compare_clicks);
    return name_sessions(import);
}

static struct status write_properties(struct import *import)
{
    uint32_t count = item_properties_count(import->properties);
    for (uint32_t i = 0; i < count; i++) {
        struct item item = item_properties_get(import->properties, i);
        TRY(log_writer_item(import->item_writer, &item, import->complaint));
    }
    import->result->items.records = count;
    return OK;
}

static struct status read_items(struct import *import)
{
    const struct import_options *options = import->options;
    struct import_result *result = import->result;
    bool properties = layout_side_has(&options->layout->items, ROLE_PROPERTY);
    const struct layout_visitor items = {LAYOUT_ITEMS, properties ? take_property : take_item, import};
    const struct layout_visitor categories = {LAYOUT_CATEGORIES, take_category, import};
    if (properties)
        TRY(item_properties_open(&import->properties));
    TRY(open_writer(import, ITEMS_NAME, RECORD_ITEM, &import->item_writer));
    for (size_t i = 0; i < options->item_count; i++)
        TRY(read_file(import, options->items[i], &items, &result->items));
    if (options->categories)
        TRY(read_file(import, options->categories, &categories, &result->categories));
    return properties ? write_properties(import) : OK;
}

struct status import_run(const struct import_options *options, struct import_result *ret_result,
                         struct complaint *complaint)
{
    struct import_result result = {
        .clicks.strict = options->strict, .items.strict = options->strict, .categories.strict = options->strict};
    AUTO(import) import = {0};
    import.options = options;
    import.result = &result;
    import.complaint = complaint;
    TRY(interner_open(NAMES_MAX, NAMES_MAX_BYTES, &import.sessions));
    TRY(interner_open(NAMES_MAX, NAMES_MAX_BYTES, &import.users));
    TRY(interner_open(NAMES_MAX, NAMES_MAX_BYTES, &import.items));
    TRY(try_output(&import, CLICKS_NAME));
    if (options->item_count > 0)
        TRY(try_output(&import, ITEMS_NAME));
    TRY(read_clicks(&import));
    if (options->item_count > 0)
        TRY(read_items(&import));
    TRY(open_writer(&import, CLICKS_NAME, RECORD_CLICK, &import.click_writer));
    TRY(write_clicks(&import));
    TRY(close_writer(&import, &import.item_writer)); /* no file gets its name before all was read and written */
    TRY(close_writer(&import, &import.click_writer));
    result.sessions = interner_count(import.sessions);
    result.item_count = interner_count(import.items);
    *ret_result = result;
    return OK;
}

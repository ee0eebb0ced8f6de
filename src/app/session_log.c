// SPDX-License-Identifier: Apache-2.0
#include "app/session_log.h"

#include <stdlib.h>

#define NAMES_MAX       (UINT32_C(1) << 30)
#define NAMES_MAX_BYTES ((size_t)16 << 30)

struct read_click { /* as read, before it is put in order */
    int64_t time_ms;
    uint32_t session, item;
    uint32_t number; /* place in the files: makes the sort stable */
    uint8_t type;
};

struct read_clicks {
    struct read_click *clicks;
    size_t count, capacity;
};

static void read_clicks_release(struct read_clicks *clicks)
{
    free(clicks->clicks);
}

static struct status add(struct read_clicks *clicks, const struct click *click, const struct session_log *log)
{
    if (clicks->count == clicks->capacity) {
        size_t capacity = clicks->capacity ? clicks->capacity * 2 : 1 << 16;
        struct read_click *grown = realloc(clicks->clicks, capacity * sizeof *grown);
        if (!grown)
            return FAIL(MEMORY, capacity, "no memory for clicks");
        clicks->clicks = grown;
        clicks->capacity = capacity;
    }
    if (clicks->count >= UINT32_MAX - 1)
        return FAIL(LIMIT, clicks->count, "too many clicks");
    struct read_click *added = &clicks->clicks[clicks->count];
    TRY(interner_add(log->session_ids, click->session_id, &added->session));
    TRY(interner_add(log->item_ids, click->item_id, &added->item));
    added->time_ms = click->time_ms;
    added->type = (uint8_t)click->type;
    added->number = (uint32_t)clicks->count++;
    return OK;
}

static struct status read_file(const char *path, struct log_reading *reading, const struct session_log *log,
                               struct read_clicks *clicks, struct complaint *complaint)
{
    struct log_file *file;
    struct click click;
    bool found = true;
    TRY(log_file_open(path, LOG_FILE_CLICKS, &file, complaint));
    struct status status = OK;
    while (!failed(status)) {
        status = log_reading_click(reading, file, &click, &found, complaint);
        if (failed(status) || !found)
            break;
        status = add(clicks, &click, log);
        if (failed(status))
            complain(complaint, status, "%s: %s", path, status.fault->what);
    }
    log_file_close(file);
    return status;
}

static int compare_clicks(const void *a, const void *b)
{
    const struct read_click *x = a, *y = b;
    if (x->time_ms != y->time_ms)
        return x->time_ms < y->time_ms ? -1 : 1;
    return x->number < y->number ? -1 : 1;
}

/* Numbers the sessions in the order of their first clicks; `numbers`: name -> number. */
static void count_sessions(const struct read_clicks *clicks, uint32_t *numbers, struct session_log *log)
{
    for (size_t i = 0; i < clicks->count; i++) {
        const struct read_click *click = &clicks->clicks[i];
        if (numbers[click->session] == UINT32_MAX) {
            numbers[click->session] = (uint32_t)log->session_count;
            log->sessions[log->session_count++] =
                (struct whole_session){.name = click->session, .first_ms = click->time_ms};
        }
        struct whole_session *session = &log->sessions[numbers[click->session]];
        session->length++;
        session->last = i;
        session->last_ms = click->time_ms;
    }
    size_t start = 0;
    for (size_t i = 0; i < log->session_count; i++) {
        log->sessions[i].start = start;
        start += log->sessions[i].length;
    }
}

static void place_clicks(const struct read_clicks *clicks, const uint32_t *numbers, struct session_log *log)
{
    for (size_t i = 0; i < log->session_count; i++)
        log->sessions[i].length = 0; /* counted up again as they are placed */
    for (size_t i = 0; i < clicks->count; i++) {
        const struct read_click *click = &clicks->clicks[i];
        struct whole_session *session = &log->sessions[numbers[click->session]];
        size_t place = session->start + session->length++;
        log->items[place] = click->item;
        log->times_ms[place] = click->time_ms;
        log->types[place] = click->type;
    }
    log->click_count = clicks->count;
}

static struct status group(struct read_clicks *clicks, struct session_log *log)
{
    size_t count = clicks->count, names = interner_count(log->session_ids);
    if (count > 0)
        qsort(clicks->clicks, count, sizeof *clicks->clicks, compare_clicks);
    uint32_t *numbers = malloc((names + 1) * sizeof *numbers);
    log->sessions = calloc(names + 1, sizeof *log->sessions);
    log->items = malloc((count + 1) * sizeof *log->items);
    log->times_ms = malloc((count + 1) * sizeof *log->times_ms);
    log->types = malloc(count + 1);
    bool enough = numbers && log->sessions && log->items && log->times_ms && log->types;
    if (enough) {
        memset(numbers, 0xff, names * sizeof *numbers);
        count_sessions(clicks, numbers, log);
        place_clicks(clicks, numbers, log);
    }
    free(numbers);
    return enough ? OK : FAIL(MEMORY, count, "no memory for sessions");
}

static struct status read_all(const char *const *paths, size_t path_count, struct log_reading *reading,
                              struct session_log *log, struct complaint *complaint)
{
    AUTO(read_clicks) clicks = {0};
    TRY(interner_open(NAMES_MAX, NAMES_MAX_BYTES, &log->session_ids));
    TRY(interner_open(NAMES_MAX, NAMES_MAX_BYTES, &log->item_ids));
    for (size_t i = 0; i < path_count; i++)
        TRY(read_file(paths[i], reading, log, &clicks, complaint));
    return group(&clicks, log);
}

struct status session_log_read(const char *const *paths, size_t path_count, struct log_reading *reading,
                               struct session_log *ret_log, struct complaint *complaint)
{
    struct session_log log = {0};
    reading->session_needed = true;
    struct status status = read_all(paths, path_count, reading, &log, complaint);
    if (failed(status)) {
        session_log_release(&log);
        return status;
    }
    *ret_log = log;
    return OK;
}

void session_log_release(struct session_log *log)
{
    interner_close(log->session_ids);
    interner_close(log->item_ids);
    free(log->items);
    free(log->times_ms);
    free(log->types);
    free(log->sessions);
    *log = (struct session_log){0};
}

// SPDX-License-Identifier: Apache-2.0
#include "app/click_files.h"

#include <eddy/base/timestamp.h>

#include <stdlib.h>

#define QUEUE_MAX (CLICK_FILES_AHEAD + 1)

struct queued { /* a click that was read ahead */
    struct click click;
    struct buffer bytes; /* what it points to */
    struct buffer place;
};

struct click_files {
    struct click_files_options options;
    struct log_reading *reading;
    size_t opened;        /* files */
    struct log_file *log; /* NULL: the next file is to be opened */
    int64_t newest_ms;    /* of the clicks handed out; INT64_MIN: none yet */
    struct queued queue[QUEUE_MAX];
    size_t first, count;  /* in the queue, a ring */
    struct queued *taken; /* the click last handed out; NULL: it is the log's */
    struct buffer place;
};

struct status click_files_open(const struct click_files_options *options, struct log_reading *reading,
                               struct click_files **ret_files)
{
    struct click_files *files = calloc(1, sizeof *files);
    if (!files)
        return FAIL(MEMORY, sizeof *files, "no memory for files of clicks");
    files->options = *options;
    files->reading = reading;
    files->newest_ms = INT64_MIN;
    *ret_files = files;
    return OK;
}

void click_files_close(struct click_files *files)
{
    if (!files)
        return;
    for (size_t i = 0; i < QUEUE_MAX; i++) {
        buffer_release(&files->queue[i].bytes);
        buffer_release(&files->queue[i].place);
    }
    buffer_release(&files->place);
    log_file_close(files->log);
    free(files);
}

const char *click_files_place(struct click_files *files)
{
    if (files->taken)
        return buffer_text(&files->taken->place);
    buffer_clear(&files->place);
    log_file_place(files->log, &files->place);
    return buffer_text(&files->place);
}

/* ---- reading */

/* Counts a click that was read, but is not taken. */
static struct status refuse(struct click_files *files, const struct click *click, const char *place,
                            struct status status, struct complaint *reason)
{
    struct complaint located;
    files->reading->records--;
    files->reading->unknown_types -= click->unknown_type.size > 0;
    complain(&located, status, "%s: %s", place, reason->text);
    *reason = located;
    return log_reading_skip(files->reading, status, 1, reason);
}

/* The next click of the open file that passes the checks: by session or by user, as it is kept. */
static struct status read_checked(struct click_files *files, struct click *ret_click, bool *ret_found,
                                  struct complaint *complaint)
{
    files->taken = NULL;
    for (;;) {
        struct complaint reason = {{0}};
        TRY(log_reading_click(files->reading, files->log, ret_click, ret_found, complaint));
        if (!*ret_found)
            return OK;
        struct status status = click_check(ret_click, ret_click->time_ms, &files->options.limits, &reason);
        if (!failed(status))
            return OK;
        status = refuse(files, ret_click, click_files_place(files), status, &reason);
        if (failed(status))
            return complain(complaint, status, "%s", reason.text);
    }
}

/* The next click of any file; it lives until the next read. */
static struct status read_next(struct click_files *files, struct click *ret_click, bool *ret_found,
                               struct complaint *complaint)
{
    for (;;) {
        if (!files->log && files->opened == files->options.count) {
            *ret_found = false;
            return OK;
        }
        if (!files->log)
            TRY(log_file_open(files->options.paths[files->opened++], LOG_FILE_CLICKS, &files->log, complaint));
        TRY(read_checked(files, ret_click, ret_found, complaint));
        if (*ret_found)
            return OK;
        log_file_close(files->log);
        files->log = NULL;
    }
}

/* ---- reading ahead */

static struct queued *queued_at(struct click_files *files, size_t place)
{
    return &files->queue[(files->first + place) % QUEUE_MAX];
}

/* Copies the click that was just read to the end of the queue. */
static struct status enqueue(struct click_files *files, const struct click *click)
{
    struct queued *queued = queued_at(files, files->count);
    queued->click = *click;
    struct bytes *parts[] = {&queued->click.session_id, &queued->click.user_id, &queued->click.item_id,
                             &queued->click.event_id, &queued->click.unknown_type};
    buffer_clear(&queued->bytes);
    buffer_clear(&queued->place);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        buffer_append_bytes(&queued->bytes, *parts[i]);
    log_file_place(files->log, &queued->place);
    TRY(buffer_check(&queued->bytes));
    TRY(buffer_check(&queued->place));
    const uint8_t *at = queued->bytes.data;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        *parts[i] = bytes_of(at, parts[i]->size);
        at += parts[i]->size;
    }
    files->count++;
    return OK;
}

static struct status fill_queue(struct click_files *files, struct complaint *complaint)
{
    while (files->count < QUEUE_MAX) {
        struct click click;
        bool found;
        TRY(read_next(files, &click, &found, complaint));
        if (!found)
            return OK;
        TRY(enqueue(files, &click));
    }
    return OK;
}

static bool is_ahead(const struct click_files *files, int64_t time_ms)
{
    return files->newest_ms == INT64_MIN || time_ms - files->newest_ms > files->options.ahead_max_ms;
}

/* How many of the clicks behind the queue's first one are too far behind it. */
static size_t count_fallen_back(struct click_files *files)
{
    int64_t time_ms = queued_at(files, 0)->click.time_ms;
    size_t fallen_back = 0;
    for (size_t i = 1; i < files->count; i++)
        fallen_back += time_ms - queued_at(files, i)->click.time_ms > files->options.ahead_max_ms;
    return fallen_back;
}

static struct queued *dequeue(struct click_files *files)
{
    struct queued *queued = queued_at(files, 0);
    files->first = (files->first + 1) % QUEUE_MAX;
    files->count--;
    return queued;
}

static struct status refuse_first(struct click_files *files, size_t fallen_back, struct complaint *reason)
{
    size_t behind = files->count - 1;
    struct queued *queued = dequeue(files);
    char time[TIMESTAMP_TEXT_MAX];
    struct status status =
        complain(reason, FAIL(BAD_INPUT, queued->click.time_ms, "the time is far ahead"),
                 "timestamp %lld (%s) is far ahead: of the next %zu clicks it would make %zu late (session.gap_ms, "
                 "session.grace_ms)",
                 (long long)queued->click.time_ms, timestamp_text(queued->click.time_ms, time), behind, fallen_back);
    return refuse(files, &queued->click, buffer_text(&queued->place), status, reason);
}

/* Takes the queue's first click, unless it is one that must not be taken; reads ahead to know. */
static struct status take_first(struct click_files *files, bool *ret_taken, struct complaint *complaint)
{
    *ret_taken = true;
    if (is_ahead(files, queued_at(files, 0)->click.time_ms)) {
        struct complaint reason = {{0}};
        TRY(fill_queue(files, complaint));
        size_t fallen_back = count_fallen_back(files);
        *ret_taken = fallen_back * 2 <= files->count - 1;
        if (!*ret_taken) {
            struct status status = refuse_first(files, fallen_back, &reason);
            return failed(status) ? complain(complaint, status, "%s", reason.text) : OK;
        }
    }
    files->taken = dequeue(files);
    return OK;
}

static struct status next(struct click_files *files, struct click *ret_click, bool *ret_found,
                          struct complaint *complaint)
{
    bool taken = false;
    while (!taken) {
        if (files->count == 0) {
            TRY(read_next(files, ret_click, ret_found, complaint));
            if (!*ret_found || !is_ahead(files, ret_click->time_ms))
                return OK;
            TRY(enqueue(files, ret_click));
        }
        TRY(take_first(files, &taken, complaint));
    }
    *ret_click = files->taken->click;
    *ret_found = true;
    return OK;
}

struct status click_files_next(struct click_files *files, struct click *ret_click, bool *ret_found,
                               struct complaint *complaint)
{
    TRY(next(files, ret_click, ret_found, complaint));
    if (*ret_found && ret_click->time_ms > files->newest_ms)
        files->newest_ms = ret_click->time_ms;
    return OK;
}

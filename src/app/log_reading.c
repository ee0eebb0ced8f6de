// SPDX-License-Identifier: Apache-2.0
#include "app/log_reading.h"

#include <eddy/base/timestamp.h>
#include <eddy/io/system.h>

#include <stdio.h>

#define SHOWN_MAX       10 /* broken records shown one by one */
#define AHEAD_OF_NOW_MS INT64_C(86400000)

struct status log_reading_skip(struct log_reading *reading, struct status status, uint64_t lost,
                               const struct complaint *complaint)
{
    bool damaged = failed_as(status, FAULT_CORRUPT);
    if (reading->strict || (!damaged && !failed_as(status, FAULT_BAD_INPUT)))
        return status;
    reading->skipped += lost;
    if (damaged) {
        reading->unfinished++;
        fprintf(stderr, "eddy: not read any further: %s\n", complaint->text);
        return OK;
    }
    if (reading->shown == SHOWN_MAX)
        return OK;
    fprintf(stderr, "eddy: skipped: %s\n", complaint->text);
    if (++reading->shown == SHOWN_MAX)
        fprintf(stderr, "eddy: further broken records are only counted\n");
    return OK;
}

struct log_reading log_reading_begin(bool strict)
{
    struct time_source time = system_time();
    return (struct log_reading){.strict = strict, .time_max_ms = time.ops->wall_ms(time.self) + AHEAD_OF_NOW_MS};
}

/* What a click must satisfy here and log_file cannot know. */
static struct status check_click(const struct log_reading *reading, const struct click *click,
                                 struct complaint *complaint)
{
    char time[TIMESTAMP_TEXT_MAX];
    if (reading->user_needed && click->user_id.size == 0)
        return complain(complaint, FAIL(BAD_INPUT, 0, "a click without a user"), "user_id is missing or empty");
    if (reading->session_needed && click->session_id.size == 0)
        return complain(complaint, FAIL(BAD_INPUT, 0, "a click without session"), "session_id is missing or empty");
    if (reading->time_max_ms && click->time_ms > reading->time_max_ms)
        return complain(complaint, FAIL(BAD_INPUT, click->time_ms, "the time is in the future"),
                        "timestamp %lld (%s) is more than a day ahead of now", (long long)click->time_ms,
                        timestamp_text(click->time_ms, time));
    return OK;
}

static struct status next_click(const struct log_reading *reading, struct log_file *log, struct click *ret_click,
                                bool *ret_found, struct complaint *complaint)
{
    TRY(log_file_next_click(log, ret_click, ret_found, complaint));
    struct complaint reason = {{0}};
    struct status status = *ret_found ? check_click(reading, ret_click, &reason) : OK;
    if (!failed(status))
        return OK;
    AUTO(buffer) place = {0};
    log_file_place(log, &place);
    return complain(complaint, status, "%s: %s", buffer_text(&place), reason.text);
}

void log_reading_took(struct log_reading *reading, const struct click *click)
{
    reading->records++;
    if (click->unknown_type.size > 0 && reading->unknown_types++ == 0)
        snprintf(reading->unknown_type, sizeof reading->unknown_type, BYTES_FORMAT, BYTES_ARGS(click->unknown_type));
}

struct status log_reading_click(struct log_reading *reading, struct log_file *log, struct click *ret_click,
                                bool *ret_found, struct complaint *complaint)
{
    for (;;) {
        struct complaint reason = {{0}};
        struct status status = next_click(reading, log, ret_click, ret_found, &reason);
        if (!failed(status)) {
            if (*ret_found)
                log_reading_took(reading, ret_click);
            return OK;
        }
        status = log_reading_skip(reading, status, log_file_lost(log), &reason);
        if (failed(status))
            return complain(complaint, status, "%s", reason.text);
    }
}

struct status log_reading_item(struct log_reading *reading, struct log_file *log, struct item *ret_item,
                               bool *ret_found, struct complaint *complaint)
{
    for (;;) {
        struct complaint reason = {{0}};
        struct status status = log_file_next_item(log, ret_item, ret_found, &reason);
        if (!failed(status)) {
            reading->records += *ret_found;
            return OK;
        }
        status = log_reading_skip(reading, status, log_file_lost(log), &reason);
        if (failed(status))
            return complain(complaint, status, "%s", reason.text);
    }
}

#define FULL "the catalogue is full (items.max, items.memory_max_bytes)"

struct status log_reading_no_room(struct log_reading *reading, const char *place, struct complaint *complaint)
{
    reading->records--;
    reading->no_room++;
    if (!reading->strict)
        return OK;
    return complain(complaint, FAIL(LIMIT, reading->no_room, "the catalogue is full"), "%s: the item is new and " FULL,
                    place);
}

void log_reading_report(const struct log_reading *reading)
{
    if (reading->skipped > 0)
        fprintf(stderr, "eddy: %llu broken records were skipped, %llu taken\n", (unsigned long long)reading->skipped,
                (unsigned long long)reading->records);
    if (reading->no_room > 0)
        fprintf(stderr, "eddy: " FULL ": left out were %llu %s\n", (unsigned long long)reading->no_room,
                reading->items ? "of the items" : "clicks on items that it had no room for");
    struct complaint unknown; /* a word out of a file: control characters are taken out of it */
    complain(&unknown, OK, "%s", reading->unknown_type);
    if (reading->unknown_types > 0)
        fprintf(stderr, "eddy: %llu clicks are of unknown types, '%s' for one, and were taken for views\n",
                (unsigned long long)reading->unknown_types, unknown.text);
    if (reading->unfinished > 0)
        fprintf(stderr, "eddy: %llu %s damaged, see above; what stands behind the damage is missing\n",
                (unsigned long long)reading->unfinished, reading->unfinished == 1 ? "file is" : "files are");
}

static struct status read_items(struct log_reading *reading, struct log_file *log, struct catalogue *catalogue,
                                struct complaint *complaint)
{
    for (;;) {
        struct item item;
        bool found;
        TRY(log_reading_item(reading, log, &item, &found, complaint));
        if (!found)
            return OK;
        struct status status = catalogue_put(catalogue, &item, NULL);
        AUTO(buffer) place = {0};
        if (failed_as(status, FAULT_LIMIT)) {
            log_file_place(log, &place);
            status = log_reading_no_room(reading, buffer_text(&place), complaint);
        }
        TRY(status);
    }
}

struct status log_reading_catalogue(struct log_reading *reading, const char *path, struct catalogue *catalogue,
                                    struct complaint *complaint)
{
    struct log_file *log;
    TRY(log_file_open(path, LOG_FILE_ITEMS, &log, complaint));
    reading->items = true;
    struct status status = read_items(reading, log, catalogue, complaint);
    log_file_close(log);
    return status;
}

// SPDX-License-Identifier: Apache-2.0
/* Clicks are written to files of each format and compression, and read back. */
#include "support/support.h"

#include "torture/torture.h"

#include <eddy/io/log_writer.h>

#define CLICKS 12

static const char *const names[] = {"clicks.tsv", "clicks.tsv.gz", "clicks.csv", "clicks.jsonl.zst", "clicks.avro"};
#define NAMES (sizeof names / sizeof *names)

struct self {
    struct temporary_folder folder;
    uint64_t read;
};

static void *begin(enum sabotage sabotage)
{
    (void)sabotage;
    struct self *self = calloc(1, sizeof *self);
    assert_non_null(self);
    self->folder = temporary_folder_make();
    return self;
}

static struct status write_clicks(struct log_writer *writer)
{
    for (int i = 0; i < CLICKS; i++) {
        char session[32], item[32], event[32];
        snprintf(session, sizeof session, "s%d", i / 5);
        snprintf(item, sizeof item, "item, \"%d\"", i % 7);
        snprintf(event, sizeof event, "e%d", i);
        const struct click click = {.session_id = bytes_of_text(session),
                                    .item_id = bytes_of_text(item),
                                    .event_id = bytes_of_text(event),
                                    .time_ms = 1700000000000 + i * 1000};
        TRY(log_writer_click(writer, &click, NULL));
    }
    return OK;
}

static struct status write_file(const char *path)
{
    struct log_writer *writer;
    TRY(log_writer_open(path, RECORD_CLICK, log_writer_format(path), &writer, NULL));
    struct status status = write_clicks(writer);
    if (!failed(status))
        return log_writer_close(writer, NULL);
    log_writer_abandon(writer);
    return status;
}

static struct status read_clicks(struct log_file *log, uint64_t *result)
{
    struct click click;
    bool found;
    for (;;) {
        TRY(log_file_next_click(log, &click, &found, NULL));
        if (!found)
            return OK;
        *result = result_with(*result, click.session_id);
        *result = result_with(*result, click.item_id);
        *result = result_with(*result, click.event_id);
        *result = result_with(*result, bytes_of(&click.time_ms, sizeof click.time_ms));
    }
}

static struct status read_file(const char *path, uint64_t *result)
{
    struct log_file *log;
    TRY(log_file_open(path, LOG_FILE_CLICKS, &log, NULL));
    struct status status = read_clicks(log, result);
    log_file_close(log);
    return status;
}

static struct status once(void *context)
{
    struct self *self = context;
    uint64_t read = 0;
    for (size_t i = 0; i < NAMES; i++) {
        char path[320];
        snprintf(path, sizeof path, "%s/%s", self->folder.path, names[i]);
        TRY(write_file(path));
        TRY(read_file(path, &read));
    }
    self->read = read;
    return OK;
}

static uint64_t result(void *context)
{
    return ((struct self *)context)->read;
}

static void end(void *context)
{
    struct self *self = context;
    temporary_folder_remove(&self->folder);
    free(self);
}

const struct run run_logs = {"logs", 1u << FAULTS_MEMORY | 1u << FAULTS_FILE, false, begin, once, result, end};

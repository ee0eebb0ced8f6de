// SPDX-License-Identifier: Apache-2.0
#pragma once
/* log_reading: how commands read files of clicks and items. Broken records are skipped, counted, and the first few
 * shown on stderr with file, line and reason. Why a file cannot be read to its end is always shown: what is lost with
 * it nobody can count. With `strict` the first of either stops the command. */
#include <eddy/io/log_file.h>

/* For --help. */
#define LOG_READING_HELP                                                                                               \
    "Files are TSV, CSV, JSON Lines or Avro, plain or compressed by gzip or zstd; - is standard input. The first\n"    \
    "line of a TSV or CSV names its columns: session_id, item_id and timestamp (RFC 3339) or timestamp_ms; user_id,\n" \
    "type and event_id if there are any. A file that is written is compressed if its name ends in .gz or .zst.\n"

struct log_reading {
    bool strict;
    bool items;             /* the files are of items, not of clicks */
    bool session_needed;    /* a click without session_id is broken */
    bool user_needed;       /* one without user_id is */
    int64_t time_max_ms;    /* a click dated later is broken; 0: none is */
    uint64_t records;       /* taken, over all files */
    uint64_t skipped;       /* records, as far as the files tell how many */
    uint32_t shown;         /* complaints about them */
    uint64_t no_room;       /* records read that were not taken, because the catalogue is full and their item new */
    uint64_t unknown_types; /* clicks taken for views, because their type is none that eddy knows */
    char unknown_type[64];  /* the first of these */
    uint64_t unfinished;    /* files that were damaged somewhere, and not read from there on */
};

/* Nothing read yet. Files hold what has been: a click more than a day ahead of now is broken. */
struct log_reading log_reading_begin(bool strict);

/* Reads one click; ret_found as in log_file.h. With `strict` the failure of a broken record; else only what ends the
 * command (IO, MEMORY). */
MUST_CHECK struct status log_reading_click(struct log_reading *reading, struct log_file *log, struct click *ret_click,
                                           bool *ret_found, struct complaint *complaint);
MUST_CHECK struct status log_reading_item(struct log_reading *reading, struct log_file *log, struct item *ret_item,
                                          bool *ret_found, struct complaint *complaint);

/* What to do about a failed read, or a record that was refused after it was read: shows it, counts the records that are
 * lost with it, and returns OK to go on; with `strict`, or when the failure is neither BAD_INPUT nor CORRUPT, the
 * failure. */
MUST_CHECK struct status log_reading_skip(struct log_reading *reading, struct status status, uint64_t lost,
                                          const struct complaint *complaint);

/* What to do about a record that was taken, but has an item that the full catalogue refused: counts it, and returns OK
 * to go on; with `strict`, LIMIT with a complaint that names the place. */
MUST_CHECK struct status log_reading_no_room(struct log_reading *reading, const char *place,
                                             struct complaint *complaint);

/* Counts a click that was taken without log_reading_click(). */
void log_reading_took(struct log_reading *reading, const struct click *click);

/* Says on stderr how many records were skipped or found the catalogue full, clicks of unknown types, and files not read
 * to their end; silent when there is nothing to say. */
void log_reading_report(const struct log_reading *reading);

/* Reads a file of items into the catalogue; those it has no room for are counted. */
MUST_CHECK struct status log_reading_catalogue(struct log_reading *reading, const char *path,
                                               struct catalogue *catalogue, struct complaint *complaint);

// SPDX-License-Identifier: Apache-2.0
#pragma once
/* log_file: files of clicks and of items, read and written record by record.
 *
 *   file, `-` or bytes -> [gzip | zstd] -> TSV | CSV | JSON Lines | Avro container -> struct click, struct item
 *
 * Compression and format are recognised by the first bytes, never by the name. TSV (no quoting) and CSV (RFC 4180,
 * UTF-8) begin with a line of column names; columns that are not named below are ignored.
 *   clicks: session_id, user_id (one of the two at least), item_id, timestamp_ms or timestamp (milliseconds or RFC
 * 3339), type, event_id items:  item_id, title or title_composed, category or categories or genres (levels parted by
 * '|'), description, price, available (true, false, yes, no, 1, 0) JSON Lines and Avro carry the records of schemas/
 * (see core/codec.h). Avro blocks may be null, deflate or zstandard.
 *
 * A broken record is BAD_INPUT with a complaint "file: line 7: reason" (Avro: "record 7"), and the next call goes on
 * with the next record. Where a file cannot be read on (truncated, damaged or undecodable from here), that is one
 * BAD_INPUT or IO more, and then the file is at its end. So a caller that skips counts failures, and a strict one
 * stops.
 *
 * One thread per file. The bytes of a record live until the next call. A line, a decompressed Avro block and a column
 * line are bounded (below); memory does not grow with the file. */
#include <eddy/core/catalogue.h>
#include <eddy/core/click.h>

#define LOG_LINE_MAX    (1 << 20) /* bytes of a line, or of a CSV record with line breaks in it */
#define LOG_COLUMNS_MAX 256
#define LOG_BLOCK_MAX   (16 << 20) /* bytes of an Avro block, compressed or not */

enum log_kind { LOG_CLICKS, LOG_ITEMS };
enum log_format { LOG_TSV, LOG_CSV, LOG_JSON, LOG_AVRO };

struct log_file;

/* Opens and recognises the file `path` ("-": standard input). NOT_FOUND, IO, BAD_INPUT (empty file, no column line,
 * a column missing), MEMORY. */
MUST_CHECK struct status log_open(const char *path, enum log_kind kind, struct log_file **ret_log,
                                  struct complaint *complaint);
/* The same for bytes in memory, which must outlive the log; `name` is used in complaints. */
MUST_CHECK struct status log_open_bytes(struct bytes content, const char *name, enum log_kind kind,
                                        struct log_file **ret_log, struct complaint *complaint);
void log_close(struct log_file *log);

/* The next record; *ret_found is false at the end. Clicks have been through click_check() except for the future. */
MUST_CHECK struct status log_next_click(struct log_file *log, struct click *ret_click, bool *ret_found,
                                        struct complaint *complaint);
MUST_CHECK struct status log_next_item(struct log_file *log, struct item *ret_item, bool *ret_found,
                                       struct complaint *complaint);

enum log_format log_format(const struct log_file *log);
/* Of the record last handed out or complained about: its (first) line, or its number in an Avro container; from 1. */
uint64_t log_number(const struct log_file *log);

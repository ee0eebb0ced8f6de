// SPDX-License-Identifier: Apache-2.0
#pragma once
/* log_file: files of clicks and of items, read and written record by record.
 *
 *   file, `-` or bytes -> [gzip | zstd] -> TSV | CSV | JSON Lines | Avro container -> struct click, struct item
 *
 * Compression and format are recognised by the first bytes, never by the name. TSV (no quoting) and CSV (RFC 4180,
 * UTF-8) begin with a line of column names; columns that are not named below are ignored.
 *
 *   clicks: session_id, user_id (one of the two at least), item_id, timestamp_ms or timestamp (milliseconds or RFC
 *           3339), type (view, click, add_to_cart, purchase; see unknown_type of core/click.h), event_id
 *   items:  item_id, title or title_composed, category or categories or genres (levels parted by '|'), description,
 *           price, available (true, false, yes, no, 1, 0)
 *
 * JSON Lines and Avro carry the records of schemas/ (see core/codec.h). Avro blocks may be null, deflate or zstandard.
 *
 * A broken record is BAD_INPUT with a complaint "file: line 7: reason" (Avro: "record 7"), and the next call goes on
 * with the next record. Where a file cannot be read on (truncated or damaged from here), that is one CORRUPT or IO
 * more, and then the file is at its end. So a caller that skips counts failures, and a strict one stops.
 *
 * One thread per file. The bytes of a record live until the next call. A line, a decompressed Avro block and a column
 * line are bounded (below); memory does not grow with the file. */
#include <eddy/base/buffer.h>
#include <eddy/core/catalogue.h>
#include <eddy/core/click.h>

#define LOG_FILE_LINE_MAX    (1 << 20) /* bytes of a line, or of a CSV record with line breaks in it */
#define LOG_FILE_COLUMNS_MAX 256
#define LOG_FILE_BLOCK_MAX   (16 << 20) /* bytes of an Avro block, compressed or not */

enum log_file_kind { LOG_FILE_CLICKS, LOG_FILE_ITEMS };
enum log_file_format { LOG_FILE_TSV, LOG_FILE_CSV, LOG_FILE_JSON, LOG_FILE_AVRO };

struct log_file;

/* Opens and recognises the file `path` ("-": standard input). NOT_FOUND, IO, BAD_INPUT (empty file, no column line,
 * a column missing), CORRUPT, MEMORY. */
MUST_CHECK struct status log_file_open(const char *path, enum log_file_kind kind, struct log_file **ret_log,
                                       struct complaint *complaint);
/* The same for bytes in memory, which must outlive the log; `name` is used in complaints. */
MUST_CHECK struct status log_file_open_bytes(struct bytes content, const char *name, enum log_file_kind kind,
                                             struct log_file **ret_log, struct complaint *complaint);
void log_file_close(struct log_file *log);

/* The next record; *ret_found is false at the end. Clicks have been through click_check() except for the future. */
MUST_CHECK struct status log_file_next_click(struct log_file *log, struct click *ret_click, bool *ret_found,
                                             struct complaint *complaint);
MUST_CHECK struct status log_file_next_item(struct log_file *log, struct item *ret_item, bool *ret_found,
                                            struct complaint *complaint);

/* The path; for standard input and bytes what complaints call it. */
const char *log_file_name(const struct log_file *log);
enum log_file_format log_file_format(const struct log_file *log);
/* Of the record last handed out or complained about: its (first) line, or its number in an Avro container; from 1. */
uint64_t log_file_number(const struct log_file *log);
/* Appends where that record is, for people: "clicks.tsv: line 7". */
void log_file_place(const struct log_file *log, struct buffer *out);
/* Records that the last failure cost: 1 that is broken; those of a damaged Avro block, as many as it declares; 0 where
 * the file breaks off and does not say. */
uint64_t log_file_lost(const struct log_file *log);

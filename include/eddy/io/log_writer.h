// SPDX-License-Identifier: Apache-2.0
#pragma once
/* log_writer: writes files of clicks, items or any records of schemas/, so that log_file reads them back.
 *
 *   clicks.tsv.gz, clicks.csv, clicks.jsonl, clicks.avro: the name says the format (anything else: TSV), and .gz or
 *   .zst behind it compresses; "-" is standard output, TSV.
 *
 * TSV cannot quote: a tab or line break in a title or description becomes a blank, and an id with one is refused. Avro
 * is a container without compression. Same records, same bytes. Until it is closed the file is called "<path>.partial",
 * so that a file of the wanted name is always whole. One thread per writer. */
#include <eddy/core/codec.h>
#include <eddy/io/log_file.h>

struct log_writer;

enum log_file_format log_writer_format(const char *path);

/* IO, DISK_FULL, MEMORY. A record type other than clicks and items is written as records only: JSON or AVRO. */
MUST_CHECK struct status log_writer_open(const char *path, enum record_type type, enum log_file_format format,
                                         struct log_writer **ret_writer, struct complaint *complaint);

/* BAD_INPUT when the record cannot be written in this format: nothing was written; IO, DISK_FULL: the file is lost. */
MUST_CHECK struct status log_writer_click(struct log_writer *writer, const struct click *click,
                                          struct complaint *complaint);
MUST_CHECK struct status log_writer_item(struct log_writer *writer, const struct item *item,
                                         struct complaint *complaint);
/* A record that is encoded already, in the format of the file (JSON, or bare Avro). */
MUST_CHECK struct status log_writer_record(struct log_writer *writer, struct bytes record, struct complaint *complaint);

/* Writes what is left and gives the file its name; frees the writer in any case. */
MUST_CHECK struct status log_writer_close(struct log_writer *writer, struct complaint *complaint);
/* Removes the unfinished file; NULL is fine. */
void log_writer_abandon(struct log_writer *writer);

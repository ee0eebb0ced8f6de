// SPDX-License-Identifier: Apache-2.0
#pragma once
/* columns: the column names of TSV and CSV logs, and the way from a line's fields to a click or an item. */
#include "io/file/fields.h"

#include <eddy/io/log_file.h>

struct columns {
    enum log_file_kind kind;
    size_t count;                          /* fields of every line */
    uint8_t targets[LOG_FILE_COLUMNS_MAX]; /* what each field is; 0: nothing */
};

/* Reads the line of column names. BAD_INPUT with the bare reason when one is missing or stands twice. */
MUST_CHECK struct status columns_bind(enum log_file_kind kind, const struct bytes *names, size_t count,
                                      struct columns *ret_columns, struct complaint *complaint);

/* BAD_INPUT with the bare reason. */
MUST_CHECK struct status columns_read_click(const struct columns *columns, const struct bytes *fields, size_t count,
                                            struct click *ret_click, struct complaint *complaint);
MUST_CHECK struct status columns_read_item(const struct columns *columns, const struct bytes *fields, size_t count,
                                           struct item *ret_item, struct complaint *complaint);

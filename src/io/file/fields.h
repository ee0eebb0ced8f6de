// SPDX-License-Identifier: Apache-2.0
#pragma once
/* fields: a line cut at a separator. With `quoted`, fields are unquoted as in RFC 4180, in place. */
#include "io/file/lines.h"

struct separator {
    char text[4]; /* "\t", ",", "::" */
    bool quoted;  /* only with a separator of one character */
};

/* What lines_next() is to be told. */
static inline char csv_separator(const struct separator *separator)
{
    return separator->quoted ? separator->text[0] : 0;
}

/* Cuts the line into at most `capacity` fields, views of the line. BAD_INPUT when there are more, or when there is
 * text behind a closing quote; the complaint is the bare reason. */
MUST_CHECK struct status fields_split(struct line *line, const struct separator *separator, struct bytes *fields,
                                      size_t capacity, size_t *ret_count, struct complaint *complaint);

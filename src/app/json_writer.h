// SPDX-License-Identifier: Apache-2.0
#pragma once
/* json_writer: JSON text into a buffer, in the order of the calls, two blanks per level. Keys are given with the
 * value; NULL within arrays. Numbers that are not finite become null. No control character stands in a text as it is,
 * so that none reaches a terminal. */
#include <eddy/base/buffer.h>

struct json_writer {
    struct buffer *out;
    int depth;
    bool first; /* nothing on this level yet */
    bool lines; /* each value of the outermost level on one line */
};

struct json_writer json_writer_of(struct buffer *out);
/* The same for JSON Lines, without blanks. */
struct json_writer json_lines_of(struct buffer *out);
void json_begin_object(struct json_writer *writer, const char *key);
void json_begin_array(struct json_writer *writer, const char *key);
void json_end_object(struct json_writer *writer);
void json_end_array(struct json_writer *writer);
void json_text(struct json_writer *writer, const char *key, struct bytes text);
void json_number(struct json_writer *writer, const char *key, double number);
void json_whole_number(struct json_writer *writer, const char *key, int64_t number);
void json_truth(struct json_writer *writer, const char *key, bool truth);
void json_none(struct json_writer *writer, const char *key);

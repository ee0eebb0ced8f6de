// SPDX-License-Identifier: Apache-2.0
#pragma once
/* wire: what the bodies of chat completions and embeddings have in common. */
#include <eddy/core/chat.h>
#include <jansson.h>

/* Parses the body of a reply into an object that is not an error report. *ret_root is the caller's when GOOD. */
enum chat_outcome wire_load(struct bytes body, size_t bytes_max, json_t **ret_root, struct complaint *complaint);

/* Sets the complaint and returns the outcome. */
enum chat_outcome wire_say(struct complaint *complaint, enum chat_outcome outcome, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

struct chat_usage wire_usage(const json_t *root);

/* A JSON string; NULL when the bytes are not UTF-8, have a NUL, or there is no memory. */
json_t *wire_string(struct bytes text);
/* BAD_INPUT with a complaint that names the field, unless the text can be a JSON string. */
MUST_CHECK struct status wire_check_text(struct bytes text, const char *field, struct complaint *complaint);
/* Appends the JSON, which may be NULL for want of memory, and drops it. */
MUST_CHECK struct status wire_dump(json_t *root, struct buffer *out);

// SPDX-License-Identifier: Apache-2.0
#include "core/intent/wire.h"

#include <stdio.h>

const char *chat_outcome_label(enum chat_outcome outcome)
{
    static const char *const labels[] = {
#define X(name, label, text) [CHAT_##name] = label,
        CHAT_OUTCOMES(X)
#undef X
    };
    assert(outcome < CHAT_OUTCOME_COUNT);
    return labels[outcome];
}

const char *chat_outcome_text(enum chat_outcome outcome)
{
    static const char *const texts[] = {
#define X(name, label, text) [CHAT_##name] = text,
        CHAT_OUTCOMES(X)
#undef X
    };
    assert(outcome < CHAT_OUTCOME_COUNT);
    return texts[outcome];
}

enum chat_outcome wire_say(struct complaint *complaint, enum chat_outcome outcome, const char *format, ...)
{
    char text[sizeof complaint->text];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    struct status ignored = complain(complaint, OK, "%s", text);
    (void)ignored;
    return outcome;
}

/* ---- reading */

static struct bytes trimmed(struct bytes text)
{
    while (text.size > 0 && strchr(" \t\r\n", text.data[0]) && text.data[0])
        text = bytes_of(text.data + 1, text.size - 1);
    return text;
}

/* Why the bytes are no JSON. */
static enum chat_outcome explain(struct bytes body, const json_error_t *error, struct complaint *complaint)
{
    struct bytes text = trimmed(body);
    switch (json_error_code(error)) {
    case json_error_out_of_memory:
        return wire_say(complaint, CHAT_NO_MEMORY, "there is no memory to read a reply of %zu bytes", body.size);
    case json_error_numeric_overflow:
        return wire_say(complaint, CHAT_NOT_FINITE, "the reply has a number that is out of range, at byte %d",
                        error->position);
    default:
        break;
    }
    if (text.size == 0)
        return wire_say(complaint, CHAT_EMPTY, "the reply is empty");
    if (text.data[0] == '<')
        return wire_say(complaint, CHAT_HTML,
                        "the reply is an HTML page, not JSON: is the URL the base of an OpenAI-compatible API, and "
                        "is there a proxy or a login page before it?");
    if (!bytes_is_utf8(body))
        return wire_say(complaint, CHAT_NOT_UTF8, "the reply is not UTF-8");
    if (json_error_code(error) == json_error_premature_end_of_input)
        return wire_say(complaint, CHAT_TRUNCATED, "the reply's JSON ends after %zu bytes, before its end", body.size);
    return wire_say(complaint, CHAT_NOT_JSON, "the reply is not JSON, at byte %d: %s", error->position, error->text);
}

/* {"error": {"message": "...", "type": "...", "code": "..."}}, {"error": "..."} or {"object": "error", "message":
 * "..."} */
static const char *error_text(const json_t *root)
{
    const json_t *error = json_object_get(root, "error"), *object = json_object_get(root, "object");
    if (json_is_string(error))
        return json_string_value(error);
    if (json_is_object(error)) {
        const char *message = json_string_value(json_object_get(error, "message"));
        return message ? message : "an error without a message";
    }
    if (json_is_string(object) && strcmp(json_string_value(object), "error") == 0) {
        const char *message = json_string_value(json_object_get(root, "message"));
        return message ? message : "an error without a message";
    }
    return NULL;
}

enum chat_outcome wire_load(struct bytes body, size_t bytes_max, json_t **ret_root, struct complaint *complaint)
{
    json_error_t error = {0};
    if (body.size > bytes_max)
        return wire_say(complaint, CHAT_TOO_LARGE, "the reply has more than %zu bytes", bytes_max);
    json_t *root = json_loadb(body.size ? (const char *)body.data : "", body.size, 0, &error);
    if (!root)
        return explain(body, &error, complaint);
    const char *said = error_text(root);
    enum chat_outcome outcome = CHAT_GOOD;
    if (said)
        outcome = wire_say(complaint, CHAT_ERROR, "the server reports an error: %.500s", said);
    else if (!json_is_object(root))
        outcome = wire_say(complaint, CHAT_WRONG_SHAPE, "the reply is not a JSON object");
    if (outcome == CHAT_GOOD)
        *ret_root = root;
    else
        json_decref(root);
    return outcome;
}

void chat_read_error(struct bytes body, struct complaint *ret_said)
{
    json_error_t error;
    json_t *root = json_loadb(body.size ? (const char *)body.data : "", body.size, 0, &error);
    const char *said = error_text(root);
    struct status ignored = complain(ret_said, OK, "%.500s", said ? said : "");
    (void)ignored;
    json_decref(root);
}

static int64_t tokens(const json_t *usage, const char *name)
{
    const json_t *count = json_object_get(usage, name);
    json_int_t value = json_integer_value(count);
    return json_is_integer(count) && value >= 0 && value <= INT32_MAX ? value : -1;
}

struct chat_usage wire_usage(const json_t *root)
{
    const json_t *usage = json_object_get(root, "usage");
    return (struct chat_usage){tokens(usage, "prompt_tokens"), tokens(usage, "completion_tokens")};
}

/* ---- writing */

json_t *wire_string(struct bytes text)
{
    return json_stringn(text.size ? (const char *)text.data : "", text.size);
}

struct status wire_check_text(struct bytes text, const char *field, struct complaint *complaint)
{
    if (!bytes_is_utf8(text))
        return complain(complaint, FAIL(BAD_INPUT, 0, "a text for a language model is not UTF-8"),
                        "the %s for the language model is not UTF-8", field);
    if (text.size && memchr(text.data, 0, text.size))
        return complain(complaint, FAIL(BAD_INPUT, 0, "a text for a language model has a NUL"),
                        "the %s for the language model has a NUL character", field);
    return OK;
}

static int append(const char *text, size_t size, void *context)
{
    buffer_append(context, text, size);
    return ((struct buffer *)context)->overflow ? -1 : 0;
}

struct status wire_dump(json_t *root, struct buffer *out)
{
    size_t before = out->size;
    int result = root ? json_dump_callback(root, append, out, JSON_COMPACT) : -1;
    json_decref(root);
    struct status status = buffer_check(out);
    if (!failed(status) && result)
        status = FAIL(MEMORY, 0, "no memory for a request to a language model");
    if (failed(status))
        out->size = before;
    return status;
}

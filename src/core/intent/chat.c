// SPDX-License-Identifier: Apache-2.0
#include <eddy/core/chat.h>

#include "core/intent/wire.h"

#include <stdio.h>

/* ---- the request */

static struct status read_schema(const struct chat_request *request, json_t **ret_schema, struct complaint *complaint)
{
    json_error_t error = {0};
    *ret_schema = NULL;
    if (request->schema.size == 0)
        return OK;
    json_t *schema = json_loadb((const char *)request->schema.data, request->schema.size, 0, &error);
    if (!json_is_object(schema)) {
        json_decref(schema);
        return complain(complaint, FAIL(BAD_INPUT, 0, "a schema for a language model's answer is no JSON object"),
                        "the schema for the language model's answer is no JSON object: %s", error.text);
    }
    *ret_schema = schema;
    return OK;
}

static json_t *message(const char *role, struct bytes content)
{
    return json_pack("{s:s, s:o}", "role", role, "content", wire_string(content));
}

/* The pack functions drop what they are given when it, or memory for it, is missing; one by one, so that a NULL is
 * seen.
 */
static bool set(json_t *object, const char *name, json_t *value)
{
    return json_object_set_new(object, name, value) == 0;
}

static bool add_messages(json_t *root, const struct chat_request *request)
{
    json_t *messages = json_array();
    bool good = messages &&
                (request->system.size == 0 || json_array_append_new(messages, message("system", request->system)) == 0);
    good = good && json_array_append_new(messages, message("user", request->user)) == 0;
    return set(root, "messages", messages) && good;
}

/* Takes the schema. */
static bool add_format(json_t *root, const struct chat_request *request, json_t *schema)
{
    json_t *inner = json_object(), *outer = json_object();
    bool good = set(inner, "name", wire_string(request->schema_name));
    good = set(inner, "strict", json_true()) && good;
    good = set(inner, "schema", schema) && good;
    good = set(outer, "type", json_string("json_schema")) && good;
    good = set(outer, "json_schema", inner) && good;
    return set(root, "response_format", outer) && good;
}

static bool fill(json_t *root, const struct chat_request *request, json_t *schema)
{
    bool good = set(root, "model", wire_string(request->model));
    good = add_messages(root, request) && good;
    if (request->max_tokens)
        good = set(root, request->names_completion_tokens ? "max_completion_tokens" : "max_tokens",
                   json_integer(request->max_tokens)) &&
               good;
    if (request->temperature >= 0)
        good = set(root, "temperature", json_real(request->temperature)) && good;
    if (request->seed >= 0)
        good = set(root, "seed", json_integer(request->seed)) && good;
    return (!schema || add_format(root, request, schema)) && good;
}

struct status chat_write_request(const struct chat_request *request, struct buffer *out, struct complaint *complaint)
{
    json_t *schema;
    TRY(wire_check_text(request->model, "model's name", complaint));
    TRY(wire_check_text(request->system, "system message", complaint));
    TRY(wire_check_text(request->user, "user message", complaint));
    TRY(wire_check_text(request->schema_name, "schema's name", complaint));
    TRY(read_schema(request, &schema, complaint));
    json_t *root = json_object();
    if (!fill(root, request, schema)) {
        json_decref(root);
        return FAIL(MEMORY, 0, "no memory for a request to a language model");
    }
    return wire_dump(root, out);
}

/* ---- the reply */

void chat_reply_release(struct chat_reply *reply)
{
    buffer_release(&reply->content);
}

static enum chat_outcome take_content(const json_t *content, struct chat_limits limits, struct chat_reply *reply,
                                      struct complaint *complaint)
{
    size_t size = json_string_length(content);
    if (size > limits.content_bytes)
        return wire_say(complaint, CHAT_TOO_LARGE, "the model's text has %zu bytes, more than %zu", size,
                        limits.content_bytes);
    buffer_append(&reply->content, json_string_value(content), size);
    return reply->content.overflow ? wire_say(complaint, CHAT_NO_MEMORY, "there is no memory for the model's text")
                                   : CHAT_GOOD;
}

static enum chat_outcome read_choice(const json_t *choice, struct chat_limits limits, struct chat_reply *reply,
                                     struct complaint *complaint)
{
    const json_t *message = json_object_get(choice, "message");
    const json_t *content = json_object_get(message, "content"), *finish = json_object_get(choice, "finish_reason");
    const char *reason = json_is_string(finish) ? json_string_value(finish) : "stop";
    if (!json_is_object(message))
        return wire_say(complaint, CHAT_WRONG_SHAPE, "the reply's choices[0] has no message");
    if (finish && !json_is_string(finish) && !json_is_null(finish))
        return wire_say(complaint, CHAT_WRONG_SHAPE, "the reply's finish_reason is not a text");
    if (strcmp(reason, "content_filter") == 0)
        return wire_say(complaint, CHAT_FILTERED, "the server's content filter held the model's text back");
    bool none = !content || json_is_null(content) || (json_is_string(content) && json_string_length(content) == 0);
    if (none && strcmp(reason, "length") == 0)
        return wire_say(complaint, CHAT_CUT, "max_tokens were used up before the model's text began");
    if (none)
        return wire_say(complaint, CHAT_NO_CONTENT, "the model said nothing (finish_reason %.40s)", reason);
    if (!json_is_string(content))
        return wire_say(complaint, CHAT_WRONG_SHAPE, "the reply's content is not a text");
    enum chat_outcome outcome = take_content(content, limits, reply, complaint);
    if (outcome == CHAT_GOOD && strcmp(reason, "length") == 0)
        return wire_say(complaint, CHAT_CUT, "the model's text was cut at max_tokens");
    return outcome;
}

static enum chat_outcome read_root(const json_t *root, struct chat_limits limits, struct chat_reply *reply,
                                   struct complaint *complaint)
{
    const json_t *choices = json_object_get(root, "choices"), *model = json_object_get(root, "model");
    if (json_is_string(model)) {
        struct bytes name =
            bytes_utf8_prefix(bytes_of(json_string_value(model), json_string_length(model)), sizeof reply->model - 1);
        memcpy(reply->model, name.data, name.size);
    }
    reply->usage = wire_usage(root);
    if (!json_is_array(choices) || json_array_size(choices) == 0)
        return wire_say(complaint, CHAT_WRONG_SHAPE, "the reply has no choices: is it a chat completion?");
    return read_choice(json_array_get(choices, 0), limits, reply, complaint);
}

enum chat_outcome chat_read_reply(struct bytes body, struct chat_limits limits, struct chat_reply *reply,
                                  struct complaint *complaint)
{
    json_t *root = NULL;
    buffer_clear(&reply->content);
    memset(reply->model, 0, sizeof reply->model);
    reply->usage = (struct chat_usage){-1, -1};
    enum chat_outcome outcome = wire_load(body, limits.body_bytes, &root, complaint);
    if (outcome != CHAT_GOOD)
        return outcome;
    outcome = read_root(root, limits, reply, complaint);
    json_decref(root);
    return outcome;
}

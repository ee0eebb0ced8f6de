// SPDX-License-Identifier: Apache-2.0
#include <eddy/core/recorded.h>

#include "core/event/json.h"
#include "core/intent/view.h"

#include <eddy/core/click.h>

static struct status read_session_id(const json_t *root, struct arena *arena, struct recorded_answer *ret_answer,
                                     struct complaint *complaint)
{
    const json_t *id = json_object_get(root, "session_id");
    size_t size = json_string_length(id);
    if (size == 0 || size > CLICK_ID_MAX)
        return complain(complaint, FAIL(BAD_INPUT, size, "no session_id"), "session_id must be a text of 1 to %d bytes",
                        CLICK_ID_MAX);
    ret_answer->session_id = arena_copy(arena, bytes_of(json_string_value(id), size));
    return ret_answer->session_id.data ? OK : FAIL(MEMORY, size, "no memory for an answer");
}

static struct status read_position(const json_t *root, struct recorded_answer *ret_answer, struct complaint *complaint)
{
    const json_t *position = json_object_get(root, "position");
    json_int_t number = json_is_integer(position) ? json_integer_value(position) : 0;
    if (number < 1 || number > UINT32_MAX)
        return complain(complaint, FAIL(BAD_INPUT, number, "no position"),
                        "position must be a whole number from 1: how many clicks the model was told of");
    ret_answer->position = (uint32_t)number;
    return OK;
}

static struct status read_root(const json_t *root, struct arena *arena, struct recorded_answer *ret_answer,
                               struct complaint *complaint)
{
    if (!json_is_object(root))
        return complain(complaint, FAIL(BAD_INPUT, 0, "no object"), "the line is no JSON object");
    TRY(read_session_id(root, arena, ret_answer, complaint));
    TRY(read_position(root, ret_answer, complaint));
    struct answered_session *answer = &ret_answer->answer;
    TRY(view_read(json_object_get(root, "long"), json_object_get(root, "long_next"), arena, &answer->views[VIEW_LONG]));
    TRY(view_read(json_object_get(root, "short"), json_object_get(root, "short_next"), arena,
                  &answer->views[VIEW_SHORT]));
    answer->fault = views_say_something(answer) ? ANSWER_NONE : ANSWER_NO_VIEW;
    return OK;
}

struct status recorded_answer_read(struct bytes line, struct arena *arena, struct recorded_answer *ret_answer,
                                   struct complaint *complaint)
{
    json_error_t error;
    struct recorded_answer answer = {0};
    json_memory_begin();
    json_t *root = json_loadb((const char *)line.data, line.size, JSON_REJECT_DUPLICATES, &error);
    if (!root && json_memory_lacked())
        return FAIL(MEMORY, line.size, "no memory for an answer");
    if (!root)
        return complain(complaint, FAIL(BAD_INPUT, error.column, "bad JSON"), "column %d: %s", error.column,
                        error.text);
    struct status status = read_root(root, arena, &answer, complaint);
    json_decref(root);
    if (!failed(status))
        *ret_answer = answer;
    return status;
}

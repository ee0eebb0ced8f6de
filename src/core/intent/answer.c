// SPDX-License-Identifier: Apache-2.0
#include "core/intent/view.h"

#include "core/event/json.h"

static const char *const views[] = {"long", "short"};

const char *answer_view_text(enum answer_view view)
{
    return views[view];
}

const char *answer_fault_text(enum answer_fault fault)
{
    static const char *const texts[] = {
#define X(name, text) [ANSWER_##name] = (text),
        ANSWER_FAULTS(X)
#undef X
    };
    return texts[fault];
}

struct reading {
    uint32_t count;
    const uint32_t *shortlists;
    struct arena *arena;
    struct answered_session *sessions;
};

static struct status read_view(const struct reading *reading, const json_t *value, struct answered_view *view)
{
    if (!json_is_object(value))
        return OK;
    return view_read(json_object_get(value, "intent"), json_object_get(value, "items"), reading->arena, view);
}

static struct status read_order(const struct reading *reading, const json_t *value, uint32_t shortlist,
                                struct answered_session *session)
{
    uint32_t *order = ARENA_ARRAY(reading->arena, uint32_t, shortlist);
    bool *taken = ARENA_ARRAY(reading->arena, bool, shortlist);
    if (!order || !taken)
        return FAIL(MEMORY, shortlist, "no memory for an answer");
    memset(taken, 0, shortlist * sizeof *taken);
    session->order = order;
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *number = json_array_get(value, i);
        json_int_t place = json_is_integer(number) ? json_integer_value(number) : 0;
        if (place < 1 || place > shortlist || taken[place - 1])
            continue;
        taken[place - 1] = true;
        order[session->order_count++] = (uint32_t)place - 1;
    }
    return OK;
}

/* The number of the session that an answer is about, from 0; `count` when it is about none. Some models write the
 * number as text. */
static uint32_t session_of(const struct reading *reading, const json_t *answer)
{
    const json_t *id = json_object_get(answer, "id");
    int64_t number = 0;
    if (json_is_integer(id))
        number = json_integer_value(id);
    else if (json_is_string(id) && !bytes_to_int64(bytes_of_text(json_string_value(id)), &number))
        number = 0;
    return number >= 1 && number <= reading->count ? (uint32_t)number - 1 : reading->count;
}

static struct status read_session(const struct reading *reading, const json_t *answer)
{
    uint32_t at = session_of(reading, answer);
    if (at == reading->count)
        return OK;
    struct answered_session *session = &reading->sessions[at];
    if (session->fault != ANSWER_MISSING) {
        *session = (struct answered_session){.fault = ANSWER_TWICE};
        return OK;
    }
    session->fault = ANSWER_NONE;
    for (enum answer_view view = 0; view < VIEW_COUNT; view++)
        TRY(read_view(reading, json_object_get(answer, views[view]), &session->views[view]));
    if (reading->shortlists && reading->shortlists[at])
        TRY(read_order(reading, json_object_get(answer, "order"), reading->shortlists[at], session));
    if (!views_say_something(session) && !session->order_count)
        session->fault = ANSWER_NO_VIEW;
    return OK;
}

static void fail_all(const struct reading *reading, enum answer_fault fault)
{
    for (uint32_t i = 0; i < reading->count; i++)
        reading->sessions[i] = (struct answered_session){.fault = fault};
}

static struct status read_all(const struct reading *reading, const json_t *root)
{
    const json_t *sessions = json_object_get(root, "sessions");
    if (!json_is_array(sessions)) {
        fail_all(reading, ANSWER_NO_SESSIONS);
        return OK;
    }
    fail_all(reading, ANSWER_MISSING);
    for (size_t i = 0; i < json_array_size(sessions); i++)
        TRY(read_session(reading, json_array_get(sessions, i)));
    return OK;
}

struct status answer_read(struct bytes json, uint32_t count, const uint32_t *shortlists, struct arena *arena,
                          struct answered_session *ret_sessions)
{
    const struct reading reading = {count, shortlists, arena, ret_sessions};
    json_memory_begin();
    json_t *root = json_loadb((const char *)json.data, json.size, 0, NULL);
    if (!root && json_memory_lacked())
        return FAIL(MEMORY, json.size, "no memory for an answer");
    if (!root) {
        fail_all(&reading, ANSWER_NOT_JSON);
        return OK;
    }
    struct status status = read_all(&reading, root);
    json_decref(root);
    return status;
}

#define VIEW_SCHEMA                                                                                                    \
    "{\"type\":\"object\",\"properties\":{\"intent\":{\"type\":\"string\"},"                                           \
    "\"items\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}},"                                                 \
    "\"required\":[\"intent\",\"items\"],\"additionalProperties\":false}"

#define SESSIONS_SCHEMA(properties, required)                                                                          \
    "{\"type\":\"object\",\"properties\":{\"sessions\":{\"type\":\"array\",\"items\":{\"type\":\"object\","            \
    "\"properties\":{\"id\":{\"type\":\"integer\"}," properties "},\"required\":[\"id\"," required "],"                \
    "\"additionalProperties\":false}}},\"required\":[\"sessions\"],\"additionalProperties\":false}"

const char *answer_schema(enum prompt_kind kind)
{
    if (kind == PROMPT_AGENT)
        return SESSIONS_SCHEMA("\"order\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}", "\"order\"");
    return SESSIONS_SCHEMA("\"long\":" VIEW_SCHEMA ",\"short\":" VIEW_SCHEMA, "\"long\",\"short\"");
}

// SPDX-License-Identifier: Apache-2.0
#include "core/intent/view.h"

/* A title or an intent as one line, in the arena. */
static struct status read_line(const json_t *value, uint32_t bytes_max, struct arena *arena, struct bytes *ret_line)
{
    uint8_t *room = arena_alloc(arena, bytes_max);
    if (!room)
        return FAIL(MEMORY, bytes_max, "no memory for an answer");
    struct buffer line = {.data = room, .capacity = bytes_max, .limit = bytes_max};
    prompt_write_title(bytes_of(json_string_value(value), json_string_length(value)), bytes_max, &line);
    *ret_line = buffer_bytes(&line);
    return OK;
}

static struct status read_titles(const json_t *values, struct arena *arena, struct answered_view *view)
{
    if (!json_is_array(values))
        return OK;
    struct bytes *titles = ARENA_ARRAY(arena, struct bytes, ANSWER_ITEMS_MAX);
    if (!titles)
        return FAIL(MEMORY, ANSWER_ITEMS_MAX, "no memory for an answer");
    view->titles = titles;
    for (size_t i = 0; i < json_array_size(values) && view->title_count < ANSWER_ITEMS_MAX; i++) {
        const json_t *value = json_array_get(values, i);
        if (!json_is_string(value))
            continue;
        TRY(read_line(value, ANSWER_TITLE_MAX, arena, &titles[view->title_count]));
        view->title_count += titles[view->title_count].size > 0;
    }
    return OK;
}

struct status view_read(const json_t *intent, const json_t *titles, struct arena *arena, struct answered_view *view)
{
    if (json_is_string(intent))
        TRY(read_line(intent, ANSWER_TEXT_MAX, arena, &view->intent));
    return read_titles(titles, arena, view);
}

bool views_say_something(const struct answered_session *session)
{
    for (enum answer_view view = 0; view < VIEW_COUNT; view++)
        if (session->views[view].intent.size || session->views[view].title_count)
            return true;
    return false;
}

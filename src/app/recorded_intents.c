// SPDX-License-Identifier: Apache-2.0
#include "app/recorded_intents.h"

#include <eddy/base/random.h>
#include <eddy/io/file.h>

#include <stdlib.h>

#define FILE_MAX ((size_t)4 << 30)

static int compare(const void *a, const void *b)
{
    const struct recorded_intent *one = a, *other = b;
    if (one->session != other->session)
        return one->session < other->session ? -1 : 1;
    return (one->position > other->position) - (one->position < other->position);
}

static int compare_lines(const void *a, const void *b)
{
    const struct recorded_intent *one = a, *other = b;
    int order = compare(a, b);
    return order ? order : (one->line > other->line) - (one->line < other->line);
}

static struct status take(struct bytes line, uint64_t number, const struct interner *session_ids,
                          struct recorded_intents *intents, size_t *capacity, struct complaint *complaint)
{
    struct recorded_answer recorded;
    TRY(recorded_answer_read(line, &intents->arena, &recorded, complaint));
    uint32_t session = interner_find(session_ids, recorded.session_id);
    if (session == INTERNER_NONE) {
        intents->strangers++;
        return OK;
    }
    if (intents->count == *capacity) {
        size_t room = *capacity ? 2 * *capacity : 1024;
        struct recorded_intent *grown = realloc(intents->intents, room * sizeof *grown);
        if (!grown)
            return FAIL(MEMORY, room, "no memory for recorded answers");
        intents->intents = grown;
        *capacity = room;
    }
    intents->intents[intents->count++] = (struct recorded_intent){session, recorded.position, number, recorded.answer};
    return OK;
}

static struct status read_lines(const char *path, struct bytes rest, const struct interner *session_ids,
                                struct log_reading *reading, struct recorded_intents *intents,
                                struct complaint *complaint)
{
    size_t capacity = 0;
    uint64_t number = 0;
    while (rest.size > 0) {
        struct bytes line = bytes_take_line(&rest);
        struct complaint why = {""}, shown;
        number++;
        if (line.size == 0)
            continue;
        struct status status = take(line, number, session_ids, intents, &capacity, &why);
        reading->records += !failed(status);
        if (!failed(status))
            continue;
        status = complain(&shown, status, "%s: line %llu: %s", path, (unsigned long long)number,
                          why.text[0] ? why.text : status.fault->what);
        status = log_reading_skip(reading, status, 1, &shown);
        if (failed(status))
            return complain(complaint, status, "%s", shown.text);
    }
    return OK;
}

/* Of several about one prefix the first stays. */
static struct status sort(const char *path, struct log_reading *reading, struct recorded_intents *intents,
                          struct complaint *complaint)
{
    size_t kept = 0;
    if (intents->count > 1)
        qsort(intents->intents, intents->count, sizeof *intents->intents, compare_lines);
    for (size_t i = 0; i < intents->count; i++) {
        const struct recorded_intent *intent = &intents->intents[i];
        if (kept == 0 || compare(&intents->intents[kept - 1], intent) != 0) {
            intents->intents[kept++] = *intent;
            continue;
        }
        struct complaint shown;
        struct status status =
            complain(&shown, FAIL(BAD_INPUT, intent->position, "two answers about one prefix"),
                     "%s: line %llu: line %llu is about the same session and position", path,
                     (unsigned long long)intent->line, (unsigned long long)intents->intents[kept - 1].line);
        reading->records--;
        status = log_reading_skip(reading, status, 1, &shown);
        if (failed(status))
            return complain(complaint, status, "%s", shown.text);
    }
    intents->count = kept;
    return OK;
}

struct status recorded_intents_read(const char *path, const struct interner *session_ids, struct log_reading *reading,
                                    struct recorded_intents *ret_intents, struct complaint *complaint)
{
    struct recorded_intents intents = {.arena = {.limit = FILE_MAX}};
    AUTO(buffer) content = {.limit = FILE_MAX};
    TRY(file_read(path, &content, complaint));
    struct status status = read_lines(path, buffer_bytes(&content), session_ids, reading, &intents, complaint);
    if (!failed(status))
        status = sort(path, reading, &intents, complaint);
    if (failed(status))
        recorded_intents_release(&intents);
    else
        *ret_intents = intents;
    return status;
}

void recorded_intents_release(struct recorded_intents *intents)
{
    free(intents->intents);
    arena_release(&intents->arena);
    *intents = (struct recorded_intents){0};
}

const struct recorded_intent *recorded_intents_find(const struct recorded_intents *intents, uint32_t session,
                                                    uint32_t position)
{
    const struct recorded_intent wanted = {.session = session, .position = position};
    return intents->count ? bsearch(&wanted, intents->intents, intents->count, sizeof wanted, compare) : NULL;
}

/* By Sattolo's algorithm (1986): one cycle through all, so that none keeps its own. */
static void shuffle(struct recorded_intent **intents, size_t count, struct random *random)
{
    for (size_t i = count; i > 1; i--) {
        struct recorded_intent *one = intents[i - 1], *other = intents[random_below(random, (uint32_t)(i - 1))];
        struct answered_session answer = one->answer;
        one->answer = other->answer;
        other->answer = answer;
    }
}

struct status recorded_intents_shuffle(struct recorded_intents *intents, const uint8_t *sides, uint64_t seed)
{
    struct recorded_intent **of_side = malloc((intents->count + 1) * sizeof(struct recorded_intent *));
    struct random random;
    if (!of_side)
        return FAIL(MEMORY, intents->count, "no memory to shuffle answers");
    random_seed(&random, seed);
    for (uint8_t side = 1; side; side++) {
        size_t count = 0;
        for (size_t i = 0; i < intents->count; i++)
            if (sides[i] == side)
                of_side[count++] = &intents->intents[i];
        shuffle(of_side, count, &random);
    }
    free(of_side);
    return OK;
}

// SPDX-License-Identifier: Apache-2.0
#include "app/train/intake.h"

#include <stdlib.h>

struct waiting {
    int64_t close_ms, last_ms, offset;
    int32_t partition;
    uint32_t start, length; /* in items */
};

/* A session that was passed: where it stands in the topic. */
struct passed {
    int32_t partition;
    int64_t offset;
};

struct intake {
    uint32_t clicks_max;
    struct interner *item_ids;
    struct waiting *waiting;
    size_t waiting_count, waiting_capacity;
    uint32_t *items; /* of those that wait */
    size_t item_count, item_capacity;
    struct passed *window; /* since the last update, and what that held back */
    size_t window_count, window_capacity;
    int64_t *next;              /* by partition: the offset behind the last record */
    struct sessions_read *read; /* for the caller */
    int32_t partition_count;
    int64_t newest_ms, learned_ms;
};

/* ---- life */

static struct status copy_ids(const struct interner *known, struct interner *item_ids)
{
    for (uint32_t row = 0; known && row < interner_count(known); row++) {
        uint32_t number;
        TRY(interner_add(item_ids, interner_get(known, row), &number));
        assert(number == row);
    }
    return OK;
}

static struct status open_parts(struct intake *intake, const struct config *config, const struct interner *known)
{
    size_t count = (size_t)intake->partition_count + 1;
    intake->next = calloc(count, sizeof *intake->next);
    intake->read = calloc(count, sizeof *intake->read);
    if (!intake->next || !intake->read)
        return FAIL(MEMORY, count, "no memory for positions");
    TRY(interner_open(config->catalogue.items_max, config->catalogue.memory_max_bytes, &intake->item_ids));
    return copy_ids(known, intake->item_ids);
}

struct status intake_open(const struct config *config, const struct interner *known, int32_t partition_count,
                          struct intake **ret_intake)
{
    struct intake *intake = calloc(1, sizeof *intake);
    if (!intake)
        return FAIL(MEMORY, sizeof *intake, "no memory to take sessions in");
    intake->clicks_max = config->update.options.clicks_max;
    intake->partition_count = partition_count;
    intake->newest_ms = intake->learned_ms = INT64_MIN;
    struct status status = open_parts(intake, config, known);
    if (failed(status)) {
        intake_close(intake);
        return status;
    }
    *ret_intake = intake;
    return OK;
}

void intake_close(struct intake *intake)
{
    if (!intake)
        return;
    interner_close(intake->item_ids);
    free(intake->waiting);
    free(intake->items);
    free(intake->window);
    free(intake->next);
    free(intake->read);
    free(intake);
}

/* ---- what waits */

static struct status grow(void **array, size_t *capacity, size_t wanted, size_t size)
{
    if (wanted <= *capacity)
        return OK;
    size_t room = *capacity ? *capacity * 2 : 1024;
    room = room > wanted ? room : wanted;
    void *grown = realloc(*array, room * size);
    if (!grown)
        return FAIL(MEMORY, room, "no memory for closed sessions");
    *array = grown;
    *capacity = room;
    return OK;
}

#define GROW(array, capacity, wanted) grow((void **)&(array), &(capacity), (wanted), sizeof *(array))

static int compare_waiting(const void *a, const void *b)
{
    const struct waiting *one = a, *other = b;
    if (one->close_ms != other->close_ms)
        return one->close_ms < other->close_ms ? -1 : 1;
    if (one->partition != other->partition)
        return one->partition < other->partition ? -1 : 1;
    return (one->offset > other->offset) - (one->offset < other->offset);
}

static void sort_waiting(struct intake *intake)
{
    if (intake->waiting_count > 1)
        qsort(intake->waiting, intake->waiting_count, sizeof *intake->waiting, compare_waiting);
}

/* Keeps the newest clicks that the updater would keep, too. */
static struct status drop_oldest(struct intake *intake)
{
    size_t first = intake->waiting_count, clicks = 0, kept = 0;
    sort_waiting(intake);
    while (first > 0 && clicks + intake->waiting[first - 1].length <= intake->clicks_max)
        clicks += intake->waiting[--first].length;
    uint32_t *items = malloc((clicks + 1) * sizeof *items);
    if (!items)
        return FAIL(MEMORY, clicks, "no memory for closed sessions");
    for (size_t i = first; i < intake->waiting_count; i++) {
        struct waiting *waiting = &intake->waiting[i];
        memcpy(items + kept, intake->items + waiting->start, waiting->length * sizeof *items);
        waiting->start = (uint32_t)kept;
        kept += waiting->length;
    }
    memmove(intake->waiting, intake->waiting + first, (intake->waiting_count - first) * sizeof *intake->waiting);
    intake->waiting_count -= first;
    free(intake->items);
    intake->items = items;
    intake->item_count = kept;
    intake->item_capacity = clicks + 1;
    return OK;
}

void intake_skip(struct intake *intake, const struct message *message)
{
    if (message->partition >= 0 && message->partition < intake->partition_count)
        intake->next[message->partition] = message->offset + 1;
}

/* The rows of the session's items behind those that are there. LIMIT: there is no room for an item's id. */
static struct status take_items(struct intake *intake, const struct closed_record *record)
{
    uint32_t *rows = intake->items + intake->item_count;
    for (uint32_t i = 0; i < record->length; i++)
        TRY(interner_add(intake->item_ids, record->item_ids[i], &rows[i]));
    return OK;
}

struct status intake_take(struct intake *intake, const struct closed_record *record, const struct message *message)
{
    if (intake->item_count + record->length > 2 * (size_t)intake->clicks_max)
        TRY(drop_oldest(intake));
    TRY(GROW(intake->items, intake->item_capacity, intake->item_count + record->length));
    TRY(GROW(intake->waiting, intake->waiting_capacity, intake->waiting_count + 1));
    intake_skip(intake, message);
    if (record->length < 2)
        return OK; /* it teaches nothing */
    TRY(take_items(intake, record));
    intake->waiting[intake->waiting_count++] = (struct waiting){.close_ms = record->close_ms,
                                                                .last_ms = record->times_ms[record->length - 1],
                                                                .offset = message->offset,
                                                                .partition = message->partition,
                                                                .start = (uint32_t)intake->item_count,
                                                                .length = record->length};
    intake->item_count += record->length;
    if (record->close_ms > intake->newest_ms)
        intake->newest_ms = record->close_ms;
    return OK;
}

uint64_t intake_waiting(const struct intake *intake)
{
    return intake->item_count;
}

int64_t intake_newest_ms(const struct intake *intake)
{
    return intake->newest_ms;
}

int64_t intake_learned_ms(const struct intake *intake)
{
    return intake->learned_ms;
}

/* ---- to the updater */

static bool is_learned(const struct waiting *waiting, const struct model_manifest *manifest)
{
    for (uint32_t i = 0; manifest && i < manifest->session_count; i++)
        if (manifest->sessions[i].partition == waiting->partition)
            return waiting->offset < manifest->sessions[i].offset;
    return false;
}

static struct status pass(struct intake *intake, const struct waiting *waiting, bool learned, struct updater *updater)
{
    TRY(GROW(intake->window, intake->window_capacity, intake->window_count + 1));
    TRY(updater_add(updater, intake->items + waiting->start, waiting->length, waiting->last_ms));
    if (!learned)
        intake->window[intake->window_count++] = (struct passed){waiting->partition, waiting->offset};
    return OK;
}

/* A partition of which nothing is left to be read has been learned as far as the version says. One that has less than
 * that was made anew. */
static void go_on_from(struct intake *intake, const struct model_manifest *manifest)
{
    for (uint32_t i = 0; manifest && i < manifest->session_count; i++) {
        struct sessions_read read = manifest->sessions[i];
        if (read.partition >= 0 && read.partition < intake->partition_count && intake->next[read.partition] == 0)
            intake->next[read.partition] = read.offset;
    }
}

struct status intake_pass(struct intake *intake, const struct model_manifest *manifest, struct updater *updater)
{
    size_t learned = 0;
    go_on_from(intake, manifest);
    sort_waiting(intake);
    for (size_t i = 0; i < intake->waiting_count; i++)
        if (is_learned(&intake->waiting[i], manifest)) {
            TRY(pass(intake, &intake->waiting[i], true, updater));
            intake->learned_ms = intake->waiting[i].close_ms;
            learned++;
        }
    if (learned > 0)
        updater_mark_learned(updater);
    for (size_t i = 0; i < intake->waiting_count; i++)
        if (!is_learned(&intake->waiting[i], manifest))
            TRY(pass(intake, &intake->waiting[i], false, updater));
    intake->waiting_count = intake->item_count = 0;
    return OK;
}

const struct sessions_read *intake_learned(struct intake *intake, uint32_t held_sessions, uint32_t *ret_count)
{
    size_t held = held_sessions < intake->window_count ? held_sessions : intake->window_count;
    uint32_t count = 0;
    if (held > 0)
        memmove(intake->window, intake->window + intake->window_count - held, held * sizeof *intake->window);
    intake->window_count = held;
    for (int32_t p = 0; p < intake->partition_count; p++) {
        int64_t offset = intake->next[p];
        for (size_t i = 0; i < held; i++)
            if (intake->window[i].partition == p && intake->window[i].offset < offset)
                offset = intake->window[i].offset;
        if (offset > 0)
            intake->read[count++] = (struct sessions_read){p, offset};
    }
    *ret_count = count;
    return intake->read;
}

static struct bytes item_id(const void *context, uint32_t row)
{
    const struct intake *intake = context;
    return interner_get(intake->item_ids, row);
}

struct model_items intake_items(const struct intake *intake)
{
    return (struct model_items){item_id, intake};
}

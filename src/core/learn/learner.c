// SPDX-License-Identifier: Apache-2.0
#include "core/learn/learner.h"

#include <stdlib.h>

#define PARTITIONS_MAX 100000

struct status learner_open(const struct learner_options *options, struct learned *learned, struct learner **ret_learner)
{
    struct learner *learner = calloc(1, sizeof *learner);
    if (!learner)
        return FAIL(MEMORY, 0, "no memory for the learner");
    learner->options = *options;
    if (!options->mix_every) /* a state that was restored may have learned otherwise */
        learned_reset_mixing(learned);
    learner->learned = learned;
    learner->learned_last.close_ms = INT64_MIN;
    struct status status = scoring_scratch_open(&learner->scratch);
    if (failed(status)) {
        learner_close(learner);
        return status;
    }
    *ret_learner = learner;
    return OK;
}

void learner_close(struct learner *learner)
{
    if (!learner)
        return;
    for (uint32_t i = 0; i < learner->count; i++)
        free(learner->heap[i]);
    for (int i = 0; i < SIZE_CLASSES; i++) {
        struct pending *next;
        for (struct pending *block = learner->free_blocks[i]; block; block = next) {
            next = block->next_free;
            free(block);
        }
    }
    scoring_scratch_close(learner->scratch);
    arena_release(&learner->arena);
    free(learner->heap);
    free(learner->marks);
    free(learner);
}

static int compare(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare_in_partition(const struct place *a, const struct place *b)
{
    int order = compare(a->close_ms, b->close_ms);
    if (!order)
        order = compare(a->origin.offset, b->origin.offset);
    return order ? order : compare(a->origin.sequence, b->origin.sequence);
}

int learner_compare(const struct place *a, const struct place *b)
{
    int order = compare(a->close_ms, b->close_ms);
    if (!order)
        order = compare(a->origin.partition, b->origin.partition);
    return order ? order : compare_in_partition(a, b);
}

static void heap_sift_down(struct learner *learner, uint32_t i)
{
    struct pending **heap = learner->heap;
    for (;;) {
        uint32_t least = i;
        for (uint32_t child = 2 * i + 1; child <= 2 * i + 2 && child < learner->count; child++)
            if (learner_compare(&heap[child]->place, &heap[least]->place) < 0)
                least = child;
        if (least == i)
            return;
        struct pending *moved = heap[i];
        heap[i] = heap[least];
        heap[least] = moved;
        i = least;
    }
}

static void heap_push(struct learner *learner, struct pending *pending)
{
    uint32_t i = learner->count++;
    struct pending **heap = learner->heap;
    for (; i > 0; i = (i - 1) / 2) {
        struct pending *parent = heap[(i - 1) / 2];
        if (learner_compare(&parent->place, &pending->place) <= 0)
            break;
        heap[i] = parent;
    }
    heap[i] = pending;
}

static struct pending *heap_pop(struct learner *learner)
{
    assert(learner->count > 0);
    struct pending *top = learner->heap[0];
    learner->heap[0] = learner->heap[--learner->count];
    heap_sift_down(learner, 0);
    return top;
}

static struct status heap_reserve(struct learner *learner)
{
    if (learner->count < learner->capacity)
        return OK;
    uint32_t capacity = learner->capacity ? learner->capacity * 2 : 256;
    struct pending **heap = realloc(learner->heap, capacity * sizeof *heap);
    if (!heap)
        return FAIL(MEMORY, capacity, "no memory for pending sessions");
    learner->heap = heap;
    learner->capacity = capacity;
    return OK;
}

struct status learner_reserve_marks(struct learner *learner, int32_t partition)
{
    if (partition < 0 || partition >= PARTITIONS_MAX)
        return FAIL(BAD_INPUT, partition, "a closed session names an impossible partition");
    uint32_t count = (uint32_t)partition + 1;
    if (count <= learner->mark_count)
        return OK;
    struct place *marks = realloc(learner->marks, count * sizeof *marks);
    if (!marks)
        return FAIL(MEMORY, count, "no memory for the partitions' marks");
    for (uint32_t i = learner->mark_count; i < count; i++)
        marks[i] = (struct place){.close_ms = INT64_MIN};
    learner->marks = marks;
    learner->mark_count = count;
    return OK;
}

static struct pending *block_take(struct learner *learner, size_t size)
{
    unsigned size_class = 0;
    while (size_class < SIZE_CLASSES && ((size_t)256 << size_class) < size)
        size_class++;
    if (size_class == SIZE_CLASSES)
        return NULL;
    struct pending *block = learner->free_blocks[size_class];
    if (block)
        learner->free_blocks[size_class] = block->next_free;
    else
        block = malloc((size_t)256 << size_class);
    if (block)
        block->size_class = size_class;
    return block;
}

static struct bytes copy_bytes(uint8_t **room, struct bytes bytes)
{
    if (!bytes.size)
        return (struct bytes){0};
    memcpy(*room, bytes.data, bytes.size);
    *room += bytes.size;
    return bytes_of(*room - bytes.size, bytes.size);
}

/* A copy of the session in one block. The learned state asks for no key, so that is not copied. */
static struct pending *pending_copy(struct learner *learner, const struct closed_session *session, struct place place)
{
    const struct session_view *view = &session->view;
    size_t n = view->length;
    size_t size = sizeof(struct pending) + n * (sizeof *view->times_ms + sizeof *view->items + sizeof *view->types) +
                  view->session_id.size + view->user_id.size;
    struct pending *pending = block_take(learner, size);
    if (!pending)
        return NULL;
    pending->place = place;
    pending->session = *session;
    learner_unsay(pending);
    pending->asked = learner_asked(learner, &place, view->length);
    int64_t *times_ms = (int64_t *)(pending + 1);
    uint32_t *items = (uint32_t *)(times_ms + n);
    uint8_t *types = (uint8_t *)(items + n);
    memcpy(times_ms, view->times_ms, n * sizeof *times_ms);
    memcpy(items, view->items, n * sizeof *items);
    memcpy(types, view->types, n);
    uint8_t *room = types + n;
    struct session_view *copy = &pending->session.view;
    copy->times_ms = times_ms;
    copy->items = items;
    copy->types = types;
    copy->session_id = copy_bytes(&room, view->session_id);
    copy->user_id = copy_bytes(&room, view->user_id);
    copy->key = (struct bytes){0};
    return pending;
}

static struct status learn_earliest(struct learner *learner)
{
    struct pending *pending = learner->heap[0];
    TRY(learner_mix(learner, pending));
    TRY(learned_learn(learner->learned, &pending->session));
    heap_pop(learner);
    if (learner_compare(&pending->place, &learner->learned_last) < 0)
        learner->counts.late++;
    else
        learner->learned_last = pending->place;
    learner->counts.learned++;
    pending->next_free = learner->free_blocks[pending->size_class];
    learner->free_blocks[pending->size_class] = pending;
    return OK;
}

struct status learner_offer(struct learner *learner, const struct closed_session *session, struct session_origin origin,
                            bool *ret_fresh)
{
    struct place place = {session->close_ms, origin};
    TRY(learner_reserve_marks(learner, origin.partition));
    struct place *mark = &learner->marks[origin.partition];
    bool fresh = mark->close_ms == INT64_MIN || compare_in_partition(&place, mark) > 0;
    if (fresh) {
        for (; learner->count > 0 && learner->count >= learner->options.pending_max; learner->counts.early++) {
            learner_unsay(learner->heap[0]); /* it is not asked; what was said before a failure is gone */
            TRY(learn_earliest(learner));
        }
        TRY(heap_reserve(learner));
        struct pending *pending = pending_copy(learner, session, place);
        if (!pending)
            return FAIL(MEMORY, session->view.length, "no memory for a pending session");
        heap_push(learner, pending);
        *mark = place;
    } else {
        learner->counts.repeated++;
    }
    if (ret_fresh)
        *ret_fresh = fresh;
    return OK;
}

/* In slices, so that what the session model says of them needs no more room than that. */
static struct status learn_all_due(struct learner *learner, int64_t due_ms)
{
    uint32_t count;
    do {
        TRY(learner_ask_model(learner, due_ms, &count));
        for (uint32_t i = 0; i < count; i++)
            TRY(learn_earliest(learner));
    } while (count > 0);
    return OK;
}

struct status learner_advance(struct learner *learner, int64_t time_ms)
{
    int64_t due_ms;
    if (__builtin_sub_overflow(time_ms, learner->options.delay_ms, &due_ms))
        return OK; /* no time known yet */
    return learn_all_due(learner, due_ms);
}

struct status learner_drain(struct learner *learner)
{
    return learn_all_due(learner, INT64_MAX);
}

struct learner_counts learner_counts(const struct learner *learner)
{
    struct learner_counts counts = learner->counts;
    counts.pending = learner->count;
    return counts;
}

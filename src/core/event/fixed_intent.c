// SPDX-License-Identifier: Apache-2.0
/* What language models are asked and what comes of their answers, field by field in the schemas' order. Arrays are
 * short: each is read into room for the most it may have, and what it has is kept. */
#include "core/event/fixed.h"

#include <math.h>

/* Least bytes of an array's entry. */
#define REQUESTED_SIZE_MIN 2 /* item_id, title */
#define WEIGHTED_SIZE_MIN  5 /* item_id, weight */
#define VIEW_SIZE_MIN      5 /* name, text, near, named, vector */

struct input {
    struct reader reader;
    struct arena *batch;
    bool no_memory;
};

static struct status input_status(const struct input *input, struct complaint *complaint)
{
    return input->no_memory ? FAIL(MEMORY, 0, "no memory for an intent's arrays")
                            : reader_status(&input->reader, complaint);
}

/* Copies an array to where the record keeps it. */
static bool keep(struct input *input, const void *array, size_t size, const void **ret_kept)
{
    void *kept = arena_alloc(input->batch, size);
    input->no_memory = !kept;
    if (kept && size)
        memcpy(kept, array, size);
    *ret_kept = kept;
    return kept;
}

#define KEEP(input, array, count, ret_kept)                                                                            \
    __extension__({                                                                                                    \
        const void *kept_ = NULL;                                                                                      \
        bool good_ = keep(input, array, sizeof *(array) * (size_t)(count), &kept_);                                    \
        *(ret_kept) = kept_;                                                                                           \
        good_;                                                                                                         \
    })

/* The head of the next block of an array that may have `left` more entries. */
static bool read_block_of(struct input *input, const char *field, size_t size_min, uint32_t left, uint64_t *ret_count)
{
    if (!read_block(&input->reader, field, size_min, ret_count))
        return false;
    return *ret_count <= left || reader_fail(&input->reader, field, "there are more entries than can be");
}

static bool read_short_text(struct input *input, const char *field, size_t size_max, struct bytes *ret_text)
{
    if (!read_utf8(&input->reader, field, ret_text))
        return false;
    return ret_text->size <= size_max || reader_fail(&input->reader, field, "the text is longer than can be");
}

static bool read_name(struct input *input, const char *field, struct bytes *ret_name)
{
    return read_short_text(input, field, INTENT_NAME_MAX, ret_name);
}

static bool read_origin(struct reader *reader, struct intent_origin *origin)
{
    uint32_t partition = 0;
    if (!(read_utf8(reader, "session_id", &origin->session_id) && read_utf8(reader, "topic", &origin->topic) &&
          read_count(reader, "partition", &partition) && read_at_least(reader, "offset", 0, &origin->offset) &&
          read_count(reader, "position", &origin->position) &&
          read_long(reader, "click_timestamp", &origin->click_time_ms)))
        return false;
    origin->partition = (int32_t)partition;
    return origin->position > 0 || reader_fail(reader, "position", "it counts the click itself, so 0 cannot be");
}

/* Texts, each at most `size_max` bytes; ids when that is 0. Room: (max). */
static bool read_texts(struct input *input, const char *field, size_t size_max, struct bytes *room, uint32_t max,
                       uint32_t *ret_count)
{
    uint64_t block;
    uint32_t count = 0;
    do {
        if (!read_block_of(input, field, 1, max - count, &block))
            return false;
        for (uint64_t i = 0; i < block; i++, count++)
            if (!(size_max ? read_short_text(input, field, size_max, &room[count])
                           : read_item_id(&input->reader, field, &room[count])))
                return false;
    } while (block);
    *ret_count = count;
    return true;
}

/* ---- requests */

struct requested_fields {
    const char *array, *item_id, *title;
    uint32_t max;
};

static bool read_requested(struct input *input, const struct requested_fields *fields,
                           struct requested_items *ret_items)
{
    _Static_assert(INTENT_SHORTLIST_MAX <= INTENT_ITEMS_MAX, "there is room for both arrays");
    struct bytes item_ids[INTENT_ITEMS_MAX], titles[INTENT_ITEMS_MAX];
    uint64_t block;
    uint32_t count = 0;
    do {
        if (!read_block_of(input, fields->array, REQUESTED_SIZE_MIN, fields->max - count, &block))
            return false;
        for (uint64_t i = 0; i < block; i++, count++)
            if (!(read_item_id(&input->reader, fields->item_id, &item_ids[count]) &&
                  read_short_text(input, fields->title, INTENT_TITLE_MAX, &titles[count])))
                return false;
    } while (block);
    ret_items->count = count;
    return KEEP(input, item_ids, count, &ret_items->item_ids) && KEEP(input, titles, count, &ret_items->titles);
}

static bool read_short_from(struct input *input, struct intent_request *request)
{
    if (!read_count(&input->reader, "short_from", &request->short_from))
        return false;
    return request->short_from <= request->items.count ||
           reader_fail(&input->reader, "short_from", "the number is larger than that of items");
}

static bool read_example(struct input *input, struct prompt_titles *ret_example)
{
    struct bytes titles[INTENT_TITLES_MAX];
    return read_texts(input, "examples", INTENT_TITLE_MAX, titles, INTENT_TITLES_MAX, &ret_example->count) &&
           KEEP(input, titles, ret_example->count, &ret_example->titles);
}

static bool read_examples(struct input *input, struct intent_request *request)
{
    struct prompt_titles examples[INTENT_EXAMPLES_MAX];
    uint64_t block;
    uint32_t count = 0;
    do {
        if (!read_block_of(input, "examples", 1, INTENT_EXAMPLES_MAX - count, &block))
            return false;
        for (uint64_t i = 0; i < block; i++, count++)
            if (!read_example(input, &examples[count]))
                return false;
    } while (block);
    request->example_count = count;
    return KEEP(input, examples, count, &request->examples);
}

static bool read_real(struct reader *reader, const char *field, float *ret_number)
{
    if (!read_float(reader, field, ret_number))
        return false;
    return isfinite(*ret_number) || reader_fail(reader, field, "the number is not finite");
}

struct status fixed_intent_request(struct reader reader, struct arena *batch, struct intent_request *ret_request,
                                   struct complaint *complaint)
{
    static const struct requested_fields items = {"items", "items.item_id", "items.title", INTENT_ITEMS_MAX};
    static const struct requested_fields shortlist = {"shortlist", "shortlist.item_id", "shortlist.title",
                                                      INTENT_SHORTLIST_MAX};
    struct input input = {.reader = reader, .batch = batch};
    struct intent_request request = {0};
    if (!(read_origin(&input.reader, &request.origin) && read_real(&input.reader, "value", &request.value) &&
          read_requested(&input, &items, &request.items) && read_short_from(&input, &request) &&
          read_requested(&input, &shortlist, &request.shortlist) && read_examples(&input, &request) &&
          reader_finish(&input.reader)))
        return input_status(&input, complaint);
    *ret_request = request;
    return OK;
}

/* ---- intents */

struct weighted_fields {
    const char *array, *item_id, *weight;
    uint32_t max;
};

static bool read_weight(struct reader *reader, const char *field, float *ret_weight)
{
    if (!read_real(reader, field, ret_weight))
        return false;
    return (*ret_weight >= 0 && *ret_weight <= 1) || reader_fail(reader, field, "the number is not within 0 and 1");
}

static bool read_weighted(struct input *input, const struct weighted_fields *fields, struct weighted_items *ret_items)
{
    _Static_assert(INTENT_NAMED_MAX <= INTENT_NEAR_MAX, "there is room for both arrays");
    struct bytes item_ids[INTENT_NEAR_MAX];
    float weights[INTENT_NEAR_MAX];
    uint64_t block;
    uint32_t count = 0;
    do {
        if (!read_block_of(input, fields->array, WEIGHTED_SIZE_MIN, fields->max - count, &block))
            return false;
        for (uint64_t i = 0; i < block; i++, count++)
            if (!(read_item_id(&input->reader, fields->item_id, &item_ids[count]) &&
                  read_weight(&input->reader, fields->weight, &weights[count])))
                return false;
    } while (block);
    ret_items->count = count;
    return KEEP(input, item_ids, count, &ret_items->item_ids) && KEEP(input, weights, count, &ret_items->weights);
}

static bool read_vector(struct input *input, struct intent_view *view)
{
    struct bytes numbers;
    if (!read_text(&input->reader, "views.vector", &numbers))
        return false;
    if (numbers.size % sizeof(float))
        return reader_fail(&input->reader, "views.vector", "its size is no multiple of 4 bytes");
    if (numbers.size / sizeof(float) > INTENT_VECTOR_MAX)
        return reader_fail(&input->reader, "views.vector", "there are more than 4096 numbers");
    view->vector_size = (uint32_t)(numbers.size / sizeof(float));
    float *vector = ARENA_ARRAY(input->batch, float, view->vector_size);
    input->no_memory = !vector;
    struct reader each = reader_of(numbers);
    for (uint32_t i = 0; vector && i < view->vector_size; i++)
        if (!read_real(&each, "views.vector", &vector[i]))
            return reader_fail(&input->reader, each.field, each.problem);
    view->vector = vector;
    return vector;
}

static bool read_view(struct input *input, struct intent_view *view)
{
    static const struct weighted_fields near = {"views.near", "near.item_id", "near.weight", INTENT_NEAR_MAX};
    static const struct weighted_fields named = {"views.named", "named.item_id", "named.weight", INTENT_NAMED_MAX};
    return read_name(input, "views.name", &view->name) &&
           read_short_text(input, "views.text", INTENT_TEXT_MAX, &view->text) &&
           read_weighted(input, &near, &view->near) && read_weighted(input, &named, &view->named) &&
           read_vector(input, view);
}

static bool is_named(const struct intent_view *views, uint32_t count, struct bytes name)
{
    for (uint32_t i = 0; i < count; i++)
        if (bytes_equal(views[i].name, name))
            return true;
    return false;
}

static bool read_views(struct input *input, struct intent *intent)
{
    struct intent_view views[INTENT_VIEWS_MAX];
    uint64_t block;
    uint32_t count = 0;
    do {
        if (!read_block_of(input, "views", VIEW_SIZE_MIN, INTENT_VIEWS_MAX - count, &block))
            return false;
        for (uint64_t i = 0; i < block; i++, count++) {
            if (!read_view(input, &views[count]))
                return false;
            if (is_named(views, count, views[count].name))
                return reader_fail(&input->reader, "views.name", "two views have one name");
        }
    } while (block);
    intent->view_count = count;
    return KEEP(input, views, count, &intent->views);
}

static bool read_order(struct input *input, struct intent *intent)
{
    struct bytes order[INTENT_SHORTLIST_MAX];
    return read_texts(input, "order", 0, order, INTENT_SHORTLIST_MAX, &intent->order_count) &&
           KEEP(input, order, intent->order_count, &intent->order);
}

static bool read_making(struct input *input, struct intent *intent)
{
    struct reader *reader = &input->reader;
    return read_name(input, "model", &intent->model) && read_name(input, "prompt", &intent->prompt) &&
           read_name(input, "embedder", &intent->embedder) && read_boolean(reader, "cached", &intent->cached) &&
           read_count(reader, "prompt_tokens", &intent->prompt_tokens) &&
           read_count(reader, "completion_tokens", &intent->completion_tokens) &&
           read_at_least(reader, "created", 0, &intent->created_ms) && read_count(reader, "took_ms", &intent->took_ms);
}

struct status fixed_intent(struct reader reader, struct arena *batch, struct intent *ret_intent,
                           struct complaint *complaint)
{
    struct input input = {.reader = reader, .batch = batch};
    struct intent intent = {0};
    if (!(read_origin(&input.reader, &intent.origin) && read_views(&input, &intent) && read_order(&input, &intent) &&
          read_making(&input, &intent) && reader_finish(&input.reader)))
        return input_status(&input, complaint);
    *ret_intent = intent;
    return OK;
}

// SPDX-License-Identifier: Apache-2.0
/* Avro binary in the embedded schemas: room is reserved for the most a record can take, then written unchecked. */
#include "core/event/encode.h"

#include "core/event/json.h"
#include "core/event/wire.h"

#include <eddy/core/codec.h>
#include <eddy/core/intent_record.h>
#include <eddy/core/model_record.h>

/* Most bytes of the array of scorer names. */
enum {
#define X(name, text) +sizeof(text) + VARINT_MAX
    SCORERS_SIZE = 2 * VARINT_MAX SCORERS(X)
#undef X
};

struct bytes learned_version_text(uint64_t version, char *text)
{
    for (int i = LEARNED_VERSION_SIZE; i-- > 0; version >>= 4)
        text[i] = "0123456789abcdef"[version & 15];
    return bytes_of(text, LEARNED_VERSION_SIZE);
}

static void put_frame(struct encoding encoding, struct buffer *out)
{
    if (encoding.format != RECORD_CONFLUENT)
        return;
    uint32_t id = (uint32_t)encoding.schema_id;
    uint8_t frame[CONFLUENT_FRAME_SIZE] = {0, (uint8_t)(id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8),
                                           (uint8_t)id};
    buffer_append(out, frame, sizeof frame);
}

static void written(struct buffer *out, const uint8_t *end)
{
    out->size = (size_t)(end - out->data);
    assert(out->size <= out->capacity);
}

void encode_click(struct encoding encoding, const struct click *click, struct buffer *out)
{
    if (encoding.format == RECORD_JSON) {
        json_encode_click(click, out);
        return;
    }
    put_frame(encoding, out);
    size_t texts = click->session_id.size + click->user_id.size + click->item_id.size + click->event_id.size;
    uint8_t *at = buffer_reserve(out, texts + 8 * VARINT_MAX);
    if (!at)
        return;
    at = put_text(at, click->session_id);
    at = put_optional_text(at, click->user_id);
    at = put_text(at, click->item_id);
    at = put_long(at, click->time_ms);
    at = put_long(at, click->type);
    at = put_optional_text(at, click->event_id);
    written(out, at);
}

static size_t categories_size(const struct item *item)
{
    size_t size = 0;
    for (uint32_t i = 0; i < item->category_count; i++)
        size += VARINT_MAX + item->categories[i].size;
    return size;
}

void encode_item(struct encoding encoding, const struct item *item, struct buffer *out)
{
    assert(item->category_count <= ITEM_CATEGORIES_MAX);
    if (encoding.format == RECORD_JSON) {
        json_encode_item(item, out);
        return;
    }
    put_frame(encoding, out);
    size_t texts = item->item_id.size + item->title.size + item->description.size + categories_size(item);
    uint8_t *at = buffer_reserve(out, texts + 8 * VARINT_MAX);
    if (!at)
        return;
    at = put_text(at, item->item_id);
    at = put_text(at, item->title);
    if (item->category_count) {
        at = put_long(at, item->category_count);
        for (uint32_t i = 0; i < item->category_count; i++)
            at = put_text(at, item->categories[i]);
    }
    *at++ = 0;
    at = put_optional_text(at, item->description);
    *at++ = item->has_price ? 2 : 0;
    if (item->has_price)
        at = put_double(at, item->price);
    *at++ = item->available;
    written(out, at);
}

static void put_session_clicks(const struct session_view *view, const struct catalogue *catalogue, struct buffer *out)
{
    for (uint32_t i = 0; i < view->length; i++) {
        struct bytes id = catalogue_id(catalogue, view->items[i]);
        uint8_t *at = buffer_reserve(out, id.size + 4 * VARINT_MAX);
        if (!at)
            return;
        at = i ? at : put_long(at, view->length);
        at = put_text(at, id);
        at = put_long(at, view->times_ms[i]);
        at = put_long(at, view->types[i]);
        written(out, at);
    }
    buffer_append_byte(out, 0);
}

void encode_closed_session(struct encoding encoding, const struct closed_session *session, struct session_origin origin,
                           const struct catalogue *catalogue, struct buffer *out)
{
    if (encoding.format == RECORD_JSON) {
        json_encode_closed_session(session, origin, catalogue, out);
        return;
    }
    const struct session_view *view = &session->view;
    put_frame(encoding, out);
    uint8_t *at = buffer_reserve(out, view->session_id.size + view->user_id.size + 9 * VARINT_MAX);
    if (!at)
        return;
    at = put_text(at, view->session_id);
    at = put_optional_text(at, view->user_id);
    at = put_long(at, origin.partition);
    at = put_long(at, session->close_ms);
    at = put_long(at, origin.offset);
    at = put_long(at, origin.sequence);
    *at++ = session->evicted;
    at = put_long(at, view->total);
    written(out, at);
    put_session_clicks(view, catalogue, out);
}

struct columns { /* of the shares */
    enum scorer_id scorers[SCORER_COUNT];
    uint32_t count;
};

static uint8_t *put_count(uint8_t *at, uint32_t count)
{
    return count ? put_long(at, count) : at;
}

static void put_recommended(const struct recommended_item *item, const struct columns *columns,
                            const struct catalogue *catalogue, struct buffer *out)
{
    char reason_memory[REASON_MAX];
    struct bytes reason = reason_text(&item->reason, catalogue, reason_memory, sizeof reason_memory);
    struct bytes id = catalogue_id(catalogue, item->item);
    uint8_t *at = buffer_reserve(out, id.size + reason.size + sizeof item->shares + 5 * VARINT_MAX);
    if (!at)
        return;
    at = put_text(at, id);
    at = put_float(at, item->score);
    at = put_count(at, columns->count);
    for (uint32_t i = 0; i < columns->count; i++)
        at = put_float(at, item->shares[columns->scorers[i]]);
    *at++ = 0;
    at = put_text(at, reason);
    written(out, at);
}

static uint8_t *put_scorers(uint8_t *at, const struct columns *columns)
{
    at = put_count(at, columns->count);
    for (uint32_t i = 0; i < columns->count; i++)
        at = put_text(at, bytes_of_text(scorer_name(columns->scorers[i])));
    *at++ = 0;
    return at;
}

void encode_recommendation(struct encoding encoding, const struct recommendation *recommendation, struct bytes topic,
                           const struct catalogue *catalogue, struct buffer *out)
{
    if (encoding.format == RECORD_JSON) {
        json_encode_recommendation(recommendation, topic, catalogue, out);
        return;
    }
    put_frame(encoding, out);
    struct bytes click_item_id = catalogue_id(catalogue, recommendation->click_item);
    char version[LEARNED_VERSION_SIZE];
    size_t texts = recommendation->session_id.size + recommendation->user_id.size + topic.size + click_item_id.size +
                   recommendation->model_version.size + sizeof version + SCORERS_SIZE;
    uint8_t *at = buffer_reserve(out, texts + 16 * VARINT_MAX);
    if (!at)
        return;
    at = put_text(at, recommendation->session_id);
    at = put_optional_text(at, recommendation->user_id);
    at = put_text(at, topic);
    at = put_long(at, recommendation->partition);
    at = put_long(at, recommendation->offset);
    at = put_long(at, recommendation->revision);
    at = put_text(at, recommendation->model_version);
    at = put_text(at, learned_version_text(recommendation->learned_version, version));
    at = put_long(at, recommendation->click_time_ms);
    at = put_text(at, click_item_id);
    at = put_long(at, recommendation->position);
    struct columns columns;
    columns.count = recommendation_scorers(recommendation, columns.scorers);
    at = put_scorers(at, &columns);
    if (recommendation->count)
        at = put_long(at, recommendation->count);
    written(out, at);
    for (uint32_t i = 0; i < recommendation->count; i++)
        put_recommended(&recommendation->items[i], &columns, catalogue, out);
    buffer_append_byte(out, 0);
}

/* ---- models, of which there is no JSON */

void encode_model_chunk(struct encoding encoding, const struct model_chunk *chunk, struct buffer *out)
{
    assert(encoding.format != RECORD_JSON);
    put_frame(encoding, out);
    uint8_t *at = buffer_reserve(out, chunk->name.size + chunk->payload.size + 5 * VARINT_MAX);
    if (!at)
        return;
    at = put_text(at, chunk->name);
    at = put_long(at, chunk->version);
    at = put_long(at, chunk->slot);
    at = put_long(at, chunk->chunk);
    at = put_text(at, chunk->payload);
    written(out, at);
}

static uint8_t *put_sessions(uint8_t *at, const struct model_manifest *manifest)
{
    if (manifest->session_count)
        at = put_long(at, manifest->session_count);
    for (uint32_t i = 0; i < manifest->session_count; i++) {
        at = put_long(at, manifest->sessions[i].partition);
        at = put_long(at, manifest->sessions[i].offset);
    }
    *at++ = 0;
    return at;
}

static uint8_t *put_figures(uint8_t *at, const struct model_gate *gate, const struct model_training *training)
{
    at = put_long(at, gate->predictions);
    at = put_long(at, gate->cutoff);
    at = put_double(at, gate->mrr);
    at = put_double(at, gate->mrr_before);
    at = put_double(at, gate->hit_rate);
    at = put_double(at, gate->hit_rate_before);
    at = put_long(at, training->sessions);
    at = put_long(at, training->clicks);
    at = put_long(at, training->ms);
    return put_double(at, training->loss);
}

void encode_model_manifest(struct encoding encoding, const struct model_manifest *manifest, struct buffer *out)
{
    assert(encoding.format != RECORD_JSON);
    put_frame(encoding, out);
    size_t texts = manifest->name.size + manifest->sha256.size + manifest->backbone.size + manifest->note.size;
    size_t numbers = 32 + 2 * (size_t)manifest->session_count;
    uint8_t *at = buffer_reserve(out, texts + numbers * VARINT_MAX);
    if (!at)
        return;
    at = put_text(at, manifest->name);
    at = put_long(at, manifest->version);
    at = put_long(at, manifest->created_ms);
    at = put_long(at, manifest->slot);
    at = put_long(at, manifest->chunk_count);
    at = put_long(at, manifest->size);
    at = put_long(at, manifest->precision + 1); /* the schema's first symbol is unknown */
    at = put_text(at, manifest->sha256);
    at = put_text(at, manifest->backbone);
    at = put_long(at, manifest->width);
    at = put_long(at, manifest->length_max);
    at = put_long(at, manifest->item_count);
    at = put_long(at, manifest->parameters);
    at = put_sessions(at, manifest);
    at = put_figures(at, &manifest->gate, &manifest->training);
    at = put_text(at, manifest->note);
    written(out, at);
}

/* ---- what language models are asked and answer */

static size_t texts_size(const struct bytes *texts, uint32_t count)
{
    size_t size = 2 * VARINT_MAX;
    for (uint32_t i = 0; i < count; i++)
        size += VARINT_MAX + texts[i].size;
    return size;
}

static uint8_t *put_texts(uint8_t *at, const struct bytes *texts, uint32_t count)
{
    if (count)
        at = put_long(at, count);
    for (uint32_t i = 0; i < count; i++)
        at = put_text(at, texts[i]);
    *at++ = 0;
    return at;
}

static size_t origin_size(const struct intent_origin *origin)
{
    return origin->session_id.size + origin->topic.size + 6 * VARINT_MAX;
}

static uint8_t *put_origin(uint8_t *at, const struct intent_origin *origin)
{
    at = put_text(at, origin->session_id);
    at = put_text(at, origin->topic);
    at = put_long(at, origin->partition);
    at = put_long(at, origin->offset);
    at = put_long(at, origin->position);
    return put_long(at, origin->click_time_ms);
}

static size_t requested_size(const struct requested_items *items)
{
    return texts_size(items->item_ids, items->count) + texts_size(items->titles, items->count);
}

static uint8_t *put_requested(uint8_t *at, const struct requested_items *items)
{
    if (items->count)
        at = put_long(at, items->count);
    for (uint32_t i = 0; i < items->count; i++) {
        at = put_text(at, items->item_ids[i]);
        at = put_text(at, items->titles[i]);
    }
    *at++ = 0;
    return at;
}

static size_t examples_size(const struct intent_request *request)
{
    size_t size = 2 * VARINT_MAX;
    for (uint32_t i = 0; i < request->example_count; i++)
        size += texts_size(request->examples[i].titles, request->examples[i].count);
    return size;
}

static uint8_t *put_examples(uint8_t *at, const struct intent_request *request)
{
    if (request->example_count)
        at = put_long(at, request->example_count);
    for (uint32_t i = 0; i < request->example_count; i++)
        at = put_texts(at, request->examples[i].titles, request->examples[i].count);
    *at++ = 0;
    return at;
}

void encode_intent_request(struct encoding encoding, const struct intent_request *request, struct buffer *out)
{
    assert(request->items.count <= INTENT_ITEMS_MAX && request->shortlist.count <= INTENT_SHORTLIST_MAX);
    assert(request->example_count <= INTENT_EXAMPLES_MAX && request->short_from <= request->items.count);
    if (encoding.format == RECORD_JSON) {
        json_encode_intent_request(request, out);
        return;
    }
    put_frame(encoding, out);
    size_t size = origin_size(&request->origin) + requested_size(&request->items) +
                  requested_size(&request->shortlist) + examples_size(request) + 2 * VARINT_MAX;
    uint8_t *at = buffer_reserve(out, size);
    if (!at)
        return;
    at = put_origin(at, &request->origin);
    at = put_float(at, request->value);
    at = put_requested(at, &request->items);
    at = put_long(at, request->short_from);
    at = put_requested(at, &request->shortlist);
    at = put_examples(at, request);
    written(out, at);
}

static uint8_t *put_weighted(uint8_t *at, const struct weighted_items *items)
{
    if (items->count)
        at = put_long(at, items->count);
    for (uint32_t i = 0; i < items->count; i++) {
        at = put_text(at, items->item_ids[i]);
        at = put_float(at, items->weights[i]);
    }
    *at++ = 0;
    return at;
}

static void put_view(const struct intent_view *view, struct buffer *out)
{
    assert(view->near.count <= INTENT_NEAR_MAX && view->named.count <= INTENT_NAMED_MAX);
    assert(view->vector_size <= INTENT_VECTOR_MAX);
    size_t items =
        texts_size(view->near.item_ids, view->near.count) + texts_size(view->named.item_ids, view->named.count);
    size_t reals = sizeof(float) * ((size_t)view->near.count + view->named.count + view->vector_size);
    uint8_t *at = buffer_reserve(out, view->name.size + view->text.size + items + reals + 3 * VARINT_MAX);
    if (!at)
        return;
    at = put_text(at, view->name);
    at = put_text(at, view->text);
    at = put_weighted(at, &view->near);
    at = put_weighted(at, &view->named);
    at = put_long(at, (int64_t)(sizeof(float) * view->vector_size));
    for (uint32_t i = 0; i < view->vector_size; i++)
        at = put_float(at, view->vector[i]);
    written(out, at);
}

static void put_answer(const struct intent *intent, struct buffer *out)
{
    size_t texts = intent->model.size + intent->prompt.size + intent->embedder.size;
    uint8_t *at = buffer_reserve(out, texts_size(intent->order, intent->order_count) + texts + 9 * VARINT_MAX);
    if (!at)
        return;
    *at++ = 0; /* behind the views */
    at = put_texts(at, intent->order, intent->order_count);
    at = put_text(at, intent->model);
    at = put_text(at, intent->prompt);
    at = put_text(at, intent->embedder);
    *at++ = intent->cached;
    at = put_long(at, intent->prompt_tokens);
    at = put_long(at, intent->completion_tokens);
    at = put_long(at, intent->created_ms);
    at = put_long(at, intent->took_ms);
    written(out, at);
}

void encode_intent(struct encoding encoding, const struct intent *intent, struct buffer *out)
{
    assert(intent->view_count <= INTENT_VIEWS_MAX && intent->order_count <= INTENT_SHORTLIST_MAX);
    if (encoding.format == RECORD_JSON) {
        json_encode_intent(intent, out);
        return;
    }
    put_frame(encoding, out);
    uint8_t *at = buffer_reserve(out, origin_size(&intent->origin) + VARINT_MAX);
    if (!at)
        return;
    at = put_origin(at, &intent->origin);
    if (intent->view_count)
        at = put_long(at, intent->view_count);
    written(out, at);
    for (uint32_t i = 0; i < intent->view_count; i++)
        put_view(&intent->views[i], out);
    put_answer(intent, out);
}

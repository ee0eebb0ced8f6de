// SPDX-License-Identifier: Apache-2.0
#include "core/event/encode.h"
#include "core/event/json.h"

#include <eddy/base/base64.h>
#include <jansson.h>

#define FLOAT_DIGITS 9 /* enough for a float to come back as it was */

static int append_part(const char *part, size_t size, void *out)
{
    buffer_append(out, part, size);
    return 0;
}

static void refuse(struct buffer *out)
{
    if (json_memory_lacked())
        buffer_starve(out);
    else
        out->overflow = true;
}

/* Takes the reference to `record`; NULL where it could not be built. */
static void append_record(json_t *record, size_t digits, struct buffer *out)
{
    if (!record || json_dump_callback(record, append_part, out, JSON_COMPACT | JSON_REAL_PRECISION(digits)))
        refuse(out);
    json_decref(record);
}

static json_t *text(struct bytes bytes)
{
    return json_stringn(bytes.size ? (const char *)bytes.data : "", bytes.size);
}

static json_t *optional_text(struct bytes bytes)
{
    return bytes.size ? text(bytes) : json_null();
}

void json_encode_click(const struct click *click, struct buffer *out)
{
    json_memory_begin();
    json_t *record = json_pack("{s:o, s:o, s:o, s:I, s:s, s:o}", "session_id", text(click->session_id), "user_id",
                               optional_text(click->user_id), "item_id", text(click->item_id), "timestamp",
                               (json_int_t)click->time_ms, "type", click_type_text(click->type), "event_id",
                               optional_text(click->event_id));
    append_record(record, FLOAT_DIGITS, out);
}

/* The fewest digits with which `value` comes back as it was: 19.99 and not 19.989999999999998. */
static size_t digits_of(double value)
{
    char digits[32];
    snprintf(digits, sizeof digits, "%.15g", value);
    double back;
    return bytes_to_double(bytes_of_text(digits), &back) && back == value ? 15 : 17;
}

void json_encode_item(const struct item *item, struct buffer *out)
{
    json_memory_begin();
    json_t *categories = json_array();
    for (uint32_t i = 0; i < item->category_count; i++)
        if (json_array_append_new(categories, text(item->categories[i])))
            refuse(out);
    json_t *record =
        json_pack("{s:o, s:o, s:o, s:o, s:o, s:b}", "item_id", text(item->item_id), "title", text(item->title),
                  "categories", categories, "description", optional_text(item->description), "price",
                  item->has_price ? json_real(item->price) : json_null(), "available", item->available);
    append_record(record, digits_of(item->price), out);
}

void json_encode_closed_session(const struct closed_session *session, struct session_origin origin,
                                const struct catalogue *catalogue, struct buffer *out)
{
    const struct session_view *view = &session->view;
    json_memory_begin();
    json_t *clicks = json_array();
    for (uint32_t i = 0; i < view->length; i++) {
        json_t *click =
            json_pack("{s:o, s:I, s:s}", "item_id", text(catalogue_id(catalogue, view->items[i])), "timestamp",
                      (json_int_t)view->times_ms[i], "type", click_type_text((enum click_type)view->types[i]));
        if (json_array_append_new(clicks, click))
            refuse(out);
    }
    json_t *record = json_pack("{s:o, s:o, s:i, s:I, s:I, s:I, s:b, s:I, s:o}", "session_id", text(view->session_id),
                               "user_id", optional_text(view->user_id), "partition", (int)origin.partition,
                               "close_timestamp", (json_int_t)session->close_ms, "close_offset",
                               (json_int_t)origin.offset, "close_sequence", (json_int_t)origin.sequence, "evicted",
                               session->evicted, "total_clicks", (json_int_t)view->total, "clicks", clicks);
    append_record(record, FLOAT_DIGITS, out);
}

static json_t *recommended(const struct recommended_item *item, const enum scorer_id *scorers, uint32_t count,
                           const struct catalogue *catalogue)
{
    char reason[REASON_MAX];
    json_t *shares = json_array();
    for (uint32_t i = 0; i < count; i++) {
        if (json_array_append_new(shares, json_real((double)item->shares[scorers[i]]))) {
            json_decref(shares);
            return NULL;
        }
    }
    return json_pack("{s:o, s:f, s:o, s:o}", "item_id", text(catalogue_id(catalogue, item->item)), "score",
                     (double)item->score, "shares", shares, "reason",
                     text(reason_text(&item->reason, catalogue, reason, sizeof reason)));
}

void json_encode_recommendation(const struct recommendation *recommendation, struct bytes topic,
                                const struct catalogue *catalogue, struct buffer *out)
{
    json_memory_begin();
    json_t *scorers = json_array(), *items = json_array();
    enum scorer_id columns[SCORER_COUNT];
    uint32_t count = recommendation_scorers(recommendation, columns);
    for (uint32_t i = 0; i < count; i++)
        if (json_array_append_new(scorers, json_string(scorer_name(columns[i]))))
            refuse(out);
    for (uint32_t i = 0; i < recommendation->count; i++)
        if (json_array_append_new(items, recommended(&recommendation->items[i], columns, count, catalogue)))
            refuse(out);
    char version[LEARNED_VERSION_SIZE];
    json_t *record = json_pack("{s:o, s:o, s:o, s:i, s:I, s:I, s:o, s:o, s:I, s:o, s:I, s:o, s:o}", "session_id",
                               text(recommendation->session_id), "user_id", optional_text(recommendation->user_id),
                               "topic", text(topic), "partition", (int)recommendation->partition, "offset",
                               (json_int_t)recommendation->offset, "revision", (json_int_t)recommendation->revision,
                               "model_version", text(recommendation->model_version), "learned_version",
                               text(learned_version_text(recommendation->learned_version, version)), "click_timestamp",
                               (json_int_t)recommendation->click_time_ms, "click_item_id",
                               text(catalogue_id(catalogue, recommendation->click_item)), "position",
                               (json_int_t)recommendation->position, "scorers", scorers, "items", items);
    append_record(record, FLOAT_DIGITS, out);
}

/* ---- what language models are asked and answer; NULL where there is no memory */

/* Takes both; the list with the part behind it. */
static json_t *with(json_t *list, json_t *part)
{
    if (!json_array_append_new(list, part))
        return list;
    json_decref(list);
    return NULL;
}

static json_t *texts(const struct bytes *parts, uint32_t count)
{
    json_t *list = json_array();
    for (uint32_t i = 0; list && i < count; i++)
        list = with(list, text(parts[i]));
    return list;
}

static json_t *requested(const struct requested_items *items)
{
    json_t *list = json_array();
    for (uint32_t i = 0; list && i < items->count; i++)
        list =
            with(list, json_pack("{s:o, s:o}", "item_id", text(items->item_ids[i]), "title", text(items->titles[i])));
    return list;
}

static json_t *examples(const struct intent_request *request)
{
    json_t *list = json_array();
    for (uint32_t i = 0; list && i < request->example_count; i++)
        list = with(list, texts(request->examples[i].titles, request->examples[i].count));
    return list;
}

/* A new object that begins with what both records begin with. */
static json_t *begin(const struct intent_origin *origin)
{
    return json_pack("{s:o, s:o, s:i, s:I, s:I, s:I}", "session_id", text(origin->session_id), "topic",
                     text(origin->topic), "partition", (int)origin->partition, "offset", (json_int_t)origin->offset,
                     "position", (json_int_t)origin->position, "click_timestamp", (json_int_t)origin->click_time_ms);
}

/* Appends `begun` with the members of `rest` behind its own; takes both. */
static void append_both(json_t *begun, json_t *rest, struct buffer *out)
{
    if (!begun || !rest || json_object_update(begun, rest)) {
        json_decref(begun);
        begun = NULL;
    }
    json_decref(rest);
    append_record(begun, FLOAT_DIGITS, out);
}

void json_encode_intent_request(const struct intent_request *request, struct buffer *out)
{
    json_memory_begin();
    json_t *rest = json_pack("{s:f, s:o, s:I, s:o, s:o}", "value", (double)request->value, "items",
                             requested(&request->items), "short_from", (json_int_t)request->short_from, "shortlist",
                             requested(&request->shortlist), "examples", examples(request));
    append_both(begin(&request->origin), rest, out);
}

static json_t *weighted(const struct weighted_items *items)
{
    json_t *list = json_array();
    for (uint32_t i = 0; list && i < items->count; i++)
        list = with(list,
                    json_pack("{s:o, s:f}", "item_id", text(items->item_ids[i]), "weight", (double)items->weights[i]));
    return list;
}

static json_t *vector_text(const struct intent_view *view, struct buffer *out)
{
    AUTO(buffer) numbers = {0};
    AUTO(buffer) digits = {0};
    for (uint32_t i = 0; i < view->vector_size; i++) {
        uint8_t number[sizeof(float)];
        put_float(number, view->vector[i]);
        buffer_append(&numbers, number, sizeof number);
    }
    base64_write(buffer_bytes(&numbers), &digits);
    if (!failed(buffer_check(&numbers)) && !failed(buffer_check(&digits)))
        return text(buffer_bytes(&digits));
    buffer_starve(out);
    return NULL;
}

static json_t *views(const struct intent *intent, struct buffer *out)
{
    json_t *list = json_array();
    for (uint32_t i = 0; list && i < intent->view_count; i++) {
        const struct intent_view *view = &intent->views[i];
        list = with(list, json_pack("{s:o, s:o, s:o, s:o, s:o}", "name", text(view->name), "text", text(view->text),
                                    "near", weighted(&view->near), "named", weighted(&view->named), "vector",
                                    vector_text(view, out)));
    }
    return list;
}

void json_encode_intent(const struct intent *intent, struct buffer *out)
{
    json_memory_begin();
    json_t *rest =
        json_pack("{s:o, s:o, s:o, s:o, s:o, s:b, s:I, s:I, s:I, s:I}", "views", views(intent, out), "order",
                  texts(intent->order, intent->order_count), "model", text(intent->model), "prompt",
                  text(intent->prompt), "embedder", text(intent->embedder), "cached", intent->cached, "prompt_tokens",
                  (json_int_t)intent->prompt_tokens, "completion_tokens", (json_int_t)intent->completion_tokens,
                  "created", (json_int_t)intent->created_ms, "took_ms", (json_int_t)intent->took_ms);
    append_both(begin(&intent->origin), rest, out);
}

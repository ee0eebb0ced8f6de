// SPDX-License-Identifier: Apache-2.0
/* Any bytes as what a language model answered, in Avro and in JSON: bounded memory, texts that are texts, numbers and
 * arrays within their limits; what is accepted is written again as the same, in both. */
#include "codec.h"

#include <eddy/core/intent_record.h>
#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_weighted(const struct weighted_items *items, uint32_t max)
{
    assert(items->count <= max);
    for (uint32_t i = 0; i < items->count; i++) {
        assert(items->item_ids[i].size > 0 && items->item_ids[i].size <= CLICK_ID_MAX);
        assert(items->weights[i] >= 0 && items->weights[i] <= 1);
    }
}

static void check_view(const struct intent_view *view)
{
    assert(view->name.size <= INTENT_NAME_MAX && bytes_is_utf8(view->name));
    assert(view->text.size <= INTENT_TEXT_MAX && bytes_is_utf8(view->text));
    check_weighted(&view->near, INTENT_NEAR_MAX);
    check_weighted(&view->named, INTENT_NAMED_MAX);
    assert(view->vector_size <= INTENT_VECTOR_MAX);
    for (uint32_t i = 0; i < view->vector_size; i++)
        assert(isfinite(view->vector[i]));
}

static void check(const struct intent *intent)
{
    assert(intent->origin.partition >= 0 && intent->origin.offset >= 0 && intent->origin.position > 0);
    assert(intent->view_count <= INTENT_VIEWS_MAX && intent->order_count <= INTENT_SHORTLIST_MAX);
    assert(bytes_is_utf8(intent->model) && bytes_is_utf8(intent->prompt) && bytes_is_utf8(intent->embedder));
    for (uint32_t i = 0; i < intent->view_count; i++)
        check_view(&intent->views[i]);
    for (uint32_t i = 0; i < intent->order_count; i++)
        assert(intent->order[i].size > 0 && bytes_is_utf8(intent->order[i]));
}

/* Through the other formats to the same bytes. JSON has no NUL in texts: there it may be refused. */
static void must_come_back(enum record_format format, const struct intent *intent)
{
    AUTO(buffer) once = {0};
    AUTO(buffer) avro = {0};
    AUTO(buffer) again = {0};
    AUTO(arena) batch = {0};
    struct intent back;
    encode_intent((struct encoding){format, 0}, intent, &once);
    encode_intent((struct encoding){RECORD_AVRO, 0}, intent, &avro);
    if (failed(decode_intent(shared_decoder(RECORD_INTENT, format), buffer_bytes(&once), &batch, &back, NULL))) {
        if (format != RECORD_JSON || !strstr(buffer_text(&once), "\\u0000"))
            abort();
        return;
    }
    encode_intent((struct encoding){RECORD_AVRO, 0}, &back, &again);
    if (!bytes_equal(buffer_bytes(&again), buffer_bytes(&avro)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum record_format format = size && data[0] == '{' ? RECORD_JSON : RECORD_AVRO;
    struct decoder *decoder = shared_decoder(RECORD_INTENT, format);
    struct intent intent;
    struct complaint complaint = {0};
    AUTO(arena) batch = {0};
    if (failed(decode_intent(decoder, bytes_of(data, size), &batch, &intent, &complaint))) {
        assert(*complaint.text);
    } else {
        check(&intent);
        must_come_back(RECORD_AVRO, &intent);
        must_come_back(RECORD_JSON, &intent);
    }
    assert(batch.used <= 32 * size + 256);
    return 0;
}

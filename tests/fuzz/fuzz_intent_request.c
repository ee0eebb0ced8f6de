// SPDX-License-Identifier: Apache-2.0
/* Any bytes as what a language model is asked, in Avro and in JSON: bounded memory, texts that are texts, arrays within
 * their limits; what is accepted is written again as the same, in both. */
#include "codec.h"

#include <eddy/core/intent_record.h>
#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_items(const struct requested_items *items)
{
    assert(items->count <= INTENT_ITEMS_MAX);
    for (uint32_t i = 0; i < items->count; i++) {
        assert(items->item_ids[i].size > 0 && items->item_ids[i].size <= CLICK_ID_MAX);
        assert(items->titles[i].size <= INTENT_TITLE_MAX && bytes_is_utf8(items->titles[i]));
    }
}

static void check(const struct intent_request *request)
{
    assert(request->origin.partition >= 0 && request->origin.offset >= 0 && request->origin.position > 0);
    assert(isfinite(request->value) && request->short_from <= request->items.count);
    assert(request->example_count <= INTENT_EXAMPLES_MAX);
    check_items(&request->items);
    check_items(&request->shortlist);
    for (uint32_t i = 0; i < request->example_count; i++) {
        assert(request->examples[i].count <= INTENT_TITLES_MAX);
        for (uint32_t j = 0; j < request->examples[i].count; j++)
            assert(bytes_is_utf8(request->examples[i].titles[j]));
    }
}

/* Through the other formats to the same bytes. JSON has no NUL in texts: there it may be refused. */
static void must_come_back(enum record_format format, const struct intent_request *request)
{
    AUTO(buffer) once = {0};
    AUTO(buffer) avro = {0};
    AUTO(buffer) again = {0};
    AUTO(arena) batch = {0};
    struct intent_request back;
    encode_intent_request((struct encoding){format, 0}, request, &once);
    encode_intent_request((struct encoding){RECORD_AVRO, 0}, request, &avro);
    if (failed(decode_intent_request(shared_decoder(RECORD_INTENT_REQUEST, format), buffer_bytes(&once), &batch, &back,
                                     NULL))) {
        if (format != RECORD_JSON || !strstr(buffer_text(&once), "\\u0000"))
            abort();
        return;
    }
    encode_intent_request((struct encoding){RECORD_AVRO, 0}, &back, &again);
    if (!bytes_equal(buffer_bytes(&again), buffer_bytes(&avro)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum record_format format = size && data[0] == '{' ? RECORD_JSON : RECORD_AVRO;
    struct decoder *decoder = shared_decoder(RECORD_INTENT_REQUEST, format);
    struct intent_request request;
    struct complaint complaint = {0};
    AUTO(arena) batch = {0};
    if (failed(decode_intent_request(decoder, bytes_of(data, size), &batch, &request, &complaint))) {
        assert(*complaint.text);
    } else {
        check(&request);
        must_come_back(RECORD_AVRO, &request);
        must_come_back(RECORD_JSON, &request);
    }
    assert(batch.used <= 16 * size + 256);
    return 0;
}

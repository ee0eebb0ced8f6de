// SPDX-License-Identifier: Apache-2.0
/* Any bytes as a recommendation, in Avro and in JSON: bounded memory, arrays as long as they say. */
#include "codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum record_format format = size && data[0] == '{' ? RECORD_JSON : RECORD_AVRO;
    struct decoder *decoder = shared_decoder(RECORD_RECOMMENDATION, format);
    struct recommendation_record record;
    struct complaint complaint = {0};
    AUTO(arena) batch = {0};
    if (failed(decode_recommendation(decoder, bytes_of(data, size), &batch, &record, &complaint))) {
        assert(*complaint.text);
    } else {
        float sum = 0;
        for (uint32_t i = 0; i < record.count * record.scorer_count; i++)
            sum += record.shares[i];
        for (uint32_t i = 0; i < record.count; i++)
            assert(record.item_ids[i].size > 0 && bytes_is_utf8(record.reasons[i]));
        for (uint32_t i = 0; i < record.scorer_count; i++)
            assert(bytes_is_utf8(record.scorers[i]));
        assert(sum <= 0 || sum >= 0 || sum != sum); /* any float may come, but each was there to be read */
    }
    assert(batch.used <= 64 * size + 128);
    return 0;
}

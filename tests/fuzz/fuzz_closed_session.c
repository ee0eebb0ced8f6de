// SPDX-License-Identifier: Apache-2.0
/* Any bytes as a closed session, in Avro and in JSON: bounded memory, checked items. */
#include "codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum record_format format = size && data[0] == '{' ? RECORD_JSON : RECORD_AVRO;
    struct decoder *decoder = shared_decoder(RECORD_CLOSED_SESSION, format);
    struct closed_record session;
    struct complaint complaint = {0};
    AUTO(arena) batch = {0};
    if (failed(decode_closed_session(decoder, bytes_of(data, size), &batch, &session, &complaint))) {
        assert(*complaint.text);
    } else {
        assert(session.length > 0 && session.length <= session.total);
        for (uint32_t i = 0; i < session.length; i++)
            assert(session.item_ids[i].size > 0 && bytes_is_utf8(session.item_ids[i]) &&
                   session.types[i] < CLICK_TYPE_COUNT);
    }
    assert(batch.used <= 16 * size + 64);
    return 0;
}

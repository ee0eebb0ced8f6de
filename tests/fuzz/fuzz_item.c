// SPDX-License-Identifier: Apache-2.0
/* Any bytes as a catalogue item, in Avro and in JSON. */
#include "codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_format(enum record_format format, struct bytes record)
{
    struct decoder *decoder = shared_decoder(RECORD_ITEM, format);
    struct item item, again;
    struct complaint complaint = {0};
    AUTO(buffer) first = {0};
    AUTO(buffer) second = {0};
    if (failed(decode_item(decoder, record, &item, &complaint))) {
        assert(*complaint.text);
    } else {
        assert(item.item_id.size > 0 && item.item_id.size <= CLICK_ID_MAX && bytes_is_utf8(item.title));
        encode_item((struct encoding){format, 0}, &item, &first);
        struct status status = decode_item(decoder, buffer_bytes(&first), &again, NULL);
        assert(!failed(status));
        encode_item((struct encoding){format, 0}, &again, &second);
        assert(bytes_equal(buffer_bytes(&first), buffer_bytes(&second)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_format(size && data[0] == '{' ? RECORD_JSON : RECORD_AVRO, bytes_of(data, size));
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
/* A writer's schema and a click in it, both hostile: two bytes of the schema's length (little-endian), the schema, the
 * datum. */
#include "codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    size_t schema_size = (size_t)data[0] | (size_t)data[1] << 8;
    if (schema_size > size - 2)
        schema_size = size - 2;
    struct decoder *decoder;
    struct click click;
    struct complaint complaint = {0};
    if (failed(decoder_open(RECORD_CLICK, RECORD_AVRO, &decoder)))
        abort();
    if (failed(decoder_set_schema(decoder, bytes_of(data + 2, schema_size), &complaint))) {
        assert(*complaint.text);
    } else if (failed(decode_click(decoder, bytes_of(data + 2 + schema_size, size - 2 - schema_size), &click,
                                   &complaint))) {
        assert(*complaint.text);
    } else { /* what was made must stand as a click of our own */
        AUTO(buffer) out = {0};
        struct click again;
        encode_click((struct encoding){RECORD_AVRO, 0}, &click, &out);
        struct decoder *own = shared_decoder(RECORD_CLICK, RECORD_AVRO);
        struct status status = decode_click(own, buffer_bytes(&out), &again, NULL);
        assert(!failed(status) && again.time_ms == click.time_ms && bytes_equal(again.item_id, click.item_id));
    }
    decoder_close(decoder);
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
/* Any bytes as a click in JSON: what is read must be written back to something read alike. */
#include "codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct decoder *decoder = shared_decoder(RECORD_CLICK, RECORD_JSON);
    struct click click, again;
    struct complaint complaint = {0};
    AUTO(buffer) json = {0};
    AUTO(buffer) avro = {0};
    if (failed(decode_click(decoder, bytes_of(data, size), &click, &complaint))) {
        assert(*complaint.text);
    } else { /* through Avro too, since both encodings are of one click */
        encode_click((struct encoding){RECORD_AVRO, 0}, &click, &avro);
        encode_click((struct encoding){RECORD_JSON, 0}, &click, &json);
        struct status status = decode_click(decoder, buffer_bytes(&json), &again, NULL);
        assert(!failed(status));
        size_t size_before = avro.size;
        encode_click((struct encoding){RECORD_AVRO, 0}, &again, &avro);
        assert(avro.size == 2 * size_before && memcmp(avro.data, avro.data + size_before, size_before) == 0);
    }
    return 0;
}

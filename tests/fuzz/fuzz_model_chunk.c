// SPDX-License-Identifier: Apache-2.0
/* Any bytes as a chunk of a session model; what is accepted is written again as the same. */
#include "codec.h"

#include <eddy/core/model_record.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct decoder *decoder = shared_decoder(RECORD_MODEL_CHUNK, RECORD_AVRO);
    struct model_chunk chunk, again;
    struct complaint complaint = {0};
    AUTO(buffer) text = {0};
    if (failed(decode_model_chunk(decoder, bytes_of(data, size), &chunk, &complaint))) {
        assert(*complaint.text);
        return 0;
    }
    encode_model_chunk((struct encoding){RECORD_AVRO, 0}, &chunk, &text);
    if (failed(decode_model_chunk(decoder, buffer_bytes(&text), &again, NULL)) || again.version != chunk.version ||
        again.slot != chunk.slot || again.chunk != chunk.chunk || !bytes_equal(again.payload, chunk.payload))
        abort();
    return 0;
}

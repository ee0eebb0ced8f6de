// SPDX-License-Identifier: Apache-2.0
/* Any bytes as a click in the embedded schema: what is read must be written back to something read alike. */
#include "codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same_click(const struct click *a, const struct click *b)
{
    return bytes_equal(a->session_id, b->session_id) && bytes_equal(a->user_id, b->user_id) &&
           bytes_equal(a->item_id, b->item_id) && bytes_equal(a->event_id, b->event_id) && a->time_ms == b->time_ms &&
           a->type == b->type;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct decoder *decoder = shared_decoder(RECORD_CLICK, RECORD_AVRO);
    struct click click, again;
    struct complaint complaint = {0};
    AUTO(buffer) out = {0};
    if (failed(decode_click(decoder, bytes_of(data, size), &click, &complaint))) {
        assert(*complaint.text);
    } else {
        encode_click((struct encoding){RECORD_AVRO, 0}, &click, &out);
        struct status status = decode_click(decoder, buffer_bytes(&out), &again, NULL);
        assert(!failed(status) && same_click(&click, &again));
    }
    return 0;
}

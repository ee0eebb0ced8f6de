// SPDX-License-Identifier: Apache-2.0
/* Any bytes as the body of a registry's answer; a schema in it goes on to the decoder, as it does in `eddy run`. */
#include "io/registry/reply.h"

#include <eddy/core/codec.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_schema(struct bytes body)
{
    AUTO(buffer) schema = {0};
    AUTO(buffer) request = {0};
    AUTO(buffer) again = {0};
    struct complaint complaint = {""};
    struct decoder *decoder;
    if (failed(reply_read_schema(body, &schema, &complaint))) {
        assert(*complaint.text && schema.size == 0);
        return;
    }
    assert(schema.size <= REGISTRY_SCHEMA_BYTES_MAX && bytes_is_utf8(buffer_bytes(&schema)));
    reply_write_request(buffer_bytes(&schema), &request);
    assert(!failed(reply_read_schema(buffer_bytes(&request), &again, NULL)));
    assert(bytes_equal(buffer_bytes(&schema), buffer_bytes(&again)));
    if (failed(decoder_open(RECORD_CLICK, RECORD_CONFLUENT, &decoder)))
        abort();
    struct status status = decoder_add_schema(decoder, 1, buffer_bytes(&schema), &complaint);
    assert(!failed(status) || *complaint.text);
    decoder_close(decoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes body = bytes_of(data, size);
    struct registry_version version;
    size_t count;
    bool fits;
    try_schema(body);
    struct reply_error error = reply_read_error(body);
    assert(memchr(error.text, 0, sizeof error.text));
    if (!failed(reply_read_version(body, &version, NULL)))
        assert(version.id >= 0 && version.number >= 0);
    if (!failed(reply_read_count(body, &count, NULL)))
        assert(count <= size);
    if (failed(reply_read_fits(body, &fits, NULL)))
        return 0;
    assert(size > strlen("{\"is_compatible\":true}") - 1);
    return 0;
}

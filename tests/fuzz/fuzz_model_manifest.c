// SPDX-License-Identifier: Apache-2.0
/* Any bytes as the manifest of a session model: bounded memory, texts that are texts, numbers within their limits; what
 * is accepted is written again as the same. */
#include "codec.h"

#include <eddy/core/model_record.h>
#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct model_manifest *manifest)
{
    assert(manifest->version >= 1 && manifest->slot < MODEL_SLOTS_MAX && manifest->size >= 1);
    assert(manifest->chunk_count >= 1 && manifest->chunk_count <= MODEL_CHUNKS_MAX);
    assert(manifest->sha256.size == MODEL_DIGITS && manifest->precision < MODEL_PRECISION_COUNT);
    assert(bytes_is_utf8(manifest->backbone) && bytes_is_utf8(manifest->note));
    assert(isfinite(manifest->gate.mrr) && isfinite(manifest->training.loss));
    for (uint32_t i = 0; i < manifest->session_count; i++)
        assert(manifest->sessions[i].partition >= 0 && manifest->sessions[i].offset >= 0);
}

static void must_come_back(struct decoder *decoder, const struct model_manifest *manifest)
{
    AUTO(buffer) once = {0};
    AUTO(buffer) twice = {0};
    AUTO(arena) batch = {0};
    struct model_manifest again;
    const struct encoding avro = {RECORD_AVRO, 0};
    encode_model_manifest(avro, manifest, &once);
    if (failed(decode_model_manifest(decoder, buffer_bytes(&once), &batch, &again, NULL)))
        abort();
    encode_model_manifest(avro, &again, &twice);
    if (!bytes_equal(buffer_bytes(&once), buffer_bytes(&twice)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct decoder *decoder = shared_decoder(RECORD_MODEL_MANIFEST, RECORD_AVRO);
    struct model_manifest manifest;
    struct complaint complaint = {0};
    AUTO(arena) batch = {0};
    if (failed(decode_model_manifest(decoder, bytes_of(data, size), &batch, &manifest, &complaint))) {
        assert(*complaint.text);
    } else {
        check(&manifest);
        must_come_back(decoder, &manifest);
    }
    assert(batch.used <= 16 * size + 64);
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "app/models/assembly.h"

#include <stdlib.h>

struct model_assembly {
    const struct model_manifest *manifest;
    struct decoder *decoder;
    uint8_t *payload; /* manifest->size */
    size_t filled;
    uint32_t chunk; /* the next one */
};

static struct status open_parts(struct model_assembly *assembly, size_t size)
{
    TRY(decoder_open(RECORD_MODEL_CHUNK, RECORD_AVRO, &assembly->decoder));
    assembly->payload = malloc(size);
    return assembly->payload ? OK : FAIL(MEMORY, size, "no memory for a model's bytes");
}

struct status model_assembly_open(const struct model_manifest *manifest, size_t size_max,
                                  struct model_assembly **ret_assembly, struct complaint *complaint)
{
    if ((uint64_t)manifest->size > size_max)
        return complain(complaint, FAIL(LIMIT, manifest->size, "a model is too large"),
                        "version %lld has %lld bytes, more than models.size_max_bytes (%zu)",
                        (long long)manifest->version, (long long)manifest->size, size_max);
    struct model_assembly *assembly = calloc(1, sizeof *assembly);
    if (!assembly)
        return FAIL(MEMORY, 0, "no memory for a model");
    assembly->manifest = manifest;
    struct status status = open_parts(assembly, (size_t)manifest->size);
    if (failed(status)) {
        model_assembly_close(assembly);
        return status;
    }
    *ret_assembly = assembly;
    return OK;
}

void model_assembly_close(struct model_assembly *assembly)
{
    if (!assembly)
        return;
    decoder_close(assembly->decoder);
    free(assembly->payload);
    free(assembly);
}

struct status model_assembly_take(struct model_assembly *assembly, struct bytes value, struct complaint *complaint)
{
    const struct model_manifest *manifest = assembly->manifest;
    struct model_chunk chunk = {0};
    TRY(decode_model_chunk(assembly->decoder, value, &chunk, complaint));
    if (!bytes_equal(chunk.name, manifest->name) || chunk.version != manifest->version ||
        chunk.slot != manifest->slot || chunk.chunk != assembly->chunk || chunk.chunk >= manifest->chunk_count)
        return complain(complaint, FAIL(BAD_INPUT, chunk.chunk, "a chunk that is not the next one"),
                        "version %lld: where chunk %u should be is chunk %u of version %lld",
                        (long long)manifest->version, assembly->chunk, chunk.chunk, (long long)chunk.version);
    if (chunk.payload.size == 0 || chunk.payload.size > (size_t)manifest->size - assembly->filled)
        return complain(complaint, FAIL(BAD_INPUT, chunk.payload.size, "a chunk of a wrong size"),
                        "version %lld: its chunks up to %u have %zu bytes, and all together should have %lld",
                        (long long)manifest->version, chunk.chunk, assembly->filled + chunk.payload.size,
                        (long long)manifest->size);
    memcpy(assembly->payload + assembly->filled, chunk.payload.data, chunk.payload.size);
    assembly->filled += chunk.payload.size;
    assembly->chunk++;
    return OK;
}

static struct status check_hash(const struct model_assembly *assembly, struct complaint *complaint)
{
    struct sha256 *hash;
    char text[SHA256_TEXT_SIZE];
    TRY(sha256_open(&hash));
    sha256_add(hash, bytes_of(assembly->payload, assembly->filled));
    sha256_text(hash, text);
    sha256_close(hash);
    if (bytes_equal_text(assembly->manifest->sha256, text))
        return OK;
    return complain(complaint, FAIL(BAD_INPUT, 0, "a model's bytes are not those of its manifest"),
                    "version %lld: the SHA-256 of its bytes is %.16s..., not that of its manifest",
                    (long long)assembly->manifest->version, text);
}

struct status model_assembly_payload(struct model_assembly *assembly, struct bytes *ret_payload,
                                     struct complaint *complaint)
{
    const struct model_manifest *manifest = assembly->manifest;
    if (assembly->chunk != manifest->chunk_count || assembly->filled != (size_t)manifest->size)
        return complain(complaint, FAIL(BAD_INPUT, assembly->chunk, "a model is not whole"),
                        "version %lld: there are %u of %u chunks and %zu of %lld bytes", (long long)manifest->version,
                        assembly->chunk, manifest->chunk_count, assembly->filled, (long long)manifest->size);
    TRY(check_hash(assembly, complaint));
    *ret_payload = bytes_of(assembly->payload, assembly->filled);
    return OK;
}

static struct status check_model(const struct model_manifest *manifest, const struct model *model,
                                 struct complaint *complaint)
{
    const struct model_options *options = model_options(model);
    if (bytes_equal_text(manifest->backbone, backbone_name(options->backbone)) && options->width == manifest->width &&
        options->length_max == manifest->length_max && model_item_count(model) == manifest->item_count &&
        (int64_t)model_parameter_count(model) == manifest->parameters)
        return OK;
    return complain(complaint, FAIL(BAD_INPUT, 0, "a model is not what its manifest says"),
                    "version %lld: it is a %s of width %u and %u items, which is not what its manifest says",
                    (long long)manifest->version, backbone_name(options->backbone), options->width,
                    model_item_count(model));
}

struct status model_assembly_model(struct model_assembly *assembly, struct model_file *ret_file,
                                   struct complaint *complaint)
{
    const struct model_manifest *manifest = assembly->manifest;
    struct bytes payload = {0};
    struct model_file file;
    TRY(model_assembly_payload(assembly, &payload, complaint));
    struct status status = model_file_decode(payload, &file);
    if (failed(status))
        return complain(complaint, status, "version %lld: %s", (long long)manifest->version, status.fault->what);
    status = check_model(manifest, file.model, complaint);
    if (failed(status))
        model_file_release(&file);
    else
        *ret_file = file;
    return status;
}

bool model_assembly_refuses(struct status status)
{
    return failed_as(status, FAULT_BAD_INPUT) || failed_as(status, FAULT_CORRUPT) || failed_as(status, FAULT_NEWER) ||
           failed_as(status, FAULT_LIMIT) || failed_as(status, FAULT_NOT_FOUND);
}

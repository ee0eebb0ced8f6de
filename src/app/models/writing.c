// SPDX-License-Identifier: Apache-2.0
#include "app/models/writing.h"

#include <stdlib.h>

static const struct encoding avro = {RECORD_AVRO, 0};

static struct status put_key(const struct model_key *key, struct bytes value, struct record_taker taker)
{
    AUTO(buffer) text = {0};
    model_key_write(key, &text);
    TRY(buffer_check(&text));
    return taker.put(taker.self, buffer_bytes(&text), value);
}

static struct status put_manifest(const struct model_key *key, const struct model_manifest *manifest,
                                  struct record_taker taker)
{
    AUTO(buffer) value = {0};
    encode_model_manifest(avro, manifest, &value);
    TRY(buffer_check(&value));
    return put_key(key, buffer_bytes(&value), taker);
}

/* ---- chunks */

/* A sink that gathers what is written into chunks. */
struct chunker {
    const struct model_manifest *manifest;
    struct record_taker taker;
    struct sha256 *hash;
    struct buffer gathered, record;
    uint32_t count;
    int64_t size;
};

static struct status put_chunk(struct chunker *chunker)
{
    const struct model_manifest *manifest = chunker->manifest;
    const struct model_chunk chunk = {.name = manifest->name,
                                      .version = manifest->version,
                                      .slot = manifest->slot,
                                      .chunk = chunker->count,
                                      .payload = buffer_bytes(&chunker->gathered)};
    const struct model_key key = {manifest->name, MODEL_KEY_CHUNK, manifest->slot, chunker->count};
    if (chunker->count == MODEL_CHUNKS_MAX)
        return FAIL(LIMIT, chunker->count, "a model has too many chunks");
    sha256_add(chunker->hash, chunk.payload);
    buffer_clear(&chunker->record);
    encode_model_chunk(avro, &chunk, &chunker->record);
    TRY(buffer_check(&chunker->record));
    TRY(put_key(&key, buffer_bytes(&chunker->record), chunker->taker));
    chunker->count++;
    chunker->size += (int64_t)chunk.payload.size;
    buffer_clear(&chunker->gathered);
    return OK;
}

static struct status gather(void *self, struct bytes piece)
{
    struct chunker *chunker = self;
    while (piece.size) {
        size_t room = MODEL_CHUNK_SIZE - chunker->gathered.size, size = piece.size < room ? piece.size : room;
        buffer_append(&chunker->gathered, piece.data, size);
        TRY(buffer_check(&chunker->gathered));
        piece = bytes_of(piece.data + size, piece.size - size);
        if (chunker->gathered.size == MODEL_CHUNK_SIZE)
            TRY(put_chunk(chunker));
    }
    return OK;
}

static struct status put_chunks(const struct model_publication *publication, struct chunker *chunker)
{
    TRY(model_file_encode(publication->model, publication->items, chunker->manifest->precision,
                          (struct byte_sink){gather, chunker}));
    return chunker->gathered.size ? put_chunk(chunker) : OK;
}

static void describe(const struct model_publication *publication, struct model_manifest *manifest)
{
    const struct model_options *options = model_options(publication->model);
    manifest->created_ms = publication->created_ms;
    manifest->backbone = bytes_of_text(backbone_name(options->backbone));
    manifest->width = options->width;
    manifest->length_max = options->length_max;
    manifest->item_count = model_item_count(publication->model);
    manifest->parameters = (int64_t)model_parameter_count(publication->model);
    manifest->sessions = publication->sessions;
    manifest->session_count = publication->session_count;
    manifest->gate = publication->gate;
    manifest->training = publication->training;
    manifest->note = bytes_utf8_prefix(bytes_of_text(publication->note), MODEL_TEXT_MAX);
}

struct status writing_version(const struct model_publication *publication, const struct model_manifest *manifest,
                              char sha256[SHA256_TEXT_SIZE], struct record_taker taker,
                              struct model_manifest *ret_manifest)
{
    struct model_manifest whole = *manifest;
    struct chunker chunker = {.manifest = manifest, .taker = taker};
    TRY(sha256_open(&chunker.hash));
    struct status status = put_chunks(publication, &chunker);
    sha256_text(chunker.hash, sha256);
    sha256_close(chunker.hash);
    buffer_release(&chunker.gathered);
    buffer_release(&chunker.record);
    TRY(status);
    describe(publication, &whole);
    whole.chunk_count = chunker.count;
    whole.size = chunker.size;
    whole.sha256 = bytes_of(sha256, MODEL_DIGITS);
    const struct model_key key = {whole.name, MODEL_KEY_MANIFEST, whole.slot, 0};
    TRY(put_manifest(&key, &whole, taker));
    *ret_manifest = whole;
    return OK;
}

struct status writing_pointer(const char *name, enum model_key_kind pointer, const struct model_manifest *manifest,
                              struct record_taker taker)
{
    const struct model_key key = {bytes_of_text(name), pointer, 0, 0};
    assert(pointer == MODEL_KEY_CURRENT || pointer == MODEL_KEY_PINNED);
    return manifest ? put_manifest(&key, manifest, taker) : put_key(&key, (struct bytes){0}, taker);
}

/* ---- the ring */

static bool is_at(const struct model_manifest *pointer, uint32_t slot)
{
    return pointer && pointer->slot == slot;
}

/* How early a slot is to be used again: an empty one first. */
static int64_t age_rank(const struct model_directory *directory, uint32_t slot)
{
    const struct model_manifest *manifest = model_directory_slot(directory, slot);
    return manifest ? manifest->version : 0;
}

struct status writing_slot(const struct model_directory *directory, uint32_t keep, uint32_t *ret_slot)
{
    uint32_t best = MODEL_SLOTS_MAX;
    for (uint32_t slot = 0; slot <= keep && slot < MODEL_SLOTS_MAX; slot++) {
        if (is_at(model_directory_current(directory), slot) || is_at(model_directory_pinned(directory), slot))
            continue;
        if (best == MODEL_SLOTS_MAX || age_rank(directory, slot) < age_rank(directory, best))
            best = slot;
    }
    if (best == MODEL_SLOTS_MAX)
        return FAIL(LIMIT, keep, "no slot is free for a model");
    *ret_slot = best;
    return OK;
}

/* Removes chunks from `first` on, those that are there. */
static struct status retire_chunks(const struct model_directory *directory, uint32_t slot, uint32_t first,
                                   struct record_taker taker)
{
    for (uint32_t chunk = first; chunk < model_directory_chunks(directory, slot); chunk++) {
        const struct model_key key = {bytes_of_text(model_directory_name(directory)), MODEL_KEY_CHUNK, slot, chunk};
        if (model_directory_place(directory, slot, chunk).offset >= 0)
            TRY(put_key(&key, (struct bytes){0}, taker));
    }
    return OK;
}

/* How many versions are newer than that of a slot, the one that is being written among them. */
static uint32_t newer_than(const struct model_directory *directory, uint32_t written, int64_t version)
{
    uint32_t newer = 1;
    for (uint32_t slot = 0; slot < MODEL_SLOTS_MAX; slot++) {
        const struct model_manifest *manifest = model_directory_slot(directory, slot);
        newer += slot != written && manifest && manifest->version > version;
    }
    return newer;
}

static struct status retire_slot(const struct model_directory *directory, uint32_t slot, struct record_taker taker)
{
    const struct model_key key = {bytes_of_text(model_directory_name(directory)), MODEL_KEY_MANIFEST, slot, 0};
    if (model_directory_slot(directory, slot))
        TRY(put_key(&key, (struct bytes){0}, taker));
    return retire_chunks(directory, slot, 0, taker);
}

struct status writing_retire(const struct model_directory *directory, const struct model_manifest *manifest,
                             uint32_t keep, struct record_taker taker)
{
    TRY(retire_chunks(directory, manifest->slot, manifest->chunk_count, taker));
    for (uint32_t slot = 0; slot < MODEL_SLOTS_MAX; slot++) {
        const struct model_manifest *there = model_directory_slot(directory, slot);
        bool kept = there && newer_than(directory, manifest->slot, there->version) < keep;
        if (slot != manifest->slot && !kept && !is_at(model_directory_pinned(directory), slot))
            TRY(retire_slot(directory, slot, taker));
    }
    return OK;
}

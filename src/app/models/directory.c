// SPDX-License-Identifier: Apache-2.0
#include "app/models/directory.h"

#include <stdlib.h>

/* A manifest with the bytes that it borrows from. */
struct kept {
    struct buffer bytes;
    struct arena memory;
    struct model_manifest manifest;
    bool there;
};

struct slot {
    struct kept manifest;
    struct model_place *places; /* by chunk */
    uint32_t count, capacity;
};

struct model_directory {
    char name[MODEL_NAME_MAX + 1];
    struct decoder *chunks, *manifests;
    struct kept current, pinned;
    struct slot slots[MODEL_SLOTS_MAX];
    int64_t next, latest;
};

struct model_identity model_identity_of(const struct model_manifest *manifest)
{
    struct model_identity identity = {.version = manifest->version};
    memcpy(identity.digits, manifest->sha256.data, MODEL_DIGITS);
    return identity;
}

bool model_identity_same(const struct model_identity *one, const struct model_identity *other)
{
    return one->version == other->version && !memcmp(one->digits, other->digits, MODEL_DIGITS);
}

/* ---- life */

static void kept_release(struct kept *kept)
{
    buffer_release(&kept->bytes);
    arena_release(&kept->memory);
}

struct status model_directory_open(const char *name, struct model_directory **ret_directory)
{
    struct model_directory *directory = calloc(1, sizeof *directory);
    if (!directory)
        return FAIL(MEMORY, 0, "no memory for what there is of models");
    assert(strlen(name) <= MODEL_NAME_MAX);
    memcpy(directory->name, name, strlen(name));
    struct status status = decoder_open(RECORD_MODEL_CHUNK, RECORD_AVRO, &directory->chunks);
    if (!failed(status))
        status = decoder_open(RECORD_MODEL_MANIFEST, RECORD_AVRO, &directory->manifests);
    if (failed(status)) {
        model_directory_close(directory);
        return status;
    }
    *ret_directory = directory;
    return OK;
}

void model_directory_close(struct model_directory *directory)
{
    if (!directory)
        return;
    for (uint32_t i = 0; i < MODEL_SLOTS_MAX; i++) {
        kept_release(&directory->slots[i].manifest);
        free(directory->slots[i].places);
    }
    kept_release(&directory->current);
    kept_release(&directory->pinned);
    decoder_close(directory->chunks);
    decoder_close(directory->manifests);
    free(directory);
}

/* ---- chunks */

static struct status make_room(struct slot *slot, uint32_t chunk)
{
    if (chunk >= slot->capacity) {
        uint32_t capacity = slot->capacity ? slot->capacity : 64;
        while (capacity <= chunk)
            capacity *= 2;
        struct model_place *places = realloc(slot->places, capacity * sizeof *places);
        if (!places)
            return FAIL(MEMORY, capacity, "no memory for the places of a model's chunks");
        slot->places = places;
        slot->capacity = capacity;
    }
    for (; slot->count <= chunk; slot->count++)
        slot->places[slot->count] = (struct model_place){-1, 0};
    return OK;
}

static struct status take_chunk(struct model_directory *directory, const struct model_key *key,
                                const struct message *record, struct complaint *complaint)
{
    struct slot *slot = &directory->slots[key->slot];
    struct model_chunk chunk = {0};
    if (!record->value.data && key->chunk >= slot->count)
        return OK;
    TRY(make_room(slot, key->chunk));
    slot->places[key->chunk] = (struct model_place){-1, 0}; /* whatever comes, the one before is gone */
    if (!record->value.data)
        return OK;
    TRY(decode_model_chunk(directory->chunks, record->value, &chunk, complaint));
    if (!bytes_equal(chunk.name, key->name) || chunk.slot != key->slot || chunk.chunk != key->chunk)
        return complain(complaint, FAIL(BAD_INPUT, 0, "a chunk under the key of another"),
                        "it is chunk %u of slot %u, under the key of another", chunk.chunk, chunk.slot);
    slot->places[key->chunk] = (struct model_place){record->offset, chunk.version};
    return OK;
}

/* ---- manifests */

static struct status decode_kept(struct model_directory *directory, struct bytes value, struct kept *kept,
                                 struct complaint *complaint)
{
    buffer_append_bytes(&kept->bytes, value);
    TRY(buffer_check(&kept->bytes));
    TRY(decode_model_manifest(directory->manifests, buffer_bytes(&kept->bytes), &kept->memory, &kept->manifest,
                              complaint));
    kept->there = true;
    return OK;
}

/* Sets *kept to what the record says; when that cannot be used it stays as it is. */
static struct status keep(struct model_directory *directory, const struct model_key *key, const struct message *record,
                          struct kept *kept, struct complaint *complaint)
{
    struct kept fresh = {0};
    struct status status = record->value.data ? decode_kept(directory, record->value, &fresh, complaint) : OK;
    if (!failed(status) && fresh.there && !bytes_equal(fresh.manifest.name, key->name))
        status = complain(complaint, FAIL(BAD_INPUT, 0, "a manifest under the key of another"),
                          "it is the manifest of another model");
    if (!failed(status) && fresh.there && key->kind == MODEL_KEY_MANIFEST && fresh.manifest.slot != key->slot)
        status = complain(complaint, FAIL(BAD_INPUT, 0, "a manifest under the key of another"),
                          "it is the manifest of slot %u, under the key of another", fresh.manifest.slot);
    if (failed(status)) {
        kept_release(&fresh);
        return status;
    }
    kept_release(kept);
    *kept = fresh;
    if (fresh.there && fresh.manifest.version > directory->latest)
        directory->latest = fresh.manifest.version;
    return OK;
}

static struct status take_manifest(struct model_directory *directory, const struct model_key *key,
                                   const struct message *record, struct complaint *complaint)
{
    struct kept *kept = &directory->slots[key->slot].manifest;
    struct status status = keep(directory, key, record, kept, complaint);
    if (failed(status))
        kept->there = false; /* what lies in the slot now is of another version */
    return status;
}

static struct status take(struct model_directory *directory, const struct message *record, struct complaint *complaint)
{
    struct model_key key;
    if (!model_key_parse(record->key, &key))
        return complain(complaint, FAIL(BAD_INPUT, record->offset, "a key that is none of a model"),
                        "its key '" BYTES_FORMAT "' is none of a model",
                        BYTES_ARGS(bytes_utf8_prefix(record->key, 100)));
    if (!bytes_equal_text(key.name, directory->name))
        return OK;
    switch (key.kind) {
    case MODEL_KEY_CHUNK:
        return take_chunk(directory, &key, record, complaint);
    case MODEL_KEY_MANIFEST:
        return take_manifest(directory, &key, record, complaint);
    case MODEL_KEY_CURRENT:
        return keep(directory, &key, record, &directory->current, complaint);
    case MODEL_KEY_PINNED:
        return keep(directory, &key, record, &directory->pinned, complaint);
    }
    return OK;
}

struct status model_directory_take(struct model_directory *directory, const struct message *record,
                                   struct complaint *complaint)
{
    struct status status = take(directory, record, complaint);
    if (!failed(status) || failed_as(status, FAULT_BAD_INPUT))
        directory->next = record->offset + 1;
    return status;
}

/* ---- what is there */

static const struct model_manifest *manifest_of(const struct kept *kept)
{
    return kept->there ? &kept->manifest : NULL;
}

int64_t model_directory_next(const struct model_directory *directory)
{
    return directory->next;
}

const char *model_directory_name(const struct model_directory *directory)
{
    return directory->name;
}

const struct model_manifest *model_directory_current(const struct model_directory *directory)
{
    return manifest_of(&directory->current);
}

const struct model_manifest *model_directory_pinned(const struct model_directory *directory)
{
    return manifest_of(&directory->pinned);
}

const struct model_manifest *model_directory_wanted(const struct model_directory *directory)
{
    return manifest_of(directory->pinned.there ? &directory->pinned : &directory->current);
}

const struct model_manifest *model_directory_slot(const struct model_directory *directory, uint32_t slot)
{
    assert(slot < MODEL_SLOTS_MAX);
    return manifest_of(&directory->slots[slot].manifest);
}

const struct model_manifest *model_directory_version(const struct model_directory *directory, int64_t version)
{
    for (uint32_t i = 0; i < MODEL_SLOTS_MAX; i++) {
        const struct model_manifest *manifest = model_directory_slot(directory, i);
        if (manifest && manifest->version == version)
            return manifest;
    }
    return NULL;
}

int64_t model_directory_latest(const struct model_directory *directory)
{
    return directory->latest;
}

struct model_place model_directory_place(const struct model_directory *directory, uint32_t slot, uint32_t chunk)
{
    assert(slot < MODEL_SLOTS_MAX);
    const struct slot *in = &directory->slots[slot];
    return chunk < in->count ? in->places[chunk] : (struct model_place){-1, 0};
}

uint32_t model_directory_chunks(const struct model_directory *directory, uint32_t slot)
{
    assert(slot < MODEL_SLOTS_MAX);
    return directory->slots[slot].count;
}

struct status model_directory_check(const struct model_directory *directory, const struct model_manifest *manifest,
                                    struct complaint *complaint)
{
    const struct model_manifest *there = model_directory_slot(directory, manifest->slot);
    long long version = (long long)manifest->version;
    if (!there || there->version != manifest->version)
        return complain(complaint, FAIL(NOT_FOUND, version, "a version of a model is gone"),
                        "version %lld is not there any more: slot %u holds %s", version, manifest->slot,
                        there ? "another one" : "none");
    if (!bytes_equal(there->sha256, manifest->sha256) || there->chunk_count != manifest->chunk_count)
        return complain(complaint, FAIL(BAD_INPUT, version, "two manifests of a version differ"),
                        "version %lld has two manifests that differ", version);
    for (uint32_t i = 0; i < manifest->chunk_count; i++) {
        struct model_place place = model_directory_place(directory, manifest->slot, i);
        if (place.offset < 0 || place.version != manifest->version)
            return complain(complaint, FAIL(NOT_FOUND, i, "a chunk of a model is missing"),
                            "version %lld lacks chunk %u of %u", version, i, manifest->chunk_count);
    }
    return OK;
}

// SPDX-License-Identifier: Apache-2.0
#include "app/model_file.h"

#include <eddy/core/frame.h>
#include <eddy/io/file.h>

#define VERSION   1
#define BYTES_MAX (64ull << 30)
#define ID_MAX    255

static const char magic[FRAME_MAGIC_SIZE] = "eddymfl";

static struct bytes id_in_catalogue(const void *context, uint32_t row)
{
    return catalogue_id(context, row);
}

static struct bytes id_in_interner(const void *context, uint32_t row)
{
    return interner_get(context, row);
}

struct model_items model_items_of_catalogue(const struct catalogue *catalogue)
{
    return (struct model_items){id_in_catalogue, catalogue};
}

struct model_items model_items_of_file(const struct model_file *file)
{
    return (struct model_items){id_in_interner, file->item_ids};
}

struct status model_file_encode(const struct model *model, struct model_items items, enum model_precision precision,
                                struct byte_sink sink)
{
    struct frame_writer *out;
    uint32_t count = model_item_count(model);
    TRY(frame_writer_open(sink, magic, VERSION, &out));
    frame_writer_put(out, &count, sizeof count);
    for (uint32_t i = 0; i < count; i++) {
        struct bytes id = items.id(items.context, i);
        assert(id.size <= ID_MAX);
        uint8_t size = (uint8_t)id.size;
        frame_writer_put(out, &size, sizeof size);
        frame_writer_put(out, id.data, id.size);
    }
    struct status status = model_encode_as(model, precision, frame_sink(out)), closed = frame_writer_close(out);
    return failed(status) ? status : closed;
}

/* What is to be written to a file. */
struct content {
    const struct model *model;
    const struct catalogue *catalogue;
};

static struct status write_content(void *context, struct byte_sink sink)
{
    const struct content *content = context;
    return model_file_encode(content->model, model_items_of_catalogue(content->catalogue), MODEL_FLOAT32, sink);
}

struct status model_file_write(const char *path, const struct model *model, const struct catalogue *catalogue,
                               struct complaint *complaint)
{
    struct content content = {model, catalogue};
    return file_write_by(path, write_content, &content, complaint);
}

static struct status add_to_hash(void *self, struct bytes piece)
{
    bytes_hasher_add(self, piece);
    return OK;
}

struct status model_file_hash(const struct model *model, const struct catalogue *catalogue, uint64_t *ret_hash)
{
    struct content content = {model, catalogue};
    struct bytes_hasher *hasher;
    TRY(bytes_hasher_open(&hasher));
    struct status status = write_content(&content, (struct byte_sink){add_to_hash, hasher});
    if (!failed(status))
        *ret_hash = bytes_hasher_value(hasher);
    bytes_hasher_close(hasher);
    return status;
}

struct status model_file_hash_of(const char *path, uint64_t *ret_hash, struct complaint *complaint)
{
    AUTO(buffer) content = {.limit = BYTES_MAX};
    TRY(file_read(path, &content, complaint));
    *ret_hash = bytes_hash(buffer_bytes(&content));
    return OK;
}

static struct status get_ids(struct bytes *rest, uint32_t *ret_count, struct interner **ret_ids)
{
    uint32_t count, number;
    struct interner *ids;
    TRY(frame_take(rest, &count, sizeof count));
    if (count > rest->size)
        return FAIL(CORRUPT, count, "a model has fewer items than it says");
    TRY(interner_open(count ? count : 1, rest->size, &ids));
    *ret_ids = ids;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t size;
        struct bytes id;
        TRY(frame_take(rest, &size, sizeof size));
        TRY(frame_take_bytes(rest, size, &id));
        TRY(interner_add(ids, id, &number));
        if (number != i)
            return FAIL(CORRUPT, i, "a model has an item twice");
    }
    *ret_count = count;
    return OK;
}

static struct status decode(struct bytes content, struct model_file *file)
{
    uint32_t count;
    file->hash = bytes_hash(content);
    TRY(frame_open(&content, magic, VERSION));
    TRY(get_ids(&content, &count, &file->item_ids));
    TRY(model_decode(content, &file->model));
    return model_item_count(file->model) == count
               ? OK
               : FAIL(CORRUPT, count, "a model's items and their ids are not as many");
}

struct status model_file_decode(struct bytes content, struct model_file *ret_file)
{
    struct model_file file = {0};
    struct status status = decode(content, &file);
    if (failed(status)) {
        model_file_release(&file);
        return status;
    }
    *ret_file = file;
    return OK;
}

static struct status read_file(const char *path, struct sha256 *hash, struct model_file *ret_file,
                               struct complaint *complaint)
{
    AUTO(buffer) content = {.limit = BYTES_MAX};
    TRY(file_read(path, &content, complaint));
    if (hash)
        sha256_add(hash, buffer_bytes(&content));
    struct status status = model_file_decode(buffer_bytes(&content), ret_file);
    return failed(status) ? complain(complaint, status, "%s: %s", path, status.fault->what) : OK;
}

struct status model_file_read(const char *path, struct model_file *ret_file, struct complaint *complaint)
{
    return read_file(path, NULL, ret_file, complaint);
}

struct status model_file_read_signed(const char *path, struct model_file *ret_file, char sha256[SHA256_TEXT_SIZE],
                                     struct complaint *complaint)
{
    struct sha256 *hash;
    TRY(sha256_open(&hash));
    struct status status = read_file(path, hash, ret_file, complaint);
    sha256_text(hash, sha256);
    sha256_close(hash);
    return status;
}

void model_file_release(struct model_file *file)
{
    model_close(file->model);
    interner_close(file->item_ids);
    *file = (struct model_file){0};
}

// SPDX-License-Identifier: Apache-2.0
#pragma once
/* model_file: a model with the ids of its items, as a file. In a frame (core/frame.h), little-endian: u32 items, each a
 * u8 size and the id; then the model's own frame. */
#include <eddy/base/interner.h>
#include <eddy/base/sha256.h>
#include <eddy/core/catalogue.h>
#include <eddy/core/model.h>

struct model_file {
    struct model *model;
    struct interner *item_ids; /* row i of the model is number i */
    uint64_t hash;             /* XXH3 of what was read */
};

/* The ids of a model's rows. */
struct model_items {
    struct bytes (*id)(const void *context, uint32_t row);
    const void *context;
};
struct model_items model_items_of_catalogue(const struct catalogue *catalogue); /* rows are its numbers */
struct model_items model_items_of_file(const struct model_file *file);

/* What a file holds, with the item table in that precision. MEMORY, what the sink fails with. */
MUST_CHECK struct status model_file_encode(const struct model *model, struct model_items items,
                                           enum model_precision precision, struct byte_sink sink);

/* Rows of the model are numbers of the catalogue. What file_write() fails with; LIMIT. */
MUST_CHECK struct status model_file_write(const char *path, const struct model *model,
                                          const struct catalogue *catalogue, struct complaint *complaint);
/* XXH3 of what the file would hold, whether it is compressed or not. MEMORY. */
MUST_CHECK struct status model_file_hash(const struct model *model, const struct catalogue *catalogue,
                                         uint64_t *ret_hash);
/* The same of a file that is there. What file_read() fails with. */
MUST_CHECK struct status model_file_hash_of(const char *path, uint64_t *ret_hash, struct complaint *complaint);
/* CORRUPT, NEWER, NOT_FOUND: there is no such backbone; MEMORY. */
MUST_CHECK struct status model_file_decode(struct bytes content, struct model_file *ret_file);
/* What file_read() fails with; CORRUPT, NEWER, NOT_FOUND (also: no such backbone), MEMORY. */
MUST_CHECK struct status model_file_read(const char *path, struct model_file *ret_file, struct complaint *complaint);
/* The same, and the SHA-256 of what was read, decompressed, as digits. */
MUST_CHECK struct status model_file_read_signed(const char *path, struct model_file *ret_file,
                                                char sha256[SHA256_TEXT_SIZE], struct complaint *complaint);
void model_file_release(struct model_file *file);

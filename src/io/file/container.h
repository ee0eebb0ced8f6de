// SPDX-License-Identifier: Apache-2.0
#pragma once
/* container: an Avro object container file (Avro 1.11, "Object Container Files") as its schema and its blocks of
 * records, decompressed. Codecs: null, deflate, zstandard. Nothing in the file is believed before it was checked: the
 * header is at most 1 MiB, a block at most LOG_FILE_BLOCK_MAX, compressed or not, and memory grows with what has
 * really been read. A failure ends the file (CORRUPT, IO), but for a block that cannot be decompressed (BAD_INPUT):
 * the next call goes on with the block behind it. Complaints are bare reasons; of a block they name where in the file
 * it begins and how many records it declares. */
#include "io/file/byte_stream.h"

struct container;

/* Takes the stream over, also on failure. CORRUPT, BAD_INPUT, IO, MEMORY. */
MUST_CHECK struct status container_open(struct byte_stream *stream, struct container **ret_container,
                                        struct complaint *complaint);
void container_close(struct container *container);

/* The writer's schema as JSON text; lives as long as the container. */
struct bytes container_schema(const struct container *container);

/* The next block that holds records; *ret_count is 0 at the end. The bytes live until the next call. */
MUST_CHECK struct status container_next(struct container *container, uint64_t *ret_count, struct bytes *ret_records,
                                        struct complaint *complaint);

/* Records declared by the block that container_next() has failed in; 0: the file breaks off before it declares any. */
uint64_t container_lost(const struct container *container);

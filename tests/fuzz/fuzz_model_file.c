// SPDX-License-Identifier: Apache-2.0
/* Arbitrary bytes as a model with its items' ids: as they are, and in a frame with a right checksum, so that the fuzzer
 * gets further. What is accepted has an id for each row.
 * Input: a model file without its frame. */
#include "app/model_file.h"

#include <eddy/core/frame.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char magic[FRAME_MAGIC_SIZE] = "eddymfl";

static void decode(struct bytes frame)
{
    struct model_file file;
    if (failed(model_file_decode(frame, &file)))
        return;
    uint32_t count = model_item_count(file.model);
    if (interner_count(file.item_ids) != count ||
        interner_find(file.item_ids, interner_get(file.item_ids, count - 1)) != count - 1)
        abort();
    model_file_release(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(buffer) framed = {0};
    decode(bytes_of(data, size));
    size_t start = frame_begin(&framed, magic, 1);
    buffer_append(&framed, data, size);
    frame_end(&framed, start);
    decode(buffer_bytes(&framed));
    return 0;
}

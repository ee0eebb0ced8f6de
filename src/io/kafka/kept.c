// SPDX-License-Identifier: Apache-2.0
#include "io/kafka/kept.h"

#include <stdlib.h>

static size_t size_of(const struct output_record *record)
{
    size_t size = record->key.size + record->value.size;
    for (size_t i = 0; i < record->header_count; i++)
        size += record->headers[i].value.size;
    return size;
}

static struct status keep_headers(struct kept *kept, struct output_record *record)
{
    struct header *headers = ARENA_ARRAY(&kept->memory, struct header, record->header_count);
    for (size_t i = 0; headers && i < record->header_count; i++) {
        struct bytes name =
            arena_copy(&kept->memory, bytes_of(record->headers[i].name, strlen(record->headers[i].name) + 1));
        headers[i] = (struct header){(const char *)name.data, arena_copy(&kept->memory, record->headers[i].value)};
        if (!name.data || (record->headers[i].value.size && !headers[i].value.data))
            return FAIL(MEMORY, 0, "no memory for a header");
    }
    record->headers = headers;
    return headers ? OK : FAIL(MEMORY, 0, "no memory for headers");
}

struct status kept_add(struct kept *kept, const struct output_record *record)
{
    if (kept->count == kept->capacity) {
        size_t capacity = kept->capacity ? kept->capacity * 2 : 1024;
        struct output_record *records = realloc(kept->records, capacity * sizeof *records);
        if (!records)
            return FAIL(MEMORY, capacity, "no memory for a transaction");
        kept->records = records;
        kept->capacity = capacity;
    }
    struct output_record copy = *record;
    if (record->key.data)
        copy.key = arena_copy(&kept->memory, record->key);
    if (record->value.data)
        copy.value = arena_copy(&kept->memory, record->value);
    if ((record->key.size && !copy.key.data) || (record->value.size && !copy.value.data))
        return FAIL(MEMORY, record->value.size, "no memory for a record");
    if (record->header_count)
        TRY(keep_headers(kept, &copy));
    kept->records[kept->count++] = copy;
    kept->bytes += size_of(record);
    return OK;
}

void kept_undo(struct kept *kept)
{
    assert(kept->count > 0);
    kept->bytes -= size_of(&kept->records[--kept->count]);
}

void kept_clear(struct kept *kept)
{
    arena_reset(&kept->memory);
    kept->count = kept->bytes = 0;
}

void kept_release(struct kept *kept)
{
    arena_release(&kept->memory);
    free(kept->records);
}

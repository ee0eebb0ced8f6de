// SPDX-License-Identifier: Apache-2.0
#include "core/event/writers.h"

#include <stdio.h>
#include <stdlib.h>

#define GUID_NAME_SIZE 17

/* ---- one */

struct status writer_make(struct bytes schema, const struct schema *reader, struct writer *ret_writer,
                          struct complaint *complaint)
{
    AUTO(schema_document) document = {0};
    struct plan *plan = NULL;
    TRY(schema_parse(schema, &document, complaint));
    if (!schema_is_same(document.root, reader))
        TRY(plan_make(document.root, reader, &document.memory, &plan, complaint));
    *ret_writer = (struct writer){.document = document, .plan = plan};
    document = (struct schema_document){0};
    return OK;
}

void writer_release(struct writer *writer)
{
    schema_document_release(&writer->document);
    free(writer->refusal);
    *writer = (struct writer){0};
}

/* ---- all */

void writers_release(struct writers *writers)
{
    for (size_t i = 0; i < writers->count; i++)
        writer_release(&writers->entries[i]);
    free(writers->entries);
    *writers = (struct writers){0};
}

/* The place of the first name that is not below `name`. The order is of no other use, so bytes will do. */
static size_t place_of(const struct writers *writers, const struct schema_name *name)
{
    size_t low = 0, high = writers->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (memcmp(&writers->entries[middle].name, name, sizeof *name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const struct writers *writers, size_t place, const struct schema_name *name)
{
    return place < writers->count && memcmp(&writers->entries[place].name, name, sizeof *name) == 0;
}

const struct writer *writers_find(struct writers *writers, const struct schema_name *name)
{
    size_t place = place_of(writers, name);
    if (!is_at(writers, place, name))
        return NULL;
    writers->entries[place].used = ++writers->uses;
    return &writers->entries[place];
}

static void remove_oldest(struct writers *writers)
{
    size_t oldest = 0;
    for (size_t i = 1; i < writers->count; i++)
        if (writers->entries[i].used < writers->entries[oldest].used)
            oldest = i;
    writer_release(&writers->entries[oldest]);
    writers->count--;
    memmove(writers->entries + oldest, writers->entries + oldest + 1,
            (writers->count - oldest) * sizeof *writers->entries);
}

static struct status make_place(struct writers *writers, const struct schema_name *name, bool make_room,
                                size_t *ret_place)
{
    if (writers->count == WRITERS_MAX && !make_room)
        return FAIL(LIMIT, WRITERS_MAX, "too many schema ids");
    if (writers->count == WRITERS_MAX)
        remove_oldest(writers);
    struct writer *entries = realloc(writers->entries, (writers->count + 1) * sizeof *entries);
    if (!entries)
        return FAIL(MEMORY, 0, "no memory for a schema");
    writers->entries = entries;
    size_t place = place_of(writers, name);
    memmove(entries + place + 1, entries + place, (writers->count - place) * sizeof *entries);
    entries[place] = (struct writer){.name = *name};
    writers->count++;
    *ret_place = place;
    return OK;
}

struct status writers_put(struct writers *writers, const struct schema_name *name, struct writer *fresh, bool make_room)
{
    size_t place = place_of(writers, name);
    struct status status = is_at(writers, place, name) ? OK : make_place(writers, name, make_room, &place);
    if (failed(status)) {
        writer_release(fresh);
        return status;
    }
    writer_release(&writers->entries[place]);
    writers->entries[place] = *fresh;
    writers->entries[place].name = *name;
    writers->entries[place].used = ++writers->uses;
    return OK;
}

/* ---- names */

struct status schema_name_read(struct bytes bytes, bool header, struct schema_name *ret_name, size_t *ret_taken,
                               struct complaint *complaint)
{
    const uint8_t *data = bytes.data;
    struct schema_name name = {0};
    bool by_id = bytes.size >= CONFLUENT_FRAME_SIZE && data[0] == 0;
    bool by_guid = header && bytes.size == GUID_NAME_SIZE && data[0] == 1;
    if (header && !by_guid && !(by_id && bytes.size == CONFLUENT_FRAME_SIZE))
        return complain(complaint, FAIL(BAD_INPUT, 0, "the record's header names no schema"),
                        "record: its header " SCHEMA_HEADER " is neither the magic byte 0 and a schema id of 4 bytes "
                        "nor the magic byte 1 and a GUID of 16");
    if (!by_guid && !by_id)
        return complain(complaint, FAIL(BAD_INPUT, 0, "the record has no Confluent frame"),
                        "record: it does not begin with the magic byte 0 and a schema id of 4 bytes (is its format "
                        "another one?)");
    if (by_guid) {
        name.by_guid = 1;
        memcpy(name.guid, data + 1, sizeof name.guid);
    } else {
        name.id = (int32_t)((uint32_t)data[1] << 24 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 8 | data[4]);
    }
    *ret_name = name;
    if (ret_taken)
        *ret_taken = by_guid ? GUID_NAME_SIZE : CONFLUENT_FRAME_SIZE;
    return OK;
}

void schema_name_text(const struct schema_name *name, char text[SCHEMA_NAME_TEXT_MAX])
{
    if (!name->by_guid) {
        snprintf(text, SCHEMA_NAME_TEXT_MAX, "id %d", name->id);
        return;
    }
    size_t used = (size_t)snprintf(text, SCHEMA_NAME_TEXT_MAX, "GUID ");
    for (size_t i = 0; i < sizeof name->guid; i++)
        used += (size_t)snprintf(text + used, SCHEMA_NAME_TEXT_MAX - used, "%s%02x",
                                 i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", name->guid[i]);
}

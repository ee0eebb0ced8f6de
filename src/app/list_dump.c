// SPDX-License-Identifier: Apache-2.0
#include "app/list_dump.h"

#include <eddy/io/file.h>

#include <stdlib.h>

#define CHUNK ((size_t)64 << 10)

struct list_dump {
    const struct catalogue *catalogue;
    struct file_writer *file;
    struct buffer lines; /* not written yet */
};

struct status list_dump_open(const char *path, const struct catalogue *catalogue, struct list_dump **ret_dump,
                             struct complaint *complaint)
{
    struct list_dump *dump = calloc(1, sizeof *dump);
    if (!dump)
        return FAIL(MEMORY, 0, "no memory for a dump");
    dump->catalogue = catalogue;
    struct status status = file_writer_open(path, &dump->file, complaint);
    if (failed(status)) {
        list_dump_abandon(dump);
        return status;
    }
    *ret_dump = dump;
    return OK;
}

struct status list_dump_write(struct list_dump *dump, const struct list_line *line, struct complaint *complaint)
{
    struct buffer *out = &dump->lines;
    buffer_append_bytes(out, line->session_id);
    buffer_append_byte(out, '\t');
    buffer_append_number(out, line->position);
    buffer_append_byte(out, '\t');
    buffer_append_bytes(out, catalogue_id(dump->catalogue, line->item));
    buffer_append_byte(out, '\t');
    for (uint32_t i = 0; i < line->count; i++) {
        if (i > 0)
            buffer_append_byte(out, ',');
        buffer_append_bytes(out, catalogue_id(dump->catalogue, line->list[i].item));
    }
    buffer_append_byte(out, '\n');
    return out->size < CHUNK ? OK : file_writer_flush(dump->file, out, complaint);
}

void list_dump_abandon(struct list_dump *dump)
{
    if (!dump)
        return;
    file_writer_abandon(dump->file);
    buffer_release(&dump->lines);
    free(dump);
}

struct status list_dump_close(struct list_dump *dump, struct complaint *complaint)
{
    if (!dump)
        return OK;
    struct status status = file_writer_flush(dump->file, &dump->lines, complaint);
    if (!failed(status)) {
        status = file_writer_close(dump->file, complaint);
        dump->file = NULL;
    }
    list_dump_abandon(dump);
    return status;
}

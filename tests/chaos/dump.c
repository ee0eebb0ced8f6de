// SPDX-License-Identifier: Apache-2.0
#include "chaos/dump.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define NUMBERS 5

static struct status add(struct dump *dump, struct dump_record record)
{
    if (dump->count == dump->capacity) {
        size_t capacity = dump->capacity ? dump->capacity * 2 : 1024;
        struct dump_record *grown = realloc(dump->records, capacity * sizeof *grown);
        if (!grown)
            return FAIL(MEMORY, capacity, "no memory for records");
        dump->records = grown;
        dump->capacity = capacity;
    }
    dump->records[dump->count++] = record;
    return OK;
}

/* The numbers at the line's beginning; what is behind them is *ret_rest. */
static bool read_numbers(struct bytes line, int64_t numbers[NUMBERS], struct bytes *ret_rest)
{
    for (int i = 0; i < NUMBERS; i++) {
        const uint8_t *space = line.size ? memchr(line.data, ' ', line.size) : NULL;
        if (!space || !bytes_to_int64(bytes_of(line.data, (size_t)(space - line.data)), &numbers[i]))
            return false;
        size_t taken = (size_t)(space - line.data) + 1;
        line = bytes_of(line.data + taken, line.size - taken);
    }
    *ret_rest = line;
    return true;
}

static struct bytes part(const uint8_t *data, int64_t size)
{
    return size < 0 ? (struct bytes){0} : bytes_of(data, (size_t)size);
}

/* One record at `text`; *ret_size bytes of it. */
static bool read_record(struct bytes text, struct dump_record *ret_record, size_t *ret_size)
{
    int64_t numbers[NUMBERS];
    struct bytes headers;
    const uint8_t *end = memchr(text.data, '\n', text.size);
    if (!end || !read_numbers(bytes_of(text.data, (size_t)(end - text.data)), numbers, &headers))
        return false;
    size_t key = numbers[3] > 0 ? (size_t)numbers[3] : 0, value = numbers[4] > 0 ? (size_t)numbers[4] : 0;
    size_t left = text.size - (size_t)(end + 1 - text.data);
    if (key > left || value > left - key || left - key - value < 1 || end[1 + key + value] != '\n')
        return false;
    *ret_record = (struct dump_record){.message = {.partition = (int32_t)numbers[0],
                                                   .offset = numbers[1],
                                                   .timestamp_ms = numbers[2],
                                                   .key = part(end + 1, numbers[3]),
                                                   .value = part(end + 1 + key, numbers[4])},
                                       .headers = headers};
    *ret_size = (size_t)(end + 1 - text.data) + key + value + 1;
    return true;
}

static struct status parse(const char *name, struct dump *dump, size_t size, struct complaint *complaint)
{
    for (size_t at = 0; at < size;) {
        struct dump_record record;
        size_t taken;
        if (!read_record(bytes_of(dump->text + at, size - at), &record, &taken))
            return complain(complaint, FAIL(BAD_INPUT, at, "not a dump"), "%s: byte %zu: no record of a dump", name,
                            at);
        TRY(add(dump, record));
        at += taken;
    }
    return OK;
}

struct status dump_parse(const char *name, struct bytes text, struct dump *ret_dump, struct complaint *complaint)
{
    struct dump dump = {.text = malloc(text.size + 1)};
    if (!dump.text)
        return FAIL(MEMORY, text.size, "no memory for a dump");
    if (text.size)
        memcpy(dump.text, text.data, text.size);
    struct status status = parse(name, &dump, text.size, complaint);
    if (failed(status))
        dump_release(&dump);
    else
        *ret_dump = dump;
    return status;
}

static struct status read_all(FILE *file, char **ret_text, size_t *ret_size)
{
    if (fseek(file, 0, SEEK_END))
        return FAIL(IO, errno, "a dump cannot be read");
    long size = ftell(file);
    if (size < 0 || fseek(file, 0, SEEK_SET))
        return FAIL(IO, errno, "a dump cannot be read");
    char *text = malloc((size_t)size + 1);
    if (!text)
        return FAIL(MEMORY, size, "no memory for a dump");
    *ret_size = fread(text, 1, (size_t)size, file);
    *ret_text = text;
    return OK;
}

struct status dump_read(const char *path, struct dump *ret_dump, struct complaint *complaint)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return complain(complaint, FAIL(IO, errno, "a dump cannot be read"), "%s: %s", path, strerror(errno));
    struct dump dump = {0};
    size_t size = 0;
    struct status status = read_all(file, &dump.text, &size);
    fclose(file);
    if (!failed(status))
        status = parse(path, &dump, size, complaint);
    if (failed(status))
        dump_release(&dump);
    else
        *ret_dump = dump;
    return status;
}

void dump_release(struct dump *dump)
{
    free(dump->records);
    free(dump->text);
    *dump = (struct dump){0};
}

bool dump_header(const struct dump_record *record, const char *name, int64_t *ret_value)
{
    struct bytes rest = record->headers;
    size_t size = strlen(name);
    while (rest.size) {
        const uint8_t *comma = memchr(rest.data, ',', rest.size);
        size_t length = comma ? (size_t)(comma - rest.data) : rest.size;
        if (length > size && rest.data[size] == '=' && !memcmp(rest.data, name, size))
            return bytes_to_int64(bytes_of(rest.data + size + 1, length - size - 1), ret_value);
        size_t taken = length + (comma ? 1 : 0);
        rest = bytes_of(rest.data + taken, rest.size - taken);
    }
    return false;
}

// SPDX-License-Identifier: Apache-2.0
#pragma once
/* dump: the records of a topic in a file, as kcat writes them with the format of DUMP_FORMAT:
 * a line "partition offset timestamp key-size value-size headers", then key and value and a line's end. */
#include <eddy/port.h>

#define DUMP_FORMAT "%p %o %T %K %S %h\\n%k%s\\n"

struct dump_record {
    struct message message;
    struct bytes headers; /* "name=value,..." */
};

struct dump {
    char *text;
    struct dump_record *records; /* borrow from it */
    size_t count, capacity;
};

/* IO; BAD_INPUT with the place. */
MUST_CHECK struct status dump_read(const char *path, struct dump *ret_dump, struct complaint *complaint);
/* The same from memory, which is copied; `name` is for complaints. */
MUST_CHECK struct status dump_parse(const char *name, struct bytes text, struct dump *ret_dump,
                                    struct complaint *complaint);
void dump_release(struct dump *dump);

/* The number that a header gives; false when there is none. */
bool dump_header(const struct dump_record *record, const char *name, int64_t *ret_value);

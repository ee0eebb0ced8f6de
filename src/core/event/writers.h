// SPDX-License-Identifier: Apache-2.0
#pragma once
/* writers: the schemas that records were written in, by the names that records give them. */
#include "core/event/resolve.h"

#include <eddy/core/codec.h>

#define WRITERS_MAX 256 /* schemas known to one decoder */

struct writer { /* {0}: of the embedded schema */
    struct schema_name name;
    uint64_t used;                   /* when, as a count of uses */
    char *refusal;                   /* why the schema cannot be used; NULL: it can */
    struct schema_document document; /* owns the plan too */
    struct plan *plan;               /* NULL: its bytes are those of the embedded schema */
};

/* The writer of a schema, without a name. BAD_INPUT when it is no schema, or cannot be resolved to the reader's. */
MUST_CHECK struct status writer_make(struct bytes schema, const struct schema *reader, struct writer *ret_writer,
                                     struct complaint *complaint);
void writer_release(struct writer *writer);

struct writers {            /* {0}: none */
    struct writer *entries; /* ascending by name */
    size_t count;
    uint64_t uses;
};

void writers_release(struct writers *writers);
/* NULL when there is none. Valid until the next put. */
const struct writer *writers_find(struct writers *writers, const struct schema_name *name);
/* Takes `fresh`, also when it fails; an older one of that name goes. At WRITERS_MAX: LIMIT, or with make_room the one
 * used longest ago goes. */
MUST_CHECK struct status writers_put(struct writers *writers, const struct schema_name *name, struct writer *fresh,
                                     bool make_room);

/* A name as it stands before a datum (magic byte 0, 4 bytes), or in a header (also: magic byte 1, a GUID of 16).
 * *ret_taken: how many bytes it has; in a header there are no others. */
MUST_CHECK struct status schema_name_read(struct bytes bytes, bool header, struct schema_name *ret_name,
                                          size_t *ret_taken, struct complaint *complaint);

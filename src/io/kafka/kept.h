// SPDX-License-Identifier: Apache-2.0
#pragma once
/* kept: the records of a transaction, copied once and kept until it is committed, so that it can be made again. */
#include <eddy/base/arena.h>
#include <eddy/port.h>

struct kept {
    struct arena memory;
    struct output_record *records;
    size_t count, capacity;
    size_t bytes; /* of keys, values and headers */
};

/* MEMORY. */
MUST_CHECK struct status kept_add(struct kept *kept, const struct output_record *record);
/* Takes the last one back; its memory goes with the others'. */
void kept_undo(struct kept *kept);
/* Forgets all, keeping the memory. */
void kept_clear(struct kept *kept);
void kept_release(struct kept *kept);

// SPDX-License-Identifier: Apache-2.0
/* jansson calls some failures of memory bad text, which would make a dead letter of a good click. So its memory comes
 * through here. It has one allocator for the whole process: this is the one place in core with a state of its own. */
#include "core/event/json.h"

#include <jansson.h>
#include <stdlib.h>

static _Thread_local bool lacking;

static void *allocate(size_t size)
{
    void *memory = malloc(size);
    lacking = lacking || !memory;
    return memory;
}

/* Before any thread: jansson does not guard its pointers. */
__attribute__((constructor)) static void set_allocator(void)
{
    json_set_alloc_funcs(allocate, free);
}

void json_memory_begin(void)
{
    lacking = false;
}

bool json_memory_lacked(void)
{
    return lacking;
}

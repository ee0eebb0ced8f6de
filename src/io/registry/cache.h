// SPDX-License-Identifier: Apache-2.0
#pragma once
/* cache: what a registry said about the names of schemas: a schema or a reason why there is none. A name never changes
 * its schema, so schemas and refusals stay until the bound; that one does not exist is believed for a while. At the
 * bound the entry used longest ago leaves. One thread at a time. */
#include <eddy/io/registry.h>

#define CACHED_MAX 256

struct cached {
    struct schema_name name;
    struct status status; /* OK, BAD_INPUT or NOT_FOUND */
    int64_t until_us;     /* INT64_MAX: for ever */
    uint64_t used;        /* 0: the place is free */
    struct buffer text;   /* the schema, or the complaint */
};

struct cache {
    struct cached entries[CACHED_MAX];
    uint64_t uses;
};

void cache_release(struct cache *cache);
/* NULL when nothing is known at now_us. Valid until the next call. */
const struct cached *cache_find(struct cache *cache, const struct schema_name *name, int64_t now_us);
/* Notes what was said; without memory nothing is noted. */
void cache_note(struct cache *cache, const struct schema_name *name, struct status status, struct bytes text,
                int64_t until_us);

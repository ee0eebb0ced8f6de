// SPDX-License-Identifier: Apache-2.0
#include "io/registry/cache.h"

void cache_release(struct cache *cache)
{
    for (size_t i = 0; i < CACHED_MAX; i++)
        buffer_release(&cache->entries[i].text);
    *cache = (struct cache){0};
}

static bool same(const struct schema_name *a, const struct schema_name *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* The entry of the name, or the one to be used for it. */
static struct cached *place_of(struct cache *cache, const struct schema_name *name)
{
    struct cached *oldest = &cache->entries[0];
    for (size_t i = 0; i < CACHED_MAX; i++) {
        struct cached *entry = &cache->entries[i];
        if (entry->used && same(&entry->name, name))
            return entry;
        if (entry->used < oldest->used)
            oldest = entry;
    }
    return oldest;
}

const struct cached *cache_find(struct cache *cache, const struct schema_name *name, int64_t now_us)
{
    struct cached *entry = place_of(cache, name);
    if (!entry->used || !same(&entry->name, name) || entry->until_us <= now_us)
        return NULL;
    entry->used = ++cache->uses;
    return entry;
}

void cache_note(struct cache *cache, const struct schema_name *name, struct status status, struct bytes text,
                int64_t until_us)
{
    struct cached *entry = place_of(cache, name);
    buffer_release(&entry->text);
    *entry = (struct cached){.name = *name, .status = status, .until_us = until_us, .used = ++cache->uses};
    buffer_append_bytes(&entry->text, text);
    if (failed(buffer_check(&entry->text))) {
        buffer_release(&entry->text);
        *entry = (struct cached){0};
    }
}

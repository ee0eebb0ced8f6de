// SPDX-License-Identifier: Apache-2.0
#include "chaos/facts.h"

#include <inttypes.h>
#include <stdlib.h>

#define SHOWN_MAX   5
#define CONTENT_MAX 160 /* bytes shown */

struct status facts_add(struct facts *facts, struct fact fact)
{
    if (facts->count == facts->capacity) {
        size_t capacity = facts->capacity ? facts->capacity * 2 : 1024;
        struct fact *grown = realloc(facts->facts, capacity * sizeof *grown);
        if (!grown)
            return FAIL(MEMORY, capacity, "no memory for facts");
        facts->facts = grown;
        facts->capacity = capacity;
    }
    facts->memory.limit = (size_t)8 << 30;
    size_t size = fact.content.size;
    fact.content = arena_copy(&facts->memory, fact.content);
    if (fact.content.size != size)
        return FAIL(MEMORY, size, "no memory for a fact");
    facts->facts[facts->count++] = fact;
    return OK;
}

struct status facts_add_content(struct facts *facts, int32_t partition, struct bytes content)
{
    return facts_add(facts, (struct fact){partition, (int64_t)(bytes_hash(content) >> 1), 0, content});
}

void facts_release(struct facts *facts)
{
    free(facts->facts);
    arena_release(&facts->memory);
    *facts = (struct facts){0};
}

static int compare_identity(const struct fact *a, const struct fact *b)
{
    if (a->partition != b->partition)
        return a->partition < b->partition ? -1 : 1;
    if (a->offset != b->offset)
        return a->offset < b->offset ? -1 : 1;
    return a->sequence < b->sequence ? -1 : a->sequence > b->sequence;
}

static int compare(const void *a, const void *b)
{
    const struct fact *one = a, *other = b;
    int order = compare_identity(one, other);
    return order ? order : bytes_compare(one->content, other->content);
}

static void sort(struct facts *facts)
{
    if (facts->count)
        qsort(facts->facts, facts->count, sizeof *facts->facts, compare);
}

static void show_content(struct bytes content, FILE *out)
{
    for (size_t i = 0; i < content.size && i < CONTENT_MAX; i++)
        fputc(content.data[i] >= 32 && content.data[i] < 127 ? content.data[i] : '.', out);
    fputc('\n', out);
}

static void show(const char *what, const char *how, const struct fact *expected, const struct fact *found, FILE *out)
{
    const struct fact *one = expected ? expected : found;
    fprintf(out, "%s: %s: partition %d, offset %" PRId64 ", number %u\n", what, how, one->partition, one->offset,
            one->sequence);
    if (expected) {
        fputs("    wanted ", out);
        show_content(expected->content, out);
    }
    if (found) {
        fputs("    found  ", out);
        show_content(found->content, out);
    }
}

static void note(size_t *count, const char *what, const char *how, const struct fact *expected,
                 const struct fact *found, FILE *out)
{
    if ((*count)++ < SHOWN_MAX)
        show(what, how, expected, found, out);
}

struct comparison facts_compare(const char *what, struct facts *expected, struct facts *found, FILE *out)
{
    struct comparison result = {.expected = expected->count};
    sort(expected);
    sort(found);
    const struct fact *last = NULL; /* the one found before */
    for (size_t i = 0, j = 0; i < expected->count || j < found->count;) {
        const struct fact *wanted = i < expected->count ? &expected->facts[i] : NULL;
        const struct fact *seen = j < found->count ? &found->facts[j] : NULL;
        int order = !wanted ? 1 : !seen ? -1 : compare_identity(wanted, seen);
        if (order < 0)
            note(&result.lost, what, "lost", wanted, NULL, out);
        else if (order > 0 && last && !compare_identity(last, seen))
            note(&result.repeated, what, "repeated", NULL, seen, out);
        else if (order > 0)
            note(&result.unexpected, what, "not expected", NULL, seen, out);
        else if (!bytes_equal(wanted->content, seen->content))
            note(&result.different, what, "different", wanted, seen, out);
        i += order <= 0;
        if (order >= 0) {
            last = seen;
            j++;
        }
    }
    return result;
}

bool comparison_holds(const struct comparison *comparison)
{
    return !comparison->lost && !comparison->repeated && !comparison->unexpected && !comparison->different;
}

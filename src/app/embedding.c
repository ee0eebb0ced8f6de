// SPDX-License-Identifier: Apache-2.0
#include "app/embedding.h"

#include "app/log_reading.h"

#include <stdlib.h>

#define ITEMS_MAX  (UINT32_C(1) << 24)
#define MEMORY_MAX ((size_t)4 << 30)
#define TITLE_MAX  (UINT32_C(4) << 10)

struct status embedding_learn(const struct hashing_options *options, const struct catalogue *catalogue, uint32_t items,
                              struct embedder *ret_embedder)
{
    size_t count = 0;
    struct hashing_title *titles = malloc((items + 1) * sizeof *titles);
    if (!titles)
        return FAIL(MEMORY, items, "no memory for titles");
    for (uint32_t item = 0; item < items; item++)
        if (catalogue_title(catalogue, item).size > 0)
            titles[count++] = (struct hashing_title){catalogue_id(catalogue, item), catalogue_title(catalogue, item)};
    struct status status = hashing_learn(options, titles, count, ret_embedder);
    free(titles);
    return status;
}

static struct status learn_file(const struct hashing_options *options, const char *path, struct catalogue *catalogue,
                                struct embedder *ret_embedder, struct complaint *complaint)
{
    struct log_reading reading = log_reading_begin(false);
    reading.items = true;
    TRY(log_reading_catalogue(&reading, path, catalogue, complaint));
    log_reading_report(&reading);
    return embedding_learn(options, catalogue, catalogue_count(catalogue), ret_embedder);
}

struct status embedding_learn_file(const struct hashing_options *options, const char *path,
                                   struct embedder *ret_embedder, struct complaint *complaint)
{
    const struct catalogue_options bounds = {ITEMS_MAX, MEMORY_MAX, TITLE_MAX};
    struct catalogue *catalogue;
    TRY(catalogue_open(&bounds, &catalogue));
    struct status status = learn_file(options, path, catalogue, ret_embedder, complaint);
    catalogue_close(catalogue);
    return status;
}

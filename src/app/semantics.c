// SPDX-License-Identifier: Apache-2.0
#include "app/semantics.h"

#include "app/embedding.h"
#include "app/progress.h"

#include <eddy/io/encoder_folder.h>

#include <stdlib.h>

#define TOGETHER 256 /* titles that are embedded at once */

static struct status open_embedder(const struct config *config, const struct catalogue *catalogue, uint32_t item_count,
                                   struct embedder *ret_embedder, struct complaint *complaint)
{
    struct encoder *encoder;
    struct complaint why = {""};
    if (config->embedder.provider == EMBEDDER_HASH)
        return embedding_learn(&config->embedder.hashing, catalogue, item_count, ret_embedder);
    struct status status = encoder_folder_open(config->embedder.folder, &encoder, &why);
    if (failed(status))
        return complain(complaint, status, "embedder.folder: %s", why.text);
    *ret_embedder = encoder_embedder(encoder);
    return OK;
}

/* The items that have a title, and room for their vectors. */
struct titles {
    struct semantic_item *items;
    struct bytes *texts;
    float *vectors;
    uint32_t count;
};

static void titles_release(struct titles *titles)
{
    free(titles->items);
    free(titles->texts);
    free(titles->vectors);
}

static struct status titles_choose(const struct catalogue *catalogue, uint32_t item_count, uint32_t width,
                                   struct titles *titles)
{
    titles->items = malloc((item_count + 1ul) * sizeof *titles->items);
    titles->texts = malloc((item_count + 1ul) * sizeof *titles->texts);
    titles->vectors = malloc((item_count + 1ul) * width * sizeof *titles->vectors);
    if (!titles->items || !titles->texts || !titles->vectors)
        return FAIL(MEMORY, item_count, "no memory for titles' vectors");
    for (uint32_t item = 0; item < item_count; item++) {
        struct bytes title = catalogue_title(catalogue, item);
        if (title.size == 0)
            continue;
        titles->items[titles->count] = (struct semantic_item){item, title};
        titles->texts[titles->count++] = title;
    }
    return OK;
}

static struct status titles_embed(const struct embedder *embedder, struct titles *titles, struct complaint *complaint)
{
    struct progress progress = progress_start("titles");
    struct status status = OK;
    for (uint32_t from = 0, count; from < titles->count && !failed(status); from += count) {
        count = titles->count - from < TOGETHER ? titles->count - from : TOGETHER;
        status = embedder_embed(embedder, titles->texts + from, count, titles->vectors + (size_t)from * embedder->width,
                                complaint);
        progress_advance(&progress, count, titles->count);
    }
    progress_end(&progress);
    return status;
}

static struct status open_semantic(const struct embedder *embedder, const struct catalogue *catalogue,
                                   uint32_t item_count, struct semantic **ret_semantic, struct complaint *complaint)
{
    AUTO(titles) titles = {0};
    TRY(titles_choose(catalogue, item_count, embedder->width, &titles));
    TRY(titles_embed(embedder, &titles, complaint));
    return semantic_open(titles.items, titles.vectors, titles.count, embedder->width, item_count, ret_semantic);
}

struct status semantics_open(const struct config *config, const struct catalogue *catalogue, uint32_t item_count,
                             struct semantics *ret_semantics, struct complaint *complaint)
{
    struct semantics semantics = {0};
    *ret_semantics = semantics;
    if (config->embedder.provider == EMBEDDER_NONE)
        return OK;
    TRY(open_embedder(config, catalogue, item_count, &semantics.embedder, complaint));
    struct status status = open_semantic(&semantics.embedder, catalogue, item_count, &semantics.semantic, complaint);
    if (failed(status))
        semantics_release(&semantics);
    else
        *ret_semantics = semantics;
    return status;
}

void semantics_release(struct semantics *semantics)
{
    semantic_close(semantics->semantic);
    embedder_close(&semantics->embedder);
    *semantics = (struct semantics){0};
}

// SPDX-License-Identifier: Apache-2.0
#pragma once
/* semantics: what texts are good for in a process: the embedder that the configuration names, and the catalogue's
 * titles as its vectors. */
#include "app/config.h"

#include <eddy/core/intent.h>

struct semantics {
    struct embedder embedder;
    struct semantic *semantic; /* NULL: embedder.provider is none */
};

/* Of the items below `item_count` that have a title. Takes as long as these take to embed; shows its progress. {0} may
 * be released. What the embedder fails with, with a complaint that names the option. */
MUST_CHECK struct status semantics_open(const struct config *config, const struct catalogue *catalogue,
                                        uint32_t item_count, struct semantics *ret_semantics,
                                        struct complaint *complaint);
void semantics_release(struct semantics *semantics);

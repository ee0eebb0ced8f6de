// SPDX-License-Identifier: Apache-2.0
#pragma once
/* embedding: the embedder that somebody asks for by the name of its provider. */
#include <eddy/core/catalogue.h>
#include <eddy/core/encoder.h>
#include <eddy/core/hashing.h>

/* Of the items below `item_count` that have a title, which the caller holds the reader lock of meanwhile. */
MUST_CHECK struct status embedding_learn(const struct hashing_options *options, const struct catalogue *catalogue,
                                         uint32_t item_count, struct embedder *ret_embedder);
/* The same for the items of a file; broken records are skipped and spoken of. */
MUST_CHECK struct status embedding_learn_file(const struct hashing_options *options, const char *path,
                                              struct embedder *ret_embedder, struct complaint *complaint);

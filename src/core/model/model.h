// SPDX-License-Identifier: Apache-2.0
#pragma once
/* What a model is made of, for those who train it and who keep it. */
#include "core/model/backbone.h"

struct model {
    struct model_options options;
    uint32_t item_count;
    float *items; /* (item_count, width) */
    struct parameters parameters;
    int64_t trained_to_ms;
};

/* Without weights yet: tensors declared, zeros everywhere. MEMORY. */
MUST_CHECK struct status model_open_empty(const struct model_options *options, uint32_t item_count,
                                          struct model **ret_model);

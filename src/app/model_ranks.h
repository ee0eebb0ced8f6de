// SPDX-License-Identifier: Apache-2.0
#pragma once
/* model_ranks: how a model alone ranks what came next, over all prefixes of the test sessions and all items of
 * training. A tie counts against the model. */
#include "app/evaluation.h"

#include <eddy/core/model.h>
#include <eddy/core/parallel.h>

#include <stdatomic.h>

/* The items of the data are the model's rows. ranks: (data->predictions) in the order of evaluation_result. Shows its
 * progress. MEMORY; INTERRUPTED: `stop` was set. */
MUST_CHECK struct status model_ranks(const struct model *model, const struct evaluation_data *data,
                                     struct parallel parallel, const atomic_bool *stop, uint32_t *ranks);

// SPDX-License-Identifier: Apache-2.0
#pragma once
/* evaluation_model: a trained model by itself, as one more system of an evaluation. */
#include "app/evaluation.h"

/* As evaluation_run(): lists of 20, whose scores are probabilities, over the items of training that the model knows.
 * What is learned for it was learned before: learn_ns is 0. Complains of a model that knows none of the items. */
MUST_CHECK struct status evaluation_run_model(const struct evaluation_data *data, const char *path,
                                              struct list_dump *dump, struct evaluation_result *ret_result,
                                              struct complaint *complaint);

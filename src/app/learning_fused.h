// SPDX-License-Identifier: Apache-2.0
#pragma once
/* learning_fused: the retrieval scorers at work in a system of learning.h, with its model or without one. */
#include "app/learning.h"

struct learning_fused;

MUST_CHECK struct status learning_fused_open(const struct learning_data *data, const struct config *config,
                                             struct learning_fused **ret_fused);
void learning_fused_close(struct learning_fused *fused);
/* The session in data->closing that has closed. */
MUST_CHECK struct status learning_fused_learn(struct learning_fused *fused, size_t number);
/* Lists are fused with this model's from now on; NULL: with none. It is borrowed. */
MUST_CHECK struct status learning_fused_model(struct learning_fused *fused, const struct model *model);
/* *ret_rank: of what came next in the list, 0: not there. */
MUST_CHECK struct status learning_fused_ask(struct learning_fused *fused, const struct learning_question *question,
                                            uint32_t *ret_rank);

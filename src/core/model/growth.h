// SPDX-License-Identifier: Apache-2.0
#pragma once
/* growth: where the rows of new items begin. An item is like those it is clicked beside, so its row begins as the mean
 * of theirs; that is worth more than a random one before the first step, and as good to train from. */
#include <eddy/core/trainer.h>

/* Items from `first_new` on are new: the row of each becomes the mean of the rows of the older items nearest to its
 * clicks, on both sides. One that is in no session with an older item keeps the row that it has. MEMORY. */
MUST_CHECK struct status growth_begin_rows(struct model *model, uint32_t first_new,
                                           const struct training_sessions *sessions);

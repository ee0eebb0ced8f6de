// SPDX-License-Identifier: Apache-2.0
#pragma once
/* ranking: how a model alone ranks what came next, among all its items. A tie counts against the model.
 *
 * Questions are put one by one and answered together, RANKING_BATCH or as many as there is room for at once. An item
 * that the model has no row for is left out of what came before; when it is what came next, or when nothing is left
 * before, there is no rank: 0. The model is borrowed and must not change. Memory: 4 bytes an
 * item and at most 64 MiB of scores. One thread, but for the parts of an answer (ranking_run_on()). */
#include <eddy/core/model.h>
#include <eddy/core/parallel.h>

#define RANKING_BATCH 256

struct ranking;

/* MEMORY. */
MUST_CHECK struct status ranking_open(const struct model *model, struct ranking **ret_ranking);
void ranking_close(struct ranking *ranking);

/* From now on answers are shared out so; before, they are made in order. No rank depends on it. */
void ranking_run_on(struct ranking *ranking, struct parallel parallel);

/* After items[0 .. length - 1], oldest first, came `next`: its rank from 1 is in *ret_rank when as many questions as
 * are answered together have been put, at the latest after ranking_flush(). MEMORY. */
MUST_CHECK struct status ranking_ask(struct ranking *ranking, const uint32_t *items, uint32_t length, uint32_t next,
                                     uint32_t *ret_rank);
MUST_CHECK struct status ranking_flush(struct ranking *ranking);

// SPDX-License-Identifier: Apache-2.0
#pragma once
/* stores: where the tasks' sessions are kept: LMDB in the state directory, or memory (for the embedded broker, whose
 * clicks do not outlive the process either). The opener may be used by several threads. */
#include "app/config.h"
#include "app/shard.h"

struct stores;

/* LOCKED, CONFIG, DISK_FULL, IO of the state directory. */
MUST_CHECK struct status stores_open(const struct config *config, bool in_memory, struct stores **ret_stores,
                                     struct complaint *complaint);
/* After all stores in it have been closed. */
void stores_close(struct stores *stores);
struct store_opener stores_opener(struct stores *stores);
/* The name of this process across restarts; without a directory only until its end. */
const char *stores_instance(const struct stores *stores);
/* The file for what the process has learned; "" without a directory. */
const char *stores_saved(const struct stores *stores);
/* Fullness of the fullest map, in percent. */
int stores_map_used_percent(struct stores *stores);

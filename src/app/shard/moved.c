// SPDX-License-Identifier: Apache-2.0
#include "app/shard/shard.h"

int64_t shard_sessions_moved(const struct shard *shard, int32_t before, int32_t now)
{
    int64_t moved = 0;
    for (int32_t p = 0; p < shard->tasks_end && p < before; p++)
        if (shard->tasks[p])
            moved += session_table_moved(engine_sessions(shard->tasks[p]->engine), p, before, now);
    return moved;
}

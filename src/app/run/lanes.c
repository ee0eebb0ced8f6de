// SPDX-License-Identifier: Apache-2.0
#include "app/run/lanes.h"

#include "app/log.h"

#include <eddy/io/system.h>
#include <stdlib.h>

struct status lanes_make(struct lanes *lanes, uint32_t count)
{
    lanes->lanes = calloc(count, sizeof *lanes->lanes);
    lanes->count = lanes->lanes ? count : 0;
    return lanes->lanes ? OK : FAIL(MEMORY, count, "no memory for shards");
}

void lanes_close(struct lanes *lanes)
{
    for (uint32_t i = 0; i < lanes->count; i++)
        lane_close(&lanes->lanes[i]);
    free(lanes->lanes);
    *lanes = (struct lanes){0};
}

static bool is_of(const struct lanes *lanes, int32_t partition, uint32_t lane)
{
    return (uint32_t)partition % lanes->count == lane;
}

static struct status accept_lane(struct lanes *lanes, uint32_t lane, struct assignment *assignments, size_t count,
                                 struct assignment *room, struct complaint *complaint)
{
    size_t mine = 0;
    for (size_t i = 0; i < count; i++)
        if (is_of(lanes, assignments[i].partition, lane))
            room[mine++] = assignments[i];
    if (!mine)
        return OK;
    TRY(worker_accept(lanes->lanes[lane].worker, room, mine, complaint));
    for (size_t i = 0, at = 0; i < count; i++)
        if (is_of(lanes, assignments[i].partition, lane))
            assignments[i].start = room[at++].start;
    return OK;
}

struct status lanes_accept(struct lanes *lanes, struct assignment *assignments, size_t count,
                           struct complaint *complaint)
{
    struct assignment *room = calloc(count + 1, sizeof *room);
    struct status status = room ? OK : FAIL(MEMORY, count, "no memory for an assignment");
    for (uint32_t lane = 0; lane < lanes->count && !failed(status); lane++)
        status = accept_lane(lanes, lane, assignments, count, room, complaint);
    free(room);
    return status;
}

static struct status release_lane(struct lane *lane, const int32_t *partitions, size_t count, bool lost, int timeout_ms)
{
    struct status status = count ? worker_release(lane->worker, partitions, count, lost, timeout_ms) : OK;
    char text[256];
    if (!failed(status))
        return OK;
    log_always(LOG_ERROR, "last_commit_failed", "partitions=%zu reason=%s note=%s", count,
               status_text(status, text, sizeof text), "the next owner answers the clicks since the last one");
    /* A rebalance overtook the stop, and the next owner has begun. */
    return failed_as(status, FAULT_FENCED) ? OK : status;
}

struct status lanes_release(struct lanes *lanes, const int32_t *partitions, size_t count, bool lost, int timeout_ms)
{
    struct status last = OK;
    struct time_source time = system_time();
    int64_t end_ms = time.ops->monotonic_us(time.self) / 1000 + timeout_ms;
    int32_t *room = calloc(count + 1, sizeof *room);
    assert(room);
    for (uint32_t lane = 0; lane < lanes->count; lane++) {
        size_t mine = 0;
        for (size_t i = 0; i < count; i++)
            if (is_of(lanes, partitions[i], lane))
                room[mine++] = partitions[i];
        int64_t left_ms = end_ms - time.ops->monotonic_us(time.self) / 1000;
        struct status status = release_lane(&lanes->lanes[lane], room, mine, lost, left_ms > 0 ? (int)left_ms : 0);
        last = failed(status) ? status : last;
    }
    free(room);
    return last;
}

struct status lanes_count_partitions(struct lanes *lanes, enum output output, int timeout_ms, int32_t *ret_count)
{
    int32_t least = INT32_MAX, count;
    for (uint32_t lane = 0; lane < lanes->count; lane++) {
        TRY(lane_count_partitions(&lanes->lanes[lane], output, timeout_ms, &count));
        least = count < least ? count : least;
    }
    *ret_count = least;
    return OK;
}

int64_t lanes_sessions_moved(struct lanes *lanes, int32_t before, int32_t now)
{
    int64_t moved = 0;
    for (uint32_t i = 0; i < lanes->count; i++)
        moved += worker_sessions_moved(lanes->lanes[i].worker, before, now);
    return moved;
}

struct status lanes_failure(const struct lanes *lanes)
{
    for (uint32_t lane = 0; lane < lanes->count; lane++)
        TRY(worker_failure(lanes->lanes[lane].worker));
    return OK;
}

int64_t lanes_refused(const struct lanes *lanes)
{
    int64_t refused = 0;
    for (uint32_t lane = 0; lane < lanes->count; lane++)
        refused += (int64_t)lane_failures(&lanes->lanes[lane]);
    return refused;
}

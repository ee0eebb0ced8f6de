// SPDX-License-Identifier: Apache-2.0
#include "app/run/lanes.h"

#include "app/log.h"

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

/* ---- assignments: each lane gets its part of the list, and all are at it at once */

struct status lanes_accept(struct lanes *lanes, struct assignment *assignments, size_t count,
                           struct complaint *complaint)
{
    struct assignment *parts = calloc(count + 1, sizeof *parts);
    struct complaint *complaints = calloc(lanes->count, sizeof *complaints);
    struct status status = parts && complaints ? OK : FAIL(MEMORY, count, "no memory for an assignment");
    size_t end = 0;
    for (uint32_t lane = 0; lane < lanes->count && parts && complaints; lane++) {
        size_t begin = end;
        for (size_t i = 0; i < count; i++)
            if (is_of(lanes, assignments[i].partition, lane))
                parts[end++] = assignments[i];
        worker_begin_accept(lanes->lanes[lane].worker, parts + begin, end - begin, &complaints[lane]);
    }
    size_t at = 0;
    for (uint32_t lane = 0; lane < lanes->count && parts && complaints; lane++) {
        struct status accepted = worker_end(lanes->lanes[lane].worker);
        if (failed(accepted) && !failed(status)) {
            status = accepted;
            if (complaint)
                *complaint = complaints[lane];
        }
        for (size_t i = 0; i < count; i++)
            if (is_of(lanes, assignments[i].partition, lane))
                assignments[i].start = parts[at++].start;
    }
    free(complaints);
    free(parts);
    return status;
}

static struct status end_release(struct lane *lane, size_t count)
{
    struct status status = worker_end(lane->worker);
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
    int32_t *parts = calloc(count + 1, sizeof *parts);
    size_t *counts = calloc(lanes->count, sizeof *counts), end = 0;
    assert(parts && counts);
    for (uint32_t lane = 0; lane < lanes->count; lane++) {
        for (size_t i = 0; i < count; i++)
            if (is_of(lanes, partitions[i], lane))
                parts[end + counts[lane]++] = partitions[i];
        if (counts[lane])
            worker_begin_release(lanes->lanes[lane].worker, parts + end, counts[lane], lost, timeout_ms);
        end += counts[lane];
    }
    for (uint32_t lane = 0; lane < lanes->count; lane++) {
        struct status status = counts[lane] ? end_release(&lanes->lanes[lane], counts[lane]) : OK;
        last = failed(status) ? status : last;
    }
    free(counts);
    free(parts);
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

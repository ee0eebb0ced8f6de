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

static size_t count_of(const struct lanes *lanes, const int32_t *partitions, size_t count, uint32_t lane)
{
    size_t mine = 0;
    for (size_t i = 0; i < count; i++)
        mine += is_of(lanes, partitions[i], lane);
    return mine;
}

/* ---- assignments: each lane gets its part of the list, and all are at it at once */

static void take_back(struct lanes *lanes, const int32_t *partitions, size_t count)
{
    for (uint32_t lane = 0; lane < lanes->count; lane++) {
        worker_begin_release(lanes->lanes[lane].worker, partitions, count, true, 0);
        struct status dropped = worker_end(lanes->lanes[lane].worker);
        (void)dropped; /* there is nothing yet */
    }
}

/* `parts` has room for the list, `complaints` one for each lane. */
static struct status accept_parts(struct lanes *lanes, struct assignment *assignments, size_t count,
                                  struct assignment *parts, struct complaint *complaints, struct complaint *complaint)
{
    struct status status = OK;
    size_t end = 0, at = 0;
    for (uint32_t lane = 0; lane < lanes->count; lane++) {
        size_t begin = end;
        for (size_t i = 0; i < count; i++)
            if (is_of(lanes, assignments[i].partition, lane))
                parts[end++] = assignments[i];
        worker_begin_accept(lanes->lanes[lane].worker, parts + begin, end - begin, &complaints[lane]);
    }
    for (uint32_t lane = 0; lane < lanes->count; lane++) {
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
    return status;
}

struct status lanes_accept(struct lanes *lanes, struct assignment *assignments, size_t count,
                           struct complaint *complaint)
{
    struct assignment *parts = calloc(count + 1, sizeof *parts);
    int32_t *numbers = calloc(count + 1, sizeof *numbers);
    struct complaint *complaints = calloc(lanes->count, sizeof *complaints);
    bool room = parts && numbers && complaints;
    for (size_t i = 0; i < count && room; i++)
        numbers[i] = assignments[i].partition;
    struct status status = room ? accept_parts(lanes, assignments, count, parts, complaints, complaint)
                                : FAIL(MEMORY, count, "no memory for an assignment");
    if (failed(status) && room)
        take_back(lanes, numbers, count);
    free(complaints);
    free(numbers);
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
    for (uint32_t lane = 0; lane < lanes->count; lane++)
        if (count_of(lanes, partitions, count, lane) > 0) /* each passes over those that are not its own */
            worker_begin_release(lanes->lanes[lane].worker, partitions, count, lost, timeout_ms);
    for (uint32_t lane = 0; lane < lanes->count; lane++) {
        size_t mine = count_of(lanes, partitions, count, lane);
        struct status status = mine ? end_release(&lanes->lanes[lane], mine) : OK;
        last = failed(status) ? status : last;
    }
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

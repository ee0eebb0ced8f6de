// SPDX-License-Identifier: Apache-2.0
#include "io/kafka/ends.h"

#include <stdlib.h>

#define FRESH_US     5000000
#define SILENT_US    30000000
#define ASK_AGAIN_US 1000000

void kafka_ends_open(struct kafka_ends *ends)
{
    *ends = (struct kafka_ends){0};
    pthread_mutex_init(&ends->lock, NULL);
}

void kafka_ends_close(struct kafka_ends *ends)
{
    pthread_mutex_destroy(&ends->lock);
    free(ends->ends);
}

static struct status reserve(struct kafka_ends *ends, int32_t count)
{
    pthread_mutex_lock(&ends->lock);
    struct kafka_end *more = realloc(ends->ends, (size_t)count * sizeof *more);
    for (int32_t p = ends->count; p < count && more; p++)
        more[p] = (struct kafka_end){.delivered = -1};
    if (more) {
        ends->ends = more;
        ends->count = count;
    }
    pthread_mutex_unlock(&ends->lock);
    return more ? OK : FAIL(MEMORY, count, "no memory for partitions");
}

struct status kafka_ends_begin(struct kafka_ends *ends, int32_t partition, int64_t offset, int64_t end)
{
    if (partition >= ends->count)
        TRY(reserve(ends, partition + 16));
    struct kafka_end *mine = &ends->ends[partition];
    mine->next = offset;
    mine->delivered = -1;
    mine->behind_us = mine->asked_back_us = 0;
    pthread_mutex_lock(&ends->lock);
    mine->known = end;
    mine->told_us = 0;
    pthread_mutex_unlock(&ends->lock);
    return OK;
}

static struct kafka_end *end_of(const struct kafka_ends *ends, int32_t partition)
{
    assert(partition < ends->count);
    return &ends->ends[partition];
}

int64_t kafka_ends_next(const struct kafka_ends *ends, int32_t partition)
{
    return end_of(ends, partition)->next;
}

void kafka_ends_pass(struct kafka_ends *ends, int32_t partition, int64_t offset)
{
    struct kafka_end *end = end_of(ends, partition);
    end->next = offset + 1;
    end->delivered = -1;
    end->behind_us = 0;
}

void kafka_ends_note(struct kafka_ends *ends, int32_t partition, int64_t offset)
{
    struct kafka_end *end = end_of(ends, partition);
    end->next = end->delivered = offset;
    end->behind_us = 0;
}

bool kafka_ends_may_ask(struct kafka_ends *ends, int32_t partition, int64_t now_us)
{
    struct kafka_end *end = end_of(ends, partition);
    if (end->asked_back_us && now_us - end->asked_back_us < ASK_AGAIN_US)
        return false;
    end->asked_back_us = now_us;
    return true;
}

enum kafka_behind kafka_ends_note_behind(struct kafka_ends *ends, int32_t partition, int64_t now_us)
{
    struct kafka_end *end = end_of(ends, partition);
    bool first = !end->behind_us;
    if (first || now_us - end->glimpse_us > KAFKA_GLIMPSES_US)
        end->behind_us = now_us;
    end->glimpse_us = now_us;
    if (now_us - end->behind_us >= KAFKA_BEHIND_US)
        return KAFKA_BEHIND_FOR_GOOD;
    return first ? KAFKA_BEHIND_FIRST : KAFKA_BEHIND_STILL;
}

bool kafka_ends_note_ahead(struct kafka_ends *ends, int32_t partition)
{
    struct kafka_end *end = end_of(ends, partition);
    bool seemed = end->behind_us;
    end->behind_us = 0;
    return seemed;
}

bool kafka_ends_reached(struct kafka_ends *ends, int32_t partition, int64_t now_us)
{
    if (partition >= ends->count || ends->ends[partition].delivered < 0)
        return false;
    struct kafka_end *end = &ends->ends[partition];
    pthread_mutex_lock(&ends->lock);
    bool fresh = end->told_us && now_us - end->told_us < FRESH_US;
    bool reached = fresh && end->told == end->delivered && end->told >= end->known; /* and not a leader of old's */
    end->wanted = true;                                                             /* for the next time */
    pthread_mutex_unlock(&ends->lock);
    return reached;
}

void kafka_ends_wanted(struct kafka_ends *ends, const char *topic, int64_t now_us,
                       rd_kafka_topic_partition_list_t *list)
{
    pthread_mutex_lock(&ends->lock);
    for (int32_t p = 0; p < ends->count; p++) {
        int64_t silent_us = ends->ends[p].silent_us;
        if (ends->ends[p].wanted && !(silent_us && now_us - silent_us < SILENT_US))
            rd_kafka_topic_partition_list_add(list, topic, p)->offset = RD_KAFKA_OFFSET_END;
        ends->ends[p].wanted = false;
    }
    pthread_mutex_unlock(&ends->lock);
}

void kafka_ends_tell(struct kafka_ends *ends, int32_t partition, int64_t offset, int64_t asked_us)
{
    pthread_mutex_lock(&ends->lock);
    struct kafka_end *end = &ends->ends[partition];
    end->silent_us = offset < 0 ? asked_us : 0;
    if (offset >= 0) {
        end->told = offset;
        end->told_us = asked_us;
        end->known = offset > end->known ? offset : end->known;
    }
    pthread_mutex_unlock(&ends->lock);
}

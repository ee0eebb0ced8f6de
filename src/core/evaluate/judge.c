// SPDX-License-Identifier: Apache-2.0
#include <eddy/core/judge.h>

#include <eddy/core/evaluate.h>

#include <stdlib.h>

#define CAPACITY_MIN 256

/* Open addressing with linear probing by the hash of the session id; at most three quarters full. */
struct judge {
    struct judge_options options;
    uint32_t count, mask;
    uint64_t *hashes; /* 0: free */
    uint32_t *lengths;
    uint32_t *lists; /* (mask + 1, places) */
    uint64_t refused;
};

static struct status table_open(struct judge *judge, uint32_t capacity)
{
    judge->mask = capacity - 1;
    judge->hashes = calloc(capacity, sizeof *judge->hashes);
    judge->lengths = malloc(capacity * sizeof *judge->lengths);
    judge->lists = malloc((size_t)capacity * judge->options.places * sizeof *judge->lists);
    bool enough = judge->hashes && judge->lengths && judge->lists;
    return enough ? OK : FAIL(MEMORY, capacity, "no memory for lists to judge");
}

static void table_release(const struct judge *judge)
{
    free(judge->hashes);
    free(judge->lengths);
    free(judge->lists);
}

struct status judge_open(const struct judge_options *options, struct judge **ret_judge)
{
    assert(options->places >= 1 && options->places <= 1000);
    struct judge *judge = calloc(1, sizeof *judge);
    if (!judge)
        return FAIL(MEMORY, 0, "no memory for a judge");
    judge->options = *options;
    struct status status = table_open(judge, CAPACITY_MIN);
    if (failed(status)) {
        judge_close(judge);
        return status;
    }
    *ret_judge = judge;
    return OK;
}

void judge_close(struct judge *judge)
{
    if (!judge)
        return;
    table_release(judge);
    free(judge);
}

static uint64_t hash_of(struct bytes session_id)
{
    uint64_t hash = bytes_hash(session_id);
    return hash ? hash : 1;
}

/* The place of the session, or the free place where it belongs. */
static uint32_t find(const struct judge *judge, uint64_t hash)
{
    uint32_t place = (uint32_t)hash & judge->mask;
    while (judge->hashes[place] && judge->hashes[place] != hash)
        place = (place + 1) & judge->mask;
    return place;
}

static uint32_t *list_at(const struct judge *judge, uint32_t place)
{
    return judge->lists + (size_t)place * judge->options.places;
}

static void move(struct judge *to, uint32_t to_place, const struct judge *from, uint32_t from_place)
{
    to->hashes[to_place] = from->hashes[from_place];
    to->lengths[to_place] = from->lengths[from_place];
    memcpy(list_at(to, to_place), list_at(from, from_place), from->lengths[from_place] * sizeof(uint32_t));
}

static struct status grow(struct judge *judge)
{
    struct judge grown = *judge;
    struct status status = table_open(&grown, (judge->mask + 1) * 2);
    if (failed(status)) {
        table_release(&grown);
        return status;
    }
    for (uint32_t i = 0; i <= judge->mask; i++)
        if (judge->hashes[i])
            move(&grown, find(&grown, judge->hashes[i]), judge, i);
    table_release(judge);
    *judge = grown;
    return OK;
}

static void keep_list(struct judge *judge, uint32_t place, const struct recommendation *recommendation)
{
    uint32_t length = recommendation->count, *list = list_at(judge, place);
    length = length < judge->options.places ? length : judge->options.places;
    for (uint32_t i = 0; i < length; i++)
        list[i] = recommendation->items[i].item;
    judge->lengths[place] = length;
}

struct status judge_answer(struct judge *judge, const struct recommendation *recommendation, bool *ret_judged,
                           uint32_t *ret_rank)
{
    if (judge->count >= judge->mask - judge->mask / 4)
        TRY(grow(judge));
    uint64_t hash = hash_of(recommendation->session_id);
    uint32_t place = find(judge, hash);
    bool followed = judge->hashes[place] == hash;
    *ret_judged = followed && recommendation->position > 1;
    if (*ret_judged)
        *ret_rank = rank_of(recommendation->click_item, list_at(judge, place), judge->lengths[place]);
    if (!followed && judge->count >= judge->options.sessions_max) {
        judge->refused++;
        return OK;
    }
    judge->count += !followed;
    judge->hashes[place] = hash;
    keep_list(judge, place, recommendation);
    return OK;
}

/* Closes the gap, so that no probe ends before what it looks for. */
void judge_forget(struct judge *judge, struct bytes session_id)
{
    uint32_t gap = find(judge, hash_of(session_id));
    if (!judge->hashes[gap])
        return;
    judge->count--;
    for (uint32_t i = (gap + 1) & judge->mask; judge->hashes[i]; i = (i + 1) & judge->mask) {
        uint32_t home = (uint32_t)judge->hashes[i] & judge->mask;
        if (((i - home) & judge->mask) >= ((i - gap) & judge->mask)) {
            move(judge, gap, judge, i);
            gap = i;
        }
    }
    judge->hashes[gap] = 0;
}

uint64_t judge_refused(const struct judge *judge)
{
    return judge->refused;
}

uint32_t judge_sessions(const struct judge *judge)
{
    return judge->count;
}

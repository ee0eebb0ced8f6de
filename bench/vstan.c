// SPDX-License-Identifier: Apache-2.0
#include "bench/vstan.h"

#include <math.h>
#include <stdlib.h>

#define DAY_MS 86400000.0

/* What the current session has in common with a training session. Valid when `question` is the current one. */
struct match {
    double weight;     /* of the shared items */
    uint32_t age;      /* clicks since the last of them */
    uint32_t question; /* that found it */
};

struct neighbour {
    double key; /* larger is better: first how recent, then how similar */
    uint32_t session;
};

struct item_state {
    double score;
    uint32_t scored; /* the last question that scored it */
    uint32_t asked;  /* the last question that had it in its session */
};

struct vstan {
    struct vstan_options options;
    uint32_t session_count, item_count;
    size_t memory; /* bytes */

    /* By session: its distinct items, their last positions in it. */
    size_t *starts; /* (session_count + 1) */
    uint32_t *items, *positions;
    int64_t *last_ms;
    double *norms; /* sqrt of the number of distinct items */
    /* By item: its sessions, oldest first. */
    size_t *posting_starts; /* (item_count + 1) */
    uint32_t *postings;
    double *idf_factors;
    double *distance_factors; /* (longest session) */

    /* The question being answered. */
    uint32_t question;
    struct match *matches;        /* (session_count) */
    struct neighbour *neighbours; /* (session_count) */
    struct item_state *states;    /* (item_count) */
    uint32_t *scored;             /* (item_count) items with a score */
    uint32_t scored_count;
};

static void *allocate(struct vstan *vstan, size_t count, size_t size)
{
    vstan->memory += count * size;
    return calloc(count + 1, size);
}

static struct status allocate_all(struct vstan *vstan, size_t click_count, uint32_t longest)
{
    size_t sessions = vstan->session_count, items = vstan->item_count;
    vstan->starts = allocate(vstan, sessions + 1, sizeof *vstan->starts);
    vstan->items = allocate(vstan, click_count, sizeof *vstan->items);
    vstan->positions = allocate(vstan, click_count, sizeof *vstan->positions);
    vstan->last_ms = allocate(vstan, sessions, sizeof *vstan->last_ms);
    vstan->norms = allocate(vstan, sessions, sizeof *vstan->norms);
    vstan->posting_starts = allocate(vstan, items + 1, sizeof *vstan->posting_starts);
    vstan->postings = allocate(vstan, click_count, sizeof *vstan->postings);
    vstan->idf_factors = allocate(vstan, items, sizeof *vstan->idf_factors);
    vstan->distance_factors = allocate(vstan, longest, sizeof *vstan->distance_factors);
    vstan->matches = allocate(vstan, sessions, sizeof *vstan->matches);
    vstan->neighbours = allocate(vstan, sessions, sizeof *vstan->neighbours);
    vstan->states = allocate(vstan, items, sizeof *vstan->states);
    vstan->scored = allocate(vstan, items, sizeof *vstan->scored);
    bool enough = vstan->starts && vstan->items && vstan->positions && vstan->last_ms && vstan->norms &&
                  vstan->posting_starts && vstan->postings && vstan->idf_factors && vstan->distance_factors &&
                  vstan->matches && vstan->neighbours && vstan->states && vstan->scored;
    return enough ? OK : FAIL(MEMORY, vstan->memory, "no memory for VSTAN");
}

/* Its distinct items with their last positions, last item first. `states[].asked` tells which were met. */
static void learn_session(struct vstan *vstan, uint32_t session, const struct vstan_session *source)
{
    size_t end = vstan->starts[session];
    vstan->question++;
    for (uint32_t position = source->length; position-- > 0;) {
        uint32_t item = source->items[position];
        assert(item < vstan->item_count);
        vstan->idf_factors[item]++; /* counts clicks until weigh_items() */
        if (vstan->states[item].asked == vstan->question)
            continue;
        vstan->states[item].asked = vstan->question;
        vstan->posting_starts[item + 1]++; /* counts sessions until learn_postings() */
        vstan->items[end] = item;
        vstan->positions[end++] = position;
    }
    vstan->last_ms[session] = source->last_ms;
    vstan->norms[session] = sqrt((double)(end - vstan->starts[session]));
    vstan->starts[session + 1] = end;
}

static void learn_postings(struct vstan *vstan)
{
    for (uint32_t item = 0; item < vstan->item_count; item++)
        vstan->posting_starts[item + 1] += vstan->posting_starts[item];
    for (uint32_t session = vstan->session_count; session-- > 0;) /* filled from behind: the ends become the starts */
        for (size_t i = vstan->starts[session]; i < vstan->starts[session + 1]; i++)
            vstan->postings[--vstan->posting_starts[vstan->items[i] + 1]] = session;
    /* Entry i + 1 is now the start of item i: move them to their places. */
    memmove(vstan->posting_starts, vstan->posting_starts + 1, vstan->item_count * sizeof *vstan->posting_starts);
    vstan->posting_starts[vstan->item_count] = vstan->starts[vstan->session_count];
}

static void weigh_items(struct vstan *vstan, uint32_t longest)
{
    for (uint32_t item = 0; item < vstan->item_count; item++)
        if (vstan->idf_factors[item] > 0)
            vstan->idf_factors[item] =
                1 + vstan->options.idf_weight * log(vstan->session_count / vstan->idf_factors[item]);
    for (uint32_t distance = 0; distance < longest; distance++)
        vstan->distance_factors[distance] = exp(-(double)distance / vstan->options.distance_decay);
}

struct status vstan_open(const struct vstan_options *options, const struct vstan_training *training,
                         struct vstan **ret_vstan)
{
    struct vstan *vstan = calloc(1, sizeof *vstan);
    if (!vstan)
        return FAIL(MEMORY, sizeof *vstan, "no memory for VSTAN");
    *vstan = (struct vstan){
        .options = *options, .session_count = training->session_count, .item_count = training->item_count};
    size_t click_count = 0;
    uint32_t longest = 0;
    for (uint32_t i = 0; i < training->session_count; i++) {
        uint32_t length = training->sessions[i].length;
        click_count += length;
        longest = length > longest ? length : longest;
        assert(i == 0 || training->sessions[i - 1].last_ms <= training->sessions[i].last_ms);
    }
    struct status status = allocate_all(vstan, click_count, longest);
    if (failed(status)) {
        vstan_close(vstan);
        return status;
    }
    for (uint32_t i = 0; i < training->session_count; i++)
        learn_session(vstan, i, &training->sessions[i]);
    learn_postings(vstan);
    weigh_items(vstan, longest);
    *ret_vstan = vstan;
    return OK;
}

void vstan_close(struct vstan *vstan)
{
    if (!vstan)
        return;
    void *owned[] = {vstan->starts,         vstan->items,
                     vstan->positions,      vstan->last_ms,
                     vstan->norms,          vstan->postings,
                     vstan->idf_factors,    vstan->distance_factors,
                     vstan->posting_starts, vstan->matches,
                     vstan->neighbours,     vstan->states,
                     vstan->scored,         vstan};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
}

size_t vstan_memory(const struct vstan *vstan)
{
    return vstan->memory;
}

static bool better(const struct neighbour *a, const struct neighbour *b)
{
    return a->key != b->key ? a->key > b->key : a->session > b->session;
}

/* Puts the best `wanted` in front, in no order (Hoare's quickselect). Returns how many are there. */
static uint32_t keep_best(struct neighbour *all, uint32_t count, uint32_t wanted)
{
    if (count <= wanted)
        return count;
    for (int64_t low = 0, high = (int64_t)count - 1; low < high;) {
        struct neighbour pivot = all[low + (high - low) / 2];
        int64_t i = low, j = high;
        while (i <= j) {
            while (better(&all[i], &pivot))
                i++;
            while (better(&pivot, &all[j]))
                j--;
            if (i <= j) {
                struct neighbour swapped = all[i];
                all[i++] = all[j];
                all[j--] = swapped;
            }
        }
        if ((int64_t)wanted <= j)
            high = j;
        else if ((int64_t)wanted > i)
            low = i;
        else
            break;
    }
    return wanted;
}

/* Finds every session that shares an item with the question. Returns their number; *ret_norm: of the weights. */
static uint32_t find_matches(struct vstan *vstan, const struct query *query, double *ret_norm)
{
    uint32_t count = 0;
    double squares = 0;
    for (uint32_t age = 0; age < query->length; age++) { /* the newest click first: its position is an item's last */
        uint32_t item = query->items[query->length - 1 - age];
        if (vstan->states[item].asked == vstan->question)
            continue;
        vstan->states[item].asked = vstan->question;
        double weight = exp(-(double)age / vstan->options.position_decay);
        squares += weight * weight;
        for (size_t i = vstan->posting_starts[item]; i < vstan->posting_starts[item + 1]; i++) {
            struct match *match = &vstan->matches[vstan->postings[i]];
            if (match->question != vstan->question) {
                *match = (struct match){.age = age, .question = vstan->question};
                vstan->neighbours[count++].session = vstan->postings[i];
            }
            match->weight += weight;
        }
    }
    *ret_norm = sqrt(squares);
    return count;
}

static uint32_t find_neighbours(struct vstan *vstan, const struct query *query)
{
    double norm;
    uint32_t count = find_matches(vstan, query, &norm);
    for (uint32_t i = 0; i < count; i++)
        vstan->neighbours[i].key = vstan->neighbours[i].session; /* sessions are numbered by their last click */
    count = keep_best(vstan->neighbours, count, vstan->options.sample_max);
    for (uint32_t i = 0; i < count; i++) {
        struct neighbour *neighbour = &vstan->neighbours[i];
        double age_days = (double)(query->now_ms - vstan->last_ms[neighbour->session]) / DAY_MS;
        neighbour->key = vstan->matches[neighbour->session].weight / (norm * vstan->norms[neighbour->session]) *
                         exp(-age_days / vstan->options.recency_days);
    }
    return keep_best(vstan->neighbours, count, vstan->options.neighbours_max);
}

/* Lets a neighbour vote for its items. */
static void vote(struct vstan *vstan, const struct neighbour *neighbour)
{
    size_t start = vstan->starts[neighbour->session], end = vstan->starts[neighbour->session + 1];
    uint32_t anchor = 0;
    for (size_t i = start; i < end; i++)
        if (vstan->states[vstan->items[i]].asked == vstan->question && vstan->positions[i] > anchor)
            anchor = vstan->positions[i];
    double weight = neighbour->key * exp(-(double)vstan->matches[neighbour->session].age / vstan->options.match_decay);
    for (size_t i = start; i < end; i++) {
        uint32_t item = vstan->items[i], position = vstan->positions[i];
        struct item_state *state = &vstan->states[item];
        if (state->scored != vstan->question) {
            state->scored = vstan->question;
            state->score = 0;
            vstan->scored[vstan->scored_count++] = item;
        }
        uint32_t distance = position > anchor ? position - anchor : anchor - position;
        state->score += weight * vstan->distance_factors[distance] * vstan->idf_factors[item];
    }
}

/* The best of the scored items, by insertion: few of the items enter the list. */
static uint32_t make_list(const struct vstan *vstan, uint32_t list_size, struct recommended_item *ret_items)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < vstan->scored_count; i++) {
        uint32_t item = vstan->scored[i], place = count;
        double score = vstan->states[item].score;
        while (place > 0) {
            uint32_t above = ret_items[place - 1].item;
            double above_score = vstan->states[above].score;
            if (above_score > score || (above_score == score && above < item))
                break;
            place--;
        }
        if (place == list_size)
            continue;
        count = count < list_size ? count + 1 : list_size;
        memmove(ret_items + place + 1, ret_items + place, (count - 1 - place) * sizeof *ret_items);
        ret_items[place] = (struct recommended_item){.item = item, .score = (float)score};
    }
    return count;
}

void vstan_recommend(struct vstan *vstan, const struct query *query, uint32_t list_size,
                     struct recommended_item *ret_items, uint32_t *ret_count)
{
    assert(query->length > 0 && list_size > 0 && vstan->question < UINT32_MAX);
    vstan->question++;
    vstan->scored_count = 0;
    uint32_t count = find_neighbours(vstan, query);
    for (uint32_t i = 0; i < count; i++)
        vote(vstan, &vstan->neighbours[i]);
    *ret_count = make_list(vstan, list_size, ret_items);
}

struct vstan_rank vstan_rank(const struct vstan *vstan, uint32_t item)
{
    if (vstan->states[item].scored != vstan->question)
        return (struct vstan_rank){0, 0};
    struct vstan_rank rank = {1, 0};
    double score = vstan->states[item].score;
    for (uint32_t i = 0; i < vstan->scored_count; i++) {
        double other = vstan->states[vstan->scored[i]].score;
        rank.best += other > score;
        rank.worst += other >= score;
    }
    return rank;
}

// SPDX-License-Identifier: Apache-2.0
#include "bench/plain_knn.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct item_list {
    uint32_t *values;
    uint32_t count, capacity;
};

struct plain_knn {
    uint32_t item_count, sample, neighbours_max, last_clicks;
    size_t session_count, pair_count;
    struct item_list *sessions; /* distinct items of each */
    struct item_list *postings; /* sessions of each item, oldest first */
    double *similarities;       /* by session; 0: not in the sample */
    uint32_t *places;           /* by session: most recent click shared, from 1 */
    double *scores;             /* by item */
    uint32_t *heap, *neighbours, *touched;
    uint32_t neighbour_count;
};

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count + 1, size);
    if (!memory)
        exit(1);
    return memory;
}

struct plain_knn *plain_knn_open(uint32_t items, size_t sessions, uint32_t sample, uint32_t neighbours,
                                 uint32_t last_clicks)
{
    struct plain_knn *knn = allocate(1, sizeof *knn);
    *knn = (struct plain_knn){
        .item_count = items, .sample = sample, .neighbours_max = neighbours, .last_clicks = last_clicks};
    knn->sessions = allocate(sessions, sizeof *knn->sessions);
    knn->postings = allocate(items, sizeof *knn->postings);
    knn->similarities = allocate(sessions, sizeof *knn->similarities);
    knn->places = allocate(sessions, sizeof *knn->places);
    knn->scores = allocate(items, sizeof *knn->scores);
    knn->heap = allocate(sample, sizeof *knn->heap);
    knn->neighbours = allocate(neighbours, sizeof *knn->neighbours);
    knn->touched = allocate(items, sizeof *knn->touched);
    return knn;
}

void plain_knn_close(struct plain_knn *knn)
{
    for (size_t i = 0; i < knn->session_count; i++)
        free(knn->sessions[i].values);
    for (uint32_t i = 0; i < knn->item_count; i++)
        free(knn->postings[i].values);
    void *parts[] = {knn->sessions, knn->postings,   knn->similarities, knn->places, knn->scores,
                     knn->heap,     knn->neighbours, knn->touched,      knn};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        free(parts[i]);
}

static bool contains(const struct item_list *list, uint32_t value)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (list->values[i] == value)
            return true;
    return false;
}

static void append(struct item_list *list, uint32_t value)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? list->capacity * 2 : 4;
        list->values = realloc(list->values, list->capacity * sizeof *list->values);
        if (!list->values)
            exit(1);
    }
    list->values[list->count++] = value;
}

void plain_knn_learn(struct plain_knn *knn, const uint32_t *items, uint32_t length)
{
    uint32_t number = (uint32_t)knn->session_count++;
    for (uint32_t i = 0; i < length; i++) {
        if (contains(&knn->sessions[number], items[i]))
            continue;
        append(&knn->sessions[number], items[i]);
        append(&knn->postings[items[i]], number);
        knn->pair_count++;
    }
}

/* ---- binary heaps: the smallest on top */

typedef bool less_function(const struct plain_knn *knn, uint32_t a, uint32_t b);

static bool older(const struct plain_knn *knn, uint32_t a, uint32_t b)
{
    (void)knn;
    return a < b;
}

static bool less_similar(const struct plain_knn *knn, uint32_t a, uint32_t b)
{
    if (knn->similarities[a] != knn->similarities[b])
        return knn->similarities[a] < knn->similarities[b];
    return a < b;
}

static void heap_push(const struct plain_knn *knn, uint32_t *heap, uint32_t *count, uint32_t value, less_function *less)
{
    uint32_t at = (*count)++;
    for (; at && less(knn, value, heap[(at - 1) / 2]); at = (at - 1) / 2)
        heap[at] = heap[(at - 1) / 2];
    heap[at] = value;
}

static void heap_replace_top(const struct plain_knn *knn, uint32_t *heap, uint32_t count, uint32_t value,
                             less_function *less)
{
    uint32_t at = 0;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= count)
            break;
        if (child + 1 < count && less(knn, heap[child + 1], heap[child]))
            child++;
        if (!less(knn, heap[child], value))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = value;
}

/* ---- a question */

/* Adds the item's newest sessions to the sample of the newest. */
static uint32_t sample_item(struct plain_knn *knn, uint32_t item, uint32_t place, double weight, uint32_t count)
{
    const struct item_list *postings = &knn->postings[item];
    uint32_t oldest = postings->count > knn->sample ? postings->count - knn->sample : 0;
    for (uint32_t i = postings->count; i-- > oldest;) {
        uint32_t session = postings->values[i];
        if (knn->similarities[session] > 0) {
            knn->similarities[session] += weight;
            continue;
        }
        if (count < knn->sample) {
            heap_push(knn, knn->heap, &count, session, older);
        } else {
            if (session < knn->heap[0])
                break;
            knn->similarities[knn->heap[0]] = 0;
            heap_replace_top(knn, knn->heap, count, session, older);
        }
        knn->similarities[session] = weight;
        knn->places[session] = place;
    }
    return count;
}

static void choose_neighbours(struct plain_knn *knn, uint32_t sampled)
{
    knn->neighbour_count = 0;
    for (uint32_t i = 0; i < sampled; i++) {
        if (knn->neighbour_count < knn->neighbours_max)
            heap_push(knn, knn->neighbours, &knn->neighbour_count, knn->heap[i], less_similar);
        else if (less_similar(knn, knn->neighbours[0], knn->heap[i]))
            heap_replace_top(knn, knn->neighbours, knn->neighbour_count, knn->heap[i], less_similar);
    }
}

static uint32_t vote(struct plain_knn *knn)
{
    uint32_t touched = 0;
    for (uint32_t i = 0; i < knn->neighbour_count; i++) {
        uint32_t session = knn->neighbours[i];
        double weight = knn->similarities[session] * (1 - 0.1 * knn->places[session]);
        const struct item_list *items = &knn->sessions[session];
        for (uint32_t j = 0; j < items->count; j++) {
            if (!(knn->scores[items->values[j]] > 0))
                knn->touched[touched++] = items->values[j];
            knn->scores[items->values[j]] += weight;
        }
    }
    return touched;
}

uint32_t plain_knn_recommend(struct plain_knn *knn, const uint32_t *items, uint32_t length, struct plain_scored *list,
                             uint32_t capacity)
{
    uint32_t window = length < knn->last_clicks ? length : knn->last_clicks;
    const uint32_t *last = items + length - window;
    uint32_t sampled = 0;
    for (uint32_t place = 1; place <= window; place++) {
        uint32_t item = last[window - place];
        bool again = false;
        for (uint32_t i = window - place + 1; i < window; i++)
            again |= last[i] == item;
        if (!again)
            sampled = sample_item(knn, item, place, window - place + 1, sampled);
    }
    choose_neighbours(knn, sampled);
    uint32_t touched = vote(knn), count = 0;
    for (uint32_t i = 0; i < touched; i++) {
        uint32_t item = knn->touched[i];
        double score = knn->scores[item] * log((double)knn->pair_count / knn->postings[item].count);
        knn->scores[item] = 0;
        if (item == items[length - 1] || (count == capacity && score <= list[count - 1].score))
            continue;
        uint32_t at = count < capacity ? count++ : count - 1;
        for (; at && list[at - 1].score < score; at--)
            list[at] = list[at - 1];
        list[at] = (struct plain_scored){item, score};
    }
    for (uint32_t i = 0; i < sampled; i++)
        knn->similarities[knn->heap[i]] = 0;
    return count;
}

const uint32_t *plain_knn_neighbours(const struct plain_knn *knn, uint32_t *ret_count)
{
    *ret_count = knn->neighbour_count;
    return knn->neighbours;
}

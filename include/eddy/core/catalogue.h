// SPDX-License-Identifier: Apache-2.0
#pragma once
/* catalogue: the items of a shop. Gives each item id a dense number (its index in every array of the scorers)
 * and holds what the items topic says about it. One per process, bounded, shared under the process's
 * reader-writer lock: functions that take a const catalogue need the reader lock, the others the writer's.
 *
 * Numbers are never reused. An item may be known from clicks alone (no record in the items topic): it has no
 * title and category. A tombstone makes it unavailable and drops its texts; its number stays. */
#include <eddy/base/bytes.h>
#include <eddy/base/interner.h>
#include <eddy/base/status.h>

#define ITEM_NONE           UINT32_MAX
#define ITEM_CATEGORIES_MAX 8

struct item { /* a catalogue record; borrowed bytes */
    struct bytes item_id;
    struct bytes title;
    struct bytes description;
    struct bytes categories[ITEM_CATEGORIES_MAX]; /* path from the root; deeper levels are cut */
    uint32_t category_count;
    bool has_price;
    bool available;
    double price;
};

struct catalogue_options {
    uint32_t items_max;       /* item ids, from the catalogue and from clicks */
    size_t memory_max_bytes;  /* of ids, titles and categories together; at the bound titles are left out, then
                                 new items refused with LIMIT */
    uint32_t title_max_bytes; /* longer titles are cut at a code point */
};

struct catalogue;

MUST_CHECK struct status catalogue_open(const struct catalogue_options *options, struct catalogue **ret_catalogue);
void catalogue_close(struct catalogue *catalogue);

/* The number of an item id, ITEM_NONE when it is new. */
uint32_t catalogue_find(const struct catalogue *catalogue, struct bytes item_id);
/* The numbers of many, sooner than one by one; returns how many are not new. */
size_t catalogue_find_all(const struct catalogue *catalogue, const struct bytes *item_ids, size_t count,
                          uint32_t *numbers);
/* The number of an item id seen in a click or session; added when new. LIMIT at a bound. */
MUST_CHECK struct status catalogue_intern(struct catalogue *catalogue, struct bytes item_id, uint32_t *ret_number);
/* Applies a record of the items topic. *ret_number may be NULL. LIMIT at a bound. */
MUST_CHECK struct status catalogue_put(struct catalogue *catalogue, const struct item *item, uint32_t *ret_number);
/* Applies a tombstone; an unknown id is no error. */
void catalogue_remove(struct catalogue *catalogue, struct bytes item_id);

uint32_t catalogue_count(const struct catalogue *catalogue);
size_t catalogue_memory(const struct catalogue *catalogue);
uint64_t catalogue_titles_left_out(const struct catalogue *catalogue); /* of records put, at memory_max_bytes */

/* Below, item < catalogue_count(). The id needs no lock once the number is known (see interner.h). */
struct bytes catalogue_id(const struct catalogue *catalogue, uint32_t item);
struct bytes catalogue_title(const struct catalogue *catalogue, uint32_t item); /* empty: none */
bool catalogue_has_record(const struct catalogue *catalogue, uint32_t item);
bool catalogue_available(const struct catalogue *catalogue, uint32_t item); /* true when unknown to the topic */
/* The number of the item's category path (equal paths, equal numbers), INTERNER_NONE without one. */
uint32_t catalogue_category(const struct catalogue *catalogue, uint32_t item);
/* True when the item's path has `category` (a level's name) among its levels. */
bool catalogue_in_category(const struct catalogue *catalogue, uint32_t item, struct bytes category);

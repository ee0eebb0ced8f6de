// SPDX-License-Identifier: Apache-2.0
#pragma once
/* titles: which item has a title, whatever its case, accents, punctuation and blanks are. */
#include <eddy/base/interner.h>
#include <eddy/core/semantic.h>

struct titles {
    struct interner *words; /* a title's words with blanks between them -> its place in items */
    uint32_t *items;
};

/* Of the items of one title the smallest number is kept; one without a word has none. MEMORY. */
MUST_CHECK struct status titles_open(const struct semantic_item *items, uint32_t count, struct titles *ret_titles);
void titles_release(struct titles *titles);
/* ITEM_NONE: no item has it. MEMORY. */
MUST_CHECK struct status titles_find(const struct titles *titles, struct bytes title, uint32_t *ret_item);

// SPDX-License-Identifier: Apache-2.0
#pragma once
/* item_properties: items of a data set that has a line for each change of one of their properties, put together again.
 * Of a property the latest value counts (of equal times the one that was read last):
 *
 *   categoryid   the item's category; with the tree of categories the path from its root
 *   available    1 or 0; an item of which it is not said is
 *
 * All others are passed over: they have no meaning that is published. Items and categories are held in memory. */
#include <eddy/core/layout.h>

struct item_properties;

MUST_CHECK struct status item_properties_open(struct item_properties **ret_properties);
void item_properties_close(struct item_properties *properties);

/* Takes note of a line of properties. BAD_INPUT when its value cannot be one. */
MUST_CHECK struct status item_properties_add(struct item_properties *properties, const struct layout_record *record);
/* Takes note of a line of the tree. */
MUST_CHECK struct status item_properties_add_category(struct item_properties *properties,
                                                      const struct layout_record *record);

uint32_t item_properties_count(const struct item_properties *properties);
/* The item of that number, in the order in which they came; its bytes live as long as the properties. */
struct item item_properties_get(const struct item_properties *properties, uint32_t number);

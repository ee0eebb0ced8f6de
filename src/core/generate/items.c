// SPDX-License-Identifier: Apache-2.0
/* The synthetic shop's catalogue: an interest is a series of one kind of thing, made of words. */
#include "core/generate/generator.h"

#include <stdio.h>

static const char *const colours[] = {"white",  "black",  "grey", "navy", "blue", "teal",  "green", "olive",
                                      "yellow", "orange", "red",  "pink", "plum", "brown", "beige", "silver"};
static const char *const makes[] = {"linen",  "cotton", "wool", "leather", "oak",    "bamboo", "steel", "glass",
                                    "canvas", "velvet", "cork", "paper",   "marble", "copper", "felt",  "rubber"};
static const struct kind {
    const char *department, *shelf, *name;
} kinds[] = {
    {"clothing", "tops", "shirt"},        {"clothing", "tops", "sweater"},
    {"clothing", "bottoms", "skirt"},     {"clothing", "bottoms", "trousers"},
    {"clothing", "shoes", "boots"},       {"clothing", "shoes", "sandals"},
    {"clothing", "accessories", "scarf"}, {"clothing", "accessories", "belt"},
    {"kitchen", "cooking", "pan"},        {"kitchen", "cooking", "kettle"},
    {"kitchen", "table", "bowl"},         {"kitchen", "table", "mug"},
    {"kitchen", "table", "tray"},         {"home", "light", "lamp"},
    {"home", "light", "candle holder"},   {"home", "seats", "chair"},
    {"home", "seats", "stool"},           {"home", "storage", "basket"},
    {"home", "storage", "shelf"},         {"home", "textiles", "cushion"},
    {"home", "textiles", "rug"},          {"garden", "plants", "planter"},
    {"garden", "plants", "watering can"}, {"garden", "outdoors", "bench"},
    {"garden", "outdoors", "lantern"},    {"sport", "bags", "backpack"},
    {"sport", "bags", "duffel bag"},      {"sport", "training", "exercise mat"},
    {"sport", "training", "bottle"},      {"office", "desk", "notebook"},
    {"office", "desk", "pen case"},       {"office", "desk", "desk mat"},
};

#define COUNT(array) (uint32_t)(sizeof(array) / sizeof *(array))

void generator_item(struct generator *generator, uint32_t index, struct item *ret_item)
{
    assert(index < generator->options.items);
    uint32_t interest = index % generator->options.interests, rank = index / generator->options.interests;
    const struct kind *kind = &kinds[interest % COUNT(kinds)];
    const char *make = makes[interest / COUNT(kinds) % COUNT(makes)];
    uint64_t number = (uint64_t)index * generator->number_factor % generator->options.items;
    uint64_t chance = bytes_hash(bytes_of(&number, sizeof number));
    int size = snprintf(generator->title, sizeof generator->title, "%s %s %s, model %c%u",
                        colours[chance % COUNT(colours)], make, kind->name, (char)('A' + interest % 26), rank + 1);
    int series = snprintf(generator->series, sizeof generator->series, "%s %s %u", make, kind->name,
                          interest / (COUNT(kinds) * COUNT(makes)) + 1);
    *ret_item = (struct item){
        .item_id = number_text(generator->item_id, 'i', number),
        .title = bytes_of(generator->title, (size_t)size),
        .categories = {bytes_of_text(kind->department), bytes_of_text(kind->shelf),
                       bytes_of(generator->series, (size_t)series)},
        .category_count = 3,
        .has_price = true,
        .available = true,
        .price = (double)(199 + chance % 9800) / 100,
    };
}

// SPDX-License-Identifier: Apache-2.0
#include <eddy/core/layout.h>

#define MINUTE_MS INT64_C(60000)
#define DAY_MS    INT64_C(86400000)

#define AMAZON_CLICKS                                                                                                  \
    {                                                                                                                  \
        {"reviewerID", ROLE_USER}, {"user_id", ROLE_USER}, {"parent_asin", ROLE_ITEM}, {"asin", ROLE_ITEM},            \
            {"overall", ROLE_RATING}, {"rating", ROLE_RATING}, {"unixReviewTime", ROLE_TIME_S},                        \
            {"timestamp", ROLE_TIME_MS},                                                                               \
    }

#define AMAZON_ITEMS                                                                                                   \
    {                                                                                                                  \
        .separators = {","}, .names = {                                                                                \
            {"parent_asin", ROLE_ITEM},                                                                                \
            {"asin", ROLE_ITEM},                                                                                       \
            {"title", ROLE_TITLE},                                                                                     \
            {"categories", ROLE_CATEGORIES},                                                                           \
            {"category", ROLE_CATEGORIES},                                                                             \
            {"price", ROLE_PRICE},                                                                                     \
        }                                                                                                              \
    }

const struct layout layouts[] = {
    {.name = "movielens",
     .about = "ratings.dat or ratings.csv; movies.dat or movies.csv",
     .clicks =
         {.separators = {"::", ",", "\t"},
          .names = {{"userId", ROLE_USER}, {"movieId", ROLE_ITEM}, {"rating", ROLE_RATING}, {"timestamp", ROLE_TIME_S}},
          .positions = {ROLE_USER, ROLE_ITEM, ROLE_RATING, ROLE_TIME_S},
          .position_count = 4},
     .items = {.separators = {"::", ","},
               .names = {{"movieId", ROLE_ITEM}, {"title", ROLE_TITLE}, {"genres", ROLE_CATEGORIES}},
               .positions = {ROLE_ITEM, ROLE_TITLE, ROLE_CATEGORIES},
               .position_count = 3},
     .gap_ms = 30 * MINUTE_MS},
    {.name = "yoochoose",
     .about = "yoochoose-clicks.dat",
     .clicks = {.separators = {","},
                .positions = {ROLE_SESSION, ROLE_TIME_TEXT, ROLE_ITEM, ROLE_NONE},
                .position_count = 4}},
    {.name = "yoochoose-buys",
     .about = "yoochoose-buys.dat",
     .purchases = true,
     .clicks = {.separators = {","},
                .positions = {ROLE_SESSION, ROLE_TIME_TEXT, ROLE_ITEM, ROLE_NONE, ROLE_NONE},
                .position_count = 5}},
    {.name = "diginetica",
     .about = "train-item-views.csv; product-categories.csv",
     .clicks = {.separators = {";"},
                .names = {{"sessionId", ROLE_SESSION},
                          {"session_id", ROLE_SESSION},
                          {"userId", ROLE_USER},
                          {"user_id", ROLE_USER},
                          {"itemId", ROLE_ITEM},
                          {"item_id", ROLE_ITEM},
                          {"timeframe", ROLE_OFFSET_MS},
                          {"eventdate", ROLE_DATE}}},
     .items = {.separators = {";"}, .names = {{"itemId", ROLE_ITEM}, {"categoryId", ROLE_CATEGORIES}}}},
    {.name = "retailrocket",
     .about = "events.csv; item_properties_part1.csv and item_properties_part2.csv; category_tree.csv",
     .clicks = {.separators = {","},
                .names = {{"timestamp", ROLE_TIME_MS},
                          {"visitorid", ROLE_USER},
                          {"event", ROLE_TYPE},
                          {"itemid", ROLE_ITEM}}},
     .items = {.separators = {","},
               .names = {{"timestamp", ROLE_TIME_MS},
                         {"itemid", ROLE_ITEM},
                         {"property", ROLE_PROPERTY},
                         {"value", ROLE_VALUE}}},
     .categories = {.separators = {","}, .names = {{"categoryid", ROLE_ITEM}, {"parentid", ROLE_PARENT}}},
     .gap_ms = 30 * MINUTE_MS},
    {.name = "otto",
     .about = "train.jsonl or test.jsonl",
     .clicks = {.names = {{"session", ROLE_SESSION},
                          {"events", ROLE_EVENTS},
                          {"aid", ROLE_ITEM},
                          {"ts", ROLE_TIME_MS},
                          {"type", ROLE_TYPE}}}},
    {.name = "amazon",
     .about = "reviews as JSON Lines or CSV, ratings as CSV (user, item, rating, time); metadata as JSON Lines",
     .clicks = {.separators = {","},
                .names = AMAZON_CLICKS,
                .positions = {ROLE_USER, ROLE_ITEM, ROLE_RATING, ROLE_TIME_S},
                .position_count = 4},
     .items = AMAZON_ITEMS,
     .gap_ms = DAY_MS},
    {.name = "amazon-2018",
     .about = "as amazon, but ratings as CSV are (item, user, rating, time)",
     .clicks = {.separators = {","},
                .names = AMAZON_CLICKS,
                .positions = {ROLE_ITEM, ROLE_USER, ROLE_RATING, ROLE_TIME_S},
                .position_count = 4},
     .items = AMAZON_ITEMS,
     .gap_ms = DAY_MS},
    {0},
};

const struct layout *layout_find(const char *name)
{
    for (const struct layout *layout = layouts; layout->name; layout++)
        if (!strcmp(layout->name, name))
            return layout;
    return NULL;
}

const char *layout_kind_text(enum layout_kind kind)
{
    static const char *const texts[] = {
        [LAYOUT_CLICKS] = "clicks", [LAYOUT_ITEMS] = "items", [LAYOUT_CATEGORIES] = "categories"};
    return texts[kind];
}

const struct layout_side *layout_side_of(const struct layout *layout, enum layout_kind kind)
{
    return kind == LAYOUT_CLICKS ? &layout->clicks : kind == LAYOUT_ITEMS ? &layout->items : &layout->categories;
}

bool layout_side_has(const struct layout_side *side, enum layout_role role)
{
    for (size_t i = 0; i < LAYOUT_NAMES_MAX && side->names[i].name; i++)
        if (side->names[i].role == role)
            return true;
    return false;
}

bool layout_side_exists(const struct layout_side *side)
{
    return side->names[0].name || side->position_count > 0;
}

/* "userId, movieId": with a bar between names for the same, which stand in a row. */
static void describe_names(const struct layout_side *side, struct buffer *out)
{
    for (size_t i = 0; i < LAYOUT_NAMES_MAX && side->names[i].name; i++) {
        enum layout_role role = side->names[i].role, before = i ? side->names[i - 1].role : ROLE_NONE;
        bool same = role == before || (layout_role_is_time(role) && layout_role_is_time(before));
        buffer_format(out, "%s%s", i == 0 ? "" : same ? "|" : ", ", side->names[i].name);
    }
}

/* "4 columns without names (user, item, rating, time)". */
static void describe_positions(const struct layout_side *side, struct buffer *out)
{
    static const char *const texts[ROLE_COUNT] = {
        [ROLE_NONE] = "anything",
        [ROLE_SESSION] = "session",
        [ROLE_USER] = "user",
        [ROLE_ITEM] = "item",
        [ROLE_TIME_S] = "time in seconds",
        [ROLE_TIME_MS] = "time in milliseconds",
        [ROLE_TIME_TEXT] = "time",
        [ROLE_DATE] = "day",
        [ROLE_OFFSET_MS] = "milliseconds",
        [ROLE_TYPE] = "type",
        [ROLE_RATING] = "rating",
        [ROLE_EVENTS] = "events",
        [ROLE_TITLE] = "title",
        [ROLE_CATEGORIES] = "categories",
        [ROLE_DESCRIPTION] = "description",
        [ROLE_PRICE] = "price",
        [ROLE_PROPERTY] = "property",
        [ROLE_VALUE] = "value",
        [ROLE_PARENT] = "parent",
    };
    buffer_format(out, "%u columns without names (", side->position_count);
    for (uint32_t i = 0; i < side->position_count; i++)
        buffer_format(out, "%s%s", i ? ", " : "", texts[side->positions[i]]);
    buffer_append_text(out, ")");
}

void layout_describe(const struct layout_side *side, struct buffer *out)
{
    bool names = side->names[0].name;
    if (!side->separators[0])
        buffer_append_text(out, "JSON Lines with ");
    else if (names)
        buffer_append_text(out, "the columns ");
    describe_names(side, out);
    if (side->position_count > 0) {
        buffer_append_text(out, names ? ", or " : "");
        describe_positions(side, out);
    }
    for (size_t i = 0; i < 3 && side->separators[i]; i++)
        buffer_format(out, "%s%s", i == 0 ? ", parted by " : " or ",
                      side->separators[i][0] == '\t' ? "a tab" : side->separators[i]);
}

// SPDX-License-Identifier: Apache-2.0
#include "core/event/fixed.h"

#include <math.h>

/* Least bytes of an array's element, by which counts are bounded. */
#define CLICK_SIZE_MIN       3 /* item_id, timestamp, type */
#define RECOMMENDED_SIZE_MIN 7 /* item_id, score, shares, reason */
#define SCORERS_MAX          64

struct status fixed_click(struct reader reader, struct click *ret_click, struct complaint *complaint)
{
    struct click click;
    uint32_t type = 0;
    if (!(read_text(&reader, "session_id", &click.session_id) &&
          read_optional_text(&reader, "user_id", &click.user_id) && read_text(&reader, "item_id", &click.item_id) &&
          read_long(&reader, "timestamp", &click.time_ms) && read_index(&reader, "type", CLICK_TYPE_COUNT, &type) &&
          read_optional_text(&reader, "event_id", &click.event_id) && reader_finish(&reader)))
        return reader_status(&reader, complaint);
    click.type = (enum click_type)type;
    click.unknown_type = (struct bytes){0};
    *ret_click = click;
    return OK;
}

static bool read_optional_utf8(struct reader *reader, const char *field, struct bytes *ret_text)
{
    return read_optional_text(reader, field, ret_text) && check_utf8(reader, field, *ret_text);
}

bool read_item_id(struct reader *reader, const char *field, struct bytes *ret_id)
{
    if (!read_utf8(reader, field, ret_id))
        return false;
    if (ret_id->size == 0)
        return reader_fail(reader, field, "the item id is empty");
    return ret_id->size <= CLICK_ID_MAX || reader_fail(reader, field, "the item id is longer than 255 bytes");
}

static bool read_categories(struct reader *reader, struct item *item)
{
    uint64_t count;
    do {
        if (!read_block(reader, "categories", 1, &count))
            return false;
        for (uint64_t i = 0; i < count; i++) {
            struct bytes level;
            if (!read_utf8(reader, "categories", &level))
                return false;
            if (item->category_count < ITEM_CATEGORIES_MAX)
                item->categories[item->category_count++] = level;
        }
    } while (count);
    return true;
}

static bool read_price(struct reader *reader, struct item *item)
{
    uint32_t branch;
    if (!read_index(reader, "price", 2, &branch))
        return false;
    item->has_price = branch == 1;
    if (!item->has_price)
        return true;
    if (!read_double(reader, "price", &item->price))
        return false;
    return isfinite(item->price) || reader_fail(reader, "price", "the number is not finite");
}

struct status fixed_item(struct reader reader, struct item *ret_item, struct complaint *complaint)
{
    struct item item = {0};
    if (!(read_item_id(&reader, "item_id", &item.item_id) && read_utf8(&reader, "title", &item.title) &&
          read_categories(&reader, &item) && read_optional_utf8(&reader, "description", &item.description) &&
          read_price(&reader, &item) && read_boolean(&reader, "available", &item.available) && reader_finish(&reader)))
        return reader_status(&reader, complaint);
    *ret_item = item;
    return OK;
}

/* The clicks of a session into arrays; with arrays NULL only counts them. */
struct session_clicks {
    struct bytes *item_ids;
    int64_t *times_ms;
    uint8_t *types;
    uint32_t count;
};

static bool read_session_clicks(struct reader *reader, struct session_clicks *clicks)
{
    uint64_t count;
    clicks->count = 0;
    do {
        if (!read_block(reader, "clicks", CLICK_SIZE_MIN, &count))
            return false;
        for (uint64_t i = 0; i < count; i++) {
            struct bytes item_id;
            int64_t time_ms;
            uint32_t type;
            if (!(read_item_id(reader, "clicks.item_id", &item_id) && read_long(reader, "clicks.timestamp", &time_ms) &&
                  read_index(reader, "clicks.type", CLICK_TYPE_COUNT, &type)))
                return false;
            if (clicks->item_ids) {
                clicks->item_ids[clicks->count] = item_id;
                clicks->times_ms[clicks->count] = time_ms;
                clicks->types[clicks->count] = (uint8_t)type;
            }
            clicks->count++;
        }
    } while (count);
    return true;
}

static struct status read_clicks(struct reader *reader, struct arena *batch, struct closed_record *session,
                                 struct complaint *complaint)
{
    struct session_clicks clicks = {0};
    struct reader ahead = *reader;
    if (!read_session_clicks(&ahead, &clicks))
        return reader_status(&ahead, complaint);
    clicks.item_ids = ARENA_ARRAY(batch, struct bytes, clicks.count);
    clicks.times_ms = ARENA_ARRAY(batch, int64_t, clicks.count);
    clicks.types = ARENA_ARRAY(batch, uint8_t, clicks.count);
    if (!clicks.item_ids || !clicks.times_ms || !clicks.types)
        return FAIL(MEMORY, clicks.count, "no memory for a session's clicks");
    bool same = read_session_clicks(reader, &clicks);
    assert(same);
    session->length = clicks.count;
    session->item_ids = clicks.item_ids;
    session->times_ms = clicks.times_ms;
    session->types = clicks.types;
    if (session->length == 0 || session->length > session->total)
        return complain(complaint, FAIL(BAD_INPUT, session->length, "a session's number of clicks is wrong"),
                        "total_clicks: %u, but clicks has %u", session->total, session->length);
    return OK;
}

struct status fixed_closed_session(struct reader reader, struct arena *batch, struct closed_record *ret_session,
                                   struct complaint *complaint)
{
    struct closed_record session = {0};
    if (!(read_utf8(&reader, "session_id", &session.session_id) &&
          read_optional_utf8(&reader, "user_id", &session.user_id) &&
          read_int(&reader, "partition", &session.origin.partition) &&
          read_long(&reader, "close_timestamp", &session.close_ms) &&
          read_long(&reader, "close_offset", &session.origin.offset) &&
          read_count(&reader, "close_sequence", &session.origin.sequence) &&
          read_boolean(&reader, "evicted", &session.evicted) && read_count(&reader, "total_clicks", &session.total)))
        return reader_status(&reader, complaint);
    TRY(read_clicks(&reader, batch, &session, complaint));
    if (!reader_finish(&reader))
        return reader_status(&reader, complaint);
    *ret_session = session;
    return OK;
}

/* The arrays of a recommendation; with arrays NULL only counts. */
struct recommended_arrays {
    struct bytes *item_ids, *reasons;
    float *scores, *shares;
    uint32_t count, scorer_count;
};

static bool read_scorers(struct reader *reader, struct bytes *scorers, uint32_t *ret_count)
{
    uint64_t count;
    *ret_count = 0;
    do {
        if (!read_block(reader, "scorers", 1, &count))
            return false;
        if (count > SCORERS_MAX - *ret_count)
            return reader_fail(reader, "scorers", "there are more than 64 scorers");
        for (uint64_t i = 0; i < count; i++)
            if (!read_utf8(reader, "scorers", &scorers[(*ret_count)++]))
                return false;
    } while (count);
    return true;
}

/* One item's shares: one per scorer, or none at all (then they are zeros). */
static bool read_shares(struct reader *reader, uint32_t scorer_count, float *shares)
{
    uint64_t count;
    uint32_t total = 0;
    do {
        if (!read_block(reader, "items.shares", sizeof(float), &count))
            return false;
        if (count > scorer_count - total)
            return reader_fail(reader, "items.shares", "there are more shares than scorers");
        for (uint64_t i = 0; i < count; i++)
            if (!read_float(reader, "items.shares", &shares[total++]))
                return false;
    } while (count);
    return total == 0 || total == scorer_count ||
           reader_fail(reader, "items.shares", "there are fewer shares than scorers");
}

static bool read_recommended(struct reader *reader, struct recommended_arrays *arrays)
{
    uint64_t count;
    arrays->count = 0;
    do {
        if (!read_block(reader, "items", RECOMMENDED_SIZE_MIN, &count))
            return false;
        for (uint64_t i = 0; i < count; i++) {
            struct bytes item_id, reason;
            float score, shares[SCORERS_MAX] = {0};
            if (!(read_item_id(reader, "items.item_id", &item_id) && read_float(reader, "items.score", &score) &&
                  read_shares(reader, arrays->scorer_count, shares) && read_utf8(reader, "items.reason", &reason)))
                return false;
            uint32_t place = arrays->count++;
            if (!arrays->item_ids)
                continue;
            arrays->item_ids[place] = item_id;
            arrays->scores[place] = score;
            arrays->reasons[place] = reason;
            memcpy(arrays->shares + (size_t)place * arrays->scorer_count, shares,
                   arrays->scorer_count * sizeof *shares);
        }
    } while (count);
    return true;
}

static struct status read_items(struct reader *reader, struct arena *batch, struct recommendation_record *record,
                                struct complaint *complaint)
{
    struct recommended_arrays arrays = {.scorer_count = record->scorer_count};
    struct reader ahead = *reader;
    if (!read_recommended(&ahead, &arrays))
        return reader_status(&ahead, complaint);
    arrays.item_ids = ARENA_ARRAY(batch, struct bytes, arrays.count);
    arrays.reasons = ARENA_ARRAY(batch, struct bytes, arrays.count);
    arrays.scores = ARENA_ARRAY(batch, float, arrays.count);
    arrays.shares = ARENA_ARRAY(batch, float, (size_t)arrays.count *arrays.scorer_count);
    if (!arrays.item_ids || !arrays.reasons || !arrays.scores || !arrays.shares)
        return FAIL(MEMORY, arrays.count, "no memory for a recommendation's items");
    bool same = read_recommended(reader, &arrays);
    assert(same);
    record->count = arrays.count;
    record->item_ids = arrays.item_ids;
    record->reasons = arrays.reasons;
    record->scores = arrays.scores;
    record->shares = arrays.shares;
    return OK;
}

struct status fixed_recommendation(struct reader reader, struct arena *batch, struct recommendation_record *ret_record,
                                   struct complaint *complaint)
{
    struct recommendation_record record = {0};
    struct bytes scorers[SCORERS_MAX];
    if (!(read_utf8(&reader, "session_id", &record.session_id) &&
          read_optional_utf8(&reader, "user_id", &record.user_id) && read_utf8(&reader, "topic", &record.topic) &&
          read_int(&reader, "partition", &record.partition) && read_long(&reader, "offset", &record.offset) &&
          read_count(&reader, "revision", &record.revision) &&
          read_utf8(&reader, "model_version", &record.model_version) &&
          read_utf8(&reader, "learned_version", &record.learned_version) &&
          read_long(&reader, "click_timestamp", &record.click_time_ms) &&
          read_item_id(&reader, "click_item_id", &record.click_item_id) &&
          read_count(&reader, "position", &record.position) && read_scorers(&reader, scorers, &record.scorer_count)))
        return reader_status(&reader, complaint);
    TRY(read_items(&reader, batch, &record, complaint));
    if (!reader_finish(&reader))
        return reader_status(&reader, complaint);
    struct bytes *names = ARENA_ARRAY(batch, struct bytes, record.scorer_count);
    if (!names)
        return FAIL(MEMORY, record.scorer_count, "no memory for a recommendation's scorers");
    memcpy(names, scorers, record.scorer_count * sizeof *names);
    record.scorers = names;
    *ret_record = record;
    return OK;
}

// SPDX-License-Identifier: Apache-2.0
#include "app/evaluation.h"

#include <eddy/base/timestamp.h>

#include <stdlib.h>

#define SHUFFLE_SEED UINT64_C(20240213) /* any number, but always the same */

static int compare_last(const void *a, const void *b, void *context)
{
    const struct whole_session *sessions = context;
    const struct whole_session *x = &sessions[*(const uint32_t *)a], *y = &sessions[*(const uint32_t *)b];
    if (x->last_ms != y->last_ms)
        return x->last_ms < y->last_ms ? -1 : 1;
    return x->last < y->last ? -1 : x->last > y->last;
}

static struct status refuse_split(const struct evaluation_data *data, struct complaint *complaint)
{
    const struct session_log *log = &data->log;
    struct status status = FAIL(BAD_INPUT, log->session_count, "a side of the split is empty");
    char from[TIMESTAMP_TEXT_MAX], first[TIMESTAMP_TEXT_MAX], last[TIMESTAMP_TEXT_MAX];
    if (log->session_count == 0)
        return complain(complaint, status, "there is not one click in the files that can be used");
    if (data->split.train_only)
        return complain(complaint, status, "none of %zu sessions begins before %s (the first begins at %s)",
                        log->session_count, timestamp_text(data->split.train_before_ms, from),
                        timestamp_text(log->sessions[0].first_ms, first));
    return complain(complaint, status,
                    "of %zu sessions %zu begin before %s and train, and %zu would be tested; both sides need some "
                    "(the first begins at %s, the last at %s)",
                    log->session_count, data->train_count, timestamp_text(data->split.train_before_ms, from),
                    data->test_count, timestamp_text(log->sessions[0].first_ms, first),
                    timestamp_text(log->sessions[log->session_count - 1].first_ms, last));
}

static struct status split_sessions(struct evaluation_data *data, struct complaint *complaint)
{
    const struct session_log *log = &data->log;
    data->train = malloc((log->session_count + 1) * sizeof *data->train);
    data->test = malloc((log->session_count + 1) * sizeof *data->test);
    if (!data->train || !data->test)
        return FAIL(MEMORY, log->session_count, "no memory for a split");
    for (uint32_t i = 0; i < log->session_count; i++) {
        const struct whole_session *session = &log->sessions[i];
        if (session->first_ms < data->split.train_before_ms) {
            data->train[data->train_count++] = i;
            data->train_clicks += session->length;
        } else if (session->first_ms < data->split.test_before_ms) {
            data->test[data->test_count++] = i;
        }
    }
    if (data->train_count == 0 || (data->test_count == 0 && !data->split.train_only))
        return refuse_split(data, complaint);
    qsort_r(data->train, data->train_count, sizeof *data->train, compare_last, data->log.sessions);
    return OK;
}

/* The catalogue's number of an item of the log, by `numbers`; ITEM_NONE: it has none, and room for none. */
static struct status number_item(struct evaluation_data *data, uint32_t item, uint32_t *numbers)
{
    if (numbers[item] != ITEM_NONE)
        return OK;
    struct status status = catalogue_intern(data->catalogue, interner_get(data->log.item_ids, item), &numbers[item]);
    return failed_as(status, FAULT_LIMIT) ? OK : status;
}

/* Keeps the clicks of a session that have a number, and gives these to them. */
static void keep_numbered(struct evaluation_data *data, struct whole_session *session, const uint32_t *numbers)
{
    struct session_log *log = &data->log;
    size_t kept = session->start;
    for (size_t click = session->start; click < session->start + session->length; click++) {
        if (numbers[log->items[click]] == ITEM_NONE)
            continue;
        log->items[kept] = numbers[log->items[click]];
        data->positions[kept] = (uint32_t)(click - session->start) + 1;
        log->times_ms[kept] = log->times_ms[click];
        log->types[kept++] = log->types[click];
    }
    session->length = (uint32_t)(kept - session->start);
}

/* Gives the items of training catalogue numbers, in the order in which they are learned. `numbers`: by item of the
 * log, ITEM_NONE for what training does not know. *ret_no_room: clicks on items that the catalogue has no room for. */
static struct status number_items(struct evaluation_data *data, uint32_t *numbers, size_t *ret_no_room)
{
    struct session_log *log = &data->log;
    size_t kept_sessions = 0, clicks = data->train_clicks;
    data->train_clicks = 0;
    memset(numbers, 0xff, interner_count(log->item_ids) * sizeof *numbers);
    for (size_t i = 0; i < data->train_count; i++) {
        struct whole_session *session = &log->sessions[data->train[i]];
        for (size_t click = session->start; click < session->start + session->length; click++)
            TRY(number_item(data, log->items[click], numbers));
        keep_numbered(data, session, numbers);
        data->train_clicks += session->length;
        if (session->length > 0)
            data->train[kept_sessions++] = data->train[i];
    }
    data->train_count = kept_sessions;
    data->train_items = catalogue_count(data->catalogue);
    *ret_no_room = clicks - data->train_clicks;
    return OK;
}

/* Drops test clicks on unknown items, then sessions too short to predict anything in. */
static void filter_test(struct evaluation_data *data, const uint32_t *numbers)
{
    struct session_log *log = &data->log;
    size_t kept_sessions = 0;
    for (size_t i = 0; i < data->test_count; i++) {
        struct whole_session *session = &log->sessions[data->test[i]];
        uint32_t length = session->length;
        keep_numbered(data, session, numbers);
        data->dropped_clicks += length - session->length;
        if (session->length >= 2)
            data->test[kept_sessions++] = data->test[i];
    }
    data->dropped_sessions = data->test_count - kept_sessions;
    data->test_count = kept_sessions;
}

/* Lists what is asked: the prefixes of test sessions, those alone that `prefixes` names unless it is NULL; of the
 * sessions those stay of which something is. */
static struct status list_questions(struct evaluation_data *data, const struct recorded_intents *prefixes)
{
    size_t most = 0, kept_sessions = 0;
    for (size_t i = 0; i < data->test_count; i++)
        most += data->log.sessions[data->test[i]].length - 1;
    data->questions = malloc((most + 1) * sizeof *data->questions);
    if (!data->questions)
        return FAIL(MEMORY, most, "no memory to list what is to be predicted");
    for (size_t i = 0; i < data->test_count; i++) {
        const struct whole_session *session = &data->log.sessions[data->test[i]];
        size_t before = data->predictions;
        for (uint32_t length = 1; length < session->length; length++) {
            uint32_t position = data->positions[session->start + length - 1];
            if (!prefixes || recorded_intents_find(prefixes, session->name, position))
                data->questions[data->predictions++] = (struct evaluation_question){(uint32_t)kept_sessions, length};
        }
        if (data->predictions > before)
            data->test[kept_sessions++] = data->test[i];
    }
    data->test_count = kept_sessions;
    return OK;
}

static struct status choose_questions(struct evaluation_data *data, const char *path, struct log_reading *reading,
                                      struct complaint *complaint)
{
    struct recorded_intents prefixes = {0};
    if (!path)
        return list_questions(data, NULL);
    TRY(recorded_intents_read(path, data->log.session_ids, reading, &prefixes, complaint));
    struct status status = list_questions(data, &prefixes);
    recorded_intents_release(&prefixes);
    if (!failed(status) && data->predictions == 0)
        status = complain(complaint, FAIL(BAD_INPUT, 0, "nothing to predict"),
                          "%s names no prefix of a session of the test: of session_id and position, the clicks before "
                          "the one to predict",
                          path);
    return status;
}

const struct recorded_intent *evaluation_intent(const struct evaluation_data *data, const struct whole_session *session,
                                                uint32_t length)
{
    return recorded_intents_find(&data->intents, session->name, data->positions[session->start + length - 1]);
}

enum { SIDE_NONE, SIDE_TRAINING, SIDE_TEST };

/* What each answer is about: a prefix of training that something came after, one that is asked, or neither. */
static void find_sides(const struct evaluation_data *data, uint8_t *sides)
{
    const struct recorded_intent *first = data->intents.intents, *found;
    for (size_t i = 0; i < data->train_count; i++) {
        const struct whole_session *session = &data->log.sessions[data->train[i]];
        for (uint32_t length = 1; length < session->length; length++)
            if ((found = evaluation_intent(data, session, length)))
                sides[found - first] = SIDE_TRAINING;
    }
    for (size_t i = 0; i < data->predictions; i++) {
        const struct evaluation_question *question = &data->questions[i];
        found = evaluation_intent(data, &data->log.sessions[data->test[question->test]], question->length);
        if (found)
            sides[found - first] = SIDE_TEST;
    }
}

static struct status sort_intents(struct evaluation_data *data, bool shuffle)
{
    uint8_t *sides = calloc(data->intents.count + 1, 1);
    if (!sides)
        return FAIL(MEMORY, data->intents.count, "no memory to sort answers");
    find_sides(data, sides);
    for (size_t i = 0; i < data->intents.count; i++) {
        data->train_intents += sides[i] == SIDE_TRAINING;
        data->test_intents += sides[i] == SIDE_TEST;
    }
    struct status status = shuffle ? recorded_intents_shuffle(&data->intents, sides, SHUFFLE_SEED) : OK;
    free(sides);
    return status;
}

static struct status read_intents(struct evaluation_data *data, const struct evaluation_files *files,
                                  struct log_reading *reading, struct complaint *complaint)
{
    if (!files->intents)
        return OK;
    TRY(recorded_intents_read(files->intents, data->log.session_ids, reading, &data->intents, complaint));
    return sort_intents(data, files->shuffle);
}

static struct status count_popularity(struct evaluation_data *data)
{
    uint64_t *clicks = calloc((size_t)data->train_items + 1, sizeof *clicks);
    data->percentiles = calloc((size_t)data->train_items + 1, sizeof *data->percentiles);
    struct status status = clicks && data->percentiles ? OK : FAIL(MEMORY, 0, "no memory to count items");
    for (size_t i = 0; !failed(status) && i < data->train_count; i++) {
        const struct whole_session *session = &data->log.sessions[data->train[i]];
        for (size_t click = session->start; click < session->start + session->length; click++)
            clicks[data->log.items[click]]++;
    }
    if (!failed(status))
        status = popularity_percentiles(clicks, data->train_items, data->percentiles);
    free(clicks);
    return status;
}

/* The items that training does not know and the catalogue has, with a title: these alone can be expected of anybody. */
static void number_cold_items(struct evaluation_data *data, uint32_t *numbers)
{
    const struct interner *ids = data->log.item_ids;
    for (uint32_t item = 0; item < interner_count(ids); item++) {
        uint32_t number =
            numbers[item] == ITEM_NONE ? catalogue_find(data->catalogue, interner_get(ids, item)) : ITEM_NONE;
        if (number != ITEM_NONE && catalogue_title(data->catalogue, number).size > 0)
            numbers[item] = number;
    }
    data->items = catalogue_count(data->catalogue);
}

/* What is read, and how that goes. */
struct preparing {
    const struct evaluation_files *files;
    struct log_reading *clicks, items, recorded;
    struct complaint *complaint;
};

static struct status number_all(struct evaluation_data *data, struct preparing *preparing, uint32_t *numbers)
{
    size_t no_room;
    struct log_reading *clicks = preparing->clicks;
    TRY(number_items(data, numbers, &no_room));
    clicks->records -= no_room;
    clicks->no_room += no_room;
    if (clicks->strict && no_room > 0)
        return complain(preparing->complaint, FAIL(LIMIT, no_room, "the catalogue is full"),
                        "the catalogue is too small for the items of the log (items.max, items.memory_max_bytes)");
    if (preparing->files->items)
        TRY(log_reading_catalogue(&preparing->items, preparing->files->items, data->catalogue, preparing->complaint));
    data->items = data->train_items;
    if (preparing->files->cold)
        number_cold_items(data, numbers);
    return OK;
}

static struct status number_and_filter(struct evaluation_data *data, struct preparing *preparing)
{
    uint32_t *numbers = malloc(((size_t)interner_count(data->log.item_ids) + 1) * sizeof *numbers);
    if (!numbers)
        return FAIL(MEMORY, 0, "no memory to number items");
    struct status status = number_all(data, preparing, numbers);
    if (!failed(status))
        filter_test(data, numbers);
    free(numbers);
    return status;
}

static struct status prepare(struct evaluation_data *data, struct preparing *preparing)
{
    const struct evaluation_files *files = preparing->files;
    struct complaint *complaint = preparing->complaint;
    data->positions = malloc((data->log.click_count + 1) * sizeof *data->positions);
    if (!data->positions)
        return FAIL(MEMORY, data->log.click_count, "no memory for positions");
    TRY(split_sessions(data, complaint));
    TRY(number_and_filter(data, preparing));
    TRY(choose_questions(data, files->prefixes, &preparing->recorded, complaint));
    if (data->predictions == 0 && !data->split.train_only)
        return complain(complaint, FAIL(BAD_INPUT, 0, "nothing to predict"),
                        "no test session has two clicks on items that training knows");
    TRY(read_intents(data, files, &preparing->recorded, complaint));
    return count_popularity(data);
}

struct status evaluation_data_open(const struct evaluation_files *files, const struct evaluation_split *split,
                                   const struct catalogue_options *options, struct log_reading *reading,
                                   struct evaluation_data *ret_data, struct complaint *complaint)
{
    struct evaluation_data data = {.split = *split};
    struct preparing preparing = {.files = files,
                                  .clicks = reading,
                                  .items = {.strict = reading->strict, .items = true},
                                  .recorded = {.strict = reading->strict},
                                  .complaint = complaint};
    struct status status = catalogue_open(options, &data.catalogue);
    if (!failed(status))
        status = session_log_read(files->clicks, files->click_count, reading, &data.log, complaint);
    if (!failed(status))
        status = prepare(&data, &preparing);
    log_reading_report(&preparing.items);
    log_reading_report(&preparing.recorded);
    if (failed(status)) {
        evaluation_data_release(&data);
        return status;
    }
    *ret_data = data;
    return OK;
}

void evaluation_data_release(struct evaluation_data *data)
{
    session_log_release(&data->log);
    catalogue_close(data->catalogue);
    free(data->train);
    free(data->test);
    free(data->percentiles);
    free(data->questions);
    free(data->positions);
    recorded_intents_release(&data->intents);
    *data = (struct evaluation_data){0};
}

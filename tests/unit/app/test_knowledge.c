// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "app/knowledge.h"
#include "app/snapshot.h"

static struct knowledge_options options_of(const char *snapshot)
{
    return (struct knowledge_options){
        .catalogue = {.items_max = 1000, .memory_max_bytes = 1 << 22, .title_max_bytes = 100},
        .learned = learned_options_default(),
        .learner = {.delay_ms = 0, .pending_max = 1000},
        .snapshot = snapshot};
}

static struct knowledge *open_with(const struct knowledge_options *options)
{
    struct knowledge *knowledge;
    assert_ok(knowledge_open(options, &knowledge, NULL));
    return knowledge;
}

static struct knowledge *open_knowledge(void)
{
    const struct knowledge_options options = options_of("");
    return open_with(&options);
}

/* A session of two clicks that was closed at `close_ms` on the partition. */
static void offer(struct knowledge *knowledge, int32_t partition, int64_t close_ms)
{
    uint32_t items[2];
    assert_ok(catalogue_intern(knowledge_catalogue(knowledge), BYTES("a"), &items[0]));
    assert_ok(catalogue_intern(knowledge_catalogue(knowledge), BYTES("b"), &items[1]));
    const int64_t times_ms[] = {close_ms - 20, close_ms - 10};
    const uint8_t types[] = {0, 0};
    const struct closed_session session = {
        .view =
            {.session_id = BYTES("s"), .items = items, .times_ms = times_ms, .types = types, .length = 2, .total = 2},
        .close_ms = close_ms};
    const struct session_origin origin = {.partition = partition, .offset = close_ms};
    assert_ok(learner_offer(knowledge_learner(knowledge), &session, origin, NULL));
}

static uint64_t learned(const struct knowledge *knowledge)
{
    return learner_counts(knowledge_learner(knowledge)).learned;
}

static void learning_goes_as_far_as_the_slowest_task_that_is_awake(void **state)
{
    (void)state;
    struct knowledge *knowledge = open_knowledge();
    knowledge_lock_write(knowledge);
    assert_ok(knowledge_join(knowledge, 3));
    assert_ok(knowledge_join(knowledge, 7));
    for (int64_t time_ms = 100; time_ms <= 500; time_ms += 100)
        offer(knowledge, 3, time_ms);
    assert_ok(knowledge_reached(knowledge, 3, 400));
    assert_int_equal(learned(knowledge), 0);
    assert_ok(knowledge_reached(knowledge, 7, 200));
    assert_int_equal(learned(knowledge), 2);
    knowledge_set_idle(knowledge, 7);
    assert_ok(knowledge_reached(knowledge, 3, 400));
    assert_int_equal(learned(knowledge), 4);
    assert_ok(knowledge_reached(knowledge, 7, 300)); /* awake again, and behind */
    assert_ok(knowledge_reached(knowledge, 3, 500));
    assert_int_equal(learned(knowledge), 4);
    knowledge_leave(knowledge, 7);
    assert_ok(knowledge_reached(knowledge, 3, 500));
    assert_int_equal(learned(knowledge), 5);
    knowledge_unlock(knowledge);
    knowledge_close(knowledge);
}

static void following_learns_only_while_there_is_no_task(void **state)
{
    (void)state;
    struct knowledge *knowledge = open_knowledge();
    knowledge_lock_write(knowledge);
    offer(knowledge, 0, 100);
    offer(knowledge, 0, 200);
    assert_ok(knowledge_follow(knowledge, 100));
    assert_int_equal(learned(knowledge), 1);
    assert_ok(knowledge_join(knowledge, 0));
    assert_ok(knowledge_follow(knowledge, 1000));
    assert_int_equal(learned(knowledge), 1);
    knowledge_unlock(knowledge);
    knowledge_close(knowledge);
}

static void a_snapshot_is_where_it_begins(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    char path[300];
    snprintf(path, sizeof path, "%s/learned", folder.path);
    struct knowledge *first = open_knowledge(), *second;
    knowledge_lock_write(first);
    offer(first, 0, 100);
    assert_ok(learner_drain(knowledge_learner(first)));
    knowledge_unlock(first);
    struct complaint complaint = {0};
    const struct knowledge_options options = options_of(path);
    assert_fails(NOT_FOUND, knowledge_open(&options, &second, &complaint));
    assert_non_null(strstr(complaint.text, path));
    assert_ok(snapshot_write(path, knowledge_learned(first), knowledge_catalogue(first), &complaint));
    assert_ok(knowledge_open(&options, &second, &complaint));
    assert_true(learned_version(knowledge_learned(second)) == learned_version(knowledge_learned(first)));
    assert_int_equal(learned_count(knowledge_learned(second)), 1);
    knowledge_close(first);
    knowledge_close(second);
    temporary_folder_remove(&folder);
}

/* Fills the catalogue's memory; returns how many items got in, and how many of them with their title. */
static int64_t fill_catalogue(struct catalogue *catalogue, int64_t *ret_with_title)
{
    int64_t count = 0, with_title = 0;
    for (;; count++) {
        char id[32];
        uint32_t number;
        snprintf(id, sizeof id, "item-%lld", (long long)count);
        struct item item = {.item_id = bytes_of_text(id), .title = BYTES("Red boots"), .available = true};
        if (failed(catalogue_put(catalogue, &item, &number)))
            break;
        with_title += catalogue_title(catalogue, number).size > 0;
    }
    *ret_with_title = with_title;
    return count;
}

static void what_bounds_cost_is_measured(void **state)
{
    (void)state;
    struct knowledge_options options = options_of("");
    options.catalogue = (struct catalogue_options){1000000, 1 << 19, 100};
    options.learned.sessions_max = options.learned.postings_max = 3;
    options.learner.pending_max = 2;
    struct knowledge *knowledge = open_with(&options);
    struct metrics metrics = {0};
    knowledge_lock_write(knowledge);
    for (int64_t time_ms = 100; time_ms <= 900; time_ms += 100)
        offer(knowledge, 0, time_ms);
    int64_t with_title, count = fill_catalogue(knowledge_catalogue(knowledge), &with_title);
    knowledge_unlock(knowledge);
    knowledge_measure(knowledge, &metrics);
    assert_int_equal(metric_get(&metrics, METRIC_SESSIONS_PENDING), 2);
    assert_int_equal(metric_get(&metrics, METRIC_SESSIONS_LEARNED), 7);
    assert_int_equal(metric_get(&metrics, METRIC_SESSIONS_LEARNED_EARLY), 7);
    assert_int_equal(metric_get(&metrics, METRIC_INDEX_SESSIONS), 3);
    assert_int_equal(metric_get(&metrics, METRIC_SESSIONS_FORGOTTEN), 4);
    assert_int_equal(metric_get(&metrics, METRIC_CATALOGUE_ITEMS), count + 2);
    assert_in_range(with_title, 1, count - 1);
    assert_int_equal(metric_get(&metrics, METRIC_CATALOGUE_TITLES_LEFT_OUT), count - with_title);
    knowledge_lock_write(knowledge);
    assert_ok(learner_drain(knowledge_learner(knowledge)));
    knowledge_unlock(knowledge);
    knowledge_measure(knowledge, &metrics);
    assert_int_equal(metric_get(&metrics, METRIC_SESSIONS_PENDING), 0);
    assert_int_equal(metric_get(&metrics, METRIC_SESSIONS_LEARNED), 9);
    assert_int_equal(metric_get(&metrics, METRIC_SESSIONS_LEARNED_EARLY), 7); /* the rest in their time */
    knowledge_close(knowledge);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learning_goes_as_far_as_the_slowest_task_that_is_awake),
        cmocka_unit_test(following_learns_only_while_there_is_no_task),
        cmocka_unit_test(a_snapshot_is_where_it_begins),
        cmocka_unit_test(what_bounds_cost_is_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

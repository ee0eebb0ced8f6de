// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "app/demo/view.h"

struct world {
    struct catalogue *catalogue;
    struct watch watch;
};

static int world_open(void **state)
{
    static struct world world;
    struct catalogue_options options = {1000, 1 << 20, 200};
    assert_ok(catalogue_open(&options, &world.catalogue));
    const char *const ids[] = {"a", "b", "c", "d"};
    const char *const titles[] = {"red boots", "blue scarf", "green hat", "a \xf0\x9f\x91\x92 with\033[31m"};
    for (int i = 0; i < 4; i++) {
        struct item item = {.item_id = bytes_of_text(ids[i]), .title = bytes_of_text(titles[i]), .available = true};
        assert_ok(catalogue_put(world.catalogue, &item, NULL));
    }
    assert_ok(watch_open(world.catalogue, false, &world.watch));
    *state = &world;
    return 0;
}

static int world_close(void **state)
{
    struct world *world = *state;
    watch_release(&world->watch);
    catalogue_close(world->catalogue);
    return 0;
}

static void click(struct world *world, const char *session, const char *item, int64_t time_ms, int64_t now_us)
{
    struct click click = {.session_id = bytes_of_text(session), .item_id = bytes_of_text(item), .time_ms = time_ms};
    watch_click(&world->watch, &click, now_us);
}

/* The answer to the click at `position` x 1,000 ms; `list` has a letter for each item. */
static const struct watched_session *answer(struct world *world, const char *session, const char *item,
                                            uint32_t position, const char *list, int64_t now_us)
{
    struct bytes ids[30], reasons[30];
    float scores[30];
    struct recommendation_record record = {.session_id = bytes_of_text(session),
                                           .click_item_id = bytes_of_text(item),
                                           .click_time_ms = position * 1000,
                                           .position = position,
                                           .count = (uint32_t)strlen(list),
                                           .item_ids = ids,
                                           .scores = scores,
                                           .reasons = reasons};
    for (uint32_t i = 0; i < record.count; i++) {
        ids[i] = bytes_of(list + i, 1);
        scores[i] = 0.5f;
        reasons[i] = BYTES("popular now");
    }
    const struct watched_session *found;
    assert_ok(watch_answer(&world->watch, &record, now_us, &found));
    return found;
}

static void the_next_click_judges_the_list_before_it(void **state)
{
    struct world *world = *state;
    click(world, "s", "a", 1000, 0);
    assert_non_null(answer(world, "s", "a", 1, "bc", 2000));
    assert_int_equal(world->watch.judged, 0);
    click(world, "s", "c", 2000, 5000); /* second on the list */
    answer(world, "s", "c", 2, "bd", 6000);
    assert_int_equal(world->watch.judged, 1);
    assert_int_equal(world->watch.hits, 1);
    assert_true(watch_reciprocal_rank(&world->watch) == 0.5);
    click(world, "s", "a", 3000, 7000); /* not on it */
    answer(world, "s", "a", 3, "b", 8000);
    assert_int_equal(world->watch.judged, 2);
    assert_true(watch_hit_rate(&world->watch) == 0.5);
    assert_true(watch_reciprocal_rank(&world->watch) == 0.25);
    assert_int_equal(world->watch.latency_us.total, 3);
    assert_int_equal(world->watch.latency_us.max, 2000);
}

static void only_the_first_twenty_of_a_list_count(void **state)
{
    struct world *world = *state;
    click(world, "s", "a", 1000, 0);
    answer(world, "s", "a", 1, "bbbbbbbbbbbbbbbbbbbbc", 10); /* c is the 21st */
    click(world, "s", "c", 2000, 20);
    answer(world, "s", "c", 2, "b", 30);
    assert_int_equal(world->watch.judged, 1);
    assert_int_equal(world->watch.hits, 0);
}

static void items_that_are_not_in_the_catalogue_are_no_hits(void **state)
{
    struct world *world = *state;
    click(world, "s", "a", 1000, 0);
    answer(world, "s", "a", 1, "xb", 10);
    click(world, "s", "y", 2000, 20);
    answer(world, "s", "y", 2, "b", 30);
    assert_int_equal(world->watch.judged, 1);
    assert_int_equal(world->watch.hits, 0);
}

static void answers_to_clicks_that_are_not_known_are_passed_over(void **state)
{
    struct world *world = *state;
    assert_null(answer(world, "s", "a", 1, "b", 0));
    click(world, "s", "a", 1000, 0);
    assert_null(answer(world, "s", "a", 2, "b", 10));
    assert_null(answer(world, "t", "a", 1, "b", 10));
    assert_non_null(answer(world, "s", "a", 1, "b", 10));
    assert_null(answer(world, "s", "a", 1, "b", 20)); /* the same answer again */
    assert_int_equal(world->watch.answers, 1);
    click(world, "s", "a", 2000, 30);
    for (int i = 0; i < WATCH_CLICKS; i++) /* pushes that click out */
        click(world, "s", "b", 3000 + i, 30);
    assert_null(answer(world, "s", "a", 2, "b", 40));
}

static void counts_start_anew_but_sessions_go_on(void **state)
{
    struct world *world = *state;
    click(world, "s", "a", 1000, 0);
    answer(world, "s", "a", 1, "b", 10);
    watch_restart(&world->watch);
    assert_int_equal(world->watch.clicks, 0);
    click(world, "s", "b", 2000, 20);
    answer(world, "s", "b", 2, "b", 30);
    assert_int_equal(world->watch.judged, 1);
    assert_int_equal(world->watch.hits, 1);
}

static void the_latest_sessions_come_first(void **state)
{
    struct world *world = *state;
    const struct watched_session *sessions[2];
    assert_int_equal(watch_latest(&world->watch, sessions, 2), 0);
    click(world, "first", "a", 1000, 10);
    click(world, "second", "a", 1000, 20);
    click(world, "third", "a", 1000, 30);
    click(world, "first", "b", 2000, 40);
    assert_int_equal(watch_latest(&world->watch, sessions, 2), 2);
    assert_string_equal(sessions[0]->key, "first");
    assert_string_equal(sessions[1]->key, "third");
}

/* ---- drawing */

static struct view view_of(struct world *world)
{
    return (struct view){.watch = &world->watch,
                         .catalogue = world->catalogue,
                         .live = true,
                         .stream_ms = 1207040400000,
                         .clicks_per_second = 20,
                         .bootstrap = "127.0.0.1:9092",
                         .topic = "recommendations"};
}

/* Rows of a frame without colours; fails when a row is wider than `columns`. */
static uint32_t rows_of(struct bytes frame, uint32_t columns)
{
    uint32_t rows = 1, width = 0;
    for (size_t i = 0; i < frame.size; i++) {
        if (frame.data[i] == '\033') { /* ESC [ ... letter */
            do
                i++;
            while (frame.data[i] == '[' || (frame.data[i] < 'A'));
        } else if (frame.data[i] == '\n') {
            rows++;
            width = 0;
        } else if (frame.data[i] != '\r' && (frame.data[i] & 0xc0) != 0x80) {
            width++;
        }
        if (width > columns)
            fail_msg("row %u is wider than %u", rows, columns);
    }
    return rows;
}

static void a_frame_fits_its_terminal(void **state)
{
    struct world *world = *state;
    struct view view = view_of(world);
    click(world, "s", "a", 1000, 0);
    answer(world, "s", "a", 1, "dcb", 10);
    click(world, "s", "d", 2000, 20);
    for (uint32_t columns = 1; columns < 160; columns += 7) {
        for (uint32_t rows = 1; rows < 50; rows += 3) {
            AUTO(buffer) out = {0};
            struct terminal terminal = {true, rows % 2 == 0, columns, rows};
            view_screen(&view, &terminal, &out);
            assert_int_equal(rows_of(buffer_bytes(&out), columns), rows);
        }
    }
}

static void a_screen_shows_titles_ranks_reasons_and_where_to_look(void **state)
{
    struct world *world = *state;
    struct view view = view_of(world);
    AUTO(buffer) out = {0};
    click(world, "s", "a", 1000, 0);
    answer(world, "s", "a", 1, "cb", 10);
    click(world, "s", "b", 2000, 20);
    answer(world, "s", "b", 2, "dc", 30);
    struct terminal terminal = {true, false, 120, 30};
    view_screen(&view, &terminal, &out);
    const char *text = buffer_text(&out);
    const char *const parts[] = {"2008-04-01 09:00",
                                 "session s, click 2",
                                 "red boots",
                                 "blue scarf  was no. 2",
                                 "green hat  50 %  popular now",
                                 "HR@20 1.000",
                                 "MRR@20 0.500",
                                 "kcat -b 127.0.0.1:9092 -t recommendations"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strstr(text, parts[i]))
            fail_msg("'%s' is not on the screen", parts[i]);
}

/* The frame of a terminal with so many rows, of which `parts` must be seen, and `missing` not (NULL: none). */
static void check_rows(const struct view *view, uint32_t rows, const char *const *parts, const char *missing)
{
    AUTO(buffer) out = {0};
    struct terminal terminal = {true, false, 80, rows};
    view_screen(view, &terminal, &out);
    for (; *parts; parts++)
        if (!strstr(buffer_text(&out), *parts))
            fail_msg("with %u rows '%s' is not on the screen", rows, *parts);
    if (missing && strstr(buffer_text(&out), missing))
        fail_msg("with %u rows '%s' is on the screen", rows, missing);
}

static void on_a_low_terminal_a_visitor_with_recommendations_is_the_last_to_go(void **state)
{
    struct world *world = *state;
    struct view view = view_of(world);
    click(world, "other", "a", 1000, 0);
    answer(world, "other", "a", 1, "d", 10);
    click(world, "s", "a", 1000, 20);
    answer(world, "s", "a", 1, "cb", 30);
#define VISITOR "session s, click 1", "1 green hat  50 %  popular now"
    static const char *const all[] = {"eddy demo", "clicks 2", "HR@20", VISITOR, "2 blue scarf", "kcat -b", NULL};
    static const char *const head[] = {"eddy demo", "clicks 2", "HR@20", VISITOR, "2 blue scarf", NULL};
    static const char *const visitor[] = {VISITOR, "2 blue scarf", NULL}, *const first[] = {VISITOR, NULL};
    static const char *const two[] = {"session other", VISITOR, "eddy demo", "kcat -b", NULL};
    static const char *const quality[] = {"HR@20", NULL};
    check_rows(&view, 16, two, NULL);
    check_rows(&view, 15, all, "session other");
    check_rows(&view, 12, all, NULL);
    check_rows(&view, 9, all, NULL);
    check_rows(&view, 8, head, "kcat -b");
    check_rows(&view, 7, head, NULL);
    check_rows(&view, 4, visitor, "eddy demo");
    check_rows(&view, 2, first, NULL);
    check_rows(&view, 1, quality, "session");
}

static void what_was_answered_is_shown_before_what_waits(void **state)
{
    struct world *world = *state;
    const struct watched_session *sessions[3];
    click(world, "old", "a", 1000, 0);
    answer(world, "old", "a", 1, "b", 10);
    click(world, "new", "a", 1000, 20);
    answer(world, "new", "a", 1, "cb", 30);
    click(world, "new", "b", 2000, 40);
    click(world, "waits", "a", 1000, 50);
    assert_int_equal(watch_latest(&world->watch, sessions, 3), 3);
    assert_string_equal(sessions[0]->key, "new");
    assert_string_equal(sessions[1]->key, "old");
    assert_string_equal(sessions[2]->key, "waits");
    struct view view = view_of(world);
    static const char *const parts[] = {"session new, click 1", "1 green hat", NULL};
    check_rows(&view, 12, parts, "click 2,");
}

static void sessions_kept_by_user_go_by_their_user(void **state)
{
    struct world *world = *state;
    struct watch watch;
    assert_ok(watch_open(world->catalogue, true, &watch));
    const struct watched_session *found = NULL;
    const struct bytes next = BYTES("b"), reason = BYTES("popular now");
    static const float score = 1;
    for (uint32_t i = 1; i <= 2; i++) {
        struct bytes item = i == 1 ? BYTES("a") : next;
        struct click click = {.user_id = BYTES("u7"), .item_id = item, .time_ms = i * 1000};
        struct recommendation_record record = {.session_id = BYTES("u7/1000"),
                                               .user_id = BYTES("u7"),
                                               .click_item_id = item,
                                               .click_time_ms = i * 1000,
                                               .position = i,
                                               .count = 1,
                                               .item_ids = &next,
                                               .scores = &score,
                                               .reasons = &reason};
        watch_click(&watch, &click, 0);
        assert_ok(watch_answer(&watch, &record, 10, &found));
        assert_non_null(found);
    }
    assert_int_equal(watch.judged, 1);
    assert_int_equal(watch.hits, 1);
    struct view view = view_of(world);
    AUTO(buffer) out = {0};
    view.watch = &watch;
    view_answer(&view, found, &out);
    assert_non_null(strstr(buffer_text(&out), "user u7, click 2: blue scarf (was no. 1)"));
    watch_release(&watch);
}

static void without_colour_there_is_none_and_titles_cannot_control_the_terminal(void **state)
{
    struct world *world = *state;
    struct view view = view_of(world);
    click(world, "s", "d", 1000, 0);
    for (int colour = 0; colour < 2; colour++) {
        AUTO(buffer) out = {0};
        struct terminal terminal = {true, colour, 120, 30};
        view_screen(&view, &terminal, &out);
        assert_null(strstr(buffer_text(&out), "\033[31m"));
        assert_int_equal(strstr(buffer_text(&out), "\033[1m") != NULL, colour);
    }
}

static void plain_lines_say_the_same(void **state)
{
    struct world *world = *state;
    struct view view = view_of(world);
    AUTO(buffer) out = {0};
    click(world, "s", "a", 1000, 0);
    view_answer(&view, answer(world, "s", "a", 1, "cb", 10), &out);
    assert_string_equal(buffer_text(&out), "session s, click 1: red boots -> 1. green hat 50 %, popular now;"
                                           " 2. blue scarf 50 %, popular now\n");
    buffer_clear(&out);
    click(world, "t", "a", 1000, 0);
    view_answer(&view, answer(world, "t", "a", 1, "", 10), &out);
    assert_string_equal(buffer_text(&out), "session t, click 1: red boots -> nothing yet\n");
    buffer_clear(&out);
    view_counts(&view, &out);
    assert_non_null(strstr(buffer_text(&out), "clicks 2 (20/s)"));
    buffer_clear(&out);
    view.clicks_per_second = 0; /* not known yet */
    view_counts(&view, &out);
    assert_non_null(strstr(buffer_text(&out), "clicks 2  "));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)
    const struct CMUnitTest tests[] = {
        TEST(the_next_click_judges_the_list_before_it),
        TEST(only_the_first_twenty_of_a_list_count),
        TEST(items_that_are_not_in_the_catalogue_are_no_hits),
        TEST(answers_to_clicks_that_are_not_known_are_passed_over),
        TEST(counts_start_anew_but_sessions_go_on),
        TEST(the_latest_sessions_come_first),
        TEST(a_frame_fits_its_terminal),
        TEST(a_screen_shows_titles_ranks_reasons_and_where_to_look),
        TEST(on_a_low_terminal_a_visitor_with_recommendations_is_the_last_to_go),
        TEST(what_was_answered_is_shown_before_what_waits),
        TEST(sessions_kept_by_user_go_by_their_user),
        TEST(without_colour_there_is_none_and_titles_cannot_control_the_terminal),
        TEST(plain_lines_say_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

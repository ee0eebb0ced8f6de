// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "app/click_files.h"

#define T         INT64_C(1400000000000)
#define MINUTE    INT64_C(60000)
#define WEEK      (7 * 1440 * MINUTE)
#define CLICKS    300
#define FILES     3
#define AHEAD_MAX (31 * MINUTE)

/* A log of a click a minute over three files, and what was made of it. */
struct log {
    struct temporary_folder folder;
    int64_t times_ms[CLICKS]; /* as they stand in the files; the click at i is on item "i" */
    struct log_reading reading;
    bool taken[CLICKS];
    size_t taken_count;
};

static void log_make(struct log *log)
{
    *log = (struct log){.folder = temporary_folder_make(), .reading = log_reading_begin(false)};
    for (int i = 0; i < CLICKS; i++)
        log->times_ms[i] = T + i * MINUTE;
}

static void write_files(const struct log *log, char paths[FILES][320])
{
    for (int i = 0; i < FILES; i++) {
        snprintf(paths[i], 320, "%s/%d.tsv", log->folder.path, i);
        FILE *file = fopen(paths[i], "w");
        assert_non_null(file);
        fputs("session_id\titem_id\ttimestamp_ms\n", file);
        for (int click = i * CLICKS / FILES; click < (i + 1) * CLICKS / FILES; click++)
            fprintf(file, "s%d\t%d\t%lld\n", click, click, (long long)log->times_ms[click]);
        assert_int_equal(fclose(file), 0);
    }
}

/* Reads all; each click that is taken is what stands in the file, where it is said to stand. */
static struct status read_all(struct log *log, struct complaint *complaint)
{
    char paths[FILES][320];
    const char *names[FILES];
    struct click_files *files;
    struct status status;
    bool found = true;
    write_files(log, paths);
    for (int i = 0; i < FILES; i++)
        names[i] = paths[i];
    const struct click_files_options options = {.paths = names, .count = FILES, .ahead_max_ms = AHEAD_MAX};
    assert_ok(click_files_open(&options, &log->reading, &files));
    for (;;) {
        struct click click;
        char session[16], place[400];
        int64_t number;
        status = click_files_next(files, &click, &found, complaint);
        if (failed(status) || !found)
            break;
        assert_true(bytes_to_int64(click.item_id, &number));
        snprintf(session, sizeof session, "s%lld", (long long)number);
        assert_bytes(click.session_id, session);
        assert_int_equal(click.time_ms, log->times_ms[number]);
        snprintf(place, sizeof place, "%s: line %lld", paths[number / (CLICKS / FILES)],
                 (long long)number % (CLICKS / FILES) + 2);
        assert_string_equal(click_files_place(files), place);
        assert_false(log->taken[number]);
        log->taken[number] = true;
        log->taken_count++;
    }
    click_files_close(files);
    return status;
}

/* All clicks are taken but these. */
static void check_refused(struct log *log, const int *refused, size_t count)
{
    struct complaint complaint = {{0}};
    assert_ok(read_all(log, &complaint));
    for (size_t i = 0; i < count; i++)
        if (log->taken[refused[i]])
            fail_msg("click %d is taken", refused[i]);
    assert_int_equal(log->taken_count, CLICKS - count);
    assert_int_equal(log->reading.records, CLICKS - count);
    assert_int_equal(log->reading.skipped, count);
    temporary_folder_remove(&log->folder);
}

static void clicks_far_ahead_of_all_around_them_are_refused(void **state)
{
    (void)state;
    static const int places[] = {0, 1, 50, 99, 100, 298}; /* first and last of a file among them */
    struct log log;
    log_make(&log);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        log.times_ms[places[i]] += WEEK * (int64_t)(i + 1);
    check_refused(&log, places, sizeof places / sizeof *places);

    int run[30]; /* of a client whose clock is wrong */
    log_make(&log);
    for (int i = 0; i < 30; i++) {
        run[i] = 120 + i;
        log.times_ms[run[i]] += WEEK;
    }
    check_refused(&log, run, 30);
}

static void gaps_and_clicks_that_are_a_little_ahead_are_none_of_these(void **state)
{
    (void)state;
    struct log log;
    log_make(&log);
    for (int i = 0; i < CLICKS; i++) /* a gap of weeks, some more, and a last click after one */
        log.times_ms[i] += i >= 299 ? 40 * WEEK : i >= 201 ? 30 * WEEK : i >= 200 ? 20 * WEEK : i >= 10 ? 3 * WEEK : 0;
    log.times_ms[150] -= 2 * WEEK; /* a straggler */
    log.times_ms[11] -= 3 * WEEK;  /* the second behind the gap */
    log.times_ms[250] += AHEAD_MAX;
    check_refused(&log, NULL, 0);
}

static void times_ahead_of_now_are_refused_wherever_they_stand(void **state)
{
    (void)state;
    struct log log;
    const int last = CLICKS - 1;
    log_make(&log);
    log.times_ms[last] = INT64_C(6942000000000); /* 2189 */
    check_refused(&log, &last, 1);
}

static void strict_stops_at_a_click_far_ahead_and_names_it(void **state)
{
    (void)state;
    struct log log;
    struct complaint complaint = {{0}};
    char wanted[400];
    log_make(&log);
    log.reading.strict = true;
    log.times_ms[120] += WEEK;
    assert_fails(BAD_INPUT, read_all(&log, &complaint));
    snprintf(wanted, sizeof wanted,
             "%s/1.tsv: line 22: timestamp 1400612000000 (2014-05-20T18:53:20.000Z) is far ahead: of the next 64 "
             "clicks it would make 64 late",
             log.folder.path);
    if (!strstr(complaint.text, wanted))
        fail_msg("%s", complaint.text);
    assert_int_equal(log.taken_count, 120);
    temporary_folder_remove(&log.folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clicks_far_ahead_of_all_around_them_are_refused),
        cmocka_unit_test(gaps_and_clicks_that_are_a_little_ahead_are_none_of_these),
        cmocka_unit_test(times_ahead_of_now_are_refused_wherever_they_stand),
        cmocka_unit_test(strict_stops_at_a_click_far_ahead_and_names_it),
    };
    return cmocka_run_group_tests_name("click_files", tests, NULL, NULL);
}

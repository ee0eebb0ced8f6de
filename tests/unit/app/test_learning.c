// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "app/learning_report.h"

#include <jansson.h>
#include <math.h>

#define T         INT64_C(1600000000000) /* minute 0 */
#define MINUTE_MS INT64_C(60000)
#define GAP_MS    (30 * MINUTE_MS)

/* A log of clicks at minutes. */
struct log_text {
    struct buffer text;
};

static void begin_log(struct log_text *log)
{
    buffer_append_text(&log->text, "session_id\ttimestamp_ms\titem_id\n");
}

static void click(struct log_text *log, const char *session, double minute, const char *item)
{
    buffer_format(&log->text, "%s\t%lld\t%s\n", session, T + (long long)(minute * (double)MINUTE_MS), item);
}

/* Sessions a b c, one a minute, from minute `from` on. */
static void visits(struct log_text *log, int from, int count)
{
    for (int i = 0; i < count; i++) {
        char name[16];
        snprintf(name, sizeof name, "v%d", from + i);
        click(log, name, from + i, "a");
        click(log, name, from + i + 0.1, "b");
        click(log, name, from + i + 0.2, "c");
    }
}

static struct status open_data(struct log_text *log, int64_t from_minute, int64_t before_minute,
                               struct learning_data *ret_data, struct complaint *complaint)
{
    struct temporary_folder folder = temporary_folder_make();
    char path[320];
    const char *paths[] = {path};
    const struct learning_split split = {from_minute == INT64_MIN ? INT64_MIN : T + from_minute * MINUTE_MS,
                                         before_minute == INT64_MAX ? INT64_MAX : T + before_minute * MINUTE_MS};
    struct log_reading reading = log_reading_begin(true);
    snprintf(path, sizeof path, "%s/clicks.tsv", folder.path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(buffer_text(&log->text), file) >= 0);
    assert_int_equal(fclose(file), 0);
    struct status status = learning_data_open(paths, 1, &split, GAP_MS, &reading, ret_data, complaint);
    temporary_folder_remove(&folder);
    buffer_release(&log->text);
    return status;
}

static void make_config(struct config *config)
{
    const char *const sets[] = {"model.width=8",     "train.epochs=20",          "train.batch=16",
                                "train.negatives=0", "update.interval_ms=10min", "update.held_share=0"};
    struct complaint complaint = {{0}};
    assert_ok(config_make(config, NULL, sets, sizeof sets / sizeof *sets, &complaint));
}

/* ---- what is asked */

static void every_next_click_of_later_sessions_is_a_question(void **state)
{
    (void)state;
    struct log_text log = {0};
    struct learning_data data;
    struct complaint complaint = {{0}};
    begin_log(&log);
    visits(&log, 0, 3);
    click(&log, "early", 90, "a"); /* begins before, goes on after: never asked */
    click(&log, "x", 101, "a");
    click(&log, "alone", 101.5, "z");
    click(&log, "y", 102, "c");
    click(&log, "x", 103, "n");
    click(&log, "early", 104, "b");
    click(&log, "y", 105, "a");
    click(&log, "x", 106, "b");
    click(&log, "late", 201, "a"); /* begins too late */
    click(&log, "late", 202, "b");
    assert_ok(open_data(&log, 100, 200, &data, &complaint));
    assert_int_equal(data.first_sessions, 3);
    assert_int_equal(data.first_clicks, 9);
    assert_int_equal(data.closing_count, 7); /* all but the one of a single click */
    assert_int_equal(data.tested_count, 2);
    assert_int_equal(data.predictions, 3);
    const int64_t minutes[] = {103, 105, 106};
    const uint32_t places[] = {0, 2, 1}, lengths[] = {1, 1, 2};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(data.questions[i].time_ms, T + minutes[i] * MINUTE_MS);
        assert_int_equal(data.questions[i].place, places[i]);
        assert_int_equal(data.questions[i].length, lengths[i]);
    }
    assert_int_equal(data.items, 4); /* n is the last that can be learned, z cannot */
    const struct whole_session *x = &data.log.sessions[data.tested[0]];
    assert_int_equal(data.log.items[x->start + 1], 3);
    learning_data_release(&data);
}

static void the_middle_of_the_log_is_where_it_begins(void **state)
{
    (void)state;
    struct log_text log = {0};
    struct learning_data data;
    struct complaint complaint = {{0}};
    begin_log(&log);
    visits(&log, 0, 200);
    assert_ok(open_data(&log, INT64_MIN, INT64_MAX, &data, &complaint));
    assert_true(llabs(data.from_ms - T - 100 * MINUTE_MS) <= MINUTE_MS);
    assert_int_equal(data.first_sessions, 70); /* of 100, those that have been over for half an hour */
    learning_data_release(&data);
}

static void a_log_without_a_side_is_refused(void **state)
{
    (void)state;
    const int64_t from_minutes[] = {0, 20, 1000};
    for (size_t i = 0; i < 3; i++) {
        struct log_text log = {0};
        struct learning_data data;
        struct complaint complaint = {{0}};
        begin_log(&log);
        visits(&log, 0, 60);
        assert_fails(BAD_INPUT, open_data(&log, from_minutes[i], INT64_MAX, &data, &complaint));
        assert_non_null(strstr(complaint.text, "both sides need some"));
    }
    struct log_text log = {0};
    struct learning_data data;
    struct complaint complaint = {{0}};
    begin_log(&log);
    assert_fails(BAD_INPUT, open_data(&log, 0, INT64_MAX, &data, &complaint));
}

/* ---- what is known when */

/* New items at minute 100; sessions with them begin at 101 (the first has not closed), 135 (closed, but nothing is due
 * before 140) and 141. */
static void open_news(struct learning_data *data)
{
    struct log_text log = {0};
    struct complaint complaint = {{0}};
    begin_log(&log);
    visits(&log, 0, 60);
    const double minutes[] = {100, 101, 135, 141};
    for (size_t i = 0; i < 4; i++) {
        char name[8];
        snprintf(name, sizeof name, "n%zu", i);
        click(&log, name, minutes[i], "n");
        click(&log, name, minutes[i] + 0.1, "m");
    }
    assert_ok(open_data(&log, 100, INT64_MAX, data, &complaint));
    assert_int_equal(data->predictions, 4);
}

static size_t unknown(const struct learning_data *data, const struct config *config, const struct model *first,
                      enum learning_kind kind, int64_t every_minutes, bool fused, uint32_t *ret_ranks)
{
    struct learning_result result;
    const struct learning_way way = {kind, config, every_minutes * MINUTE_MS, fused};
    assert_ok(learning_run(data, first, &way, &result));
    memcpy(ret_ranks, result.ranks, data->predictions * sizeof *ret_ranks);
    size_t count = result.unknown;
    learning_result_release(&result);
    return count;
}

static void nothing_is_learned_before_it_has_closed_and_is_due(void **state)
{
    (void)state;
    struct learning_data data;
    struct config config;
    struct model *first;
    uint32_t ranks[4];
    open_news(&data);
    make_config(&config);
    assert_ok(learning_first(&data, &config, &first));
    assert_int_equal(model_item_count(first), 3);
    assert_int_equal(unknown(&data, &config, first, LEARNING_STATIC, 0, false, ranks), 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(ranks[i], 0);
    assert_int_equal(unknown(&data, &config, first, LEARNING_CONTINUOUS, 0, false, ranks), 3);
    assert_true(ranks[2] == 0 && ranks[3] > 0);
    config.update.interval_ms = 5 * MINUTE_MS; /* due at 135 too, before the click of that minute */
    assert_int_equal(unknown(&data, &config, first, LEARNING_CONTINUOUS, 0, false, ranks), 2);
    config.update.interval_ms = 0;
    config.update.clicks = 2; /* due whenever one closes */
    assert_int_equal(unknown(&data, &config, first, LEARNING_CONTINUOUS, 0, false, ranks), 2);
    config.update.clicks = 4;
    assert_int_equal(unknown(&data, &config, first, LEARNING_CONTINUOUS, 0, false, ranks), 2);
    config.update.clicks = 5;
    assert_int_equal(unknown(&data, &config, first, LEARNING_CONTINUOUS, 0, false, ranks), 4);
    assert_int_equal(unknown(&data, &config, first, LEARNING_RETRAINED, 40, false, ranks), 3);
    assert_int_equal(unknown(&data, &config, first, LEARNING_RETRAINED, 50, false, ranks), 4);
    model_close(first);
    config_release(&config);
    learning_data_release(&data);
}

/* The retrieval scorers learn each session as it closes, whatever becomes of the model. */
static void fused_lists_know_what_has_closed(void **state)
{
    (void)state;
    static const enum learning_kind kinds[] = {LEARNING_RETRIEVAL, LEARNING_STATIC, LEARNING_CONTINUOUS};
    struct learning_data data;
    struct config config;
    struct model *first;
    uint32_t ranks[4];
    open_news(&data);
    make_config(&config);
    assert_ok(learning_first(&data, &config, &first));
    for (size_t i = 0; i < 3; i++) {
        size_t count = unknown(&data, &config, first, kinds[i], 0, true, ranks);
        assert_int_equal(count, kinds[i] == LEARNING_CONTINUOUS ? 3 : 4); /* to the model alone */
        assert_true(ranks[0] == 0 && ranks[1] == 0 && ranks[2] > 0 && ranks[3] > 0);
    }
    model_close(first);
    config_release(&config);
    learning_data_release(&data);
}

/* ---- what is told */

/* All that a report speaks of. */
struct told {
    struct learning_data data;
    struct config config;
    struct log_reading reading;
    struct learning_system systems[3];
    struct learning_report report;
};

static struct told *tell(bool validation)
{
    static const char *const names[] = {"static", "retrained", "continuous"};
    static const enum learning_kind kinds[] = {LEARNING_STATIC, LEARNING_RETRAINED, LEARNING_CONTINUOUS};
    struct told *told = calloc(1, sizeof *told);
    struct model *first;
    assert_non_null(told);
    open_news(&told->data);
    make_config(&told->config);
    assert_ok(learning_first(&told->data, &told->config, &first));
    for (size_t i = 0; i < 3; i++) {
        struct learning_system *system = &told->systems[i];
        system->way = (struct learning_way){kinds[i], &told->config, 10 * MINUTE_MS, false};
        snprintf(system->name, sizeof system->name, "%s", names[i]);
        assert_ok(learning_run(&told->data, first, &system->way, &system->result));
    }
    model_close(first);
    told->report = (struct learning_report){.data = &told->data,
                                            .reading = &told->reading,
                                            .validation = validation,
                                            .systems = told->systems,
                                            .system_count = 3,
                                            .base_count = 2};
    assert_ok(learning_report_intervals(&told->report));
    return told;
}

static void told_close(struct told *told)
{
    for (size_t i = 0; i < 3; i++)
        learning_result_release(&told->systems[i].result);
    config_release(&told->config);
    learning_data_release(&told->data);
    free(told);
}

static double number_in(const json_t *object, const char *key, const char *inner)
{
    const json_t *number = json_object_get(json_object_get(object, key), inner);
    assert_true(json_is_number(number));
    return json_number_value(number);
}

static void the_report_has_systems_differences_and_curves(void **state)
{
    (void)state;
    struct told *told = tell(true);
    AUTO(buffer) text = {0};
    learning_report_json(&told->report, &text);
    json_t *root = json_loads(buffer_text(&text), 0, NULL);
    assert_non_null(root);
    assert_string_equal(json_string_value(json_object_get(root, "mode")), "learning");
    assert_string_equal(json_string_value(json_object_get(root, "split")), "validation");
    assert_true(fabs(number_in(root, "data", "predictions") - 4) < 1e-9);
    const json_t *all = json_object_get(root, "systems"), *continuous = json_array_get(all, 2);
    assert_int_equal(json_array_size(all), 3);
    assert_string_equal(json_string_value(json_object_get(continuous, "kind")), "continuous");
    const json_t *differences = json_object_get(continuous, "differences_at_20");
    assert_int_equal(json_object_size(differences), 2);
    assert_int_equal(json_object_size(json_object_get(json_array_get(all, 0), "differences_at_20")), 0);
    double better = number_in(json_object_get(differences, "static"), "hit_rate", "value");
    assert_true(fabs(better - 0.25) < 1e-9); /* one of four */
    assert_true(fabs(number_in(continuous, "hit_rate", "20") - 0.25) < 1e-9);
    size_t judged = 0, i;
    const json_t *bucket;
    json_array_foreach(json_object_get(continuous, "timeline"), i, bucket)
    {
        judged += (size_t)json_integer_value(json_object_get(bucket, "judged"));
    }
    assert_int_equal(judged, 4);
    json_decref(root);
    told_close(told);
}

static void the_table_and_the_plots_name_each_system(void **state)
{
    (void)state;
    struct told *told = tell(false);
    struct temporary_folder folder = temporary_folder_make();
    struct complaint complaint = {{0}};
    char path[320], text[16384] = {0}, *table = NULL;
    size_t size;
    FILE *out = open_memstream(&table, &size);
    assert_non_null(out);
    learning_report_table(&told->report, out);
    assert_int_equal(fclose(out), 0);
    assert_non_null(strstr(table, "test: 4 predictions in 4 sessions from 2020-09-13T14:06:40"));
    assert_non_null(strstr(table, "\n  static  "));
    assert_non_null(strstr(table, "\n  continuous against static: HR +0.2500 ("));
    assert_non_null(strstr(table, "\n  continuous against retrained: HR "));
    assert_null(strstr(table, "static against"));
    free(table);
    assert_ok(learning_report_plots(&told->report, folder.path, &complaint));
    snprintf(path, sizeof path, "%s/learning_mrr.svg", folder.path);
    FILE *plot = fopen(path, "r");
    assert_non_null(plot);
    assert_true(fread(text, 1, sizeof text - 1, plot) > 0);
    fclose(plot);
    assert_true(strstr(text, ">retrained</text>") && strstr(text, "</svg>") && !strstr(text, "href"));
    temporary_folder_remove(&folder);
    told_close(told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_next_click_of_later_sessions_is_a_question),
        cmocka_unit_test(the_middle_of_the_log_is_where_it_begins),
        cmocka_unit_test(a_log_without_a_side_is_refused),
        cmocka_unit_test(nothing_is_learned_before_it_has_closed_and_is_due),
        cmocka_unit_test(fused_lists_know_what_has_closed),
        cmocka_unit_test(the_report_has_systems_differences_and_curves),
        cmocka_unit_test(the_table_and_the_plots_name_each_system),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

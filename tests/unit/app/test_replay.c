// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "app/command.h"
#include "app/driver.h"
#include "app/replay.h"
#include "app/snapshot.h"

#include <eddy/base/random.h>
#include <eddy/core/generate.h>
#include <eddy/io/file.h>
#include <eddy/io/log_writer.h>

#include <math.h>
#include <unistd.h>

#define T INT64_C(1600000000000)

static struct config make_config(const char *const *sets, size_t count)
{
    struct config config;
    struct complaint complaint = {{0}};
    struct status status = config_make(&config, NULL, sets, count, &complaint);
    if (failed(status))
        fail_msg("%s", complaint.text);
    return config;
}

static void read_file(const char *path, struct buffer *out)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t got;
    buffer_clear(out);
    do {
        got = fread(buffer_reserve(out, 4096), 1, 4096, file);
        out->size += got;
    } while (got > 0);
    fclose(file);
}

/* `count` clicks of the synthetic stream, some out of order, into "<folder>/<name>". */
static const char *write_log(const struct temporary_folder *folder, const char *name, int count, char path[320])
{
    struct generate_options options = generate_defaults();
    struct generator *generator;
    struct log_writer *writer;
    options.items = 300;
    options.sessions = 40;
    options.seed = 7;
    snprintf(path, 320, "%s/%s", folder->path, name);
    assert_ok(generator_open(&options, NULL, &generator));
    assert_ok(log_writer_open(path, RECORD_CLICK, log_writer_format(path), &writer, NULL));
    for (int i = 0; i < count; i++) {
        struct click click;
        generator_next(generator, &click);
        if (i % 17 == 0)
            click.time_ms -= 20000;
        assert_ok(log_writer_click(writer, &click, NULL));
    }
    assert_ok(log_writer_close(writer, NULL));
    generator_close(generator);
    return path;
}

static void replays_of_one_log_give_the_same_bytes(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    char plain[320], packed[320], output[2][320];
    AUTO(buffer) first = {.limit = 1 << 28}, second = {.limit = 1 << 28};
    struct complaint complaint = {{0}};
    const char *files[] = {write_log(&folder, "clicks.tsv", 8000, plain),
                           write_log(&folder, "clicks.jsonl.gz", 8000, packed)};
    static struct replay_result results[2];
    for (size_t i = 0; i < 2; i++) { /* the same clicks, in another format */
        struct config config = make_config(NULL, 0);
        snprintf(output[i], sizeof output[i], "%s/output-%zu.avro", folder.path, i);
        struct replay_options options = {.files = &files[i], .file_count = 1, .output = output[i]};
        struct status status = replay_run(&options, &config, &results[i], &complaint);
        if (failed(status))
            fail_msg("%s", complaint.text);
        config_release(&config);
    }
    read_file(output[0], &first);
    read_file(output[1], &second);
    assert_true(first.size > 1000000);
    assert_true(bytes_equal(buffer_bytes(&first), buffer_bytes(&second)));
    assert_true(results[0].learned_version == results[1].learned_version && results[0].learner.learned > 100);
    assert_true(results[0].out_of_order > 0 && results[0].judged > 1000);

    /* And another log gives others, or the comparison would prove nothing. */
    struct config config = make_config(NULL, 0);
    const char *shorter[] = {write_log(&folder, "clicks.csv", 7999, plain)};
    struct replay_options options = {.files = shorter, .file_count = 1, .output = output[1]};
    assert_ok(replay_run(&options, &config, &results[1], &complaint));
    read_file(output[1], &second);
    assert_false(bytes_equal(buffer_bytes(&first), buffer_bytes(&second)));
    config_release(&config);
    temporary_folder_remove(&folder);
}

/* ---- prediction before learning */

struct expectation { /* what the answers to session q listed first with any score, but for the click's item */
    struct driver *driver;
    char firsts[8][8];
    size_t count;
};

static struct status note_firsts(void *context, const struct effects *effects)
{
    struct expectation *expectation = context;
    for (size_t i = 0; i < effects->recommendation_count; i++) {
        const struct recommendation *recommendation = &effects->recommendations[i];
        if (!bytes_equal_text(recommendation->session_id, "q"))
            continue;
        struct bytes id = {0};
        for (uint32_t j = 0; j < recommendation->count && id.size == 0; j++)
            if (recommendation->items[j].item != recommendation->click_item && recommendation->items[j].score > 0)
                id = catalogue_id(driver_catalogue(expectation->driver), recommendation->items[j].item);
        snprintf(expectation->firsts[expectation->count++], 8, BYTES_FORMAT, BYTES_ARGS(id));
    }
    return OK;
}

static void click(struct driver *driver, int64_t *offset, const char *session, const char *item, int64_t time_ms)
{
    struct driver_click step = {
        .click = {.session_id = bytes_of_text(session), .item_id = bytes_of_text(item), .time_ms = time_ms},
        .offset = (*offset)++,
        .record_time_ms = time_ms};
    bool room;
    assert_ok(driver_click(driver, &step, &room));
    assert_true(room);
}

static void a_session_teaches_only_after_it_has_closed(void **state)
{
    (void)state;
    const char *sets[] = {"session.gap_ms=10min", "session.grace_ms=0", "learn.interval_ms=1min", "learn.delay_ms=0"};
    struct config config = make_config(sets, 4);
    struct expectation expectation = {0};
    struct driver *driver;
    int64_t offset = 0;
    struct complaint complaint = {{0}};
    assert_ok(driver_open(&config, (struct performer){note_firsts, &expectation}, &driver, &complaint));
    expectation.driver = driver;
    click(driver, &offset, "s", "a", T);
    click(driver, &offset, "s", "b", T + 1000);
    click(driver, &offset, "q", "a", T + 2000);              /* s is open: nobody knows that b follows a */
    click(driver, &offset, "x", "c", T + 12 * 60000);        /* the watermark passes the end of s and q */
    click(driver, &offset, "q", "a", T + 12 * 60000 + 1000); /* a new session q: now it is known */
    assert_int_equal(expectation.count, 2);
    assert_string_equal(expectation.firsts[0], "");
    assert_string_equal(expectation.firsts[1], "b");
    assert_int_equal(driver_sessions_open(driver), 2);
    assert_int_equal(driver_learner_counts(driver).learned, 2);
    assert_ok(driver_finish(driver));
    assert_int_equal(driver_sessions_open(driver), 0);
    assert_int_equal(driver_learner_counts(driver).learned, 4);
    driver_close(driver);
    config_release(&config);
}

/* ---- the learned state as a file */

static void a_replay_leaves_its_learned_state_for_a_process_to_begin_with(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    char log[320], snapshot[320];
    const char *files[] = {write_log(&folder, "clicks.tsv", 3000, log)};
    struct config config = make_config(NULL, 0);
    struct replay_options options = {.files = files, .file_count = 1, .state = snapshot};
    static struct replay_result result;
    struct catalogue *catalogue;
    struct learned *learned;
    struct complaint complaint = {{0}};
    snprintf(snapshot, sizeof snapshot, "%s/learned", folder.path);
    assert_ok(replay_run(&options, &config, &result, &complaint));
    assert_true(result.learner.learned > 100 && result.learner.learned == result.closed);
    assert_int_equal(result.opened, result.closed); /* all were closed at the end */

    assert_ok(catalogue_open(&config.catalogue, &catalogue));
    assert_ok(snapshot_read(snapshot, &config.learned, catalogue, &learned, &complaint));
    assert_int_equal(learned_count(learned), result.learner.learned);
    assert_true(learned_version(learned) == result.learned_version);
    learned_close(learned);
    catalogue_close(catalogue);

    AUTO(buffer) content = {0};
    struct learned *untouched = NULL;
    assert_ok(catalogue_open(&config.catalogue, &catalogue));
    read_file(snapshot, &content);
    content.data[content.size / 2] ^= 1;
    assert_ok(file_write(snapshot, &content, NULL));
    assert_fails(CORRUPT, snapshot_read(snapshot, &config.learned, catalogue, &untouched, &complaint));
    assert_ptr_equal(strstr(complaint.text, "learn.snapshot: "), complaint.text);
    assert_non_null(strstr(complaint.text, snapshot));
    assert_non_null(strstr(complaint.text, "eddy replay --into-state"));
    assert_null(untouched);
    catalogue_close(catalogue);
    config_release(&config);
    temporary_folder_remove(&folder);
}

/* ---- the command */

static int run_command(char *const *words, int count)
{
    char *argv[16];
    for (int i = 0; i < count; i++)
        argv[i] = words[i];
    int out = dup(1);
    assert_non_null(freopen("/dev/null", "w", stdout));
    int code = command_replay(count, argv);
    fflush(stdout);
    dup2(out, 1);
    close(out);
    return code;
}

static void write_text(const char *path, const char *content)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void replay_skips_broken_lines_and_strict_stops(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    AUTO(buffer) content = {0};
    char path[320], dump[320], json[320];
    snprintf(path, sizeof path, "%s/clicks.csv", folder.path);
    snprintf(dump, sizeof dump, "%s/dump.tsv", folder.path);
    snprintf(json, sizeof json, "%s/report.json", folder.path);
    write_text(path, "session_id,item_id,timestamp\n"
                     "s,a,1600000000000\n"
                     "s,b,yesterday\n"
                     "s,b,1600000001000\n");
    char words[][24] = {"replay", "--dump", "--json", "--strict"};
    char *argv[] = {words[0], words[1], dump, words[2], json, path, words[3]};
    assert_int_equal(run_command(argv, 6), EXIT_OK);
    read_file(dump, &content);
    assert_non_null(strstr(buffer_text(&content), "s\t1\ta\t"));
    assert_non_null(strstr(buffer_text(&content), "\ns\t2\tb\t"));
    read_file(json, &content);
    assert_non_null(strstr(buffer_text(&content), "\"records\": 2,\n    \"skipped\": 1,\n    \"unknown_types\": 0,"));
    assert_non_null(strstr(buffer_text(&content), "\"judged\": 1,"));
    assert_int_equal(run_command(argv, 7), EXIT_DATA);
    assert_int_equal(run_command(argv, 1), EXIT_USAGE);
    temporary_folder_remove(&folder);
}

static void timelines_double_their_width_and_lose_nothing(void **state)
{
    (void)state;
    static struct timeline timeline;
    struct random random;
    double reciprocal = 0, sum = 0;
    uint64_t judged = 0;
    random_seed(&random, test_seed(9));
    memset(&timeline, 0, sizeof timeline);
    for (int i = 0; i < 10000; i++) {
        uint32_t rank = random_below(&random, 30);
        timeline_add(&timeline, T + (int64_t)i * i, rank);
        reciprocal += rank >= 1 && rank <= 20 ? 1.0 / rank : 0;
    }
    timeline_add(&timeline, T - 5, 0); /* older than the first */
    for (size_t i = 0; i < TIMELINE_BUCKETS; i++) {
        judged += timeline.buckets[i].judged;
        sum += timeline.buckets[i].sums[MEASURE_RECIPROCAL_RANK];
    }
    assert_int_equal(judged, 10001);
    assert_true(fabs(sum - reciprocal) < 1e-6);
    assert_int_equal(timeline.width_ms, 1024000); /* the least doubling of 1 s that covers 10^8 ms in 128 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replays_of_one_log_give_the_same_bytes),
        cmocka_unit_test(a_session_teaches_only_after_it_has_closed),
        cmocka_unit_test(a_replay_leaves_its_learned_state_for_a_process_to_begin_with),
        cmocka_unit_test(replay_skips_broken_lines_and_strict_stops),
        cmocka_unit_test(timelines_double_their_width_and_lose_nothing),
    };
    return cmocka_run_group_tests_name("replay", tests, NULL, NULL);
}

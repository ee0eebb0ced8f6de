// SPDX-License-Identifier: Apache-2.0
/* The checker of versions in the chaos test: what publishers write passes, and what is wrong is found. */
#include "support/support.h"

#include "app/session_model.h"
#include "chaos/versions.h"
#include "support/models_log.h"

#include <inttypes.h>

#define T     INT64_C(1700000000000)
#define ITEMS 20

struct world {
    struct config config;
    struct models_log log;
    struct model_directory *directory; /* as a publisher has it */
    struct versions versions;
    struct buffer answers, sessions, loaded;
    int64_t learned; /* by the next version, of the only partition */
    FILE *out;
    char *report;
    size_t report_size;
};

static int open_world(void **state)
{
    static const char *const sets[] = {"models.name=shop", "models.keep=2", "formats.recommendations=json"};
    struct world *world = calloc(1, sizeof *world);
    struct complaint complaint = {0};
    assert_non_null(world);
    if (failed(config_make(&world->config, NULL, sets, sizeof sets / sizeof *sets, &complaint)))
        fail_msg("%s", complaint.text);
    assert_ok(model_directory_open("shop", &world->directory));
    world->out = open_memstream(&world->report, &world->report_size);
    *state = world;
    return 0;
}

static int close_world(void **state)
{
    struct world *world = *state;
    fclose(world->out);
    free(world->report);
    versions_release(&world->versions);
    buffer_release(&world->answers);
    buffer_release(&world->sessions);
    buffer_release(&world->loaded);
    model_directory_close(world->directory);
    models_log_release(&world->log);
    config_release(&world->config);
    free(world);
    return 0;
}

/* ---- what is in the topics */

/* As a publisher would, but with this number. */
static void publish_as(struct world *world, int64_t version, uint64_t seed)
{
    const struct sessions_read sessions = {0, world->learned};
    struct model *model = models_log_model(ITEMS, 4, seed);
    const struct model_publication publication = {
        .model = model, .items = models_log_items(), .sessions = &sessions, .session_count = 1, .note = ""};
    struct model_manifest begun = {.name = BYTES("shop"), .version = version}, manifest;
    struct record_taker taker = models_log_taker(&world->log);
    char sha256[SHA256_TEXT_SIZE];
    models_log_read(&world->log, world->directory);
    assert_ok(writing_slot(world->directory, 2, &begun.slot));
    assert_ok(writing_version(&publication, &begun, sha256, taker, &manifest));
    assert_ok(writing_retire(world->directory, &manifest, 2, taker));
    assert_ok(writing_pointer("shop", MODEL_KEY_CURRENT, &manifest, taker));
    models_log_read(&world->log, world->directory);
    model_close(model);
}

/* The next version, which has learned `more` sessions than the last. */
static void publish(struct world *world, int64_t more)
{
    world->learned += more;
    models_log_read(&world->log, world->directory);
    int64_t version = model_directory_latest(world->directory) + 1;
    publish_as(world, version, (uint64_t)version);
}

static void go_back_to(struct world *world, int64_t version)
{
    const struct model_manifest *manifest = model_directory_version(world->directory, version);
    assert_non_null(manifest);
    world->learned = manifest->sessions[0].offset;
    assert_ok(writing_pointer("shop", MODEL_KEY_CURRENT, manifest, models_log_taker(&world->log)));
    models_log_read(&world->log, world->directory);
}

static void append(struct buffer *out, int64_t offset, int64_t time_ms, const char *value)
{
    buffer_format(out, "0 %" PRId64 " %" PRId64 " 1 %zu \nk%s\n", offset, time_ms, strlen(value), value);
}

/* An answer by what `version` is called, written so long after the first version came into use. */
static void answer(struct world *world, const char *version, int64_t after_ms)
{
    char text[512];
    snprintf(text, sizeof text,
             "{\"session_id\":\"s\",\"topic\":\"clicks\",\"partition\":0,\"offset\":7,\"click_timestamp\":1,"
             "\"click_item_id\":\"i\",\"position\":1,\"model_version\":\"%s\",\"items\":[]}",
             version);
    append(&world->answers, 0, T + after_ms, text);
}

/* ---- judging */

static struct status check_dumps(struct world *world, struct complaint *complaint)
{
    struct dump answers = {0}, sessions = {0};
    TRY(dump_parse("answers", buffer_bytes(&world->answers), &answers, complaint));
    TRY(dump_parse("sessions", buffer_bytes(&world->sessions), &sessions, complaint));
    versions_check_sessions(&world->versions, &sessions, world->out);
    struct status status = versions_check_answers(&world->config, &answers, world->out, &world->versions, complaint);
    dump_release(&answers);
    dump_release(&sessions);
    return status;
}

/* Records of the log are a millisecond apart. */
static void read_versions(struct world *world)
{
    struct dump_record *records = calloc(world->log.count + 1, sizeof *records);
    struct complaint complaint = {""};
    assert_non_null(records);
    for (size_t i = 0; i < world->log.count; i++) {
        records[i].message = world->log.records[i];
        records[i].message.timestamp_ms = T + (int64_t)i;
    }
    const struct dump dump = {.records = records, .count = world->log.count};
    versions_release(&world->versions);
    assert_ok(versions_read(&world->config, &dump, world->out, &world->versions, &complaint));
    free(records);
}

static void name_use(const struct world *world, size_t use, char text[MODEL_VERSION_SIZE])
{
    const struct use *named = &world->versions.uses[use];
    model_version_write(named->version, bytes_of(named->digits, MODEL_DIGITS), text);
}

/* What goes with the versions: answers by the first two, all loaded the last. */
static void write_rest(struct world *world)
{
    char text[MODEL_VERSION_SIZE];
    read_versions(world);
    for (size_t use = 0; use < 2; use++) {
        name_use(world, use, text);
        answer(world, text, 1000);
    }
    answer(world, "", 0);
    append(&world->sessions, 99, T, "a session");
    name_use(world, world->versions.count - 1, text);
    buffer_format(&world->loaded, "topic %s\neddy-1 %s\neddy-2 %s\n", text, text, text);
}

static bool judge(struct world *world)
{
    struct complaint complaint = {""};
    read_versions(world);
    if (failed(check_dumps(world, &complaint)))
        fail_msg("%s", complaint.text);
    versions_check_loaded(&world->versions, buffer_bytes(&world->loaded), world->out);
    bool holds = versions_judge(&world->versions, world->out);
    fflush(world->out);
    return holds;
}

static void assert_reported(const struct world *world, const char *text)
{
    if (!strstr(world->report, text))
        fail_msg("'%s' is not in the report:\n%s", text, world->report);
}

static void what_is_right_passes(void **state)
{
    struct world *world = *state;
    publish(world, 10);
    publish(world, 0);
    publish(world, 5);
    go_back_to(world, 2);
    publish(world, 2); /* less than the third, but no less than the second */
    write_rest(world);
    if (!judge(world))
        fail_msg("%s", world->report);
    assert_reported(world, "4 versions published, of up to 1 chunks, 1 times gone back; 2 of 3 answers by 2 of them");
}

static void a_version_that_is_not_whole_is_found(void **state)
{
    struct world *world = *state;
    for (int i = 0; i < 3; i++)
        publish(world, 10);
    write_rest(world);
    for (size_t i = 0; i < world->log.count; i++)
        if (bytes_equal_text(world->log.records[i].key, "shop/1/0"))
            ((uint8_t *)(uintptr_t)world->log.records[i].value.data)[world->log.records[i].value.size - 1] ^= 1;
    assert_false(judge(world));
    assert_reported(world, "version 2 came into use at offset");
    assert_reported(world, "and cannot be: version 2: the SHA-256 of its bytes");
}

static void a_number_that_is_left_out_or_comes_twice_is_found(void **state)
{
    struct world *world = *state;
    publish(world, 10);
    publish_as(world, 3, 1);
    publish_as(world, 3, 2);
    write_rest(world);
    assert_false(judge(world));
    assert_reported(world, "version 3 comes after version 1\n");
    assert_reported(world, "version 3 comes after version 3\n");
}

static void a_version_that_has_learned_less_than_the_one_before_is_found(void **state)
{
    struct world *world = *state;
    publish(world, 10);
    publish(world, 5);
    publish(world, -1);
    write_rest(world);
    assert_false(judge(world));
    assert_reported(world, "version 3 has learned partition 0 up to 14, version 2 before it up to 15");
}

static void a_version_that_has_learned_what_is_not_there_is_found(void **state)
{
    struct world *world = *state;
    for (int i = 0; i < 3; i++)
        publish(world, 40);
    write_rest(world);
    assert_false(judge(world));
    assert_reported(world, "version 3 has learned partition 0 up to 120, which ends at 100");
}

static void a_pointer_that_is_gone_is_found(void **state)
{
    struct world *world = *state;
    for (int i = 0; i < 3; i++)
        publish(world, 10);
    write_rest(world);
    models_log_put(&world->log, BYTES("shop/current"), (struct bytes){0});
    assert_false(judge(world));
    assert_reported(world, "no version is in use any more");
}

static void an_answer_by_a_version_that_never_was_is_found(void **state)
{
    struct world *world = *state;
    for (int i = 0; i < 3; i++)
        publish(world, 10);
    write_rest(world);
    answer(world, "2-0123456789abcdef", 1000);
    assert_false(judge(world));
    assert_reported(world, "is by version 2-0123456789abcdef, which never was in use");
}

static void an_answer_older_than_its_version_is_found(void **state)
{
    struct world *world = *state;
    char text[MODEL_VERSION_SIZE];
    for (int i = 0; i < 3; i++)
        publish(world, 10);
    write_rest(world);
    name_use(world, 2, text);
    answer(world, text, world->versions.uses[2].since_ms - T - 1);
    assert_false(judge(world));
    assert_reported(world, "and 1 ms older than that");
}

static void processes_that_differ_in_the_end_are_found(void **state)
{
    struct world *world = *state;
    char text[MODEL_VERSION_SIZE];
    for (int i = 0; i < 3; i++)
        publish(world, 10);
    write_rest(world);
    name_use(world, 1, text);
    buffer_format(&world->loaded, "eddy-3 %s\n", text);
    assert_false(judge(world));
    assert_reported(world, "in the end, and another one");
    buffer_clear(&world->loaded);
    buffer_append_text(&world->loaded, "eddy-1 \n");
    assert_false(judge(world));
    assert_reported(world, "'eddy-1 ': that version never was in use");
    buffer_clear(&world->loaded);
    assert_false(judge(world));
    assert_reported(world, "nobody says which version was loaded in the end");
}

static void too_few_versions_prove_nothing(void **state)
{
    struct world *world = *state;
    publish(world, 10);
    publish(world, 10);
    write_rest(world);
    assert_false(judge(world));
    assert_reported(world, "0 problems");
    assert_reported(world, "too little to say anything");
}

int main(void)
{
#define WORLD_TEST(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)
    const struct CMUnitTest tests[] = {
        WORLD_TEST(what_is_right_passes),
        WORLD_TEST(a_version_that_is_not_whole_is_found),
        WORLD_TEST(a_number_that_is_left_out_or_comes_twice_is_found),
        WORLD_TEST(a_version_that_has_learned_less_than_the_one_before_is_found),
        WORLD_TEST(a_version_that_has_learned_what_is_not_there_is_found),
        WORLD_TEST(a_pointer_that_is_gone_is_found),
        WORLD_TEST(an_answer_by_a_version_that_never_was_is_found),
        WORLD_TEST(an_answer_older_than_its_version_is_found),
        WORLD_TEST(processes_that_differ_in_the_end_are_found),
        WORLD_TEST(too_few_versions_prove_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

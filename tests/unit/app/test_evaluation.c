// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "app/command.h"
#include "app/evaluation_report.h"

#include <jansson.h>
#include <math.h>
#include <unistd.h>

#define T INT64_C(1600000000000)

#define assert_near(value, wanted)                                                                                     \
    do {                                                                                                               \
        if (!(fabs((value) - (wanted)) < 1e-6))                                                                        \
            fail_msg("%s is %.12g, wanted %.12g", #value, (double)(value), (double)(wanted));                          \
    } while (0)

static void write_file(const char *path, const char *content)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void read_file(const char *path, struct buffer *out)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t got;
    do {
        got = fread(buffer_reserve(out, 4096), 1, 4096, file);
        out->size += got;
    } while (got > 0);
    fclose(file);
}

/* A log of clicks "session second item", times in seconds from T. */
static void write_clicks(const char *path, const char *const *clicks)
{
    AUTO(buffer) content = {0};
    buffer_append_text(&content, "session_id\ttimestamp_ms\titem_id\n");
    for (; *clicks; clicks++) {
        char session[16], item[16];
        int second;
        assert_int_equal(sscanf(*clicks, "%15s %d %15s", session, &second, item), 3);
        buffer_format(&content, "%s\t%lld\t%s\n", session, (long long)(T + second * 1000), item);
    }
    write_file(path, buffer_text(&content));
}
#define CLICKS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Runs `eddy evaluate` on the clicks with the test from T; returns its exit code. more: arguments, parted by blanks. */
static int evaluate(const struct temporary_folder *folder, const char *const *clicks, const char *more,
                    struct buffer *ret_dump, struct buffer *ret_json)
{
    char texts[24][320] = {"evaluate", "--clicks", "", "--test-from", "1600000000000", "--dump", "", "--json", ""};
    char *argv[24];
    int argc = 9;
    snprintf(texts[2], sizeof texts[2], "%s/clicks.tsv", folder->path);
    snprintf(texts[6], sizeof texts[6], "%s/lists.tsv", folder->path);
    snprintf(texts[8], sizeof texts[8], "%s/report.json", folder->path);
    for (size_t size; more && *more; more += size + (more[size] == ' ')) {
        size = strcspn(more, " ");
        snprintf(texts[argc++], sizeof texts[0], "%.*s", (int)size, more);
    }
    for (int i = 0; i < argc; i++)
        argv[i] = texts[i];
    write_clicks(texts[2], clicks);
    int out = dup(1), code;
    assert_non_null(freopen("/dev/null", "w", stdout)); /* the table */
    code = command_evaluate(argc, argv);
    fflush(stdout);
    dup2(out, 1);
    close(out);
    if (code == EXIT_OK) {
        buffer_clear(ret_dump);
        buffer_clear(ret_json);
        read_file(texts[6], ret_dump);
        read_file(texts[8], ret_json);
    }
    return code;
}

#define TRAIN "t1 -100 a", "t1 -99 b", "t2 -90 a", "t2 -89 b", "t3 -80 c", "t3 -79 d", "t4 -70 c", "t4 -69 d"

/* The part of the dump up to the list, of every line. */
static void heads_of(const char *dump, struct buffer *out)
{
    buffer_clear(out);
    while (*dump) {
        const char *end = strchr(dump, '\n'), *list = strchr(strchr(strchr(dump, '\t') + 1, '\t') + 1, '\t');
        assert_true(end && list && list < end);
        buffer_append(out, dump, (size_t)(list - dump));
        buffer_append_byte(out, '\n');
        dump = end + 1;
    }
}

static double number_at(const json_t *system, const char *object, const char *key)
{
    const json_t *number = json_object_get(json_object_get(system, object), key);
    assert_non_null(number);
    return json_number_value(number);
}

static json_t *parse(struct buffer *json)
{
    json_t *root = json_loads(buffer_text(json), 0, NULL);
    assert_non_null(root);
    return root;
}

static int64_t count_at(const json_t *root, const char *key)
{
    return json_integer_value(json_object_get(json_object_get(root, "data"), key));
}

static void evaluate_follows_the_protocol_on_hand_made_sessions(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    AUTO(buffer) dump = {0}, json = {0}, heads = {0};
    const char *const *clicks = CLICKS(TRAIN, "over -1 e", "over 50 f", /* begins before T: trains, all of it */
                                       "q1 0 a", "q1 1 b",              /* begins at T: tests */
                                       "q2 10 a", "q2 11 z", "q2 12 b", "q2 13 c", /* z is unknown: dropped */
                                       "q3 20 z", "q3 21 z",                       /* nothing left */
                                       "q4 30 z", "q4 31 c",                       /* one click left */
                                       "q5 40 e", "q5 41 f", "q6 42 d");
    assert_int_equal(evaluate(&folder, clicks, NULL, &dump, &json), EXIT_OK);
    heads_of(buffer_text(&dump), &heads);
    assert_string_equal(buffer_text(&heads), "q1\t2\tb\nq2\t2\tb\nq2\t3\tc\nq5\t2\tf\n");
    json_t *root = parse(&json), *system = json_array_get(json_object_get(root, "systems"), 0);
    assert_int_equal(count_at(root, "train_sessions"), 5);
    assert_int_equal(count_at(root, "train_clicks"), 10);
    assert_int_equal(count_at(root, "train_items"), 6);
    assert_int_equal(count_at(root, "test_sessions"), 3);
    assert_int_equal(count_at(root, "predictions"), 4);
    assert_int_equal(count_at(root, "dropped_clicks"), 4);
    assert_int_equal(count_at(root, "dropped_sessions"), 3);
    assert_string_equal(json_string_value(json_object_get(root, "split")), "test");
    /* b follows a, and f follows e, every time in training: they come first. After a, b comes none of c. */
    assert_non_null(strstr(buffer_text(&dump), "q1\t2\tb\tb,"));
    assert_non_null(strstr(buffer_text(&dump), "q5\t2\tf\tf,"));
    assert_true(number_at(system, "hit_rate", "1") >= 0.75 && number_at(system, "mrr", "20") >= 0.75);
    json_decref(root);
    temporary_folder_remove(&folder);
}

/* The report's figures, computed again from the dumped lists by plain string search. */
static void evaluate_reports_what_its_lists_say(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    AUTO(buffer) dump = {0}, json = {0};
    const char *const *clicks =
        CLICKS(TRAIN, "q1 0 a", "q1 1 b", "q1 2 a", "q1 3 d", "q2 4 d", "q2 5 c", "q2 6 a", "q3 7 b", "q3 8 b");
    assert_int_equal(evaluate(&folder, clicks, NULL, &dump, &json), EXIT_OK);
    double hits[CUTOFF_COUNT] = {0}, reciprocal = 0, gain = 0;
    int predictions = 0;
    char *line_end, *text = (char *)(uintptr_t)buffer_text(&dump);
    for (char *line = strtok_r(text, "\n", &line_end); line; line = strtok_r(NULL, "\n", &line_end)) {
        char *part_end, *part = strtok_r(line, "\t", &part_end);
        strtok_r(NULL, "\t", &part_end);
        char *truth = strtok_r(NULL, "\t", &part_end);
        int rank = 0, place = 0;
        for (part = strtok_r(NULL, ",", &part_end); part; part = strtok_r(NULL, ",", &part_end)) {
            place++;
            if (!strcmp(part, truth)) {
                assert_int_equal(rank, 0); /* an item stands once in a list */
                rank = place;
            }
        }
        predictions++;
        for (size_t c = 0; c < CUTOFF_COUNT; c++)
            hits[c] += rank && rank <= (int)cutoffs[c];
        reciprocal += rank ? 1.0 / rank : 0;
        gain += rank ? 1 / log2(1 + rank) : 0;
    }
    assert_int_equal(predictions, 6);
    json_t *root = parse(&json), *system = json_array_get(json_object_get(root, "systems"), 0);
    for (size_t c = 0; c < CUTOFF_COUNT; c++) {
        char key[8];
        snprintf(key, sizeof key, "%u", cutoffs[c]);
        assert_near(number_at(system, "hit_rate", key), hits[c] / predictions);
    }
    assert_near(number_at(system, "mrr", "20"), reciprocal / predictions);
    assert_near(number_at(system, "ndcg", "20"), gain / predictions);
    assert_true(hits[0] > 0 && hits[0] < predictions); /* or the comparison would prove little */
    json_decref(root);
    temporary_folder_remove(&folder);
}

/* Test sessions put into the log, before and between those asked about, must not change one list; the same sessions
 * as training must, or this test could not fail. */
static void evaluate_lets_the_test_teach_nothing(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    AUTO(buffer) plain = {0}, leaky = {0}, taught = {0}, json = {0};
#define ASKED "q1 100 a", "q1 101 b", "q2 200 c", "q2 201 a"
    assert_int_equal(evaluate(&folder, CLICKS(TRAIN, ASKED), NULL, &plain, &json), EXIT_OK);
    assert_int_equal(evaluate(&folder,
                              CLICKS(TRAIN, "l1 0 a", "l1 1 d", "l2 2 a", "l2 3 d", "l3 4 a", "l3 5 d", "l4 150 c",
                                     "l4 151 a", ASKED),
                              NULL, &leaky, &json),
                     EXIT_OK);
    const char *asked = strstr(buffer_text(&leaky), "q1\t2");
    assert_non_null(asked);
    AUTO(buffer) kept = {0};
    for (const char *line = buffer_text(&leaky); *line; line = strchr(line, '\n') + 1)
        if (line[0] == 'q')
            buffer_append(&kept, line, (size_t)(strchr(line, '\n') + 1 - line));
    assert_string_equal(buffer_text(&kept), buffer_text(&plain));
    assert_int_equal(evaluate(&folder,
                              CLICKS(TRAIN, "l1 -9 a", "l1 -8 d", "l2 -7 a", "l2 -6 d", "l3 -5 a", "l3 -4 d", "l4 -3 c",
                                     "l4 -2 a", ASKED),
                              NULL, &taught, &json),
                     EXIT_OK);
    assert_string_not_equal(buffer_text(&taught), buffer_text(&plain));
    temporary_folder_remove(&folder);
}

static void evaluate_validates_without_touching_the_test(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    AUTO(buffer) with = {0}, without = {0}, json = {0}, heads = {0};
    char from[] = "--valid-from=1599999970000"; /* 30 s before T */
    assert_int_equal(
        evaluate(&folder, CLICKS(TRAIN, "v1 -30 a", "v1 -29 b", "v2 -1 c", "v2 5 d"), from, &without, &json), EXIT_OK);
    assert_int_equal(
        evaluate(&folder,
                 CLICKS(TRAIN, "v1 -30 a", "v1 -29 b", "v2 -1 c", "q1 0 a", "q1 1 d", "v2 5 d", "q2 6 d", "q2 7 a"),
                 from, &with, &json),
        EXIT_OK);
    assert_string_equal(buffer_text(&with), buffer_text(&without));
    heads_of(buffer_text(&with), &heads);
    assert_string_equal(buffer_text(&heads), "v1\t2\tb\nv2\t2\td\n");
    json_t *root = parse(&json);
    assert_string_equal(json_string_value(json_object_get(root, "split")), "validation");
    assert_int_equal(count_at(root, "train_sessions"), 4);
    json_decref(root);
    temporary_folder_remove(&folder);
}

static void evaluate_compares_configurations_on_the_same_predictions(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    AUTO(buffer) dump = {0}, second = {0}, json = {0};
    char vs[] = "--vs=filters.seen=exclude,fusion.list_size=30", path[320];
    assert_int_equal(evaluate(&folder, CLICKS(TRAIN, "q1 0 a", "q1 1 a", "q2 3 a", "q2 4 b"), vs, &dump, &json),
                     EXIT_OK);
    snprintf(path, sizeof path, "%s/lists.tsv.2", folder.path);
    read_file(path, &second);
    assert_null(strstr(buffer_text(&second), "q1\t2\ta\ta,")); /* what was seen is excluded */
    json_t *root = parse(&json), *systems = json_object_get(root, "systems");
    assert_int_equal(json_array_size(systems), 2);
    const json_t *base = json_array_get(systems, 0), *other = json_array_get(systems, 1);
    assert_null(json_object_get(base, "difference_from_first_at_20"));
    const json_t *difference = json_object_get(json_object_get(other, "difference_from_first_at_20"), "mrr");
    double value = json_number_value(json_object_get(difference, "value"));
    assert_near(value, number_at(other, "mrr", "20") - number_at(base, "mrr", "20"));
    assert_string_equal(json_string_value(json_object_get(other, "name")), "filters.seen=exclude,fusion.list_size=30");
    json_decref(root);
    temporary_folder_remove(&folder);
}

static void evaluate_says_what_is_wrong_with_a_split(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    AUTO(buffer) dump = {0}, json = {0};
    assert_int_equal(evaluate(&folder, CLICKS("t1 -1 a", "t1 -1 b"), NULL, &dump, &json), EXIT_DATA);
    assert_int_equal(evaluate(&folder, CLICKS("t1 1 a", "t1 1 b"), NULL, &dump, &json), EXIT_DATA);
    assert_int_equal(evaluate(&folder, CLICKS("t1 -1 a", "t1 -1 b", "q 1 z", "q 2 y"), NULL, &dump, &json), EXIT_DATA);
    assert_int_equal(evaluate(&folder, CLICKS(TRAIN), "--tset=1", &dump, &json), EXIT_USAGE);
    assert_int_equal(evaluate(&folder, CLICKS(TRAIN), "--set=knn.sample=1", &dump, &json), EXIT_CONFIG);
    temporary_folder_remove(&folder);
}

/* ---- recorded answers */

/* "z" is unknown to training, so that the prefix of three clicks of q1 is one of two that are known. */
#define RECORDED_CLICKS CLICKS(TRAIN, "q1 0 a", "q1 1 z", "q1 2 b", "q1 3 c", "q2 10 a", "q2 11 b", "q2 12 d")

static void write_recorded(const struct temporary_folder *folder, const char *lines)
{
    char path[320];
    snprintf(path, sizeof path, "%s/recorded.jsonl", folder->path);
    write_file(path, lines);
    snprintf(path, sizeof path, "%s/items.tsv", folder->path);
    write_file(path, "item_id\ttitle\na\tRed lamp\nb\tBlue lamp\nc\tOak desk\nd\tGarden chair\nz\tUnknown\n");
}

static void evaluate_asks_the_prefixes_that_a_file_names(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    AUTO(buffer) dump = {0}, json = {0}, heads = {0}, all = {0}, more = {0};
    write_recorded(&folder, "{\"session_id\":\"q1\",\"position\":3}\n\n{\"session_id\":\"q2\",\"position\":1}\n"
                            "{\"session_id\":\"q1\",\"position\":2}\n{\"session_id\":\"nobody\",\"position\":1}\n"
                            "{\"session_id\":\"t1\",\"position\":1}\n");
    buffer_format(&more, "--prefixes %s/recorded.jsonl", folder.path);
    assert_int_equal(evaluate(&folder, RECORDED_CLICKS, buffer_text(&more), &dump, &json), EXIT_OK);
    heads_of(buffer_text(&dump), &heads);
    assert_string_equal(buffer_text(&heads), "q1\t3\tc\nq2\t2\tb\n");
    json_t *root = parse(&json);
    assert_int_equal(count_at(root, "predictions"), 2);
    assert_int_equal(count_at(root, "test_sessions"), 2);
    json_decref(root);
    /* they are answered as among all */
    assert_int_equal(evaluate(&folder, RECORDED_CLICKS, NULL, &all, &json), EXIT_OK);
    for (const char *line = buffer_text(&dump); *line; line = strchr(line, '\n') + 1) {
        AUTO(buffer) one = {0};
        buffer_append(&one, line, (size_t)(strchr(line, '\n') + 1 - line));
        assert_non_null(strstr(buffer_text(&all), buffer_text(&one)));
    }
    write_recorded(&folder, "{\"session_id\":\"q1\",\"position\":9}\n");
    assert_int_equal(evaluate(&folder, RECORDED_CLICKS, buffer_text(&more), &dump, &json), EXIT_DATA);
    temporary_folder_remove(&folder);
}

static void evaluate_heeds_what_was_recorded_of_a_prefix(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    AUTO(buffer) plain = {0}, told = {0}, mute = {0}, json = {0}, more = {0};
    static const char said[] =
        "{\"session_id\":\"q1\",\"position\":3,\"long\":\"garden chairs\",\"long_next\":[\"garden chair\"]}\n";
#define TEXTS "--set=embedder.provider=hash --set=embedder.width=4 --set=fusion.agent_weights=[9,9,9,9,9,9,9,9,9,9,9,9]"
    write_recorded(&folder, said);
    buffer_format(&more, "--items %s/items.tsv " TEXTS, folder.path);
    assert_int_equal(evaluate(&folder, RECORDED_CLICKS, buffer_text(&more), &plain, &json), EXIT_OK);
    buffer_format(&more, " --intents %s/recorded.jsonl", folder.path);
    assert_int_equal(evaluate(&folder, RECORDED_CLICKS, buffer_text(&more), &told, &json), EXIT_OK);
    assert_null(strstr(buffer_text(&plain), "q1\t3\tc\td"));
    assert_non_null(strstr(buffer_text(&told), "q1\t3\tc\td"));
    /* the other prefixes are answered as before */
    assert_non_null(strstr(buffer_text(&plain), "\nq2\t2"));
    assert_string_equal(strstr(buffer_text(&told), "\nq2\t2"), strstr(buffer_text(&plain), "\nq2\t2"));
    /* without an embedder nothing is made of it */
    buffer_format(&more, " --set=embedder.provider=none");
    assert_int_equal(evaluate(&folder, RECORDED_CLICKS, buffer_text(&more), &mute, &json), EXIT_OK);
    assert_null(strstr(buffer_text(&mute), "q1\t3\tc\td"));
    temporary_folder_remove(&folder);
}

static void evaluate_shuffles_answers_within_the_test(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    AUTO(buffer) dump = {0}, json = {0}, more = {0};
    write_recorded(&folder, "{\"session_id\":\"q1\",\"position\":3,\"long_next\":[\"oak desk\"]}\n"
                            "{\"session_id\":\"q2\",\"position\":2,\"long_next\":[\"garden chair\"]}\n"
                            "{\"session_id\":\"t1\",\"position\":1,\"long_next\":[\"red lamp\"]}\n"
                            "{\"session_id\":\"q1\",\"position\":2,\"long_next\":[\"blue lamp\"]}\n"
                            "{\"session_id\":\"nobody\",\"position\":2,\"long_next\":[\"red lamp\"]}\n");
    buffer_format(&more, "--items %s/items.tsv " TEXTS " --shuffle-intents --intents %s/recorded.jsonl", folder.path,
                  folder.path);
    assert_int_equal(evaluate(&folder, RECORDED_CLICKS, buffer_text(&more), &dump, &json), EXIT_OK);
    assert_non_null(strstr(buffer_text(&dump), "q1\t3\tc\td"));
    assert_non_null(strstr(buffer_text(&dump), "q2\t3\td\tc"));
    /* one is alone on its side, one is about a click that was dropped, one about a session that is not there */
    json_t *root = parse(&json);
    assert_int_equal(count_at(root, "train_intents"), 1);
    assert_int_equal(count_at(root, "test_intents"), 2);
    assert_int_equal(count_at(root, "intents_about_neither"), 2);
    json_decref(root);
    temporary_folder_remove(&folder);
}

static void evaluate_asks_for_items_that_nobody_clicked_when_told(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    AUTO(buffer) dump = {0}, json = {0}, more = {0};
    char path[320];
    snprintf(path, sizeof path, "%s/items.tsv", folder.path);
    write_file(path, "item_id\ttitle\na\tred lamp\nb\tblue lamp\nc\toak desk\nz\tred lamp shade\ny\t\n");
    const char *const *clicks = CLICKS(TRAIN, "q1 0 a", "q1 1 z", "q1 2 y", "q2 10 a", "q2 11 x", "q2 12 b");
    buffer_format(&more, "--items %s --set=embedder.provider=hash --set=embedder.width=4", path);
    assert_int_equal(evaluate(&folder, clicks, buffer_text(&more), &dump, &json), EXIT_OK);
    assert_null(strstr(buffer_text(&dump), "q1"));
    assert_null(strchr(buffer_text(&dump), 'z'));
    buffer_format(&more, " --cold");
    assert_int_equal(evaluate(&folder, clicks, buffer_text(&more), &dump, &json), EXIT_OK);
    const char *line = strstr(buffer_text(&dump), "q1\t2\tz\t");
    assert_non_null(line); /* z stays; y has no title, and x is not in the catalogue */
    const char *found = strchr(line + 7, 'z');
    assert_true(found && found < strchr(line, '\n'));
    json_t *root = parse(&json), *system = json_array_get(json_object_get(root, "systems"), 0);
    assert_int_equal(count_at(root, "predictions"), 2);
    assert_int_equal(count_at(root, "dropped_clicks"), 2);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(system, "cold"), "predictions")), 1);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(system, "cold"), "hits_at_20")), 1);
    json_decref(root);
    temporary_folder_remove(&folder);
}

static void evaluate_skips_broken_answers_and_names_their_line(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    AUTO(buffer) dump = {0}, json = {0}, more = {0};
    write_recorded(&folder, "{\"session_id\":\"q1\",\"position\":3}\n{\"session_id\"\n"
                            "{\"session_id\":\"q1\",\"position\":3}\n");
    buffer_format(&more, "--prefixes %s/recorded.jsonl", folder.path);
    assert_int_equal(evaluate(&folder, RECORDED_CLICKS, buffer_text(&more), &dump, &json), EXIT_OK);
    buffer_append_text(&more, " --strict");
    assert_int_equal(evaluate(&folder, RECORDED_CLICKS, buffer_text(&more), &dump, &json), EXIT_DATA);
    struct log_reading reading = {.strict = true};
    struct recorded_intents intents;
    struct interner *ids;
    struct complaint complaint = {""};
    uint32_t number;
    char path[320];
    snprintf(path, sizeof path, "%s/recorded.jsonl", folder.path);
    assert_ok(interner_open(10, 1000, &ids));
    assert_ok(interner_add(ids, BYTES("q1"), &number));
    assert_fails(BAD_INPUT, recorded_intents_read(path, ids, &reading, &intents, &complaint));
    assert_non_null(strstr(complaint.text, "recorded.jsonl: line 2: column"));
    write_file(path, "{\"session_id\":\"q1\",\"position\":3}\n{\"session_id\":\"q1\",\"position\":3}\n");
    assert_fails(BAD_INPUT, recorded_intents_read(path, ids, &reading, &intents, &complaint));
    assert_non_null(strstr(complaint.text, "line 2: line 1 is about the same"));
    interner_close(ids);
    temporary_folder_remove(&folder);
}

/* A comma in a list parts no settings. */
static void settings_of_a_variant_may_be_lists(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    AUTO(buffer) dump = {0}, json = {0};
    assert_int_equal(evaluate(&folder, CLICKS(TRAIN, "q1 0 a", "q1 1 b"),
                              "--vs=fusion.list_size=30,fusion.walk_weights=[0,0,0,0,0,0,0,0,0,0,0,0]", &dump, &json),
                     EXIT_OK);
    temporary_folder_remove(&folder);
}

/* ---- the parts */

static struct evaluation_data open_data(const struct temporary_folder *folder, const char *const *clicks)
{
    static const struct catalogue_options options = {1000, 1 << 20, 100};
    char path[320];
    const char *paths[] = {path};
    struct evaluation_files files = {.clicks = paths, .click_count = 1};
    struct evaluation_split split = {.train_before_ms = T, .test_before_ms = INT64_MAX};
    struct log_reading reading = {0};
    struct evaluation_data data;
    struct complaint complaint = {{0}};
    snprintf(path, sizeof path, "%s/clicks.tsv", folder->path);
    write_clicks(path, clicks);
    assert_ok(evaluation_data_open(&files, &split, &options, &reading, &data, &complaint));
    return data;
}

static void training_is_learned_in_the_order_of_last_clicks(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    struct evaluation_data data = open_data(&folder, CLICKS("long -100 a", "b -90 b", "a -80 c", "tie2 -50 d",
                                                            "tie1 -50 e", "a -70 c", "long -1 a", "q 1 a", "q 2 b"));
    static const char *const wanted[] = {"b", "a", "tie2", "tie1", "long"};
    assert_int_equal(data.train_count, 5);
    for (size_t i = 0; i < 5; i++) {
        const struct whole_session *session = &data.log.sessions[data.train[i]];
        assert_bytes(interner_get(data.log.session_ids, session->name), wanted[i]);
    }
    evaluation_data_release(&data);
    temporary_folder_remove(&folder);
}

static void clicks_are_sorted_by_time_and_equal_times_keep_their_order(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    struct evaluation_data data =
        open_data(&folder, CLICKS("s -5 d", "s -9 a", "s -7 c", "s -9 b", "s -5 e", "q 1 b", "q 1 a", "q 0 c"));
    static const char train[] = "abcde", test[] = "cba";
    const struct whole_session *session = &data.log.sessions[data.train[0]], *asked = &data.log.sessions[data.test[0]];
    assert_int_equal(session->length, 5);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(catalogue_id(data.catalogue, data.log.items[session->start + i]).data[0], train[i]);
    assert_int_equal(asked->length, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(catalogue_id(data.catalogue, data.log.items[asked->start + i]).data[0], test[i]);
    evaluation_data_release(&data);
    temporary_folder_remove(&folder);
}

static void sums_are_by_session_and_paired(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    struct evaluation_data data =
        open_data(&folder, CLICKS("t -3 a", "t -2 b", "q 1 a", "q 2 b", "q 3 a", "r 5 a", "r 6 a"));
    uint32_t ranks[] = {1, 0, 4}, base_ranks[] = {2, 3, 4};
    struct evaluation_result result = {.ranks = ranks}, base = {.ranks = base_ranks};
    struct session_sums sums[2];
    evaluation_session_sums(&data, &result, NULL, &measures[MEASURE_RECIPROCAL_RANK], sums);
    assert_near(sums[0].sum, 1);
    assert_int_equal(sums[0].count, 2);
    assert_near(sums[1].sum, 0.25);
    evaluation_session_sums(&data, &result, &base, &measures[MEASURE_RECIPROCAL_RANK], sums);
    assert_near(sums[0].sum, 1 - 0.5 - 1 / 3.0);
    assert_near(sums[1].sum, 0);
    evaluation_data_release(&data);
    temporary_folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evaluate_follows_the_protocol_on_hand_made_sessions),
        cmocka_unit_test(evaluate_reports_what_its_lists_say),
        cmocka_unit_test(evaluate_lets_the_test_teach_nothing),
        cmocka_unit_test(evaluate_validates_without_touching_the_test),
        cmocka_unit_test(evaluate_compares_configurations_on_the_same_predictions),
        cmocka_unit_test(evaluate_says_what_is_wrong_with_a_split),
        cmocka_unit_test(evaluate_asks_the_prefixes_that_a_file_names),
        cmocka_unit_test(evaluate_heeds_what_was_recorded_of_a_prefix),
        cmocka_unit_test(evaluate_shuffles_answers_within_the_test),
        cmocka_unit_test(evaluate_asks_for_items_that_nobody_clicked_when_told),
        cmocka_unit_test(evaluate_skips_broken_answers_and_names_their_line),
        cmocka_unit_test(settings_of_a_variant_may_be_lists),
        cmocka_unit_test(training_is_learned_in_the_order_of_last_clicks),
        cmocka_unit_test(clicks_are_sorted_by_time_and_equal_times_keep_their_order),
        cmocka_unit_test(sums_are_by_session_and_paired),
    };
    return cmocka_run_group_tests_name("evaluation", tests, NULL, NULL);
}

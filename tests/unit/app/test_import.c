// SPDX-License-Identifier: Apache-2.0
/* Each layout on a few lines in the form in which the data set is published, written by hand. */
#include "support/support.h"

#include "app/command.h"
#include "app/import.h"

#include <eddy/base/buffer.h>

#include <unistd.h>

struct sample {
    const char *layout;
    const char *clicks, *items; /* contents of the files; items may be NULL */
    const char *wanted;         /* "session user item ms type", a line each */
    const char *wanted_items;   /* "item|title|categories...", a line each */
};

static const struct sample samples[] = {
    {"movielens", "1::1193::5::978300760\n1::661::3::978300000\n2::1193::4::978302860\n1::914::3::978303760\n",
     "1193::One Flew Over the Cuckoo's Nest (1975)::Drama\n661::Mis\xe9rables, Les (1995)::Drama|Musical\n",
     "1-1 1 661 978300000000 view\n1-1 1 1193 978300760000 view\n2-1 2 1193 978302860000 view\n"
     "1-2 1 914 978303760000 view\n",
     "1193|One Flew Over the Cuckoo's Nest (1975)|Drama\n661|Mis\xc3\xa9rables, Les (1995)|Drama|Musical\n"},
    {"movielens", "userId,movieId,rating,timestamp\n1,31,2.5,1260759144\n",
     "movieId,title,genres\n31,\"Dangerous Minds, The \"\"Movie\"\" (1995)\",Drama\n", "1-1 1 31 1260759144000 view\n",
     "31|Dangerous Minds, The \"Movie\" (1995)|Drama\n"},
    {"movielens", "196\t242\t3\t881250949\n22\t377\t1\t878887116\n", NULL, /* of 1997 */
     "22-1 22 377 878887116000 view\n196-1 196 242 881250949000 view\n", NULL},
    {"yoochoose",
     "1,2014-04-07T10:51:09.277Z,214536502,0\n1,2014-04-07T10:54:09.868Z,214536500,0\n"
     "2,2014-04-07T10:52:00.000Z,214662742,S\n",
     NULL, "1  214536502 1396867869277 view\n2  214662742 1396867920000 view\n1  214536500 1396868049868 view\n", NULL},
    {"yoochoose-buys", "420374,2014-04-06T18:44:58.314Z,214537888,12462,1\n", NULL,
     "420374  214537888 1396809898314 purchase\n", NULL},
    {"diginetica",
     "sessionId;userId;itemId;timeframe;eventdate\n1;NA;\"81766\";526309;2016-05-09\n"
     "1;NA;31331;1031018;2016-05-09\n"
     "2;7;32118;243569;2016-05-09\n",
     "itemId;categoryId\n139578;1096\n",
     "2 7 32118 1462752243569 view\n1  81766 1462752526309 view\n1  31331 1462753031018 view\n", "139578||1096\n"},
    {"retailrocket",
     "timestamp,visitorid,event,itemid,transactionid\n1433221332117,257597,view,355908,\n"
     "1433221432117,257597,addtocart,355908,\n1433224214164,992329,view,248676,\n"
     "1433231332117,257597,transaction,355908,4000\n",
     NULL,
     "257597-1 257597 355908 1433221332117 view\n257597-1 257597 355908 1433221432117 add_to_cart\n"
     "992329-1 992329 248676 1433224214164 view\n257597-2 257597 355908 1433231332117 purchase\n",
     NULL},
    {"otto",
     "{\"session\":12899779,\"events\":[{\"aid\":59625,\"ts\":1661724000278,\"type\":\"clicks\"},"
     "{\"aid\":59626,\"ts\":1661724001000,\"type\":\"carts\"}]}\n"
     "{\"session\":12899780,\"events\":[{\"aid\":1142000,\"ts\":1661724000378,\"type\":\"orders\"}]}\n",
     NULL,
     "12899779  59625 1661724000278 view\n12899780  1142000 1661724000378 purchase\n"
     "12899779  59626 1661724001000 add_to_cart\n",
     NULL},
    {"amazon",
     "{\"reviewerID\":\"A2SUAM1J3GNN3B\",\"asin\":\"0000013714\",\"helpful\":[0,0],\"overall\":5.0,"
     "\"unixReviewTime\":1252800000}\n"
     "{\"reviewerID\":\"A2SUAM1J3GNN3B\",\"asin\":\"B00002\",\"overall\":1.0,\"unixReviewTime\":1252886400}\n",
     "{\"asin\":\"0000013714\",\"title\":\"A book\",\"categories\":[[\"Books\",\"Music\"],[\"Other\"]],"
     "\"price\":19.99}\n{\"asin\":\"B00002\",\"price\":\"$3 - $4\"}\n",
     "A2SUAM1J3GNN3B-1 A2SUAM1J3GNN3B 0000013714 1252800000000 view\n"
     "A2SUAM1J3GNN3B-1 A2SUAM1J3GNN3B B00002 1252886400000 view\n",
     "0000013714|A book|Books|Music|$19.99\nB00002||\n"},
    {"amazon", "user_id,parent_asin,rating,timestamp\nAFKZ,B0CM,5.0,1549866158332\n",
     "{\"parent_asin\":\"B0CM\",\"main_category\":\"x\",\"title\":\"Cup\",\"categories\":[\"Kitchen\",\"Cups\"],"
     "\"price\":null}\n",
     "AFKZ-1 AFKZ B0CM 1549866158332 view\n", "B0CM|Cup|Kitchen|Cups\n"},
    {"amazon", "A1QA985ULVCQOB,B000GKXY4S,5.0,1315353600\n", NULL,
     "A1QA985ULVCQOB-1 A1QA985ULVCQOB B000GKXY4S 1315353600000 view\n", NULL},
    {"amazon-2018", "B000GKXY4S,A1QA985ULVCQOB,5.0,1315353600\n", NULL,
     "A1QA985ULVCQOB-1 A1QA985ULVCQOB B000GKXY4S 1315353600000 view\n", NULL},
};

static void write_file(const char *folder, const char *name, const char *content, char path[320])
{
    snprintf(path, 320, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void read_clicks(const char *folder, struct buffer *out)
{
    char path[320];
    struct log_file *log;
    struct click click;
    bool found;
    snprintf(path, sizeof path, "%s/clicks.tsv.gz", folder);
    assert_ok(log_file_open(path, LOG_FILE_CLICKS, &log, NULL));
    for (;;) {
        assert_ok(log_file_next_click(log, &click, &found, NULL));
        if (!found)
            break;
        buffer_format(out, BYTES_FORMAT " " BYTES_FORMAT " " BYTES_FORMAT " %lld %s\n", BYTES_ARGS(click.session_id),
                      BYTES_ARGS(click.user_id), BYTES_ARGS(click.item_id), (long long)click.time_ms,
                      click_type_text(click.type));
    }
    log_file_close(log);
}

static void read_items(const char *folder, struct buffer *out)
{
    char path[320];
    struct log_file *log;
    struct item item;
    bool found;
    snprintf(path, sizeof path, "%s/items.tsv.gz", folder);
    assert_ok(log_file_open(path, LOG_FILE_ITEMS, &log, NULL));
    for (;;) {
        assert_ok(log_file_next_item(log, &item, &found, NULL));
        if (!found)
            break;
        buffer_format(out, BYTES_FORMAT "|" BYTES_FORMAT "|", BYTES_ARGS(item.item_id), BYTES_ARGS(item.title));
        for (uint32_t i = 0; i < item.category_count; i++)
            buffer_format(out, "%s" BYTES_FORMAT, i ? "|" : "", BYTES_ARGS(item.categories[i]));
        if (item.has_price)
            buffer_format(out, "|$%.2f", item.price);
        if (!item.available)
            buffer_append_text(out, "|gone");
        buffer_append_byte(out, '\n');
    }
    log_file_close(log);
}

static int run_import(const char *folder, const char *layout, const char *clicks, const char *items, const char *more)
{
    char texts[10][330] = {"import"}, *argv[10];
    int argc = 1;
    snprintf(texts[argc++], 330, "%s", layout);
    snprintf(texts[argc++], 330, "--clicks=%s", clicks);
    snprintf(texts[argc++], 330, "--to=%s", folder);
    if (items)
        snprintf(texts[argc++], 330, "--items=%s", items);
    if (more)
        snprintf(texts[argc++], 330, "%s", more);
    for (int i = 0; i < argc; i++)
        argv[i] = texts[i];
    int out = dup(1);
    assert_non_null(freopen("/dev/null", "w", stdout));
    int code = command_import(argc, argv);
    fflush(stdout);
    dup2(out, 1);
    close(out);
    return code;
}

static void import_reads_every_layout(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        const struct sample *sample = &samples[i];
        struct temporary_folder folder = temporary_folder_make();
        AUTO(buffer) clicks = {0}, items = {0};
        char clicks_path[320], items_path[320];
        write_file(folder.path, "clicks", sample->clicks, clicks_path);
        if (sample->items)
            write_file(folder.path, "items", sample->items, items_path);
        int code = run_import(folder.path, sample->layout, clicks_path, sample->items ? items_path : NULL, "--strict");
        if (code != EXIT_OK)
            fail_msg("%s (sample %zu): exit code %d", sample->layout, i, code);
        read_clicks(folder.path, &clicks);
        assert_string_equal(buffer_text(&clicks), sample->wanted);
        if (sample->wanted_items) {
            read_items(folder.path, &items);
            assert_string_equal(buffer_text(&items), sample->wanted_items);
        }
        temporary_folder_remove(&folder);
    }
}

static void import_has_a_sample_of_every_layout(void **state)
{
    (void)state;
    for (const struct layout *layout = layouts; layout->name; layout++) {
        bool sampled = false;
        for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
            sampled = sampled || !strcmp(samples[i].layout, layout->name);
        if (!sampled)
            fail_msg("%s has no sample", layout->name);
    }
}

static void import_skips_broken_lines_and_strict_stops(void **state)
{
    (void)state;
    static const struct {
        const char *layout, *content;
    } cases[] = {
        {"yoochoose", "1,2014-04-07T10:51:09.277Z,1,0\n1,yesterday,1,0\n1,2014-04-07T10:51:09.277Z,1\n"
                      ",2014-04-07T10:51:09.277Z,1,0\n1,2014-04-07T10:51:09.277Z,,0\n1,,1,0\n"},
        {"otto", "{\"session\":1,\"events\":[{\"aid\":1,\"ts\":1661724000278,\"type\":\"clicks\"}]}\n{\"session\":1\n"
                 "[]\n{\"session\":1,\"events\":[{\"ts\":1661724000278,\"type\":\"clicks\"}]}\n"
                 "{\"session\":1,\"events\":[{\"aid\":1,\"ts\":1661724000278,\"type\":\"looks\"}]}\n"
                 "{\"events\":[{\"aid\":1,\"ts\":1661724000278,\"type\":\"clicks\"}]}\n"},
    };
    for (size_t i = 0; i < 2; i++) {
        struct temporary_folder folder = temporary_folder_make();
        char path[320];
        write_file(folder.path, "clicks", cases[i].content, path);
        const char *paths[] = {path};
        struct import_options options = {
            .layout = layout_find(cases[i].layout), .clicks = paths, .click_count = 1, .folder = folder.path};
        struct import_result result;
        struct complaint complaint = {{0}};
        assert_ok(import_run(&options, &result, &complaint));
        assert_int_equal(result.clicks.records, 1);
        assert_int_equal(result.clicks.skipped, 5);
        options.strict = true;
        assert_fails(BAD_INPUT, import_run(&options, &result, &complaint));
        assert_non_null(strstr(complaint.text, "/clicks: line 2: "));
        temporary_folder_remove(&folder);
    }
}

/* The latest value of a property counts, in whichever file it stands; what is not in the tree is a root. */
static void import_puts_items_together_from_their_properties(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    AUTO(buffer) items = {0};
    char clicks[320], first[320], second[320], tree[320];
    write_file(folder.path, "clicks", "timestamp,visitorid,event,itemid,transactionid\n1433221332117,1,view,460429,\n",
               clicks);
    write_file(folder.path, "first",
               "timestamp,itemid,property,value\n1435460400000,460429,categoryid,1338\n"
               "1441508400000,206783,888,1116713 960601 n277.200\n1436065200000,460429,available,0\n"
               "1436065200000,395014,available,yes\n",
               first);
    write_file(folder.path, "second",
               "timestamp,itemid,property,value\n1435460300000,460429,categoryid,7\n"
               "1433041200000,460429,available,1\n1433041200000,395014,categoryid,9\n,395014,categoryid,8\n"
               "1433041200000,11,categoryid,5\n1433041200000,12,categoryid,1016\n1433041200000,12,available,0\n"
               "1433041200001,12,available,1\n",
               second);
    write_file(folder.path, "tree", "categoryid,parentid\n1338,1016\n1016,213\n213,\n5,6\n6,5\n", tree);
    const char *click_paths[] = {clicks}, *paths[] = {first, second};
    struct import_options options = {.layout = layout_find("retailrocket"),
                                     .clicks = click_paths,
                                     .click_count = 1,
                                     .items = paths,
                                     .item_count = 2,
                                     .categories = tree,
                                     .folder = folder.path};
    struct import_result result;
    struct complaint complaint = {{0}};
    assert_ok(import_run(&options, &result, &complaint));
    read_items(folder.path, &items);
    assert_string_equal(buffer_text(&items), "460429||213|1016|1338|gone\n206783||\n395014||9\n11||5\n12||213|1016\n");
    assert_int_equal(result.items.records, 5);
    assert_int_equal(result.items.skipped, 2); /* the availability that is neither, the property without time */
    assert_int_equal(result.categories.records, 5);
    options.categories = NULL; /* then an item has its category alone */
    assert_ok(import_run(&options, &result, &complaint));
    buffer_clear(&items);
    read_items(folder.path, &items);
    assert_string_equal(buffer_text(&items), "460429||1338|gone\n206783||\n395014||9\n11||5\n12||1016\n");
    options.items = click_paths;
    options.item_count = 1;
    assert_fails(BAD_INPUT, import_run(&options, &result, &complaint));
    assert_non_null(strstr(complaint.text, "/clicks: line 1: this is no file of items of layout retailrocket"));
    temporary_folder_remove(&folder);
}

static void import_drops_broken_events_and_keeps_the_others(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    AUTO(buffer) clicks = {0};
    char path[320];
    write_file(folder.path, "clicks",
               "{\"session\":1,\"events\":[{\"aid\":1,\"ts\":1661724000278,\"type\":\"clicks\"},"
               "{\"aid\":2,\"ts\":1661724000279,\"type\":\"looks\"},7,"
               "{\"aid\":3,\"ts\":1661724000280,\"type\":\"carts\"}]}\n",
               path);
    const char *paths[] = {path};
    struct import_options options = {
        .layout = layout_find("otto"), .clicks = paths, .click_count = 1, .folder = folder.path};
    struct import_result result;
    struct complaint complaint = {{0}};
    assert_ok(import_run(&options, &result, &complaint));
    assert_int_equal(result.clicks.records, 2);
    assert_int_equal(result.clicks.skipped, 2);
    read_clicks(folder.path, &clicks);
    assert_string_equal(buffer_text(&clicks), "1  1 1661724000278 view\n1  3 1661724000280 add_to_cart\n");
    options.strict = true;
    assert_fails(BAD_INPUT, import_run(&options, &result, &complaint));
    assert_non_null(strstr(complaint.text, "/clicks: line 1: event 2: the type is 'looks' (2 of 4 events are broken)"));
    temporary_folder_remove(&folder);
}

static void import_leaves_out_low_ratings_and_ends_sessions_by_the_gap(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    AUTO(buffer) clicks = {0};
    char path[320];
    write_file(folder.path, "clicks", "1::10::5::978300000\n1::11::3::978300060\n1::12::4::978300121\n", path);
    char rated[] = "--rating-min=4", gap[] = "--gap=1";
    assert_int_equal(run_import(folder.path, "movielens", path, NULL, rated), EXIT_OK);
    read_clicks(folder.path, &clicks);
    assert_string_equal(buffer_text(&clicks), "1-1 1 10 978300000000 view\n1-1 1 12 978300121000 view\n");
    assert_int_equal(run_import(folder.path, "movielens", path, NULL, gap), EXIT_OK);
    buffer_clear(&clicks);
    read_clicks(folder.path, &clicks);
    assert_string_equal(buffer_text(&clicks),
                        "1-1 1 10 978300000000 view\n1-1 1 11 978300060000 view\n1-2 1 12 978300121000 view\n");
    temporary_folder_remove(&folder);
}

static void import_refuses_files_of_another_layout(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    char path[320], empty[320], written[320];
    write_file(folder.path, "clicks", "some,thing,else\n", path);
    write_file(folder.path, "empty", "", empty);
    assert_int_equal(run_import(folder.path, "retailrocket", path, NULL, NULL), EXIT_DATA);
    assert_int_equal(run_import(folder.path, "diginetica", path, NULL, NULL), EXIT_DATA);
    assert_int_equal(run_import(folder.path, "otto", path, NULL, NULL), EXIT_DATA);
    assert_int_equal(run_import(folder.path, "otto", empty, NULL, NULL), EXIT_DATA);
    assert_int_equal(run_import(folder.path, "otto", path, path, NULL), EXIT_USAGE);
    assert_int_equal(run_import(folder.path, "movielense", path, NULL, NULL), EXIT_USAGE);
    snprintf(written, sizeof written, "%s/clicks.tsv.gz", folder.path);
    assert_int_not_equal(access(written, F_OK), 0);
    temporary_folder_remove(&folder);
}

/* Imports the clicks (and items) and wants that to fail with a complaint that holds `wanted`, leaving no file. */
static void check_refusal(const char *layout, const char *clicks, const char *items, const char *wanted)
{
    struct temporary_folder folder = temporary_folder_make();
    char clicks_path[320], items_path[320], written[320];
    write_file(folder.path, "clicks", clicks, clicks_path);
    if (items)
        write_file(folder.path, "items", items, items_path);
    const char *paths[] = {clicks_path}, *item_path = items_path;
    struct import_options options = {.layout = layout_find(layout),
                                     .clicks = paths,
                                     .click_count = 1,
                                     .items = &item_path,
                                     .item_count = items != NULL,
                                     .folder = folder.path,
                                     .rating_min = 1};
    struct import_result result;
    struct complaint complaint = {{0}};
    assert_fails(BAD_INPUT, import_run(&options, &result, &complaint));
    if (!strstr(complaint.text, wanted))
        fail_msg("wanted '%s' in '%s'", wanted, complaint.text);
    static const char *const names[] = {"clicks.tsv.gz", "items.tsv.gz", "clicks.tsv.gz.partial",
                                        "items.tsv.gz.partial"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(written, sizeof written, "%s/%s", folder.path, names[i]);
        assert_int_not_equal(access(written, F_OK), 0);
    }
    temporary_folder_remove(&folder);
}

#define OWN_FILE "session_id\ttimestamp_ms\titem_id\tuser_id\ttype\tevent_id\ns1\t1704067200000\ti3\t\tview\t\n"

static void import_says_what_was_found_where_and_what_was_wanted(void **state)
{
    (void)state;
    check_refusal("movielens", OWN_FILE, NULL,
                  "/clicks: line 1: this is no file of clicks of layout movielens\n"
                  "  found:  6 columns: session_id, timestamp_ms, item_id, user_id, type, event_id\n"
                  "  wanted: the columns userId, movieId, rating, timestamp, or 4 columns without names "
                  "(user, item, rating, time in seconds), parted by :: or , or a tab");
    check_refusal("diginetica", OWN_FILE, NULL, "sessionId|session_id, userId|user_id, itemId|item_id, timeframe");
    check_refusal("otto", OWN_FILE, NULL, "wanted: JSON Lines with session, events, aid, ts, type");
    /* A column more than the layout has, as in the file of buys beside that of clicks. */
    check_refusal("yoochoose", "420374,2014-04-06T18:44:58.314Z,214537888,12462,1\n", NULL,
                  "found:  5 columns: 420374");
    /* Names of which only some are known, and names where none should be. */
    check_refusal("amazon", "userId,movieId,rating,timestamp\n1,31,2.5,1260759144\n", NULL,
                  "found:  4 columns: userId, movieId, rating, timestamp (the rating is 'rating')");
    check_refusal("retailrocket", "timestamp,event,itemid\n1433221332117,view,355908\n", NULL, "timestamp, event");
    check_refusal("yoochoose", "{\"session\":1}\n", NULL, "found:  JSON");
    check_refusal("movielens", "1::31::2.5::1260759144\n", "id::name::genre::more\n",
                  "/items: line 1: this is no file of items of layout movielens");
}

static void import_refuses_files_without_a_line_that_can_be_used(void **state)
{
    (void)state;
    check_refusal("otto", "{\"reviewerID\":\"A\",\"asin\":\"B\"}\n{\"reviewerID\":\"A\",\"asin\":\"C\"}\n", NULL,
                  "/clicks: this is no file of clicks of layout otto: not one of 2 lines can be used\n  first:  ");
    check_refusal("retailrocket", "timestamp,visitorid,event,itemid,transactionid\n", NULL,
                  "there are no clicks in it");
    check_refusal("movielens", "1::31::0.5::1260759144\n", NULL,
                  "every one of 1 clicks is rated lower than --rating-min");
    check_refusal("amazon", "A,B,5.0,1315353600\n", "{\"title\":\"Cup\"}\n",
                  "/items: this is no file of items of layout amazon: not one of 1 lines can be used");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(import_reads_every_layout),
        cmocka_unit_test(import_has_a_sample_of_every_layout),
        cmocka_unit_test(import_skips_broken_lines_and_strict_stops),
        cmocka_unit_test(import_puts_items_together_from_their_properties),
        cmocka_unit_test(import_drops_broken_events_and_keeps_the_others),
        cmocka_unit_test(import_leaves_out_low_ratings_and_ends_sessions_by_the_gap),
        cmocka_unit_test(import_refuses_files_of_another_layout),
        cmocka_unit_test(import_says_what_was_found_where_and_what_was_wanted),
        cmocka_unit_test(import_refuses_files_without_a_line_that_can_be_used),
    };
    return cmocka_run_group_tests_name("import", tests, NULL, NULL);
}

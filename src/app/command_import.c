// SPDX-License-Identifier: Apache-2.0
/* eddy import: public data sets into clicks and items. */
#include "app/arguments.h"
#include "app/command.h"
#include "app/import.h"

#include <eddy/base/buffer.h>

#include <math.h>
#include <stdio.h>

static int fail(struct status status, const struct complaint *complaint)
{
    int code = command_fail("import", status, complaint);
    if (code != EXIT_DATA)
        return code;
    fputs("The layouts are", stderr);
    for (const struct layout *layout = layouts; layout->name; layout++)
        fprintf(stderr, "%s %s", layout == layouts ? "" : ",", layout->name);
    fputs("; 'eddy import --help' says which files each is for.\n", stderr);
    return code;
}

/* Few broken lines are usual; where most are, the file may be another one than was meant. */
static void report_lines(const char *what, const struct import_options *options, const struct log_reading *reading,
                         uint64_t left_out)
{
    log_reading_report(reading);
    if (reading->skipped > reading->records + left_out)
        fprintf(stderr, "eddy import: most lines of %s could not be used; are they of layout %s?\n", what,
                options->layout->name);
}

static int run(const struct import_options *options)
{
    struct import_result result;
    struct complaint complaint = {{0}};
    struct status status = import_run(options, &result, &complaint);
    if (failed(status))
        return fail(status, &complaint);
    report_lines("clicks", options, &result.clicks, result.left_out);
    report_lines("items", options, &result.items, 0);
    report_lines("categories", options, &result.categories, 0);
    printf("%llu clicks in %u sessions on %u items", (unsigned long long)result.written, result.sessions,
           result.item_count);
    if (result.left_out > 0)
        printf(", %llu left out by their rating", (unsigned long long)result.left_out);
    uint64_t skipped = result.clicks.skipped + result.items.skipped + result.categories.skipped;
    if (skipped > 0)
        printf(", %llu broken records skipped", (unsigned long long)skipped);
    if (options->item_count > 0)
        printf("; %llu items with records", (unsigned long long)result.items.records);
    putchar('\n');
    return EXIT_OK;
}

static int check(const char *name, const struct import_options *options)
{
    const char *names[64] = {0};
    size_t count = 0;
    for (const struct layout *layout = layouts; layout->name && count < 63; layout++)
        names[count++] = layout->name;
    if (!options->layout) {
        const char *near = suggest(name, names);
        fprintf(stderr, "eddy import: no layout '%s'", name);
        if (near)
            fprintf(stderr, "; did you mean '%s'?", near);
        fputs("\nRun 'eddy import --help' for the list.\n", stderr);
        return EXIT_USAGE;
    }
    if (options->click_count == 0) {
        fprintf(stderr, "eddy import: --clicks is needed: the file of layout %s that has clicks (%s)\n", name,
                options->layout->about);
        return EXIT_USAGE;
    }
    const char *missing = NULL;
    if (options->item_count > 0 && !layout_side_exists(&options->layout->items))
        missing = "items";
    else if (options->categories && !layout_side_exists(&options->layout->categories))
        missing = "categories";
    if (missing)
        fprintf(stderr, "eddy import: %s has no file of %s that is known here\n", name, missing);
    else if (options->categories && options->item_count == 0)
        fputs("eddy import: --categories is of use with --items\n", stderr);
    else
        return EXIT_OK;
    return EXIT_USAGE;
}

static void describe(struct buffer *about)
{
    buffer_append_text(about, "Turns a public data set's own files into clicks.tsv.gz and items.tsv.gz, sorted by "
                              "time.\n\nlayouts:\n");
    for (const struct layout *layout = layouts; layout->name; layout++)
        buffer_format(about, "  %-16s %s\n", layout->name, layout->about);
}

int command_import(int argc, char **argv)
{
    struct import_options options = {.folder = ".", .rating_min = -INFINITY};
    struct argument_list positional = {0}, clicks = {0}, items = {0};
    int64_t gap_minutes = -1, rating_min = INT64_MIN;
    const struct argument arguments[] = {
        {"clicks", "FILE", "file of clicks, views or ratings; may stand several times", ARGUMENT_TEXTS, &clicks},
        {"items", "FILE", "file of items; may stand several times", ARGUMENT_TEXTS, &items},
        {"categories", "FILE", "tree of the items' categories", ARGUMENT_TEXT, &options.categories},
        {"to", "FOLDER", "where clicks.tsv.gz and items.tsv.gz go (.)", ARGUMENT_TEXT, &options.folder},
        {"gap", "MINUTES", "what ends a user's session where the data has none (the layout's)", ARGUMENT_NUMBER,
         &gap_minutes},
        {"rating-min", "N", "leave out what was rated lower", ARGUMENT_NUMBER, &rating_min},
        {"strict", NULL, "stop at the first broken line", ARGUMENT_FLAG, &options.strict},
        {0},
    };
    AUTO(buffer) about = {0};
    describe(&about);
    const struct usage usage = {
        "eddy import LAYOUT --clicks FILE [OPTION...]",
        buffer_text(&about),
        arguments,
        "  eddy import movielens --clicks ratings.csv --items movies.csv\n"
        "  eddy import retailrocket --clicks events.csv --to data \\\n"
        "    --items item_properties_part1.csv --items item_properties_part2.csv --categories category_tree.csv\n",
    };
    enum arguments_result result = arguments_parse(&usage, argc, argv, &positional);
    if (result != ARGUMENTS_OK)
        return result == ARGUMENTS_HELP ? EXIT_OK : EXIT_USAGE;
    if (positional.count == 0) {
        fputs("eddy import: say of which layout the files are\nRun 'eddy import --help' for the list.\n", stderr);
        return EXIT_USAGE;
    }
    if (positional.count > 1) {
        fprintf(stderr, "eddy import: '%s' stands behind the layout; name files by --clicks and --items\n",
                positional.texts[1]);
        return EXIT_USAGE;
    }
    options.layout = layout_find(positional.texts[0]);
    options.clicks = clicks.texts;
    options.click_count = clicks.count;
    options.items = items.texts;
    options.item_count = items.count;
    int code = check(positional.texts[0], &options);
    if (code != EXIT_OK)
        return code;
    options.gap_ms = gap_minutes >= 0 ? gap_minutes * 60000 : options.layout->gap_ms;
    if (rating_min != INT64_MIN)
        options.rating_min = (double)rating_min;
    return run(&options);
}

// SPDX-License-Identifier: Apache-2.0
#include "app/config_arguments.h"
#include "app/evaluation_model.h"
#include "app/evaluation_report.h"
#include "app/learning_command.h"
#include "app/plot.h"
#include "app/replay_command.h"

#include <eddy/io/file.h>

#include <stdlib.h>

#define RETRAIN_DEFAULT INT64_MIN /* not said */

enum mode { MODE_TRAIN_TEST, MODE_PREQUENTIAL, MODE_LEARNING, MODE_NONE };
static const char *const mode_words[] = {"train-test", "prequential", "learning"};

struct evaluate_options {
    struct config_arguments config;
    struct argument_list clicks, variants, models;
    const char *mode, *items, *intents, *prefixes, *json, *dump, *plots, *weights;
    int64_t test_from_ms, valid_from_ms;
    int64_t retrain_days;
    bool fused, strict, shuffle, cold;
    bool stdout_taken; /* by the JSON or the dump */
};

/* Splits "a=1,b=2" in place and adds the parts. A comma parts settings only where a key and '=' follow, so that list
 * values may hold commas. */
static bool add_settings(char *text, struct argument_list *settings)
{
    for (char *start = text; start;) {
        char *comma = strchr(start, ',');
        while (comma && comma[1 + strcspn(comma + 1, "=,")] != '=')
            comma = strchr(comma + 1, ',');
        if (settings->count == ARGUMENT_LIST_MAX)
            return false;
        settings->texts[settings->count++] = start;
        if (comma)
            *comma++ = 0;
        start = comma;
    }
    return true;
}

/* One configuration: the file at `index`, every --set, then what the variant changes (NULL: nothing). */
static int make_system(const struct evaluate_options *options, size_t index, const char *variant,
                       struct evaluation_system *ret_system)
{
    struct config_arguments from = options->config;
    const char *name = variant ? variant : from.files.count ? from.files.texts[index] : "default";
    char *changes = strdup(name);
    int code = EXIT_USAGE;
    if (variant && (!changes || !add_settings(changes, &from.sets)))
        fprintf(stderr, "eddy evaluate: more than %d settings in '%s'\n", ARGUMENT_LIST_MAX, variant);
    else
        code = config_from_arguments("evaluate", &from, index, &ret_system->config);
    if (variant && code == EXIT_CONFIG)
        fprintf(stderr, "That is about --vs %s\n", variant);
    free(changes);
    snprintf(ret_system->name, sizeof ret_system->name, "%s", name);
    if (code == EXIT_OK && ret_system->config.engine.fusion.list_size < cutoffs[CUTOFF_COUNT - 1])
        fprintf(stderr, "eddy evaluate: %s: fusion.list_size is %u, but lists of %u are asked for, for measures @%u\n",
                name, ret_system->config.engine.fusion.list_size, cutoffs[CUTOFF_COUNT - 1], cutoffs[CUTOFF_COUNT - 1]);
    return code;
}

/* The configurations: one per --config (or the defaults), then one per --vs on top of the first; then one per --model,
 * of which only the name is of interest. */
static int make_systems(const struct evaluate_options *options, struct evaluation_report *report)
{
    size_t files = options->config.files.count ? options->config.files.count : 1;
    size_t configurations = files + options->variants.count;
    if (configurations + options->models.count > EVALUATION_SYSTEMS_MAX) {
        fprintf(stderr, "eddy evaluate: at most %d configurations and models at once\n", EVALUATION_SYSTEMS_MAX);
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < configurations; i++) {
        int code = make_system(options, i < files ? i : 0, i < files ? NULL : options->variants.texts[i - files],
                               &report->systems[i]);
        if (code != EXIT_OK)
            return code;
        report->system_count++;
    }
    for (size_t i = 0; i < options->models.count; i++) {
        struct evaluation_system *system = &report->systems[report->system_count++];
        system->model = options->models.texts[i];
        snprintf(system->name, sizeof system->name, "%s", system->model);
    }
    return EXIT_OK;
}

/* The dump of the first configuration goes to `path`, of the second to "path.2" ("lists.tsv.2.gz" when the path is
 * "lists.tsv.gz"), ... */
static const char *dump_name(const char *path, size_t number, struct buffer *out)
{
    struct bytes stem = file_stem(path);
    buffer_append_bytes(out, stem);
    if (number > 0)
        buffer_format(out, ".%zu", number + 1);
    buffer_append_text(out, path + stem.size);
    return buffer_text(out);
}

static struct status try_outputs(const struct evaluate_options *options, const struct evaluation_report *report,
                                 struct complaint *complaint)
{
    for (size_t i = 0; options->dump && i < report->system_count; i++) {
        AUTO(buffer) name = {0};
        TRY(file_try(dump_name(options->dump, i, &name), complaint));
    }
    TRY(file_try(options->json, complaint));
    TRY(file_try(options->weights, complaint));
    return plot_try(options->plots, complaint);
}

static bool same_embedder(const struct config *one, const struct config *other)
{
    return one->embedder.provider == other->embedder.provider &&
           one->embedder.hashing.width == other->embedder.hashing.width &&
           !strcmp(one->embedder.folder, other->embedder.folder);
}

/* What texts are good for, as the system's configuration says: `texts`, if the system before it said the same. */
static struct status open_texts(const struct evaluation_report *report, size_t number, struct semantics *texts,
                                struct complaint *complaint)
{
    const struct config *config = &report->systems[number].config;
    if (number > 0 && same_embedder(config, &report->systems[number - 1].config))
        return OK;
    semantics_release(texts);
    return semantics_open(config, report->data->catalogue, report->data->items, texts, complaint);
}

static struct status evaluate_system(const struct evaluate_options *options, struct evaluation_report *report,
                                     size_t number, struct list_dump *dump, struct semantics *texts,
                                     struct complaint *complaint)
{
    struct evaluation_system *system = &report->systems[number];
    if (system->model)
        return evaluation_run_model(report->data, system->model, dump, &system->result, complaint);
    TRY(open_texts(report, number, texts, complaint));
    return evaluation_run(report->data, &system->config, texts, options->weights, dump, &system->result, complaint);
}

static struct status run_system(const struct evaluate_options *options, struct evaluation_report *report, size_t number,
                                struct semantics *texts, struct complaint *complaint)
{
    struct list_dump *dump = NULL;
    AUTO(buffer) name = {0};
    if (options->dump)
        TRY(list_dump_open(dump_name(options->dump, number, &name), report->data->catalogue, &dump, complaint));
    struct status status = evaluate_system(options, report, number, dump, texts, complaint);
    if (!failed(status))
        return list_dump_close(dump, complaint);
    list_dump_abandon(dump);
    return status;
}

static struct status write_reports(const struct evaluate_options *options, struct evaluation_report *report,
                                   struct complaint *complaint)
{
    TRY(evaluation_report_intervals(report));
    if (!options->stdout_taken)
        evaluation_report_table(report, stdout);
    if (options->json) {
        AUTO(buffer) json = {0};
        evaluation_report_json(report, &json);
        TRY(file_write(options->json, &json, complaint));
    }
    if (options->weights) {
        AUTO(buffer) weights = {0};
        config_write_mixing(&report->systems[0].result.mixing, &weights);
        TRY(file_write(options->weights, &weights, complaint));
    }
    return options->plots ? evaluation_report_plots(report, options->plots, complaint) : OK;
}

static struct status run_systems(const struct evaluate_options *options, struct evaluation_report *report,
                                 struct complaint *complaint)
{
    AUTO(semantics) texts = {0};
    for (size_t i = 0; i < report->system_count; i++)
        TRY(run_system(options, report, i, &texts, complaint));
    return OK;
}

static struct status evaluate(const struct evaluate_options *options, struct evaluation_report *report,
                              struct evaluation_data *data, struct complaint *complaint)
{
    bool validation = options->valid_from_ms != INT64_MIN;
    struct evaluation_split split = {.train_before_ms = validation ? options->valid_from_ms : options->test_from_ms,
                                     .test_before_ms = validation ? options->test_from_ms : INT64_MAX};
    struct evaluation_files files = {.clicks = options->clicks.texts,
                                     .click_count = options->clicks.count,
                                     .items = options->items,
                                     .cold = options->cold,
                                     .intents = options->intents,
                                     .prefixes = options->prefixes,
                                     .shuffle = options->shuffle};
    struct log_reading reading = log_reading_begin(options->strict);
    struct status status =
        evaluation_data_open(&files, &split, &report->systems[0].config.catalogue, &reading, data, complaint);
    log_reading_report(&reading);
    TRY(status);
    report->data = data;
    report->files = &files;
    report->reading = &reading;
    report->validation = validation;
    TRY(run_systems(options, report, complaint));
    return write_reports(options, report, complaint);
}

static bool check_outputs(struct evaluate_options *options)
{
    const char *outputs[] = {options->json, options->dump};
    size_t files = options->config.files.count;
    size_t configurations = (files ? files : 1) + options->variants.count + options->models.count;
    if (!arguments_check_outputs("evaluate", outputs, 2, &options->stdout_taken))
        return false;
    if (configurations > 1 && options->dump && !strcmp(options->dump, "-")) {
        fputs("eddy evaluate: each configuration has a dump of its own; give the name of a file\n", stderr);
        return false;
    }
    return true;
}

static int run(const struct evaluate_options *options)
{
    struct complaint complaint = {{0}};
    struct evaluation_data data = {0};
    struct evaluation_report report = {.systems = calloc(EVALUATION_SYSTEMS_MAX, sizeof *report.systems)};
    int code = report.systems ? make_systems(options, &report) : EXIT_FAILED;
    if (code == EXIT_OK) {
        struct status status = try_outputs(options, &report, &complaint);
        if (!failed(status))
            status = evaluate(options, &report, &data, &complaint);
        code = failed(status) ? command_fail("evaluate", status, &complaint) : EXIT_OK;
    }
    for (size_t i = 0; i < report.system_count; i++) {
        evaluation_result_release(&report.systems[i].result);
        config_release(&report.systems[i].config);
    }
    free(report.systems);
    evaluation_data_release(&data);
    return code;
}

static int run_prequential(const struct evaluate_options *options)
{
    if (options->variants.count > 0 || options->models.count > 0) {
        fputs("eddy evaluate: --vs and --model are for --mode train-test\n", stderr);
        return EXIT_USAGE;
    }
    bool validation = options->valid_from_ms != INT64_MIN;
    struct replay_command command = {
        .name = "evaluate",
        .options = {.files = options->clicks.texts,
                    .file_count = options->clicks.count,
                    .items = options->items,
                    .dump = options->dump,
                    .judged_only = options->test_from_ms != INT64_MIN,
                    .judged_from_ms = validation ? options->valid_from_ms : options->test_from_ms,
                    .judged_before_ms = validation ? options->test_from_ms : INT64_MAX,
                    .strict = options->strict},
        .config = options->config,
        .json = options->json,
        .plots = options->plots};
    return replay_command_run(&command);
}

/* The configurations are the continuous systems. */
static int run_learning(const struct evaluate_options *options)
{
    struct evaluation_report systems = {.systems = calloc(EVALUATION_SYSTEMS_MAX, sizeof *systems.systems)};
    bool validation = options->valid_from_ms != INT64_MIN;
    const struct learning_command command = {
        .paths = options->clicks.texts,
        .path_count = options->clicks.count,
        .split = {.from_ms = validation ? options->valid_from_ms : options->test_from_ms,
                  .before_ms = validation ? options->test_from_ms : INT64_MAX},
        .validation = validation,
        .retrain_days = options->retrain_days == RETRAIN_DEFAULT ? 1 : options->retrain_days,
        .fused = options->fused,
        .strict = options->strict,
        .json = options->json,
        .plots = options->plots,
        .stdout_taken = options->stdout_taken};
    int code = systems.systems ? make_systems(options, &systems) : EXIT_FAILED;
    if (code == EXIT_OK)
        code = learning_command_run(&command, systems.systems, systems.system_count);
    for (size_t i = 0; i < systems.system_count; i++)
        config_release(&systems.systems[i].config);
    free(systems.systems);
    return code;
}

static bool check_line(const struct evaluate_options *options, enum mode mode)
{
    const char *wrong = NULL;
    bool validation = options->valid_from_ms != INT64_MIN;
    if (mode == MODE_NONE)
        wrong = "--mode is train-test, prequential or learning";
    else if (options->clicks.count == 0)
        wrong = "name a file of clicks";
    else if (mode == MODE_LEARNING && (options->models.count > 0 || options->dump || options->items))
        wrong = "--model, --dump and --items are not for --mode learning";
    else if (mode != MODE_LEARNING && (options->fused || options->retrain_days != RETRAIN_DEFAULT))
        wrong = "--fused and --retrain-days are for --mode learning";
    else if (mode != MODE_TRAIN_TEST && (options->intents || options->prefixes || options->shuffle))
        wrong = "--intents, --prefixes and --shuffle-intents are for --mode train-test";
    else if (options->cold && (mode != MODE_TRAIN_TEST || !options->items))
        wrong = "--cold is for --mode train-test with --items";
    else if (options->intents && !options->items)
        wrong = "--intents needs --items: answers come to items by their titles";
    else if (options->shuffle && !options->intents)
        wrong = "--shuffle-intents is for --intents";
    else if (options->retrain_days < 0 && options->retrain_days != RETRAIN_DEFAULT)
        wrong = "--retrain-days cannot be negative";
    else if (options->test_from_ms == INT64_MIN && (mode == MODE_TRAIN_TEST || (mode == MODE_LEARNING && validation)))
        wrong = "say by --test-from where the test begins: a time like 2024-05-01";
    else if (validation && options->valid_from_ms >= options->test_from_ms)
        wrong = "--valid-from is not before --test-from: what lies between the two is predicted";
    if (wrong)
        fprintf(stderr, "eddy evaluate: %s\nRun 'eddy evaluate --help' for an example.\n", wrong);
    return !wrong;
}

static const char about[] =
    "Measures recommendations on recorded sessions: learns the sessions that begin before a time, then predicts\n"
    "every next click of the later ones. The test teaches nothing. Lists are ranked over all items of "
    "training.\n\n"
    "With --mode prequential every click is answered and learned from, as in 'eddy replay', and judges the list\n"
    "before it: all clicks do, or with --test-from those from it on, or with --valid-from those between the two."
    "\n\n"
    "With --mode learning a session model predicts every click from --test-from on (or the middle of the log) "
    "that\n"
    "was trained on what came before: as it is for ever, trained anew every day, and updated all the while\n"
    "(update.*), one system for each configuration.\n\n"
    "--intents are recorded answers of a language model: {\"session_id\", \"position\", \"long\", \"long_next\", "
    "\"short\",\n"
    "\"short_next\"}, the last clicks of the prefix being at `position`, intents as text, and titles that come next.\n"
    "They need an embedder (--set embedder.provider=hash). Those of training sessions teach what they are "
    "worth.\n\n" LOG_READING_HELP;
static const char examples[] =
    "  eddy evaluate --test-from 2024-05-01 clicks.tsv.gz\n"
    "  eddy evaluate --test-from 2024-05-01 --vs fusion.list_size=50 --vs filters.seen=exclude clicks.tsv.gz\n"
    "  eddy evaluate --test-from 2024-05-01 --model shop.model --dump lists.tsv clicks.tsv.gz\n"
    "  eddy evaluate --test-from 2024-05-01 --items items.tsv --intents said.jsonl --prefixes said.jsonl \\\n"
    "    --vs embedder.provider=encoder,embedder.folder=build/encoder clicks.tsv.gz\n"
    "  eddy evaluate --mode prequential --test-from 2024-05-01 clicks.tsv.gz\n"
    "  eddy evaluate --mode learning --vs update.interval_ms=10min --svg . clicks.tsv.gz\n"
    "  eddy evaluate --test-from 2024-05-01 --config mine.yaml --json report.json --svg . clicks.tsv.gz\n";

int command_evaluate(int argc, char **argv)
{
    struct evaluate_options options = {
        .mode = "train-test", .test_from_ms = INT64_MIN, .valid_from_ms = INT64_MIN, .retrain_days = RETRAIN_DEFAULT};
    const struct argument arguments[] = {
        {"clicks", "FILE", "the same as FILE alone; may stand several times", ARGUMENT_TEXTS, &options.clicks},
        {"mode", "MODE", "train-test (default), prequential or learning: see above", ARGUMENT_TEXT, &options.mode},
        {"items", "FILE", "catalogue", ARGUMENT_TEXT, &options.items},
        {"intents", "FILE", "what a language model said of prefixes: JSON Lines, see docs/EVALUATION.md", ARGUMENT_TEXT,
         &options.intents},
        {"prefixes", "FILE", "ask these prefixes alone: JSON Lines with session_id and position", ARGUMENT_TEXT,
         &options.prefixes},
        {"shuffle-intents", NULL, "a control: every prefix has what was said of another one", ARGUMENT_FLAG,
         &options.shuffle},
        {"cold", NULL, "keep test clicks on items that --items has and training does not know", ARGUMENT_FLAG,
         &options.cold},
        {"test-from", "TIME", "sessions that begin before it train, the others test (2024-05-01)", ARGUMENT_TIME,
         &options.test_from_ms},
        {"valid-from", "TIME", "tune: train before it, test on what begins before --test-from", ARGUMENT_TIME,
         &options.valid_from_ms},
        {"retrain-days", "N", "learning: days from one training from nothing to the next (1; 0: none)", ARGUMENT_NUMBER,
         &options.retrain_days},
        {"fused", NULL, "learning: lists fused with the retrieval scorers, not those of the models alone",
         ARGUMENT_FLAG, &options.fused},
        CONFIG_ARGUMENTS(options.config),
        {"vs", "KEY=VALUE,...", "one more configuration: the first one with this changed", ARGUMENT_TEXTS,
         &options.variants},
        {"model", "FILE", "one more system: a model of 'eddy train' by itself", ARGUMENT_TEXTS, &options.models},
        {"json", "FILE", "write the report as JSON", ARGUMENT_TEXT, &options.json},
        {"dump", "FILE", "write every list: session_id, position, true item, list", ARGUMENT_TEXT, &options.dump},
        {"weights", "FILE", "tune fusion.*_weights on the predictions, and write them as a configuration",
         ARGUMENT_TEXT, &options.weights},
        {"svg", "FOLDER", "write plots into it; it is made if need be", ARGUMENT_TEXT, &options.plots},
        {"strict", NULL, "stop at the first broken record", ARGUMENT_FLAG, &options.strict},
        {0},
    };
    const struct usage usage = {"eddy evaluate --test-from TIME [OPTION...] FILE...", about, arguments, examples};
    enum arguments_result result = arguments_parse(&usage, argc, argv, &options.clicks);
    if (result != ARGUMENTS_OK)
        return result == ARGUMENTS_HELP ? EXIT_OK : EXIT_USAGE;
    enum mode mode = MODE_TRAIN_TEST;
    while (mode < MODE_NONE && strcmp(options.mode, mode_words[mode]) != 0)
        mode++;
    if (!check_line(&options, mode))
        return EXIT_USAGE;
    if (mode == MODE_PREQUENTIAL)
        return run_prequential(&options);
    if (!check_outputs(&options))
        return EXIT_USAGE;
    return mode == MODE_LEARNING ? run_learning(&options) : run(&options);
}

// SPDX-License-Identifier: Apache-2.0
/* eddy train: a session model from recorded sessions. */
#include "app/command.h"
#include "app/config_arguments.h"
#include "app/plot.h"
#include "app/search/command.h"
#include "app/training_report.h"

#include <eddy/io/file.h>

#include <math.h>
#include <signal.h>
#include <string.h>

#define NOT_SAID INT64_MIN

static atomic_bool stop_asked; /* by a signal */

struct train_options {
    struct config_arguments config;
    struct argument_list clicks;
    const char *output, *json, *plots;
    int64_t valid_from_ms, test_from_ms;
    int64_t trials, search_minutes; /* of a search; one of them: it is one */
    struct argument_list over;
    const char *best;
    bool restart, strict;
    bool stdout_taken; /* by the JSON */
};

/* The first signal keeps where training stands; the second finds the default action and quits. */
static void on_signal(int number)
{
    const struct sigaction standard = {.sa_handler = SIG_DFL};
    sigaction(number, &standard, NULL);
    stop_asked = true;
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
}

static struct status write_reports(const struct train_options *options, const struct training_report *report,
                                   struct complaint *complaint)
{
    if (!options->stdout_taken)
        training_report_text(report, stdout);
    if (options->json) {
        AUTO(buffer) json = {0};
        training_report_json(report, &json);
        TRY(file_write(options->json, &json, complaint));
    }
    return options->plots ? training_report_plots(report, options->plots, complaint) : OK;
}

static bool searches(const struct train_options *options)
{
    return options->trials != NOT_SAID || options->search_minutes != NOT_SAID;
}

static struct status train_once(const struct train_options *options, const struct config *config,
                                const struct evaluation_data *data, struct complaint *complaint)
{
    const struct training_task task = {.output = options->output, .restart = options->restart, .stop = &stop_asked};
    struct training_result result;
    TRY(training_run(config, data, &task, &result, complaint));
    const struct training_report report = {config, data, &result, options->output, options->valid_from_ms != INT64_MIN};
    struct status status = write_reports(options, &report, complaint);
    training_result_release(&result);
    TRY(status);
    return training_forget(options->output, complaint);
}

static struct search_command search_of(const struct train_options *options)
{
    bool counted = options->trials != NOT_SAID, timed = options->search_minutes != NOT_SAID;
    return (struct search_command){
        .task = {.output = options->output,
                 .trials_max = counted ? (uint32_t)options->trials : TRIALS_MAX,
                 .seconds_max = timed ? 60 * (double)options->search_minutes : INFINITY,
                 .restart = options->restart,
                 .stop = &stop_asked},
        .over = options->over,
        .json = options->json,
        .plots = options->plots,
        .best = options->best,
        .stdout_taken = options->stdout_taken,
    };
}

static struct status try_outputs(const struct train_options *options, struct complaint *complaint)
{
    TRY(file_try(options->output, complaint));
    TRY(file_try(options->json, complaint));
    return plot_try(options->plots, complaint);
}

/* *ret_training is true when what failed, if anything did, was no reading of clicks. */
static struct status train(const struct train_options *options, struct config *config, struct evaluation_data *data,
                           bool *ret_training, struct complaint *complaint)
{
    bool validated = options->valid_from_ms != INT64_MIN;
    const struct evaluation_split split = {
        .train_before_ms = validated ? options->valid_from_ms : options->test_from_ms,
        .test_before_ms = options->test_from_ms,
        .train_only = !validated,
    };
    const struct evaluation_files files = {.clicks = options->clicks.texts, .click_count = options->clicks.count};
    const struct search_command search = search_of(options);
    struct log_reading reading = log_reading_begin(options->strict);
    struct trial_space space = {0};
    TRY(try_outputs(options, complaint));
    if (searches(options))
        TRY(search_command_check(&search, config, &space, complaint));
    struct status status = evaluation_data_open(&files, &split, &config->catalogue, &reading, data, complaint);
    log_reading_report(&reading);
    TRY(status);
    *ret_training = true;
    return searches(options) ? search_command_run(&search, config, data, &space, complaint)
                             : train_once(options, config, data, complaint);
}

/* What is wrong with a search; NULL: nothing. */
static const char *wrong_search(const struct train_options *options)
{
    if (!searches(options))
        return options->over.count > 0 || options->best ? "--over and --best are for --search" : NULL;
    if (options->valid_from_ms == INT64_MIN)
        return "a search needs --valid-from: it judges by the sessions that begin from then on";
    if (options->trials != NOT_SAID && (options->trials < 1 || options->trials > TRIALS_MAX))
        return "--search takes a number of trials, 1 to 10000";
    if (options->search_minutes != NOT_SAID && options->search_minutes < 1)
        return "--search-minutes takes a number from 1";
    return NULL;
}

static bool check_line(struct train_options *options)
{
    const char *wrong = NULL, *outputs[] = {options->json, options->best};
    if (options->clicks.count == 0)
        wrong = "name a file of clicks";
    else if (!options->output)
        wrong = "say by --output where the model is to go";
    else if (!strcmp(options->output, "-"))
        wrong = "--output is a file: training goes on from one beside it when it is stopped";
    else if (options->valid_from_ms != INT64_MIN && options->valid_from_ms >= options->test_from_ms)
        wrong = "--valid-from is not before --test-from: what lies between the two is predicted";
    else
        wrong = wrong_search(options);
    if (wrong)
        fprintf(stderr, "eddy train: %s\nRun 'eddy train --help' for an example.\n", wrong);
    return !wrong && arguments_check_outputs("train", outputs, 2, &options->stdout_taken);
}

static int run(const struct train_options *options)
{
    struct config config;
    struct complaint complaint = {{0}};
    struct evaluation_data data = {0};
    int code = config_from_arguments("train", &options->config, CONFIG_ONLY, &config);
    if (code != EXIT_OK)
        return code;
    catch_signals();
    bool training = false;
    struct status status = train(options, &config, &data, &training, &complaint);
    if (failed_as(status, FAULT_INTERRUPTED)) {
        fputs("eddy train: stopped; the same command goes on\n", stderr);
        code = EXIT_FAILED;
    } else if (failed(status)) {
        bool damaged = training && (failed_as(status, FAULT_CORRUPT) || failed_as(status, FAULT_NEWER));
        code = command_fail("train", status, &complaint);
        code = failed_as(status, FAULT_LOCKED) ? EXIT_LOCKED : damaged ? EXIT_STATE : code;
    }
    evaluation_data_release(&data);
    config_release(&config);
    return code;
}

int command_train(int argc, char **argv)
{
    struct train_options options = {
        .valid_from_ms = INT64_MIN, .test_from_ms = INT64_MAX, .trials = NOT_SAID, .search_minutes = NOT_SAID};
    const struct argument arguments[] = {
        {"clicks", "FILE", "the same as FILE alone; may stand several times", ARGUMENT_TEXTS, &options.clicks},
        {"output", "FILE", "where the model goes", ARGUMENT_TEXT, &options.output},
        {"valid-from", "TIME", "sessions that begin from it on are kept back, to choose the epoch by (2024-05-01)",
         ARGUMENT_TIME, &options.valid_from_ms},
        {"test-from", "TIME", "sessions that begin from it on are left out", ARGUMENT_TIME, &options.test_from_ms},
        CONFIG_ARGUMENTS(options.config),
        {"search", "TRIALS", "search settings: train so many models, keep the best", ARGUMENT_NUMBER, &options.trials},
        {"search-minutes", "N", "begin no trial when those before it took N minutes", ARGUMENT_NUMBER,
         &options.search_minutes},
        {"over", "KEY=VALUES", "search over it: LOW..HIGH, LOW..HIGH,log or A|B|C; may be repeated", ARGUMENT_TEXTS,
         &options.over},
        {"best", "FILE", "write the best settings of a search, as a configuration", ARGUMENT_TEXT, &options.best},
        {"restart", NULL, "begin anew, though a stopped training could go on", ARGUMENT_FLAG, &options.restart},
        {"json", "FILE", "write the report as JSON", ARGUMENT_TEXT, &options.json},
        {"svg", "FOLDER", "write plots into it; it is made if need be", ARGUMENT_TEXT, &options.plots},
        {"strict", NULL, "stop at the first broken record", ARGUMENT_FLAG, &options.strict},
        {0},
    };
    static const char about[] =
        "Trains a session model (model.*, train.*) on recorded sessions. With --valid-from the sessions that begin\n"
        "before it train, and after each epoch the later ones are predicted, full ranking over all prefixes; the\n"
        "best epoch is kept. Stopped or killed, the same command goes on from FILE.training.\n\n"
        "With --search it trains again and again with other settings, chosen by what came of those before (TPE), "
        "gives\n"
        "up early what is worse than half of them, and keeps the best model. All trials are in FILE.search; the same\n"
        "command goes on from it. --over says which options of model.* and train.* vary, and how; without it those\n"
        "that matter most do.\n\n" LOG_READING_HELP;
    static const char examples[] =
        "  eddy train --valid-from 2024-05-01 --output shop.model clicks.tsv.gz\n"
        "  eddy train --set train.epochs=5 --output shop.model --json report.json --svg plots clicks.tsv.gz\n"
        "  eddy train --search 40 --valid-from 2024-05-01 --output shop.model --best best.yaml clicks.tsv.gz\n"
        "  eddy train --search-minutes 60 --over 'train.rate=0.001..0.01,log' --over 'model.backbone=pw_core|narm'\n"
        "      --valid-from 2024-05-01 --output shop.model clicks.tsv.gz\n";
    const struct usage usage = {"eddy train --output FILE [OPTION...] FILE...", about, arguments, examples};
    enum arguments_result result = arguments_parse(&usage, argc, argv, &options.clicks);
    if (result != ARGUMENTS_OK)
        return result == ARGUMENTS_HELP ? EXIT_OK : EXIT_USAGE;
    return check_line(&options) ? run(&options) : EXIT_USAGE;
}

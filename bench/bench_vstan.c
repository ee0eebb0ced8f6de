// SPDX-License-Identifier: Apache-2.0
/* eddy's scorers, fused, beside VSTAN at the settings its authors published for the clicks of RecSys Challenge 2015.
 *     bench_vstan --clicks clicks.tsv.gz --test-from TIME [--valid-from TIME] [--dump LISTS]
 *
 * Same sessions and questions for all, those of `eddy evaluate` (app/evaluation.h): sessions are parted by when they
 * begin. On yoochoose-100k that asks the very questions of the set's own split, which parts them by their last click:
 * the sessions in between know no item of training and drop out.
 *
 * VSTAN leaves ties open, so its figures are given twice: with the true item last among its equals, and first. eddy's
 * lists have no ties. The differences at the end are to VSTAN with ties decided for it, with 95 % bootstrap intervals
 * over sessions. CPU time is the thread's, for scoring all items and making a list of 20; reading the clock twice,
 * below 1 us, is in it. */
#include "app/config_arguments.h"
#include "app/evaluation.h"
#include "bench/vstan.h"

#include <eddy/io/system.h>

#include <stdlib.h>

#define LIST_SIZE 20
#define RESAMPLES 1000
#define NAME      "bench_vstan"

/* session-rec (the authors' framework), conf/save/rsc15/{single/single,window/window}_rsc15_vstan.yml. */
static const struct setting {
    const char *name, *dump_name;
    struct vstan_options options;
} settings[] = {
    {"VSTAN, single, hr", "vstan-single-hr", {2000, 2500, 8, 10, 8, 0.5, 2}},
    {"VSTAN, single, mrr", "vstan-single-mrr", {1000, 5000, 4, 5, 4, 0.00001, 1}},
    {"VSTAN, window, hr", "vstan-window-hr", {2000, 10000, 4, 20, 0.5, 1, 2}},
    {"VSTAN, window, mrr", "vstan-window-mrr", {1500, 10000, 0.5, 5, 2, 2, 2}},
};

#define SETTING_COUNT (sizeof settings / sizeof *settings)

/* What one system did: a line of the table. */
struct row {
    const char *name;
    struct evaluation_result result; /* ranks with ties decided against it */
    uint32_t *best_ranks;            /* with ties decided for it; NULL: it has none */
};

static void row_release(struct row *row)
{
    evaluation_result_release(&row->result);
    free(row->best_ranks);
}

#define ROW_COUNT (SETTING_COUNT + 1) /* the last one is eddy's */

struct bench {
    struct evaluation_data data;
    struct row rows[ROW_COUNT];
};

static void bench_release(struct bench *bench)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        row_release(&bench->rows[i]);
    evaluation_data_release(&bench->data);
}

/* ---- VSTAN on the sessions of an evaluation */

static struct status train(const struct evaluation_data *data, const struct vstan_options *options,
                           struct evaluation_result *result, struct vstan **ret_vstan)
{
    struct vstan_session *sessions = calloc(data->train_count, sizeof *sessions);
    if (!sessions)
        return FAIL(MEMORY, data->train_count, "no memory for sessions");
    for (size_t i = 0; i < data->train_count; i++) {
        const struct whole_session *session = &data->log.sessions[data->train[i]];
        sessions[i] = (struct vstan_session){data->log.items + session->start, session->length, session->last_ms};
    }
    struct vstan_training training = {sessions, (uint32_t)data->train_count, data->train_items};
    int64_t start_ns = system_thread_cpu_ns();
    struct status status = vstan_open(options, &training, ret_vstan);
    result->learn_ns = system_thread_cpu_ns() - start_ns;
    free(sessions);
    return status;
}

static struct status test_session(struct vstan *vstan, const struct evaluation_data *data,
                                  const struct whole_session *session, struct list_dump *dump, struct row *row,
                                  size_t done)
{
    const struct session_log *log = &data->log;
    struct recommended_item list[LIST_SIZE];
    for (uint32_t length = 1; length < session->length; length++, done++) {
        struct query query = {.items = log->items + session->start,
                              .times_ms = log->times_ms + session->start,
                              .types = log->types + session->start,
                              .length = length,
                              .now_ms = log->times_ms[session->start + length - 1]};
        uint32_t count;
        int64_t start_ns = system_thread_cpu_ns();
        vstan_recommend(vstan, &query, LIST_SIZE, list, &count);
        int64_t took_ns = system_thread_cpu_ns() - start_ns;
        histogram_record(&row->result.latency_ns, (uint64_t)(took_ns > 0 ? took_ns : 0));
        row->result.predict_ns += took_ns;
        struct vstan_rank rank = vstan_rank(vstan, log->items[session->start + length]);
        row->result.ranks[done] = rank.worst;
        row->best_ranks[done] = rank.best;
        struct list_line line = evaluation_line(data, session, length + 1, list, count);
        if (dump)
            TRY(list_dump_write(dump, &line, NULL));
    }
    return OK;
}

static struct status run_vstan(const struct evaluation_data *data, const struct vstan_options *options,
                               struct list_dump *dump, struct row *row)
{
    row->result.ranks = calloc(data->predictions, sizeof *row->result.ranks);
    row->best_ranks = calloc(data->predictions, sizeof *row->best_ranks);
    if (!row->result.ranks || !row->best_ranks)
        return FAIL(MEMORY, data->predictions, "no memory for ranks");
    struct vstan *vstan;
    TRY(train(data, options, &row->result, &vstan));
    size_t done = 0;
    struct status status = OK;
    for (size_t i = 0; i < data->test_count && !failed(status); i++) {
        const struct whole_session *session = &data->log.sessions[data->test[i]];
        status = test_session(vstan, data, session, dump, row, done);
        done += session->length - 1;
    }
    row->result.learned_bytes = vstan_memory(vstan);
    vstan_close(vstan);
    return status;
}

/* ---- the table */

static double mean(const struct bench *bench, int measure, const uint32_t *ranks)
{
    return measure_mean(&measures[measure], ranks, bench->data.predictions, LIST_SIZE);
}

/* eddy's measure less that of `row`, ties decided for it. */
static struct status print_difference(const struct bench *bench, const struct row *row, int measure)
{
    const struct evaluation_data *data = &bench->data;
    struct evaluation_result favoured = {.ranks = row->best_ranks};
    struct session_sums *sums = calloc(data->test_count, sizeof *sums);
    if (!sums)
        return FAIL(MEMORY, data->test_count, "no memory for a difference");
    evaluation_session_sums(data, &bench->rows[SETTING_COUNT].result, &favoured, &measures[measure], sums);
    struct interval interval;
    struct status status = bootstrap_interval(sums, data->test_count, RESAMPLES, 1, &interval);
    free(sums);
    TRY(status);
    printf("  %+.4f [%+.4f, %+.4f]", interval.value, interval.low, interval.high);
    return OK;
}

static struct status print_row(const struct bench *bench, const struct row *row)
{
    const struct evaluation_result *result = &row->result, *eddy = &bench->rows[SETTING_COUNT].result;
    const uint32_t *best = row->best_ranks ? row->best_ranks : result->ranks;
    printf("%-20s  %.4f  %.4f   %.4f  %.4f", row->name, mean(bench, MEASURE_HIT_RATE, result->ranks),
           mean(bench, MEASURE_RECIPROCAL_RANK, result->ranks), mean(bench, MEASURE_HIT_RATE, best),
           mean(bench, MEASURE_RECIPROCAL_RANK, best));
    printf("  %7.1f %7.1f %7.1f %6.1f  %7.1f %6.1f", (double)result->predict_ns / 1e3 / (double)bench->data.predictions,
           (double)histogram_quantile(&result->latency_ns, 0.5) / 1e3,
           (double)histogram_quantile(&result->latency_ns, 0.99) / 1e3,
           (double)result->predict_ns / (double)eddy->predict_ns, (double)result->learn_ns / 1e6,
           (double)result->learned_bytes / (1 << 20));
    if (row->best_ranks) {
        TRY(print_difference(bench, row, MEASURE_HIT_RATE));
        TRY(print_difference(bench, row, MEASURE_RECIPROCAL_RANK));
    }
    putchar('\n');
    return OK;
}

static struct status print_table(const struct bench *bench)
{
    const struct evaluation_data *data = &bench->data;
    printf("%zu sessions with %zu clicks on %u items train; %zu sessions with %zu predictions test\n\n",
           data->train_count, data->train_clicks, data->train_items, data->test_count, data->predictions);
    printf("%-20s  %-14s   %-14s  %-30s  %-14s  %s\n", "", "ties against", "ties for", "CPU us per prediction",
           "training", "eddy less this, ties for this");
    printf("%-20s  %-6s  %-6s   %-6s  %-6s  %7s %7s %7s %6s  %7s %6s  %-26s  %s\n", "", "HR@20", "MRR@20", "HR@20",
           "MRR@20", "mean", "p50", "p99", "/ eddy", "CPU ms", "MiB", "HR@20", "MRR@20");
    for (size_t i = 0; i < ROW_COUNT; i++)
        TRY(print_row(bench, &bench->rows[i]));
    return OK;
}

/* ---- the program */

struct options {
    struct config_arguments config;
    struct argument_list clicks;
    int64_t test_from_ms, valid_from_ms;
    const char *dump;
};

/* LISTS.eddy, LISTS.vstan-single-hr, ...; *ret_dump is NULL when none is wanted. */
static struct status open_dump(const struct bench *bench, const char *path, const char *name,
                               struct list_dump **ret_dump, struct complaint *complaint)
{
    AUTO(buffer) full = {0};
    *ret_dump = NULL;
    if (!path)
        return OK;
    buffer_format(&full, "%s.%s", path, name);
    return list_dump_open(buffer_text(&full), bench->data.catalogue, ret_dump, complaint);
}

static struct status run_row(struct bench *bench, size_t number, const struct config *config, const char *dump_path,
                             struct complaint *complaint)
{
    const struct setting *setting = number < SETTING_COUNT ? &settings[number] : NULL;
    struct row *row = &bench->rows[number];
    struct list_dump *dump;
    TRY(open_dump(bench, dump_path, setting ? setting->dump_name : "eddy", &dump, complaint));
    row->name = setting ? setting->name : "eddy";
    struct status status = setting ? run_vstan(&bench->data, &setting->options, dump, row)
                                   : evaluation_run(&bench->data, config, NULL, false, dump, &row->result, complaint);
    if (!failed(status))
        return list_dump_close(dump, complaint);
    list_dump_abandon(dump);
    return status;
}

static struct status run(const struct options *options, const struct config *config, struct bench *bench,
                         struct complaint *complaint)
{
    bool validation = options->valid_from_ms != INT64_MIN;
    struct evaluation_split split = {.train_before_ms = validation ? options->valid_from_ms : options->test_from_ms,
                                     .test_before_ms = validation ? options->test_from_ms : INT64_MAX};
    struct evaluation_files files = {.clicks = options->clicks.texts, .click_count = options->clicks.count};
    struct log_reading reading = {0};
    struct status status = evaluation_data_open(&files, &split, &config->catalogue, &reading, &bench->data, complaint);
    log_reading_report(&reading);
    TRY(status);
    for (size_t i = 0; i < ROW_COUNT; i++)
        TRY(run_row(bench, i, config, options->dump, complaint));
    return print_table(bench);
}

static int run_with(const struct options *options)
{
    struct config config;
    int code = config_from_arguments(NAME, &options->config, CONFIG_ONLY, &config);
    if (code != EXIT_OK)
        return code;
    struct bench bench = {0};
    struct complaint complaint = {""};
    struct status status = run(options, &config, &bench, &complaint);
    if (failed(status)) {
        char text[256];
        fprintf(stderr, NAME ": %s\n", *complaint.text ? complaint.text : status_text(status, text, sizeof text));
        code = EXIT_FAILED;
    }
    bench_release(&bench);
    config_release(&config);
    return code;
}

int main(int argc, char **argv)
{
    struct options options = {.test_from_ms = INT64_MIN, .valid_from_ms = INT64_MIN};
    const struct argument arguments[] = {
        {"clicks", "FILE", "log of clicks with session_id; may stand several times", ARGUMENT_TEXTS, &options.clicks},
        {"test-from", "TIME", "sessions that begin before it train, the others test", ARGUMENT_TIME,
         &options.test_from_ms},
        {"valid-from", "TIME", "train before it, test on what begins before --test-from", ARGUMENT_TIME,
         &options.valid_from_ms},
        CONFIG_ARGUMENTS(options.config),
        {"dump", "LISTS", "write every list to LISTS.eddy, LISTS.vstan-single-hr, ...", ARGUMENT_TEXT, &options.dump},
        {0},
    };
    const struct usage usage = {NAME " --clicks FILE --test-from TIME [OPTION...]",
                                "Compares eddy with VSTAN at its published settings.\n", arguments, NULL};
    enum arguments_result result = arguments_parse(&usage, argc, argv, NULL);
    if (result != ARGUMENTS_OK)
        return result == ARGUMENTS_HELP ? EXIT_OK : EXIT_USAGE;
    if (argc == 1) {
        puts("needs recorded clicks: " NAME " --clicks FILE --test-from TIME (bench/README.md says where from)");
        return EXIT_OK;
    }
    if (options.clicks.count == 0 || options.test_from_ms == INT64_MIN) {
        fputs(NAME ": --clicks and --test-from are needed\n", stderr);
        return EXIT_USAGE;
    }
    return run_with(&options);
}

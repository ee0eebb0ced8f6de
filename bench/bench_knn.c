// SPDX-License-Identifier: Apache-2.0
/* The kNN scorer beside a plain implementation of the same algorithm, and all scorers fused, on one thread.
 *
 *     bench_knn                            on a synthetic clickstream
 *     bench_knn CLICKS.tsv.gz TEST_FROM_MS [M K LAST_CLICKS]
 *
 * The algorithm is VMIS-kNN at Serenade's own formula (m = 500, k = 100, last 5 clicks unless told). For every prefix
 * of every test session both must choose exactly the same neighbours and give the same list of 20; ranks may only
 * differ among items whose scores are equal to 5 digits. Times are CPU time of the thread, mean over all prefixes. */
#include "app/evaluation.h"
#include "bench/plain_knn.h"

#include <eddy/core/generate.h>
#include <eddy/io/log_writer.h>
#include <eddy/io/system.h>

#include <stdlib.h>
#include <unistd.h>

#define LIST_SIZE 20

struct bench {
    struct evaluation_data data;
    struct learned *learned;
    struct scoring_scratch *scratch;
    struct plain_knn *plain;
    struct knn_options knn;
    struct fusion_options fusion;
};

/* ---- prefixes */

typedef void ask_function(struct bench *bench, const struct query *query);

static void each_prefix(struct bench *bench, ask_function *ask)
{
    const struct session_log *log = &bench->data.log;
    for (size_t i = 0; i < bench->data.test_count; i++) {
        const struct whole_session *session = &log->sessions[bench->data.test[i]];
        for (uint32_t length = 1; length < session->length; length++) {
            struct query query = {.items = log->items + session->start,
                                  .times_ms = log->times_ms + session->start,
                                  .types = log->types + session->start,
                                  .length = length,
                                  .now_ms = log->times_ms[session->start + length - 1]};
            ask(bench, &query);
        }
    }
}

static double measure(struct bench *bench, ask_function *ask)
{
    int64_t start_ns = system_thread_cpu_ns();
    each_prefix(bench, ask);
    return (double)(system_thread_cpu_ns() - start_ns) / 1000 / (double)bench->data.predictions;
}

static void must(struct status status)
{
    char text[256];
    if (failed(status)) {
        fprintf(stderr, "bench_knn: %s\n", status_text(status, text, sizeof text));
        exit(1);
    }
}

static void ask_ours(struct bench *bench, const struct query *query)
{
    struct scored_item items[LIST_SIZE];
    uint32_t count;
    must(knn_alone(bench->learned, query, &bench->knn, bench->scratch, items, LIST_SIZE, &count));
}

static void ask_plain(struct bench *bench, const struct query *query)
{
    struct plain_scored items[LIST_SIZE];
    plain_knn_recommend(bench->plain, query->items, query->length, items, LIST_SIZE);
}

static void ask_fused(struct bench *bench, const struct query *query)
{
    struct recommended_item items[LIST_SIZE];
    uint32_t count;
    must(fuse(bench->learned, bench->data.catalogue, query, &bench->fusion, bench->scratch, items, &count));
}

static double measure_fused(struct bench *bench, uint32_t sample_max, uint32_t neighbours_max)
{
    bench->fusion = fusion_options_default();
    bench->fusion.knn.sample_max = sample_max;
    bench->fusion.knn.neighbours_max = neighbours_max;
    each_prefix(bench, ask_fused);
    return measure(bench, ask_fused);
}

/* ---- agreement */

static size_t wrong_neighbours, wrong_lists;

static int compare_numbers(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static bool same_neighbours(struct bench *bench)
{
    uint32_t ours, plain;
    const uint32_t *our_sessions = knn_neighbours(bench->scratch, &ours);
    const uint32_t *plain_sessions = plain_knn_neighbours(bench->plain, &plain);
    if (ours != plain)
        return false;
    uint32_t *a = malloc((ours + 1) * sizeof *a), *b = malloc((ours + 1) * sizeof *b);
    if (!a || !b)
        exit(1);
    memcpy(a, our_sessions, ours * sizeof *a);
    memcpy(b, plain_sessions, ours * sizeof *b);
    qsort(a, ours, sizeof *a, compare_numbers);
    qsort(b, ours, sizeof *b, compare_numbers);
    bool same = !memcmp(a, b, ours * sizeof *a);
    free(a);
    free(b);
    return same;
}

static void ask_both(struct bench *bench, const struct query *query)
{
    struct scored_item ours[LIST_SIZE];
    struct plain_scored plain[LIST_SIZE];
    uint32_t count;
    must(knn_alone(bench->learned, query, &bench->knn, bench->scratch, ours, LIST_SIZE, &count));
    uint32_t plain_count = plain_knn_recommend(bench->plain, query->items, query->length, plain, LIST_SIZE);
    wrong_neighbours += !same_neighbours(bench);
    bool same = count == plain_count;
    for (uint32_t i = 0; i < count && same; i++) {
        double difference = (double)ours[i].score - plain[i].score;
        same = ours[i].item == plain[i].item ||
               (difference < 1e-5 * plain[i].score && -difference < 1e-5 * plain[i].score);
    }
    wrong_lists += !same;
}

/* ---- data */

static struct closed_session closed_session_of(const struct session_log *log, uint32_t number)
{
    const struct whole_session *session = &log->sessions[number];
    struct bytes name = interner_get(log->session_ids, session->name);
    return (struct closed_session){.view = {.key = name,
                                            .session_id = name,
                                            .items = log->items + session->start,
                                            .times_ms = log->times_ms + session->start,
                                            .types = log->types + session->start,
                                            .length = session->length,
                                            .total = session->length},
                                   .close_ms = session->last_ms};
}

static void learn(struct bench *bench)
{
    const struct session_log *log = &bench->data.log;
    struct learned_options options = learned_options_default();
    options.session_items_max = LEARNED_SESSION_ITEMS_MAX;
    if (options.postings_max < bench->knn.sample_max)
        options.postings_max = bench->knn.sample_max;
    must(learned_open(&options, &bench->learned));
    must(scoring_scratch_open(&bench->scratch));
    bench->plain = plain_knn_open(bench->data.train_items, bench->data.train_count, bench->knn.sample_max,
                                  bench->knn.neighbours_max, bench->knn.query_items_max);
    int64_t start_ns = system_thread_cpu_ns();
    for (size_t i = 0; i < bench->data.train_count; i++) {
        struct closed_session session = closed_session_of(log, bench->data.train[i]);
        must(learned_learn(bench->learned, &session));
    }
    int64_t took_ns = system_thread_cpu_ns() - start_ns;
    printf("learned %zu sessions, %zu clicks, %u items in %.2f s CPU (all scorers)\n", bench->data.train_count,
           bench->data.train_clicks, bench->data.train_items, (double)took_ns / 1e9);
    for (size_t i = 0; i < bench->data.train_count; i++) {
        struct closed_session session = closed_session_of(log, bench->data.train[i]);
        uint32_t first =
            session.view.length > LEARNED_SESSION_ITEMS_MAX ? session.view.length - LEARNED_SESSION_ITEMS_MAX : 0;
        if (session.view.length > 1)
            plain_knn_learn(bench->plain, session.view.items + first, session.view.length - first);
    }
}

static void load(struct bench *bench, const char *path, int64_t test_from_ms)
{
    struct log_reading reading = {.session_needed = true};
    struct complaint complaint = {""};
    struct evaluation_files files = {.clicks = &path, .click_count = 1};
    struct evaluation_split split = {.train_before_ms = test_from_ms, .test_before_ms = INT64_MAX};
    struct catalogue_options options = {.items_max = 10000000, .memory_max_bytes = (size_t)1 << 32};
    if (failed(evaluation_data_open(&files, &split, &options, &reading, &bench->data, &complaint))) {
        fprintf(stderr, "bench_knn: %s\n", complaint.text);
        exit(1);
    }
}

/* A synthetic clickstream as a file; returns the time at which its test part begins. */
static int64_t generate(const char *path)
{
    struct generate_options options = generate_defaults();
    options.items = 100000;
    options.sessions = 20000;
    struct generator *generator;
    must(generator_open(&options, NULL, &generator));
    struct log_writer *writer;
    must(log_writer_open(path, RECORD_CLICK, LOG_FILE_TSV, &writer, NULL));
    int64_t test_from_ms = 0;
    for (int i = 0; i < 1000000; i++) {
        struct click click;
        generator_next(generator, &click);
        must(log_writer_click(writer, &click, NULL));
        if (i == 950000)
            test_from_ms = click.time_ms;
    }
    must(log_writer_close(writer, NULL));
    generator_close(generator);
    return test_from_ms;
}

static void load_synthetic(struct bench *bench)
{
    char path[] = "bench_knn_XXXXXX.tsv";
    int fd = mkstemps(path, 4);
    if (fd < 0)
        exit(1);
    close(fd);
    load(bench, path, generate(path));
    unlink(path);
}

static void report(struct bench *bench)
{
    each_prefix(bench, ask_both); /* warms both up */
    double plain_us = measure(bench, ask_plain), ours_us = measure(bench, ask_ours);
    size_t index = learned_index_memory(bench->learned), scratch = scoring_scratch_memory(bench->scratch);
    const struct knn_options standard = fusion_options_default().knn;
    double fused_us = measure_fused(bench, bench->knn.sample_max, bench->knn.neighbours_max);
    double standard_us = measure_fused(bench, standard.sample_max, standard.neighbours_max);
    printf("m = %u, k = %u, last %u clicks; %zu predictions\n", bench->knn.sample_max, bench->knn.neighbours_max,
           bench->knn.query_items_max, bench->data.predictions);
    printf("  plain kNN          %7.2f us/prediction\n", plain_us);
    printf("  eddy's kNN         %7.2f us/prediction, %.2f times as fast\n", ours_us, plain_us / ours_us);
    printf("  all scorers fused  %7.2f us/prediction, %7.2f at their defaults (m = %u, k = %u)\n", fused_us,
           standard_us, standard.sample_max, standard.neighbours_max);
    printf("  memory: index %.1f MiB, scratch of a thread %.1f MiB, with all scorers %.1f MiB\n",
           (double)index / 1048576, (double)scratch / 1048576, (double)learned_memory(bench->learned) / 1048576);
    printf("  predictions with other neighbours: %zu, with another list: %zu\n", wrong_neighbours, wrong_lists);
}

int main(int argc, char **argv)
{
    struct bench bench = {.knn = {.formula = KNN_VMIS, .sample_max = 500, .neighbours_max = 100, .query_items_max = 5}};
    int64_t numbers[4] = {0, 500, 100, 5};
    for (int i = 2; i < argc && i < 6; i++)
        if (!bytes_to_int64(bytes_of_text(argv[i]), &numbers[i - 2]) || numbers[i - 2] < 1)
            argc = 2;
    if (argc == 2 || argc > 6) {
        fputs("usage: bench_knn [CLICKS.tsv.gz TEST_FROM_MS [M K LAST_CLICKS]]\n", stderr);
        return 2;
    }
    bench.knn.sample_max = (uint32_t)numbers[1];
    bench.knn.neighbours_max = (uint32_t)numbers[2];
    bench.knn.query_items_max = (uint32_t)numbers[3];
    if (argc == 1)
        load_synthetic(&bench);
    else
        load(&bench, argv[1], numbers[0]);
    learn(&bench);
    report(&bench);
    plain_knn_close(bench.plain);
    learned_close(bench.learned);
    scoring_scratch_close(bench.scratch);
    evaluation_data_release(&bench.data);
    return wrong_neighbours || wrong_lists;
}

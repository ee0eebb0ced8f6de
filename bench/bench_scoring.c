// SPDX-License-Identifier: Apache-2.0
/* The neural scorer at work: the 20 best of all items with their probabilities, beside one product of matrices and a
 * scan.
 *
 *     bench_scoring [ITEMS...]
 *
 * With 43,097 items (Diginetica's) and a million unless told: PW-CORE of width 100, its item rows as random as before
 * training (the hard case: nearly as good as each other) and in clusters. Sessions of 1 to 6 clicks. In one run:
 *
 *   machine   what it can do at best: multiplications a second of sgemm on matrices that suit it, and of the product
 *             kernels on a tile in the first cache, exponentials of its scores included; bytes a second read from
 * memory batch     CPU time per click of neural_lists(), from clicks to lists, and of the plain way, in batches of 1, 8
 * and 64: what half and nine tenths of the batches took at most among     the same for neural_vectors() and
 * neural_among(): as many candidates a session as other scorers may propose, drawn at random, in place of all items
 *   lists     how many are float32's in full, scored by vector_dot and by sgemm (whose sums round otherwise), how far
 * off the probabilities are, and how many items a list had scored in float32 */
#include "bench/trial.h"

#include "core/model/arithmetic.h"
#include "core/model/model.h"
#include "core/model/neural.h"

#include <eddy/io/system.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH       100u
#define LENGTH_MAX  6u
#define CAPACITY    20u
#define BATCH_MAX   64u
#define LISTS       10240u
#define CLUSTERS    500u
#define SQUARE      1024u
#define READ_SIZE   (256u << 20)
#define CHECKS_MAX  450e6 /* of an item with a session */
#define TEMPERATURE 0.07f
#define REPEATS     200
#define RUN_US_MAX  2e6 /* of one figure */
#define CANDIDATES  2000u

/* A model on random or clustered rows, at work, and sessions to ask about. */
struct rig {
    uint32_t item_count;
    struct model *model;
    struct neural *neural;
    float *rows; /* as they are scored with */
    uint32_t *starts, *items;
    struct random random;
    struct arena arena;
    struct scored_item lists[BATCH_MAX * CAPACITY], plain[BATCH_MAX * CAPACITY], exact[BATCH_MAX * CAPACITY];
    uint32_t lengths[BATCH_MAX];
    float *scores, vectors[BATCH_MAX * WIDTH];
    uint32_t candidates[CANDIDATES];
    float probabilities[CANDIDATES];
};

static double now_us(void)
{
    return (double)system_thread_cpu_ns() / 1e3;
}

static void *must_have(size_t size)
{
    void *memory = malloc(size);
    if (!memory)
        trial_die("no memory");
    return memory;
}

/* Rows of a cluster are its centre with as much again of their own. */
static void cluster_rows(struct rig *rig)
{
    float *centres = must_have(sizeof(float) * CLUSTERS * WIDTH);
    for (uint32_t i = 0; i < CLUSTERS * WIDTH; i++)
        centres[i] = rig->model->items[i];
    for (uint32_t row = 0; row < rig->item_count; row++)
        vector_add(centres + random_below(&rig->random, CLUSTERS) * WIDTH, rig->model->items + (size_t)row * WIDTH,
                   WIDTH);
    free(centres);
}

static void draw_sessions(struct rig *rig)
{
    rig->starts[0] = 0;
    for (uint32_t i = 0; i < LISTS; i++) {
        uint32_t length = 1 + (uint32_t)random_below(&rig->random, LENGTH_MAX), at = rig->starts[i];
        for (uint32_t j = 0; j < length; j++)
            rig->items[at + j] = (uint32_t)random_below(&rig->random, rig->item_count);
        rig->starts[i + 1] = at + length;
    }
}

static void rig_open(struct rig *rig, uint32_t item_count, bool clustered)
{
    const struct model_options options = {.backbone = backbone_named("pw_core"),
                                          .width = WIDTH,
                                          .length_max = LENGTH_MAX,
                                          .normalise = true,
                                          .temperature = TEMPERATURE};
    memset(rig, 0, sizeof *rig);
    rig->item_count = item_count;
    random_seed(&rig->random, 1);
    uint32_t *numbers = must_have(item_count * sizeof *numbers);
    for (uint32_t row = 0; row < item_count; row++)
        numbers[row] = row;
    trial_must(model_open(&options, item_count, 1, &rig->model), "a model");
    if (clustered)
        cluster_rows(rig);
    trial_must(neural_open(rig->model, numbers, item_count, &rig->neural), "a model at work");
    free(numbers);
    rig->rows = must_have(sizeof(float) * item_count * WIDTH);
    model_item_rows(rig->model, rig->rows);
    rig->starts = must_have((LISTS + 1) * sizeof *rig->starts);
    rig->items = must_have(LISTS * LENGTH_MAX * sizeof *rig->items);
    rig->scores = must_have(sizeof(float) * BATCH_MAX * item_count);
    draw_sessions(rig);
}

static void rig_close(struct rig *rig)
{
    neural_close(rig->neural);
    model_close(rig->model);
    free(rig->rows);
    free(rig->starts);
    free(rig->items);
    free(rig->scores);
    arena_release(&rig->arena);
}

/* Sessions first .. first + count - 1. */
static struct neural_sessions batch_of(const struct rig *rig, uint32_t first, uint32_t count)
{
    return (struct neural_sessions){count, rig->starts + first, rig->items};
}

/* ---- the plain way */

static void plain_insert(struct scored_item *list, uint32_t *length, uint32_t row, float score)
{
    if (*length == CAPACITY && !(score > list[*length - 1].score))
        return;
    uint32_t at = *length < CAPACITY ? (*length)++ : *length - 1;
    for (; at && score > list[at - 1].score; at--)
        list[at] = list[at - 1];
    list[at] = (struct scored_item){row, score};
}

/* Lists with probabilities. */
static void plain_lists(struct rig *rig, struct neural_sessions sessions)
{
    const struct model_sessions of_model = {sessions.count, sessions.starts, sessions.items};
    trial_must(model_vectors(rig->model, &of_model, &rig->arena, rig->vectors), "vectors");
    model_score(rig->model, rig->rows, rig->vectors, sessions.count, rig->scores);
    for (uint32_t i = 0; i < sessions.count; i++) {
        float *scores = rig->scores + (size_t)i * rig->item_count;
        struct scored_item *list = rig->plain + i * CAPACITY;
        uint32_t length = 0;
        for (uint32_t row = 0; row < rig->item_count; row++)
            plain_insert(list, &length, row, scores[row]);
        float best = list[0].score, sum = vector_exp(scores, best, rig->item_count);
        for (uint32_t at = 0; at < CAPACITY; at++) {
            vector_exp(&list[at].score, best, 1);
            list[at].score /= sum;
        }
    }
}

/* By vector_dot, of the vectors that plain_lists() has left. */
static void exact_lists(struct rig *rig, uint32_t count)
{
    uint32_t lengths[BATCH_MAX] = {0};
    for (uint32_t row = 0; row < rig->item_count; row++)
        for (uint32_t i = 0; i < count; i++)
            plain_insert(rig->exact + i * CAPACITY, &lengths[i], row,
                         vector_dot(rig->rows + (size_t)row * WIDTH, rig->vectors + i * WIDTH, WIDTH));
}

/* ---- time */

enum way { OURS, AMONG, PLAIN };

/* Each session has candidates of its own; drawing them is a small part of the time. */
static void among(struct rig *rig, const struct neural_sessions *sessions)
{
    const float *vectors[BATCH_MAX];
    trial_must(neural_vectors(rig->neural, sessions, &rig->arena, vectors), "vectors");
    for (uint32_t i = 0; i < sessions->count; i++) {
        uint32_t step = 1 + (uint32_t)random_below(&rig->random, rig->item_count / CANDIDATES + 1);
        for (uint32_t j = 0; j < CANDIDATES; j++)
            rig->candidates[j] = (uint32_t)((uint64_t)j * 2654435761u * step % rig->item_count);
        neural_among(rig->neural, vectors[i], rig->candidates, CANDIDATES, rig->probabilities);
    }
}

static void run(struct rig *rig, enum way way, uint32_t first, uint32_t batch)
{
    struct neural_sessions sessions = batch_of(rig, first, batch);
    arena_reset(&rig->arena);
    if (way == PLAIN)
        plain_lists(rig, sessions);
    else if (way == AMONG)
        among(rig, &sessions);
    else
        trial_must(neural_lists(rig->neural, &sessions, &rig->arena, rig->lists, CAPACITY, rig->lengths), "lists");
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct times {
    double p50, p90;
};

static struct times measure(struct rig *rig, enum way way, uint32_t batch)
{
    static double each[REPEATS];
    size_t count = 0;
    run(rig, way, 0, batch);
    double begin = now_us();
    while (count < REPEATS && (count < 10 || now_us() - begin < RUN_US_MAX)) {
        double start = now_us();
        run(rig, way, (uint32_t)count * batch % (LISTS - BATCH_MAX), batch);
        each[count++] = (now_us() - start) / batch;
    }
    qsort(each, count, sizeof *each, by_size);
    return (struct times){each[count / 2], each[count * 9 / 10]};
}

static void show_times(struct rig *rig)
{
    static const uint32_t batches[] = {1, 8, 64};
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
        struct times ours = measure(rig, OURS, batches[i]), plain = measure(rig, PLAIN, batches[i]);
        struct times chosen = measure(rig, AMONG, batches[i]);
        printf("  batch %2u  %8.1f us a click, p90 %8.1f; plain %8.1f, p90 %8.1f; %.1f times as fast; among %u %.1f\n",
               batches[i], ours.p50, ours.p90, plain.p50, plain.p90, plain.p50 / ours.p50, CANDIDATES, chosen.p50);
        fflush(stdout);
    }
}

/* ---- lists */

static bool same_items(const struct scored_item *a, const struct scored_item *b)
{
    for (uint32_t at = 0; at < CAPACITY; at++)
        if (a[at].item != b[at].item)
            return false;
    return true;
}

struct comparison {
    uint32_t count, as_exact, as_sgemm;
    double error_sum, error_max;
    uint64_t settled;
};

static void compare_batch(struct rig *rig, struct comparison *comparison)
{
    struct neural_sessions sessions = batch_of(rig, comparison->count, BATCH_MAX);
    uint64_t settled;
    run(rig, PLAIN, comparison->count, BATCH_MAX);
    exact_lists(rig, BATCH_MAX);
    trial_must(neural_lists_counted(rig->neural, &sessions, &rig->arena, rig->lists, CAPACITY, rig->lengths, &settled),
               "lists");
    for (uint32_t i = 0; i < BATCH_MAX; i++) {
        const struct scored_item *list = rig->lists + i * CAPACITY, *plain = rig->plain + i * CAPACITY;
        double error = fabs((double)list->score / (double)plain->score - 1);
        comparison->as_exact += same_items(list, rig->exact + i * CAPACITY);
        comparison->as_sgemm += same_items(list, plain);
        comparison->error_sum += error;
        comparison->error_max = error > comparison->error_max ? error : comparison->error_max;
    }
    comparison->settled += settled;
    comparison->count += BATCH_MAX;
}

static void show_lists(struct rig *rig)
{
    struct comparison comparison = {0};
    while (comparison.count < LISTS && (double)comparison.count * rig->item_count < CHECKS_MAX)
        compare_batch(rig, &comparison);
    double count = comparison.count;
    printf(
        "  lists     %u: %.3f %% as by vector_dot, %.3f %% as by sgemm; a probability is off by %.1e, at most %.1e, of "
        "its size; %.0f items of a list scored in float32\n",
        comparison.count, 100 * comparison.as_exact / count, 100 * comparison.as_sgemm / count,
        comparison.error_sum / count, comparison.error_max, (double)comparison.settled / count);
    fflush(stdout);
}

/* ---- the machine: multiplications and bytes a second */

static double best_of(double best, double more)
{
    return more > best ? more : best;
}

static double sgemm_peak(void)
{
    static float a[SQUARE * SQUARE], b[SQUARE * SQUARE], c[SQUARE * SQUARE];
    double best = 0;
    for (int i = 0; i < 30; i++) {
        double start = now_us();
        matrix_nn(SQUARE, SQUARE, SQUARE, 1, a, b, 0, c);
        best = best_of(best, (double)SQUARE * SQUARE * SQUARE / (now_us() - start));
    }
    return 1e6 * best;
}

static double products_peak(const struct product_kernel *kernel)
{
    static _Alignas(64) uint8_t bytes[TILE_ROWS * WIDTH + PRODUCT_BYTES_AFTER];
    static _Alignas(64) int8_t digits[BATCH_MAX * (WIDTH + PRODUCT_STRIDE * PRODUCT_GROUP) * 2];
    static const float scales[TILE_ROWS], zeros[BATCH_MAX];
    static const int32_t offsets[BATCH_MAX * PRODUCT_LANES];
    static float scores[BATCH_MAX * TILE_ROWS], terms[BATCH_MAX * 2 * PRODUCT_LANES];
    static uint64_t above[BATCH_MAX];
    const struct tile tile = {bytes, scales, WIDTH / 4};
    const struct digit_table sessions = {digits, offsets, BATCH_MAX};
    const struct score_table table = {zeros, zeros, zeros, scores, terms, above};
    double best = 0;
    kernel->begin();
    for (int i = 0; i < 100; i++) {
        double start = now_us();
        for (int j = 0; j < 100; j++)
            kernel->multiply(&tile, &sessions, &table);
        best = best_of(best, 100.0 * TILE_ROWS * BATCH_MAX * WIDTH * 2 / (now_us() - start));
    }
    kernel->end();
    return 1e6 * best;
}

static double read_peak(void)
{
    float *memory = must_have(READ_SIZE), sum = 0;
    double best = 0;
    memset(memory, 0, READ_SIZE);
    for (int i = 0; i < 5; i++) {
        double start = now_us();
        sum += vector_sum(memory, READ_SIZE / sizeof *memory);
        best = best_of(best, READ_SIZE / (now_us() - start));
    }
    free(memory);
    return sum == 0 ? 1e6 * best : 0;
}

static void show_machine(void)
{
    printf("machine: G a second: sgemm %.0f multiplications, memory %.1f bytes, products", sgemm_peak() / 1e9,
           read_peak() / 1e9);
    for (size_t i = 0; i < PRODUCT_KERNEL_COUNT; i++)
        if (product_kernels[i].supported())
            printf(" %.0f (%s)", products_peak(&product_kernels[i]) / 1e9, product_kernels[i].name);
    printf("\n");
}

static void show(uint32_t item_count, bool clustered)
{
    static struct rig rig;
    rig_open(&rig, item_count, clustered);
    arena_reset(&rig.arena);
    run(&rig, OURS, 0, BATCH_MAX);
    printf("%u %s items, %.1f us a click for products and exponentials alone: %.1f MiB, %.0f KiB for a batch of %u "
           "(plain: %.1f MiB and "
           "%.1f MiB)\n",
           item_count, clustered ? "clustered" : "random",
           item_count * (WIDTH * 2.0) / products_peak(product_kernel_best()) * 1e6,
           (double)neural_memory(rig.neural) / 1048576, (double)rig.arena.used / 1024, BATCH_MAX,
           item_count * (WIDTH * 4.0) / 1048576, item_count * (BATCH_MAX * 4.0) / 1048576);
    show_times(&rig);
    show_lists(&rig);
    rig_close(&rig);
}

int main(int argc, char **argv)
{
    trial_must(system_begin_products(), "OpenBLAS");
    show_machine();
    for (int i = 1; i < argc || i == 1; i++) {
        long item_count = argc > 1 ? strtol(argv[i], NULL, 10) : 0;
        if (argc > 1 && (item_count < CAPACITY || item_count > 100000000)) {
            fputs("usage: bench_scoring [ITEMS...]\n", stderr);
            return 2;
        }
        for (int clustered = 0; clustered < 2; clustered++)
            show(argc > 1 ? (uint32_t)item_count : 43097, clustered);
        if (argc == 1)
            show(1000000, false);
    }
    return 0;
}

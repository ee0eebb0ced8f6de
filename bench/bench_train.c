// SPDX-License-Identifier: Apache-2.0
/* Training of session models: clicks learned per CPU-second.
 *
 *     bench_train [STEPS [BACKBONE...]]
 *
 * On synthetic sessions of Diginetica's size (43,097 items, 186,670 sessions of 4.9 clicks on average, items drawn by a
 * power law): width 100, 512 clicks a step, against 2,048 drawn items, and against all items. Beside it what OpenBLAS
 * needs for the three products of scores and candidates alone, which no step can do without: the rest is the price of
 * everything else. CPU time of one thread; the best of 3 runs of STEPS steps (100 unless told), because the machine may
 * have other work. Behind it how much faster a step is on two threads, by the wall clock: the fastest of 3 STEPS steps
 * each, one thread and two taking turns. It says little where two CPUs were never free at once. */
#include "bench/trial.h"

#include "core/model/arithmetic.h"

#include <eddy/core/trainer.h>
#include <eddy/io/system.h>
#include <eddy/io/team.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ITEMS      43097u
#define SESSIONS   186670u
#define LENGTH_MAX 20
#define WIDTH      100u
#define BATCH      512u
#define NEGATIVES  2048u
#define RUNS       3

struct shop {
    uint32_t *starts, *items;
    struct training_sessions sessions;
};

static void shop_make(struct shop *shop)
{
    struct random random;
    random_seed(&random, 1);
    shop->starts = malloc((SESSIONS + 1) * sizeof *shop->starts);
    shop->items = malloc((size_t)SESSIONS * LENGTH_MAX * sizeof *shop->items);
    if (!shop->starts || !shop->items)
        trial_die("no memory");
    shop->starts[0] = 0;
    for (uint32_t i = 0; i < SESSIONS; i++) {
        uint32_t length = 2, at = shop->starts[i];
        while (length < LENGTH_MAX && random_unit(&random) < 0.75)
            length++;
        for (uint32_t j = 0; j < length; j++) /* density of an item of rank r: about r^-0.7 */
            shop->items[at + j] = (uint32_t)(pow(random_unit(&random), 1 / 0.3) * ITEMS);
        shop->starts[i + 1] = at + length;
    }
    shop->sessions = (struct training_sessions){SESSIONS, shop->starts, shop->items};
}

static double seconds_since(int64_t start_ns)
{
    return (double)(system_thread_cpu_ns() - start_ns) / 1e9;
}

/* Seconds a step for the three products alone. */
static double products(uint32_t candidates)
{
    float *a = calloc(BATCH * WIDTH, sizeof *a), *b = calloc((size_t)candidates * WIDTH, sizeof *b);
    float *c = calloc((size_t)BATCH * candidates, sizeof *c), *d = calloc((size_t)candidates * WIDTH, sizeof *d);
    double best = INFINITY;
    if (!a || !b || !c || !d)
        trial_die("no memory");
    for (int run = 0; run < 2 * RUNS; run++) {
        int64_t start_ns = system_thread_cpu_ns();
        for (int i = 0; i < 10; i++) {
            matrix_nt(BATCH, candidates, WIDTH, 1, a, b, 0, c);
            matrix_nn(BATCH, WIDTH, candidates, 1, c, b, 0, a);
            matrix_tn(candidates, WIDTH, BATCH, 1, c, a, 0, d);
        }
        double seconds = seconds_since(start_ns) / 10;
        best = seconds < best ? seconds : best;
    }
    free(a);
    free(b);
    free(c);
    free(d);
    return best;
}

struct result {
    double step_s;   /* CPU time */
    double speed_up; /* by a second thread */
};

static void make_steps(struct trainer *trainer, uint64_t steps)
{
    struct trained_step step;
    for (uint64_t i = 0; i < steps; i++)
        trial_must(trainer_step(trainer, &step), "a step");
}

static double cpu_seconds(struct trainer *trainer, uint64_t steps)
{
    double best = INFINITY;
    for (int run = 0; run < RUNS; run++) {
        int64_t start_ns = system_thread_cpu_ns();
        make_steps(trainer, steps);
        double seconds = seconds_since(start_ns) / (double)steps;
        best = seconds < best ? seconds : best;
    }
    return best;
}

static double speed_up(struct trainer *trainer, uint64_t turns)
{
    struct team *team;
    int64_t best_us[2] = {INT64_MAX, INT64_MAX};
    trial_must(team_open(2, &team), "two threads");
    for (uint64_t turn = 0; turn < 2 * turns; turn++) {
        trainer_run_on(trainer, turn % 2 ? team_parallel(team) : parallel_in_order());
        int64_t start_us = trial_now_us();
        make_steps(trainer, 1);
        int64_t took_us = trial_now_us() - start_us;
        best_us[turn % 2] = took_us < best_us[turn % 2] ? took_us : best_us[turn % 2];
    }
    trainer_run_on(trainer, parallel_in_order());
    team_close(team);
    return (double)best_us[0] / (double)best_us[1];
}

static struct result train(const struct shop *shop, const struct backbone *backbone, uint32_t negatives, uint64_t steps)
{
    const struct model_options model_options = {.backbone = backbone,
                                                .width = WIDTH,
                                                .length_max = LENGTH_MAX,
                                                .normalise = true,
                                                .temperature = 0.07f,
                                                .directed = true};
    const struct trainer_options options = {.epochs = 100,
                                            .batch = BATCH,
                                            .negatives = negatives,
                                            .negative_power = 0.5f,
                                            .rate = 0.001f,
                                            .dropout = 0.2f,
                                            .seed = 1};
    struct model *model;
    struct trainer *trainer;
    trial_must(model_open(&model_options, ITEMS, 1, &model), "a model");
    trial_must(trainer_open(&options, &shop->sessions, model, &trainer), "a trainer");
    make_steps(trainer, 1); /* makes the order of the epoch */
    struct result result = {.step_s = cpu_seconds(trainer, steps)};
    result.speed_up = speed_up(trainer, RUNS * steps);
    trainer_close(trainer);
    model_close(model);
    return result;
}

static void row(const struct shop *shop, const struct backbone *backbone, uint32_t negatives, uint64_t steps)
{
    uint32_t candidates = negatives ? BATCH + negatives : ITEMS;
    struct result result = train(shop, backbone, negatives, negatives ? steps : 1 + steps / 10);
    double step = result.step_s, least = products(candidates);
    printf("%-12s %-10s %8.0f clicks per CPU-second, %6.2f ms a step, %4.1f times the products (%.0f GFLOP/s), "
           "two threads %.2f times as fast\n",
           backbone_title(backbone), negatives ? "2,048" : "all items", BATCH / step, 1000 * step, step / least,
           6.0 * BATCH * candidates * WIDTH / least / 1e9, result.speed_up);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct shop shop;
    int64_t steps = argc > 1 ? atoll(argv[1]) : 100;
    if (steps < 1) {
        fputs("usage: bench_train [STEPS [BACKBONE...]]\n", stderr);
        return 2;
    }
    trial_must(system_begin_products(), "OpenBLAS");
    shop_make(&shop);
    printf("%u items, %u sessions, %u clicks; width %u, %u clicks a step\n", ITEMS, SESSIONS, shop.starts[SESSIONS],
           WIDTH, BATCH);
    for (size_t i = 0; i < BACKBONE_COUNT; i++) {
        bool wanted = argc <= 2;
        for (int j = 2; j < argc; j++)
            wanted = wanted || !strcmp(argv[j], backbone_name(backbones[i]));
        if (!wanted)
            continue;
        row(&shop, backbones[i], NEGATIVES, (uint64_t)steps);
        row(&shop, backbones[i], 0, (uint64_t)steps);
    }
    free(shop.starts);
    free(shop.items);
    return 0;
}

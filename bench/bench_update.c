// SPDX-License-Identifier: Apache-2.0
/* What an update of a session model costs.
 *
 *     bench_update [CLICKS [REPLAY]]
 *
 * On synthetic sessions of Diginetica's size (43,097 items, sessions of 4.9 clicks on average, items drawn by a power
 * law): PW-CORE of width 100 with 900,000 clicks behind it learns from so many new ones (100,000 unless told), with so
 * many older ones for each (4), in two passes, 512 clicks a step against 2,048 drawn items, and is judged by 5,000 held
 * back. CPU time of one thread, and how long the longest step takes, because a stop waits for it. */
#include "bench/trial.h"

#include <eddy/base/random.h>
#include <eddy/core/updater.h>
#include <eddy/io/system.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#define ITEMS      43097u
#define LENGTH_MAX 20
#define PAST       900000u

static const struct updater_options options = {
    .model = {.width = 100, .length_max = 20, .normalise = true, .temperature = 0.07f},
    .training = {.epochs = 1,
                 .batch = 512,
                 .negatives = 2048,
                 .negative_power = 0.5f,
                 .rate = 0.002f,
                 .dropout = 0.2f,
                 .seed = 1},
    .items_max = ITEMS,
    .clicks_max = 1000000,
    .passes = 2,
    .rate = 0.001f,
    .replay = 16,
    .samples_max = 1000000,
    .half_life_ms = INT64_C(7) * 86400000,
    .held_share = 0.1f,
    .held_max = 5000,
    .noise = 2};

static void add(struct updater *updater, struct random *random, uint32_t clicks)
{
    static int64_t time_ms;
    for (uint32_t added = 0; added < clicks;) {
        uint32_t items[LENGTH_MAX], length = 2;
        while (length < LENGTH_MAX && random_unit(random) < 0.75)
            length++;
        for (uint32_t i = 0; i < length; i++) /* density of an item of rank r: about r^-0.7 */
            items[i] = (uint32_t)(pow(random_unit(random), 1 / 0.3) * ITEMS);
        trial_must(updater_add(updater, items, length, time_ms += 10000), "a session");
        added += length;
    }
}

static double seconds_since(int64_t start_ns)
{
    return (double)(system_thread_cpu_ns() - start_ns) / 1e9;
}

static void update(struct updater *updater)
{
    struct updater_result result;
    bool begun, done = false;
    double longest = 0;
    int64_t start_ns = system_thread_cpu_ns();
    trial_must(updater_begin(updater, &begun), "an update");
    double began = seconds_since(start_ns), trained = 0;
    while (!done) {
        int64_t step_ns = system_thread_cpu_ns();
        trial_must(updater_step(updater, &done, &result), "a step");
        double took = seconds_since(step_ns);
        longest = took > longest ? took : longest;
        trained += took;
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf(
        "%u new clicks, %llu samples, %u predictions by each model: %.1f s CPU (%.2f to begin), longest step %.0f ms, "
        "at most %ld MiB\n",
        result.window_clicks, (unsigned long long)result.samples, result.predictions, began + trained, began,
        1000 * longest, usage.ru_maxrss / 1024);
}

int main(int argc, char **argv)
{
    struct updater_options own = options;
    struct updater *updater;
    struct model *model;
    struct random random;
    int64_t clicks = argc > 1 ? atoll(argv[1]) : 100000;
    own.replay = argc > 2 ? (float)atof(argv[2]) : own.replay;
    own.model.backbone = backbone_named("pw_core");
    if (clicks < 2 || clicks > PAST || own.replay < 0) {
        fputs("usage: bench_update [CLICKS [REPLAY]]\n", stderr);
        return 2;
    }
    random_seed(&random, 1);
    trial_must(model_open(&own.model, ITEMS, 1, &model), "a model");
    trial_must(updater_open(&own, model, &updater), "an updater");
    model_close(model);
    add(updater, &random, PAST);
    updater_mark_learned(updater);
    add(updater, &random, (uint32_t)clicks);
    update(updater);
    updater_close(updater);
    return 0;
}

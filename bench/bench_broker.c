// SPDX-License-Identifier: Apache-2.0
/* eddy on a real broker: clicks per CPU-second of the whole application, and the time from a click to its
 * recommendation beside the time from producing to consuming a record.
 *
 *   bench_broker BOOTSTRAP EDDY_BINARY [throughput|latency] [CLICKS|SECONDS] [KEY=VALUE...]
 *
 * The kNN scorer looks at 500 sessions and lets 100 vote, as Serenade's published setting, unless told otherwise. */
#include "bench/listener.h"
#include "bench/load.h"

#include <eddy/core/codec.h>
#include <eddy/io/kafka.h>
#include <eddy/io/system.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ITEMS         100000
#define SESSIONS      20000
#define RATE          1000 /* clicks a second, for latency */
#define ROUNDS        5    /* of latency, for medians */

#define QUEUE_RECORDS 500000
#define QUEUE_BYTES   (256u << 20)

static struct trial trial = {.settings = {"knn.sample_max=500", "knn.neighbours_max=100"}, .setting_count = 2};

static struct generate_options shop(void)
{
    struct generate_options options = generate_defaults();
    options.items = ITEMS;
    options.sessions = SESSIONS;
    options.clicks_per_second = 100; /* of event time, so that sessions close and are learned while it runs */
    return options;
}

static void fill_topics(int64_t clicks)
{
    const struct generate_options options = shop();
    struct generator *generator;
    struct complaint complaint = {0};
    trial_must(generator_open(&options, &complaint, &generator), "generator");
    struct kafka_sink *sink = trial_open_sink(&trial, QUEUE_RECORDS, QUEUE_BYTES);
    struct record_sink port = kafka_sink_port(sink);
    AUTO(buffer) value = {0};
    for (uint32_t i = 0; i < ITEMS; i++) {
        struct item item;
        generator_item(generator, i, &item);
        encode_item((struct encoding){RECORD_AVRO, 0}, &item, &value);
        trial_publish(port, OUTPUT_ITEMS, item.item_id, &value);
    }
    for (int64_t i = 0; i < clicks; i++) {
        struct click click;
        generator_next(generator, &click);
        encode_click((struct encoding){RECORD_AVRO, 0}, &click, &value);
        trial_publish(port, OUTPUT_CLICKS, click.session_id, &value);
    }
    trial_must(port.ops->flush(port.self, 60000), "flush");
    kafka_sink_close(sink);
    generator_close(generator);
}

static void throughput(int64_t clicks)
{
    trial_create_topics(&trial);
    fill_topics(clicks);
    for (int scoring = 1; scoring >= 0; scoring--) {
        char group[128];
        int settings_before = trial.setting_count;
        if (!scoring)
            trial_set(&trial, "recommend.scoring=false");
        /* a new group over the same clicks; sessions closed by the first run are learned already */
        snprintf(group, sizeof group, "group_id=%s%d", trial.prefix, scoring);
        trial_set(&trial, group);
        pid_t pid = trial_start(&trial);
        trial_wait_ready(&trial);
        double cpu = trial_cpu_seconds(pid);
        int64_t began_us = trial_now_us(), done;
        while ((done = trial_metric(&trial, "eddy_clicks_total")) < clicks)
            system_wait_ms(50);
        double seconds = (double)(trial_now_us() - began_us) / 1e6, used = trial_cpu_seconds(pid) - cpu;
        printf("scoring %-3s  %lld clicks in %.2f s (%.0f clicks/s), %.2f CPU-s (%.0f clicks per CPU-second); start "
               "%.2f CPU-s\n",
               scoring ? "on" : "off", (long long)done, seconds, (double)done / seconds, used, (double)done / used,
               cpu);
        fflush(stdout);
        trial_stop(pid);
        trial_remove_state(&trial);
        trial.setting_count = settings_before;
    }
}

/* ---- latency */

/* What eddy knows when it starts: a million clicks of the shop, so that each list has something to choose from. */
static void learn_shop(const char *file)
{
    char clicks[TRIAL_PATH_MAX + 8];
    snprintf(clicks, sizeof clicks, "%s.tsv", file);
    const char *const words[][12] = {
        {trial.binary, "generate", "--items", "100000", "--sessions", "20000", "--rate", "100", "--output", clicks,
         NULL},
        {trial.binary, "replay", "--set", "recommend.scoring=false", "--into-state", file, clicks, NULL}};
    for (int i = 0; i < 2; i++) {
        pid_t pid = fork();
        if (pid == 0 && freopen("/dev/null", "w", stdout) && freopen("/dev/null", "w", stderr))
            execv(trial.binary, (char *const *)(uintptr_t)words[i]); /* which writes to none of them */
        if (pid == 0)
            _exit(127);
        trial_wait(pid);
    }
    unlink(clicks);
}

static void send_clicks(int64_t base_ms, int64_t count, _Atomic int64_t *sent_us)
{
    struct generate_options options = shop();
    options.sessions = RATE; /* a session clicks about every second */
    struct generator *generator;
    struct complaint complaint = {0};
    trial_must(generator_open(&options, &complaint, &generator), "generator");
    load_send(&trial, generator, RATE, base_ms, count, sent_us);
    generator_close(generator);
}

enum heard { HEARD_CLICKS, HEARD_LISTS, HEARD_COMMITTED_LISTS, HEARD_COUNT };

static const char *const heard_texts[HEARD_COUNT] = {"click produced to consumed", "click to recommendation",
                                                     "click to committed recommendation"};

static void start_listeners(struct listener *listeners, pthread_t *threads)
{
    for (int i = 0; i < HEARD_COUNT; i++)
        pthread_create(&threads[i], NULL, listener_run, &listeners[i]);
    trial_wait_ready(&trial);
    for (int i = 0; i < HEARD_COUNT; i++)
        while (!listeners[i].ready)
            system_wait_ms(20);
}

static void stop_listeners(struct listener *listeners, const pthread_t *threads)
{
    for (int i = 0; i < 500 && listeners[HEARD_COMMITTED_LISTS].heard < listeners->count; i++)
        system_wait_ms(20);
    for (int i = 0; i < HEARD_COUNT; i++) {
        listeners[i].stop = true;
        pthread_join(threads[i], NULL);
    }
}

static void latency(int64_t seconds, double ret_p99_ms[HEARD_COUNT])
{
    int64_t count = seconds * RATE;
    int64_t base_ms = trial_wall_ms();
    _Atomic int64_t *sent_us = calloc((size_t)count, sizeof *sent_us);
    char clicks_topic[96], lists_topic[96];
    snprintf(clicks_topic, sizeof clicks_topic, "%sclicks", trial.prefix);
    snprintf(lists_topic, sizeof lists_topic, "%srecommendations", trial.prefix);
    trial_create_topics(&trial);
    static struct listener listeners[HEARD_COUNT];
    for (int i = 0; i < HEARD_COUNT; i++)
        listeners[i] = (struct listener){.bootstrap = trial.bootstrap,
                                         .partitions = TRIAL_PARTITIONS,
                                         .topic = i == HEARD_CLICKS ? clicks_topic : lists_topic,
                                         .recommendations = i != HEARD_CLICKS,
                                         .committed = i == HEARD_COMMITTED_LISTS,
                                         .base_ms = base_ms,
                                         .sent_us = sent_us,
                                         .count = count,
                                         .warm_up = count / 5};
    pthread_t threads[HEARD_COUNT];
    pid_t pid = trial_start(&trial);
    start_listeners(listeners, threads);
    send_clicks(base_ms, count, sent_us);
    stop_listeners(listeners, threads);
    for (int i = 0; i < HEARD_COUNT; i++) {
        listener_report(&listeners[i], heard_texts[i]);
        ret_p99_ms[i] = listener_p99_ms(&listeners[i]);
    }
    const struct listener *lists = &listeners[HEARD_COMMITTED_LISTS];
    if (lists->heard != count)
        printf("only %lld of %lld clicks were answered\n", (long long)lists->heard, (long long)count);
    printf("items in a list on average: %.1f\n", (double)lists->listed / (double)(lists->heard ? lists->heard : 1));
    trial_stop(pid);
    trial_remove_state(&trial);
    free(sent_us);
}

static int compare_numbers(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double median(double *numbers)
{
    qsort(numbers, ROUNDS, sizeof *numbers, compare_numbers);
    return numbers[ROUNDS / 2];
}

static void latency_rounds(int64_t seconds)
{
    double p99_ms[HEARD_COUNT][ROUNDS], round_ms[HEARD_COUNT], median_ms[HEARD_COUNT];
    char name[32], learned[TRIAL_PATH_MAX], setting[TRIAL_PATH_MAX + 32];
    snprintf(name, sizeof name, "broker-%d", (int)getpid());
    trial_path(learned, name);
    snprintf(setting, sizeof setting, "learn.snapshot=%s", learned);
    learn_shop(learned);
    trial_set(&trial, setting);
    for (int i = 0; i < ROUNDS; i++) {
        trial_begin(&trial);
        latency(seconds, round_ms);
        for (int heard = 0; heard < HEARD_COUNT; heard++)
            p99_ms[heard][i] = round_ms[heard];
        fflush(stdout);
    }
    unlink(learned);
    for (int heard = 0; heard < HEARD_COUNT; heard++)
        median_ms[heard] = median(p99_ms[heard]);
    printf("medians of %d p99:", ROUNDS);
    for (int heard = 0; heard < HEARD_COUNT; heard++)
        printf(" %s %.2f ms%s", heard_texts[heard], median_ms[heard], heard + 1 < HEARD_COUNT ? "," : "\n");
    printf("recommendation over produced and consumed: %.2f ms more, when committed %.2f ms\n",
           median_ms[HEARD_LISTS] - median_ms[HEARD_CLICKS],
           median_ms[HEARD_COMMITTED_LISTS] - median_ms[HEARD_CLICKS]);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        puts("usage: bench_broker BOOTSTRAP EDDY_BINARY [throughput|latency] [CLICKS|SECONDS] [KEY=VALUE...]\n"
             "needs a broker: tools/kafka start");
        return 0;
    }
    trial.bootstrap = argv[1];
    trial.binary = argv[2];
    const char *what = argc > 3 ? argv[3] : "throughput";
    bool is_latency = !strcmp(what, "latency");
    int64_t amount = argc > 4 ? atoll(argv[4]) : is_latency ? 20 : 1000000;
    for (int i = 5; i < argc; i++)
        trial_set(&trial, argv[i]);
    if (is_latency) {
        latency_rounds(amount);
    } else {
        trial_begin(&trial);
        throughput(amount);
    }
    return 0;
}

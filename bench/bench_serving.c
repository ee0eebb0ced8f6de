// SPDX-License-Identifier: Apache-2.0
/* What answering clicks pays for an update of the session model that another process makes on the same machine, and how
 * long after its window has closed the update answers clicks.
 *
 *   bench_serving BOOTSTRAP EDDY_BINARY [SECONDS [ROUNDS [KEY=VALUE...]]]
 *
 * One eddy recommends, of 43,097 items by all scorers, to a shop that sends 1,000 clicks a second. Another one trains:
 * it has made a model of 400,000 clicks. In each round the shop clicks for SECONDS (60 unless told otherwise) while the
 * trainer is away, and for as long with it. Either time sessions of 100,000 other clicks close at the beginning, which
 * both have to learn; those of the first time the trainer has learned before the second. */
#include "bench/listener.h"
#include "bench/load.h"

#include <eddy/core/codec.h>
#include <eddy/io/system.h>

#include <math.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ITEMS      43097u
#define SESSIONS   1000
#define RATE       1000
#define HISTORY    400000
#define WINDOW     100000
#define ROUNDS_MAX 40 /* what has closed is of the last day */
#define WAIT_MAX_S 600
#define SETTLE_MS  15000
#define LENGTH_MAX 200

/* So that a window is learned as one, at once, and published whatever the gate finds of a made-up shop. */
#define SETTINGS                                                                                                       \
    "update.first_clicks=400000", "update.clicks=100000", "update.interval_ms=0", "update.noise=100",                  \
        "train.epochs=2", "learn.delay_ms=0"

static struct trial serving = {.settings = {SETTINGS}, .setting_count = 6};
static struct trial training = {.settings = {SETTINGS, "roles=train"}, .setting_count = 7};

/* ---- sessions that have closed */

struct writer {
    struct generator *generator;
    struct catalogue *catalogue;
    struct kafka_sink *sink;
    struct buffer value;
    int64_t number, time_ms;
};

static struct generator *open_shop(uint64_t seed)
{
    struct generate_options options = generate_defaults();
    struct generator *generator;
    struct complaint complaint = {0};
    options.items = ITEMS;
    options.sessions = SESSIONS;
    options.seed = seed;
    trial_must(generator_open(&options, &complaint, &generator), "generator");
    return generator;
}

static uint32_t intern(struct writer *writer, struct bytes item_id)
{
    uint32_t item;
    trial_must(catalogue_intern(writer->catalogue, item_id, &item), "catalogue");
    return item;
}

static void write_session(struct writer *writer, const uint32_t *items, uint32_t length)
{
    int64_t times_ms[LENGTH_MAX];
    uint8_t types[LENGTH_MAX] = {0};
    char id[32];
    snprintf(id, sizeof id, "closed-%lld", (long long)writer->number++);
    for (uint32_t i = 0; i < length; i++)
        times_ms[i] = writer->time_ms += 10;
    const struct closed_session session = {.view = {.key = bytes_of_text(id),
                                                    .session_id = bytes_of_text(id),
                                                    .items = items,
                                                    .times_ms = times_ms,
                                                    .types = types,
                                                    .length = length,
                                                    .total = length},
                                           .close_ms = writer->time_ms};
    encode_closed_session((struct encoding){RECORD_AVRO, 0}, &session,
                          (struct session_origin){.offset = writer->number}, writer->catalogue, &writer->value);
    trial_publish(kafka_sink_port(writer->sink), OUTPUT_SESSIONS, session.view.key, &writer->value);
}

/* Sessions that have every item once, so that all are known. */
static int64_t write_all_items(struct writer *writer)
{
    uint32_t items[10], length = 0;
    for (uint32_t i = 0; i < ITEMS; i++) {
        struct item item;
        generator_item(writer->generator, i, &item);
        items[length++] = intern(writer, item.item_id);
        if (length == 10 || i + 1 == ITEMS)
            write_session(writer, items, length), length = 0;
    }
    return ITEMS;
}

/* One of the generator's sessions after the other: with one open at a time they do not mix. */
static void write_sessions(struct writer *writer, int64_t clicks)
{
    uint32_t items[LENGTH_MAX], length = 0;
    char last[64] = "";
    while (clicks > 0 || length > 0) {
        struct click click;
        generator_next(writer->generator, &click);
        bool other = !bytes_equal(click.session_id, bytes_of_text(last));
        if (length > 0 && (other || length == LENGTH_MAX)) {
            if (length > 1)
                write_session(writer, items, length), clicks -= length;
            length = 0;
            if (clicks <= 0)
                break;
        }
        snprintf(last, sizeof last, "%.*s", (int)click.session_id.size, (const char *)click.session_id.data);
        items[length++] = intern(writer, click.item_id);
    }
    struct record_sink port = kafka_sink_port(writer->sink);
    trial_must(port.ops->flush(port.self, 60000), "flush");
}

static void writer_open(struct writer *writer)
{
    struct generate_options options = generate_defaults();
    struct complaint complaint = {0};
    options.items = ITEMS;
    options.sessions = 1;
    *writer = (struct writer){.time_ms = trial_wall_ms() - 86400000};
    trial_must(generator_open(&options, &complaint, &writer->generator), "generator");
    trial_must(catalogue_open(&(struct catalogue_options){.items_max = ITEMS, .memory_max_bytes = 16u << 20},
                              &writer->catalogue),
               "catalogue");
    writer->sink = trial_open_sink(&serving, 500000, 256u << 20);
}

static void writer_close(struct writer *writer)
{
    kafka_sink_close(writer->sink);
    catalogue_close(writer->catalogue);
    generator_close(writer->generator);
    buffer_release(&writer->value);
}

/* ---- one time */

/* When the serving process took a later version into use than it had. */
struct watcher {
    int64_t version;
    _Atomic int64_t loaded_us;
    _Atomic bool stop;
};

static void *watch(void *context)
{
    struct watcher *watcher = context;
    while (!watcher->stop && !watcher->loaded_us) {
        if (trial_metric(&serving, "eddy_model_version") > watcher->version)
            watcher->loaded_us = trial_now_us();
        system_wait_ms(100);
    }
    return NULL;
}

struct measured {
    double click_us, p50_ms, p99_ms, loaded_s; /* loaded_s: INFINITY when no version was */
};

static struct measured measure(struct writer *writer, struct generator *shop, pid_t pid, int64_t seconds)
{
    static struct listener listener;
    char topic[96];
    pthread_t hearing, watching;
    int64_t count = seconds * RATE, base_ms = trial_wall_ms();
    _Atomic int64_t *sent_us = calloc((size_t)count, sizeof *sent_us);
    struct watcher watcher = {.version = trial_metric(&serving, "eddy_model_version")};
    snprintf(topic, sizeof topic, "%srecommendations", serving.prefix);
    listener = (struct listener){.bootstrap = serving.bootstrap,
                                 .partitions = TRIAL_PARTITIONS,
                                 .topic = topic,
                                 .recommendations = true,
                                 .from_now = true,
                                 .base_ms = base_ms,
                                 .sent_us = sent_us,
                                 .count = count};
    pthread_create(&hearing, NULL, listener_run, &listener);
    while (!listener.ready)
        system_wait_ms(20);
    pthread_create(&watching, NULL, watch, &watcher);
    double cpu = trial_cpu_seconds(pid);
    write_sessions(writer, WINDOW);
    int64_t closed_us = trial_now_us();
    load_send(&serving, shop, RATE, base_ms, count, sent_us);
    for (int i = 0; i < 500 && listener.heard < count; i++)
        system_wait_ms(20);
    cpu = trial_cpu_seconds(pid) - cpu;
    if (listener.heard != count)
        trial_die("not all clicks were answered");
    watcher.stop = listener.stop = true;
    pthread_join(hearing, NULL);
    pthread_join(watching, NULL);
    free(sent_us);
    return (struct measured){.click_us = cpu * 1e6 / (double)count,
                             .p50_ms = (double)histogram_quantile(&listener.latency_us, 0.5) / 1e3,
                             .p99_ms = listener_p99_ms(&listener),
                             .loaded_s = watcher.loaded_us ? (double)(watcher.loaded_us - closed_us) / 1e6 : INFINITY};
}

/* ---- rounds */

static void wait_version(int64_t version)
{
    for (int i = 0; trial_metric(&serving, "eddy_model_version") < version; i++) {
        if (i >= WAIT_MAX_S * 10)
            trial_die("no version is published: is an update refused?");
        system_wait_ms(100);
    }
}

static int compare_numbers(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double median_of(const struct measured *measured, int count, size_t member)
{
    double numbers[ROUNDS_MAX];
    for (int i = 0; i < count; i++)
        memcpy(&numbers[i], (const char *)&measured[i] + member, sizeof numbers[i]);
    qsort(numbers, (size_t)count, sizeof *numbers, compare_numbers);
    return numbers[count / 2];
}

#define MEDIAN(list, count, member) median_of(list, count, offsetof(struct measured, member))

static void say(const char *what, struct measured measured)
{
    printf("%-15s %6.1f us of CPU a click, p50 %.2f ms, p99 %.2f ms", what, measured.click_us, measured.p50_ms,
           measured.p99_ms);
    if (isfinite(measured.loaded_s))
        printf("; in use %.1f s after the window closed", measured.loaded_s);
    putchar('\n');
    fflush(stdout);
}

static void rounds(int count, int64_t seconds)
{
    struct measured alone[ROUNDS_MAX], beside[ROUNDS_MAX];
    struct generator *shop = open_shop(2);
    struct writer writer;
    writer_open(&writer);
    write_sessions(&writer, HISTORY - write_all_items(&writer));
    pid_t pid = trial_start(&serving), trainer = trial_start(&training);
    trial_wait_ready(&serving);
    wait_version(1);
    trial_stop(trainer);
    system_wait_ms(SETTLE_MS); /* until what is there has been learned by the other scorers, too */
    for (int i = 0; i < count; i++) {
        int64_t version = trial_metric(&serving, "eddy_model_version");
        say("alone", alone[i] = measure(&writer, shop, pid, seconds));
        trainer = trial_start(&training);
        wait_version(version + 1);
        say("beside training", beside[i] = measure(&writer, shop, pid, seconds));
        trial_stop(trainer);
    }
    double alone_us = MEDIAN(alone, count, click_us), beside_us = MEDIAN(beside, count, click_us);
    printf("medians of %d: %.1f us a click alone, %.1f beside training (%+.1f %%); p99 %.2f and %.2f ms; in use %.1f s "
           "after the window closed\n",
           count, alone_us, beside_us, 100 * (beside_us / alone_us - 1), MEDIAN(alone, count, p99_ms),
           MEDIAN(beside, count, p99_ms), MEDIAN(beside, count, loaded_s));
    trial_stop(pid);
    writer_close(&writer);
    generator_close(shop);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        puts("usage: bench_serving BOOTSTRAP EDDY_BINARY [SECONDS [ROUNDS [KEY=VALUE...]]]\n"
             "as './dev bench serving' starts it, with a broker of its own");
        return 0;
    }
    int64_t seconds = argc > 3 ? atoll(argv[3]) : 60;
    int count = argc > 4 ? atoi(argv[4]) : 5;
    if (seconds < 1 || count < 1 || count > ROUNDS_MAX) {
        fputs("bench_serving: SECONDS and ROUNDS are numbers from 1 on\n", stderr);
        return 2;
    }
    serving.bootstrap = training.bootstrap = argv[1];
    serving.binary = training.binary = argv[2];
    for (int i = 5; i < argc; i++) {
        trial_set(&serving, argv[i]);
        trial_set(&training, argv[i]);
    }
    trial_begin(&serving);
    memcpy(training.prefix, serving.prefix, sizeof training.prefix);
    snprintf(training.state_directory, sizeof training.state_directory, "%.*s-trainer", TRIAL_PATH_MAX - 16,
             serving.state_directory);
    training.http_port = (uint16_t)(serving.http_port + 1);
    trial_create_topics(&serving);
    rounds(count, seconds);
    trial_remove_state(&serving);
    trial_remove_state(&training);
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
/* How long visitors wait when eddy starts again with a million open sessions, and how fast they are made again where
 * their state is lost.
 *
 *   bench_restart BOOTSTRAP EDDY_BINARY [SESSIONS] [KEY=VALUE...]
 *
 * Fills the clicks topic with SESSIONS sessions of two clicks each, all open, and has eddy answer them. Then, while
 * 1,000 clicks a second come in for those sessions, eddy is stopped and started again, five times; then killed and
 * started again, five times. Each time the wait is from eddy's asking the group for its partitions to the first answer
 * that a subscriber hears. At last the state is removed: a new owner applies all clicks again. */
#include "bench/trial.h"

#include <eddy/base/arena.h>
#include <eddy/base/timestamp.h>
#include <eddy/core/codec.h>
#include <eddy/io/system.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ITEMS         100000
#define APART         20000  /* sessions begun between the clicks of one */
#define SPAN_MS       600000 /* of the clicks: younger than session.gap_ms */
#define RATE          1000
#define ROUNDS        5
#define FORGET_MS     20000 /* the group misses a static member that is gone: 15 s */
#define FILL_MAX_S    1800
#define QUEUE_RECORDS 500000
#define QUEUE_BYTES   (256u << 20)

static struct trial trial;
static int64_t sessions = 1000000;
static _Atomic bool stop_sending;
static _Atomic int64_t heard_ms; /* wall clock of the first answer since it was set to 0 */
static _Atomic bool stop_hearing;

/* ---- clicks */

static void send_click(struct record_sink port, struct buffer *value, int64_t session, int64_t number, int64_t time_ms)
{
    char session_id[32], item_id[32];
    snprintf(session_id, sizeof session_id, "session-%08lld", (long long)session);
    snprintf(item_id, sizeof item_id, "item-%llu", (unsigned long long)number * 2654435761 % ITEMS);
    const struct click click = {
        .session_id = bytes_of_text(session_id), .item_id = bytes_of_text(item_id), .time_ms = time_ms};
    encode_click((struct encoding){RECORD_AVRO, 0}, &click, value);
    trial_publish(port, OUTPUT_CLICKS, click.session_id, value);
}

static void fill_clicks(void)
{
    struct kafka_sink *sink = trial_open_sink(&trial, QUEUE_RECORDS, QUEUE_BYTES);
    struct record_sink port = kafka_sink_port(sink);
    AUTO(buffer) value = {0};
    int64_t steps = sessions + APART, start_ms = trial_wall_ms() - SPAN_MS;
    for (int64_t i = 0; i < steps; i++) {
        int64_t time_ms = start_ms + i * SPAN_MS / steps;
        if (i < sessions)
            send_click(port, &value, i, i, time_ms);
        if (i >= APART)
            send_click(port, &value, i - APART, i + 1, time_ms);
    }
    trial_must(port.ops->flush(port.self, 60000), "flush");
    kafka_sink_close(sink);
}

static void *send_clicks(void *context)
{
    (void)context;
    struct kafka_sink *sink = trial_open_sink(&trial, QUEUE_RECORDS, QUEUE_BYTES);
    struct record_sink port = kafka_sink_port(sink);
    AUTO(buffer) value = {0};
    int64_t began_us = trial_now_us();
    for (int64_t i = 0; !stop_sending; i++) {
        while (trial_now_us() - began_us < i * 1000000 / RATE)
            system_wait_ms(1);
        send_click(port, &value, i * 7919 % sessions, i, trial_wall_ms());
    }
    trial_must(port.ops->flush(port.self, 60000), "flush");
    kafka_sink_close(sink);
    return NULL;
}

static void *hear_answers(void *context)
{
    struct kafka_reader *reader = context;
    while (!stop_hearing) {
        struct message messages[64];
        size_t count;
        trial_must(kafka_reader_poll(reader, 20, messages, 64, &count), "poll");
        int64_t nothing = 0;
        if (count > 0)
            atomic_compare_exchange_strong(&heard_ms, &nothing, trial_wall_ms());
    }
    return NULL;
}

/* ---- what eddy logs */

/* Wall clock of the first line with that text; ends the benchmark without one. */
static int64_t logged_ms(const char *text)
{
    char line[4096];
    int64_t time_ms = 0;
    FILE *file = fopen(trial.log, "r");
    while (file && time_ms == 0 && fgets(line, sizeof line, file)) {
        const char *time = strstr(line, "\"time\":\"");
        if (time && strstr(line, text) && !timestamp_parse(bytes_of(time + 8, strcspn(time + 8, "\"")), &time_ms))
            trial_die("the log's time cannot be read");
    }
    if (file)
        fclose(file);
    if (time_ms == 0)
        trial_die("eddy does not log what it should");
    return time_ms;
}

/* ---- rounds */

static pid_t fill(void)
{
    pid_t pid = trial_start(&trial);
    trial_wait_ready(&trial);
    for (int i = 0; trial_metric(&trial, "eddy_clicks_total") < 2 * sessions; i++) {
        system_wait_ms(200);
        if (i > FILL_MAX_S * 5)
            trial_die("eddy does not answer all clicks");
    }
    int64_t open = trial_metric(&trial, "eddy_sessions_open");
    printf("%lld sessions open\n", (long long)open);
    if (open != sessions)
        trial_die("these are not all");
    return pid;
}

struct wait {
    int64_t assigned_ms; /* from asking for partitions to having them with their sessions */
    int64_t answered_ms; /* ... to the first answer heard */
    double cpu_s;        /* of eddy, from its start to then */
};

static struct wait start_again(pid_t *pid)
{
    system_wait_ms(300); /* what the last one published is heard */
    unlink(trial.log);
    heard_ms = 0;
    *pid = trial_start(&trial);
    trial_wait_ready(&trial);
    for (int i = 0; heard_ms == 0; i++) {
        system_wait_ms(10);
        if (i > 3000)
            trial_die("no answer is heard");
    }
    double cpu_s = trial_cpu_seconds(*pid);
    int64_t asked_ms = logged_ms("waiting for the group");
    return (struct wait){logged_ms("\"event\":\"assigned\"") - asked_ms, heard_ms - asked_ms, cpu_s};
}

static int compare(const void *a, const void *b)
{
    int64_t left = ((const struct wait *)a)->answered_ms, right = ((const struct wait *)b)->answered_ms;
    return (left > right) - (left < right);
}

static pid_t rounds(pid_t pid, bool killed)
{
    struct wait waits[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        system_wait_ms(2000);
        if (killed) {
            kill(pid, SIGKILL);
            waitpid(pid, NULL, 0);
        } else {
            trial_stop(pid);
        }
        waits[i] = start_again(&pid);
    }
    qsort(waits, ROUNDS, sizeof *waits, compare);
    printf("%s and started again: partitions asked for to taken up %lld ms, to the first answer %lld ms (median of %d; "
           "%lld to %lld ms); %.2f CPU-s since its start\n",
           killed ? "killed" : "stopped", (long long)waits[ROUNDS / 2].assigned_ms,
           (long long)waits[ROUNDS / 2].answered_ms, ROUNDS, (long long)waits[0].answered_ms,
           (long long)waits[ROUNDS - 1].answered_ms, waits[ROUNDS / 2].cpu_s);
    fflush(stdout);
    return pid;
}

static void rebuild(void)
{
    trial_remove_state(&trial);
    system_wait_ms(FORGET_MS);
    unlink(trial.log);
    pid_t pid = trial_start(&trial);
    trial_wait_ready(&trial);
    double cpu_s = trial_cpu_seconds(pid);
    int64_t applied = trial_metric(&trial, "eddy_clicks_total{result=\"silent\"}");
    double took_s = (double)(logged_ms("\"event\":\"ready\"") - logged_ms("\"event\":\"rebuilding\"")) / 1e3;
    printf("a new owner applies %lld clicks again: %.2f s, %.2f CPU-s with its start (%.0f clicks per CPU-second)\n",
           (long long)applied, took_s, cpu_s, (double)applied / cpu_s);
    trial_stop(pid);
}

static void run(void)
{
    pthread_t shop, subscriber;
    trial_create_topics(&trial);
    fill_clicks();
    pid_t pid = fill();
    struct kafka_reader *reader = trial_open_reader(&trial, "recommendations", false, true);
    pthread_create(&subscriber, NULL, hear_answers, reader);
    pthread_create(&shop, NULL, send_clicks, NULL);
    pid = rounds(pid, false);
    pid = rounds(pid, true);
    stop_sending = true;
    pthread_join(shop, NULL);
    trial_stop(pid);
    stop_hearing = true;
    pthread_join(subscriber, NULL);
    kafka_reader_close(reader);
    rebuild();
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        puts("usage: bench_restart BOOTSTRAP EDDY_BINARY [SESSIONS] [KEY=VALUE...]\n"
             "as './dev bench restart' starts it, with a broker of its own");
        return 0;
    }
    char name[80], log[TRIAL_PATH_MAX];
    trial.bootstrap = argv[1];
    trial.binary = argv[2];
    if (argc > 3)
        sessions = atoll(argv[3]);
    if (sessions <= APART)
        trial_die("SESSIONS is more than 20000");
    for (int i = 4; i < argc; i++)
        trial_set(&trial, argv[i]);
    trial_begin(&trial);
    snprintf(name, sizeof name, "%slog", trial.prefix);
    trial_path(log, name);
    trial.log = log;
    run();
    unlink(log);
    trial_remove_state(&trial);
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
/* The brokers are away for minutes, and clicks go on: what a subscriber of the recommendations sees of that, and what
 * it costs eddy.
 *
 *   bench_outage BOOTSTRAP EDDY_BINARY [MINUTES] [KEY=VALUE...]
 *
 * A shop sends 5,000 clicks a second, each dated when it happens. After 30 s the broker is killed, and started again
 * MINUTES later; meanwhile the shop's producer keeps the clicks, as a producer does, and sends them when it can. The
 * subscriber reads committed records and counts the answers to each click. Needs BENCH_KAFKA_HOME, which
 * bench/with_kafka.sh sets. */
#include "bench/trial.h"

#include <eddy/base/arena.h>
#include <eddy/core/codec.h>
#include <eddy/core/generate.h>
#include <eddy/io/system.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define RATE        5000 /* clicks a second */
#define SESSIONS    100000
#define LIVE_S      30   /* before and after */
#define BEHIND_MAX  RATE /* clicks sent and not answered, when it has caught up: those of a second */
#define WAIT_MAX_S  1800 /* until it has caught up */
#define SETTLE_S    15   /* for a last commit */
#define CLICK_BYTES 200  /* at most, in the producer's queue */
#define MESSAGES    512

/* Two clicks of a session on an item may fall into one millisecond. */
static struct trial trial = {.settings = {"session.infer_duplicates=false"}, .setting_count = 1};
static _Atomic bool stop_sending, stop_reading;
static _Atomic int64_t sent, answered, repeated;
static int64_t clicks_max; /* that can be sent, and the places there are in a partition */

/* ---- the shop */

static void *send_clicks(void *context)
{
    (void)context;
    struct kafka_sink *sink = trial_open_sink(&trial, (uint32_t)clicks_max, (uint32_t)clicks_max * CLICK_BYTES);
    struct record_sink port = kafka_sink_port(sink);
    AUTO(buffer) value = {0};
    struct generate_options options = generate_defaults();
    options.sessions = SESSIONS;
    struct generator *generator;
    struct complaint complaint = {0};
    trial_must(generator_open(&options, &complaint, &generator), "generator");
    int64_t began_us = trial_now_us();
    for (int64_t i = 0; i < clicks_max && !stop_sending; i++) {
        struct click click;
        generator_next(generator, &click);
        while (trial_now_us() - began_us < i * 1000000 / RATE)
            port.ops->fill(port.self), system_wait_ms(1);
        click.time_ms = trial_wall_ms();
        encode_click((struct encoding){RECORD_AVRO, 0}, &click, &value);
        trial_publish(port, OUTPUT_CLICKS, click.session_id, &value);
        sent++;
    }
    trial_must(port.ops->flush(port.self, 60000), "flush");
    kafka_sink_close(sink);
    generator_close(generator);
    return NULL;
}

/* ---- the subscriber */

static uint8_t *seen[TRIAL_PARTITIONS]; /* by partition and offset of a click: answers, up to 255 */

static void hear(struct decoder *decoder, struct arena *arena, const struct message *message)
{
    struct recommendation_record record;
    struct complaint complaint;
    trial_must(decode_recommendation(decoder, message->value, arena, &record, &complaint), "recommendation");
    arena_reset(arena);
    if (record.partition < 0 || record.partition >= TRIAL_PARTITIONS || record.offset < 0 ||
        record.offset >= clicks_max)
        trial_die("an answer to nothing");
    if (record.revision != 0)
        return;
    uint8_t *count = &seen[record.partition][record.offset];
    if (*count == 0)
        answered++;
    else
        repeated++;
    *count = *count < UINT8_MAX ? (uint8_t)(*count + 1) : UINT8_MAX;
}

static void *read_answers(void *context)
{
    struct kafka_reader *reader = context;
    struct decoder *decoder;
    struct arena arena = {0};
    trial_must(decoder_open(RECORD_RECOMMENDATION, RECORD_AVRO, &decoder), "decoder");
    while (!stop_reading) {
        struct message messages[MESSAGES];
        size_t count;
        trial_must(kafka_reader_poll(reader, 50, messages, MESSAGES, &count), "poll");
        for (size_t i = 0; i < count; i++)
            hear(decoder, &arena, &messages[i]);
    }
    decoder_close(decoder);
    arena_release(&arena);
    return NULL;
}

/* ---- the outage */

static void broker(const char *verb)
{
    char command[512];
    const char *home = getenv("BENCH_KAFKA_HOME");
    if (!home)
        trial_die("BENCH_KAFKA_HOME is not set; ./dev bench outage sets it");
    snprintf(command, sizeof command, "EDDY_KAFKA_HOME='%s' EDDY_KAFKA_LIBS=build/kafka tools/kafka %s 1", home, verb);
    if (system(command) != 0)
        trial_die("the broker cannot be killed or started");
}

static pid_t eddy;
static int restarts;

/* librdkafka gives up when a broker leaves it in doubt; eddy ends with 4 or 7 then, and a service starts it again. */
static void keep(void)
{
    int result;
    if (waitpid(eddy, &result, WNOHANG) != eddy)
        return;
    if (!WIFEXITED(result) || (WEXITSTATUS(result) != 4 && WEXITSTATUS(result) != 7))
        trial_die("eddy has ended by itself");
    eddy = trial_start(&trial);
    restarts++;
}

struct memory {
    double all_mib, own_mib; /* resident; what of it is no file */
};

static struct memory look(struct memory most)
{
    keep();
    struct memory now = {trial_memory_mib(eddy, "VmRSS"), trial_memory_mib(eddy, "RssAnon")};
    return (struct memory){now.all_mib > most.all_mib ? now.all_mib : most.all_mib,
                           now.own_mib > most.own_mib ? now.own_mib : most.own_mib};
}

/* Waits, and returns the most that eddy took meanwhile. */
static struct memory watch(int64_t seconds)
{
    struct memory most = {0};
    for (int64_t end_us = trial_now_us() + seconds * 1000000; trial_now_us() < end_us; system_wait_ms(200))
        most = look(most);
    return most;
}

static void report(const char *when, struct memory most)
{
    printf("%-14s %7.0f MiB resident at most, %.0f of them anonymous; %lld sessions open\n", when, most.all_mib,
           most.own_mib, (long long)trial_metric(&trial, "eddy_sessions_open"));
    fflush(stdout);
}

static struct memory catch_up(void)
{
    struct memory most = {0};
    int64_t back_us = trial_now_us(), first_us = 0, before = answered, behind = sent - before;
    while (sent - answered > BEHIND_MAX) {
        if (first_us == 0 && answered > before)
            first_us = trial_now_us();
        if (trial_now_us() - back_us > (int64_t)WAIT_MAX_S * 1000000)
            trial_die("eddy does not catch up");
        most = look(most);
        system_wait_ms(20);
    }
    double waited_s = (double)(first_us - back_us) / 1e6, took_s = (double)(trial_now_us() - back_us) / 1e6;
    printf("the broker answers again, %lld clicks are not answered: the first is after %.1f s, all but a second's "
           "after %.1f s: %.0f clicks/s\n",
           (long long)behind, waited_s, took_s, (double)(answered - before) / (took_s - waited_s));
    return most;
}

static void outage(int64_t minutes)
{
    pthread_t shop, subscriber;
    trial_create_topics(&trial);
    struct kafka_reader *reader = trial_open_reader(&trial, "recommendations", true, false);
    eddy = trial_start(&trial);
    trial_wait_ready(&trial);
    pthread_create(&subscriber, NULL, read_answers, reader);
    pthread_create(&shop, NULL, send_clicks, NULL);
    report("before", watch(LIVE_S));
    broker("kill");
    report("broker away", watch(minutes * 60));
    broker("restart");
    report("catching up", catch_up());
    report("after", watch(LIVE_S));
    stop_sending = true;
    pthread_join(shop, NULL);
    for (int i = 0; i < 600 && answered < sent; i++)
        keep(), system_wait_ms(100);
    watch(SETTLE_S); /* what is repeated comes late */
    int64_t late = trial_metric(&trial, "eddy_clicks_total{result=\"late\"}");
    trial_stop(eddy);
    stop_reading = true;
    pthread_join(subscriber, NULL);
    kafka_reader_close(reader);
    printf("%lld clicks sent, %lld answered, %lld lost; %lld answers repeated; %lld clicks late since eddy's "
           "last start, of %d\n",
           (long long)sent, (long long)answered, (long long)(sent - answered), (long long)repeated, (long long)late,
           restarts + 1);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        puts("usage: bench_outage BOOTSTRAP EDDY_BINARY [MINUTES] [KEY=VALUE...]\n"
             "as './dev bench outage' starts it, with a broker of its own");
        return 0;
    }
    trial.bootstrap = argv[1];
    trial.binary = argv[2];
    int64_t minutes = argc > 3 ? atoll(argv[3]) : 10;
    if (minutes < 1 || minutes > 30)
        trial_die("MINUTES is 1 to 30");
    bool once = false;
    for (int i = 4; i < argc; i++) {
        trial_set(&trial, argv[i]);
        once |= strcmp(argv[i], "delivery=exactly_once") == 0;
    }
    clicks_max = (minutes * 60 + 2 * LIVE_S + WAIT_MAX_S / 6) * RATE;
    for (int i = 0; i < TRIAL_PARTITIONS; i++)
        if (!(seen[i] = calloc((size_t)clicks_max, 1)))
            trial_die("no memory");
    trial_begin(&trial);
    outage(minutes);
    trial_remove_state(&trial);
    if (answered != sent || (once && repeated > 0))
        trial_die(answered != sent ? "clicks are lost" : "answers are repeated");
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
/* eddy on a real broker: clicks per CPU-second of the whole application, and the time from a click to its
 * recommendation beside the time from producing to consuming a record.
 *
 *   bench_broker BOOTSTRAP EDDY_BINARY [throughput|latency] [CLICKS|SECONDS] [KEY=VALUE...]
 *
 * The kNN scorer looks at 500 sessions and lets 100 vote, as Serenade's published setting, unless told otherwise. */
#include "bench/listener.h"

#include <eddy/core/codec.h>
#include <eddy/core/generate.h>
#include <eddy/io/kafka.h>
#include <eddy/io/system.h>

#include <arpa/inet.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define ITEMS      100000
#define SESSIONS   20000
#define PARTITIONS 4
#define RATE       1000 /* clicks a second, for latency */
#define ROUNDS     5    /* of latency, for medians */
#define ARGS_MAX   64

static const char *bootstrap, *binary;
static char prefix[64], state_directory[128];
static char sample_setting[] = "knn.sample_max=500", neighbours_setting[] = "knn.neighbours_max=100";
static char *settings[ARGS_MAX] = {sample_setting, neighbours_setting};
static int setting_count = 2;
static uint16_t http_port;

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "bench_broker: %s\n", what);
    exit(1);
}

static void must(struct status status, const char *what)
{
    char text[256];
    if (failed(status)) {
        fprintf(stderr, "bench_broker: %s: %s\n", what, status_text(status, text, sizeof text));
        exit(1);
    }
}

static int64_t now_us(void)
{
    struct time_source time = system_time();
    return time.ops->monotonic_us(time.self);
}

/* ---- the application as a child process */

static void append_setting(char **argv, int *argc, const char *format, const char *a, int b)
{
    char *text = malloc(512);
    if (!text || *argc + 3 > ARGS_MAX)
        die("too many arguments");
    snprintf(text, 512, format, a, b);
    argv[(*argc)++] = strdup("--set");
    argv[(*argc)++] = text;
}

static pid_t spawn(const char *verb, const char *word)
{
    char *argv[ARGS_MAX] = {strdup(binary), strdup(verb), word ? strdup(word) : NULL};
    int argc = word ? 3 : 2;
    append_setting(argv, &argc, "kafka.bootstrap.servers=%s", bootstrap, 0);
    append_setting(argv, &argc, "topics.prefix=%s", prefix, 0);
    append_setting(argv, &argc, "group_id=%s", prefix, 0);
    append_setting(argv, &argc, "state.directory=%s", state_directory, 0);
    append_setting(argv, &argc, "topics.partitions=%.0s%d", "", PARTITIONS);
    append_setting(argv, &argc, "http.listen=127.0.0.1:%.0s%d", "", http_port);
    append_setting(argv, &argc, "%s=warn", "log.level", 0);
    for (int i = 0; i < setting_count; i++)
        append_setting(argv, &argc, "%s", settings[i], 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (word && !freopen("/dev/null", "w", stdout))
            _exit(127);
        execv(binary, argv);
        _exit(127);
    }
    return pid;
}

static void wait_for(pid_t pid)
{
    int result;
    if (waitpid(pid, &result, 0) < 0 || result != 0)
        die("eddy failed");
}

static void create_topics(void)
{
    wait_for(spawn("topics", "create"));
}

/* User and system time of the process so far, in seconds. */
static double cpu_seconds(pid_t pid)
{
    char path[64], line[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    if (!file || !fgets(line, sizeof line, file))
        die("the process is gone");
    fclose(file);
    unsigned long long user, system;
    const char *behind = strrchr(line, ')');
    if (!behind || sscanf(behind + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user, &system) != 2)
        die("cannot read the CPU time");
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

/* The body of GET path, or "" when nothing answers. */
static void get(const char *path, char *text, size_t size)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(http_port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    size_t length = 0;
    text[0] = 0;
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
        dprintf(fd, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path);
        for (ssize_t n; length + 1 < size && (n = read(fd, text + length, size - 1 - length)) > 0;)
            length += (size_t)n;
        text[length] = 0;
    }
    close(fd);
}

static bool is_ready(void)
{
    char text[1024];
    get("/readyz", text, sizeof text);
    return strstr(text, " 200 ") != NULL;
}

static int64_t clicks_done(void)
{
    static char text[65536];
    get("/metrics", text, sizeof text);
    int64_t total = 0;
    for (const char *at = text; (at = strstr(at, "\neddy_clicks_total{")); at++) {
        const char *value = strstr(at, "} ");
        total += value ? strtoll(value + 2, NULL, 10) : 0;
    }
    return total;
}

static void wait_ready(void)
{
    for (int i = 0; !is_ready(); i++) {
        system_wait_ms(20);
        if (i > 3000)
            die("eddy does not get ready");
    }
}

static int remove_entry(const char *path, const struct stat *stat, int type, struct FTW *place)
{
    (void)stat, (void)type, (void)place;
    return remove(path);
}

static void finish(pid_t pid)
{
    int result;
    kill(pid, SIGTERM);
    if (waitpid(pid, &result, 0) != pid || result != 0)
        die("eddy did not stop well");
    nftw(state_directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* Topics, a group and a state of their own for what comes next. */
static void begin_round(void)
{
    struct time_source time = system_time();
    snprintf(prefix, sizeof prefix, "bench%lld.", (long long)time.ops->wall_ms(time.self));
    snprintf(state_directory, sizeof state_directory, "/tmp/eddy-bench-broker-%s", prefix);
    http_port = (uint16_t)(20000 + time.ops->monotonic_us(time.self) % 20000);
}

/* ---- filling topics */

static struct kafka_sink *open_sink(const char *clicks, const char *items)
{
    static const struct kafka_property at_once = {"linger.ms", "0"};
    const struct kafka_options kafka = {
        .bootstrap = bootstrap, .client_id = "bench", .properties = &at_once, .property_count = 1};
    const struct kafka_sink_options options = {.kafka = &kafka,
                                               .topics = {clicks, items},
                                               .partitions = {[OUTPUT_SESSIONS] = 1},
                                               .queue_records_max = 500000,
                                               .queue_bytes_max = 256u << 20};
    struct kafka_sink *sink;
    struct complaint complaint = {0};
    must(kafka_sink_open(&options, &sink, &complaint), "producer");
    return sink;
}

static void publish(struct record_sink sink, enum output output, struct bytes key, struct buffer *value)
{
    const struct output_record record = {.output = output, .partition = -1, .key = key, .value = buffer_bytes(value)};
    struct status status;
    while (failed_as(status = sink.ops->publish(sink.self, &record), FAULT_LIMIT))
        sink.ops->fill(sink.self), system_wait_ms(1);
    must(status, "publish");
    buffer_clear(value);
}

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
    char clicks_topic[96], items_topic[96];
    snprintf(clicks_topic, sizeof clicks_topic, "%sclicks", prefix);
    snprintf(items_topic, sizeof items_topic, "%sitems", prefix);
    const struct generate_options options = shop();
    struct generator *generator;
    struct complaint complaint = {0};
    must(generator_open(&options, &complaint, &generator), "generator");
    struct kafka_sink *sink = open_sink(clicks_topic, items_topic);
    struct record_sink port = kafka_sink_port(sink);
    AUTO(buffer) value = {0};
    for (uint32_t i = 0; i < ITEMS; i++) {
        struct item item;
        generator_item(generator, i, &item);
        encode_item((struct encoding){RECORD_AVRO, 0}, &item, &value);
        publish(port, OUTPUT_SESSIONS, item.item_id, &value);
    }
    for (int64_t i = 0; i < clicks; i++) {
        struct click click;
        generator_next(generator, &click);
        encode_click((struct encoding){RECORD_AVRO, 0}, &click, &value);
        publish(port, OUTPUT_RECOMMENDATIONS, click.session_id, &value);
    }
    must(port.ops->flush(port.self, 60000), "flush");
    kafka_sink_close(sink);
    generator_close(generator);
}

static void throughput(int64_t clicks)
{
    create_topics();
    fill_topics(clicks);
    for (int scoring = 1; scoring >= 0; scoring--) {
        char group[128];
        static char no_scoring[] = "recommend.scoring=false";
        if (!scoring)
            settings[setting_count++] = no_scoring;
        /* a new group over the same clicks; sessions closed by the first run are learned already */
        snprintf(group, sizeof group, "group_id=%s%d", prefix, scoring);
        settings[setting_count++] = group;
        pid_t pid = spawn("run", NULL);
        wait_ready();
        double cpu = cpu_seconds(pid);
        int64_t began_us = now_us(), done;
        while ((done = clicks_done()) < clicks)
            system_wait_ms(50);
        double seconds = (double)(now_us() - began_us) / 1e6, used = cpu_seconds(pid) - cpu;
        printf("scoring %-3s  %lld clicks in %.2f s (%.0f clicks/s), %.2f CPU-s (%.0f clicks per CPU-second); start "
               "%.2f CPU-s\n",
               scoring ? "on" : "off", (long long)done, seconds, (double)done / seconds, used, (double)done / used,
               cpu);
        fflush(stdout);
        finish(pid);
        setting_count -= scoring ? 1 : 2;
    }
}

/* ---- latency */

/* What eddy knows when it starts: a million clicks of the shop, so that each list has something to choose from. */
static void learn_shop(const char *file)
{
    char clicks[160];
    snprintf(clicks, sizeof clicks, "%s.tsv", file);
    const char *const words[][12] = {
        {binary, "generate", "--items", "100000", "--sessions", "20000", "--rate", "100", "--output", clicks, NULL},
        {binary, "replay", "--set", "recommend.scoring=false", "--into-state", file, clicks, NULL}};
    for (int i = 0; i < 2; i++) {
        pid_t pid = fork();
        if (pid == 0 && freopen("/dev/null", "w", stdout) && freopen("/dev/null", "w", stderr))
            execv(binary, (char *const *)(uintptr_t)words[i]); /* which writes to none of them */
        if (pid == 0)
            _exit(127);
        wait_for(pid);
    }
    unlink(clicks);
}

static void send_clicks(const char *topic, int64_t base_ms, int64_t count, _Atomic int64_t *sent_us)
{
    struct kafka_sink *sink = open_sink(topic, NULL);
    struct record_sink port = kafka_sink_port(sink);
    AUTO(buffer) value = {0};
    struct generate_options options = shop();
    options.sessions = RATE; /* a session clicks about every second */
    struct generator *generator;
    struct complaint complaint = {0};
    must(generator_open(&options, &complaint, &generator), "generator");
    int64_t began_us = now_us();
    for (int64_t i = 0; i < count; i++) {
        struct click click;
        generator_next(generator, &click);
        click.time_ms = base_ms + i;
        encode_click((struct encoding){RECORD_AVRO, 0}, &click, &value);
        while (now_us() - began_us < i * 1000000 / RATE)
            usleep(100);
        sent_us[i] = now_us();
        publish(port, OUTPUT_RECOMMENDATIONS, click.session_id, &value);
    }
    must(port.ops->flush(port.self, 10000), "flush");
    kafka_sink_close(sink);
    generator_close(generator);
}

enum heard { HEARD_CLICKS, HEARD_LISTS, HEARD_COMMITTED_LISTS, HEARD_COUNT };

static const char *const heard_texts[HEARD_COUNT] = {"click produced to consumed", "click to recommendation",
                                                     "click to committed recommendation"};

static void start_listeners(struct listener *listeners, pthread_t *threads)
{
    for (int i = 0; i < HEARD_COUNT; i++)
        pthread_create(&threads[i], NULL, listener_run, &listeners[i]);
    wait_ready();
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
    struct time_source time = system_time();
    int64_t base_ms = time.ops->wall_ms(time.self);
    _Atomic int64_t *sent_us = calloc((size_t)count, sizeof *sent_us);
    char clicks_topic[96], lists_topic[96];
    snprintf(clicks_topic, sizeof clicks_topic, "%sclicks", prefix);
    snprintf(lists_topic, sizeof lists_topic, "%srecommendations", prefix);
    create_topics();
    static struct listener listeners[HEARD_COUNT];
    for (int i = 0; i < HEARD_COUNT; i++)
        listeners[i] = (struct listener){.bootstrap = bootstrap,
                                         .partitions = PARTITIONS,
                                         .topic = i == HEARD_CLICKS ? clicks_topic : lists_topic,
                                         .recommendations = i != HEARD_CLICKS,
                                         .committed = i == HEARD_COMMITTED_LISTS,
                                         .base_ms = base_ms,
                                         .sent_us = sent_us,
                                         .count = count,
                                         .warm_up = count / 5};
    pthread_t threads[HEARD_COUNT];
    pid_t pid = spawn("run", NULL);
    start_listeners(listeners, threads);
    send_clicks(clicks_topic, base_ms, count, sent_us);
    stop_listeners(listeners, threads);
    for (int i = 0; i < HEARD_COUNT; i++) {
        listener_report(&listeners[i], heard_texts[i]);
        ret_p99_ms[i] = listener_p99_ms(&listeners[i]);
    }
    const struct listener *lists = &listeners[HEARD_COMMITTED_LISTS];
    if (lists->heard != count)
        printf("only %lld of %lld clicks were answered\n", (long long)lists->heard, (long long)count);
    printf("items in a list on average: %.1f\n", (double)lists->listed / (double)(lists->heard ? lists->heard : 1));
    finish(pid);
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
    char learned[64], setting[96];
    snprintf(learned, sizeof learned, "/tmp/eddy-bench-broker-%d", (int)getpid());
    snprintf(setting, sizeof setting, "learn.snapshot=%s", learned);
    learn_shop(learned);
    settings[setting_count++] = setting;
    for (int i = 0; i < ROUNDS; i++) {
        begin_round();
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
    bootstrap = argv[1];
    binary = argv[2];
    const char *what = argc > 3 ? argv[3] : "throughput";
    bool is_latency = !strcmp(what, "latency");
    int64_t amount = argc > 4 ? atoll(argv[4]) : is_latency ? 20 : 1000000;
    for (int i = 5; i < argc; i++)
        settings[setting_count++] = argv[i];
    if (is_latency) {
        latency_rounds(amount);
    } else {
        begin_round();
        throughput(amount);
    }
    return 0;
}

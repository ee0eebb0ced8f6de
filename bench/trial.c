// SPDX-License-Identifier: Apache-2.0
#include "bench/trial.h"

#include <eddy/io/system.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGS_MAX     96
#define METRICS_MAX  65536
#define READY_MAX_MS 120000

void trial_die(const char *what)
{
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

void trial_must(struct status status, const char *what)
{
    char text[256];
    if (failed(status)) {
        fprintf(stderr, "bench: %s: %s\n", what, status_text(status, text, sizeof text));
        exit(1);
    }
}

int64_t trial_now_us(void)
{
    struct time_source time = system_time();
    return time.ops->monotonic_us(time.self);
}

int64_t trial_wall_ms(void)
{
    struct time_source time = system_time();
    return time.ops->wall_ms(time.self);
}

void trial_path(char path[TRIAL_PATH_MAX], const char *name)
{
    const char *folder = getenv("TMPDIR");
    if (snprintf(path, TRIAL_PATH_MAX, "%s/eddy-bench-%s", folder ? folder : "/tmp", name) >= TRIAL_PATH_MAX)
        trial_die("TMPDIR is too long");
}

/* ---- the child process */

void trial_begin(struct trial *trial)
{
    snprintf(trial->prefix, sizeof trial->prefix, "bench%lld.", (long long)trial_wall_ms());
    trial_path(trial->state_directory, trial->prefix);
    trial->http_port = (uint16_t)(20000 + trial_now_us() % 12000); /* below those that who connects is given */
}

void trial_set(struct trial *trial, const char *setting)
{
    if (trial->setting_count == TRIAL_SETTINGS_MAX)
        trial_die("too many settings");
    trial->settings[trial->setting_count++] = setting;
}

struct arguments_made {
    char *words[ARGS_MAX];
    int count;
};

static void append(struct arguments_made *arguments, const char *word)
{
    char *copy = strdup(word);
    if (!copy || arguments->count + 1 >= ARGS_MAX)
        trial_die("too many arguments");
    arguments->words[arguments->count++] = copy;
}

static void append_setting(struct arguments_made *arguments, const char *key, const char *value)
{
    char text[512];
    snprintf(text, sizeof text, "%s%s%s", key, *value ? "=" : "", value);
    append(arguments, "--set");
    append(arguments, text);
}

static void append_settings(const struct trial *trial, struct arguments_made *arguments)
{
    char number[16], listen[32];
    snprintf(number, sizeof number, "%d", TRIAL_PARTITIONS);
    snprintf(listen, sizeof listen, "127.0.0.1:%d", trial->http_port);
    append_setting(arguments, "kafka.bootstrap.servers", trial->bootstrap);
    append_setting(arguments, "topics.prefix", trial->prefix);
    append_setting(arguments, "group_id", trial->prefix);
    append_setting(arguments, "state.directory", trial->state_directory);
    append_setting(arguments, "topics.partitions", number);
    append_setting(arguments, "http.listen", listen);
    append_setting(arguments, "log.level", trial->log ? "info" : "warn");
    append_setting(arguments, "roles", "recommend"); /* what is measured is the answering, unless it is set */
    for (int i = 0; i < trial->setting_count; i++)
        append_setting(arguments, trial->settings[i], "");
}

static void redirect(int descriptor, const char *path, int flags)
{
    int file = open(path, flags, 0600);
    if (file < 0 || dup2(file, descriptor) < 0)
        _exit(127);
}

static pid_t spawn(const struct trial *trial, const char *verb, const char *word)
{
    struct arguments_made arguments = {.count = 0};
    append(&arguments, trial->binary);
    append(&arguments, verb);
    if (word)
        append(&arguments, word);
    append_settings(trial, &arguments);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* not to be left over when the benchmark ends */
        redirect(STDOUT_FILENO, "/dev/null", O_WRONLY);
        if (trial->log && !word)
            redirect(STDERR_FILENO, trial->log, O_WRONLY | O_CREAT | O_APPEND);
        execv(trial->binary, arguments.words);
        _exit(127);
    }
    for (int i = 0; i < arguments.count; i++)
        free(arguments.words[i]);
    return pid;
}

void trial_wait(pid_t pid)
{
    int result;
    if (waitpid(pid, &result, 0) != pid || result != 0)
        trial_die("eddy ended badly");
}

void trial_create_topics(const struct trial *trial)
{
    trial_wait(spawn(trial, "topics", "create"));
}

pid_t trial_start(const struct trial *trial)
{
    return spawn(trial, "run", NULL);
}

void trial_stop(pid_t pid)
{
    kill(pid, SIGTERM);
    trial_wait(pid);
}

static int remove_entry(const char *path, const struct stat *stat, int type, struct FTW *place)
{
    (void)stat, (void)type, (void)place;
    return remove(path);
}

void trial_remove(const char *folder)
{
    nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

void trial_remove_state(const struct trial *trial)
{
    trial_remove(trial->state_directory);
}

/* ---- what it says of itself */

/* The answer to GET path, or "" when nothing answers. */
static void get(const struct trial *trial, const char *path, char *text, size_t size)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(trial->http_port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    size_t length = 0;
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
        dprintf(fd, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path);
        for (ssize_t n; length + 1 < size && (n = read(fd, text + length, size - 1 - length)) > 0;)
            length += (size_t)n;
    }
    text[length] = 0;
    close(fd);
}

bool trial_ready(const struct trial *trial)
{
    char text[1024];
    get(trial, "/readyz", text, sizeof text);
    return strstr(text, " 200 ") != NULL;
}

void trial_wait_ready(const struct trial *trial)
{
    int64_t end_us = trial_now_us() + (int64_t)READY_MAX_MS * 1000;
    while (!trial_ready(trial)) {
        system_wait_ms(20);
        if (trial_now_us() > end_us)
            trial_die("eddy does not get ready");
    }
}

int64_t trial_metric(const struct trial *trial, const char *name)
{
    static char text[METRICS_MAX];
    char start[96];
    get(trial, "/metrics", text, sizeof text);
    snprintf(start, sizeof start, "\n%s", name);
    int64_t total = 0;
    for (const char *at = text; (at = strstr(at, start)) != NULL;) {
        at += strlen(start);
        const char *value = *at == '{' ? strstr(at, "} ") : at;
        if (value && (*at == '{' || *at == ' '))
            total += strtoll(value + (*at == '{'), NULL, 10);
    }
    return total;
}

double trial_cpu_seconds(pid_t pid)
{
    char path[64], line[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    if (!file || !fgets(line, sizeof line, file))
        trial_die("eddy is gone");
    fclose(file);
    unsigned long long user, system;
    const char *behind = strrchr(line, ')');
    if (!behind || sscanf(behind + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user, &system) != 2)
        trial_die("the CPU time cannot be read");
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static _Noreturn void say_end(pid_t pid)
{
    int result = 0;
    char text[96];
    waitpid(pid, &result, 0);
    snprintf(text, sizeof text, "eddy has ended by itself, %s %d", WIFSIGNALED(result) ? "by signal" : "with exit code",
             WIFSIGNALED(result) ? WTERMSIG(result) : WEXITSTATUS(result));
    trial_die(text);
}

double trial_memory_mib(pid_t pid, const char *what)
{
    char path[64], line[256];
    double kib = -1;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        if (!strncmp(line, what, strlen(what)) && line[strlen(what)] == ':')
            kib = strtod(line + strlen(what) + 1, NULL);
    if (file)
        fclose(file);
    if (kib < 0)
        say_end(pid);
    return kib / 1024;
}

/* ---- topics */

struct kafka_sink *trial_open_sink(const struct trial *trial, uint32_t records_max, uint32_t bytes_max)
{
    static const struct kafka_property at_once = {"linger.ms", "0"};
    char clicks[96], items[96], sessions[96];
    snprintf(sessions, sizeof sessions, "%ssessions", trial->prefix);
    snprintf(clicks, sizeof clicks, "%sclicks", trial->prefix);
    snprintf(items, sizeof items, "%sitems", trial->prefix);
    const struct kafka_options kafka = {
        .bootstrap = trial->bootstrap, .client_id = "bench", .properties = &at_once, .property_count = 1};
    const struct kafka_sink_options options = {
        .kafka = &kafka,
        .topics = {[OUTPUT_CLICKS] = clicks, [OUTPUT_ITEMS] = items, [OUTPUT_SESSIONS] = sessions},
        .queue_records_max = records_max,
        .queue_bytes_max = bytes_max};
    struct kafka_sink *sink;
    struct complaint complaint = {0};
    trial_must(kafka_sink_open(&options, &sink, &complaint), "producer");
    return sink;
}

void trial_publish(struct record_sink sink, enum output output, struct bytes key, struct buffer *value)
{
    const struct output_record record = {.output = output, .partition = -1, .key = key, .value = buffer_bytes(value)};
    struct status status;
    while (failed_as(status = sink.ops->publish(sink.self, &record), FAULT_LIMIT))
        sink.ops->fill(sink.self), system_wait_ms(1);
    trial_must(status, "publish");
    buffer_clear(value);
}

struct kafka_reader *trial_open_reader(const struct trial *trial, const char *topic, bool committed, bool from_now)
{
    const struct kafka_property isolation = {"isolation.level", committed ? "read_committed" : "read_uncommitted"};
    char name[96];
    snprintf(name, sizeof name, "%s%s", trial->prefix, topic);
    const struct kafka_options kafka = {
        .bootstrap = trial->bootstrap, .client_id = "bench", .properties = &isolation, .property_count = 1};
    const struct kafka_reader_options options = {
        .kafka = &kafka,
        .topic = name,
        .partition_count = TRIAL_PARTITIONS,
        .start = {.kind = from_now ? KAFKA_START_LATEST : KAFKA_START_EARLIEST}};
    struct kafka_reader *reader;
    struct complaint complaint = {0};
    trial_must(kafka_reader_open(&options, &reader, &complaint), "reader");
    return reader;
}

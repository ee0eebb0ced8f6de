// SPDX-License-Identifier: Apache-2.0
#pragma once
/* trial: the eddy binary as a child process, with topics, a group and a state folder of its own on a real broker, as
 * benchmarks start, ask and stop it. Whatever fails ends the benchmark, and eddy with it. */
#include <eddy/base/buffer.h>
#include <eddy/io/kafka.h>

#include <stdbool.h>
#include <sys/types.h>

#define TRIAL_PARTITIONS   4
#define TRIAL_SETTINGS_MAX 32
#define TRIAL_PATH_MAX     400

struct trial {
    const char *bootstrap, *binary;
    char prefix[64]; /* of the topics; also the group's name */
    char state_directory[TRIAL_PATH_MAX];
    uint16_t http_port;
    const char *settings[TRIAL_SETTINGS_MAX]; /* KEY=VALUE */
    int setting_count;
    const char *log; /* a file that what `eddy run` logs is appended to; NULL: only warnings, to stderr */
};

/* ---- what benchmarks share */

_Noreturn void trial_die(const char *what);
void trial_must(struct status status, const char *what);
int64_t trial_now_us(void);
int64_t trial_wall_ms(void);
/* A file of a benchmark, in $TMPDIR, or in /tmp without one. */
void trial_path(char path[TRIAL_PATH_MAX], const char *name);

/* ---- a trial */

/* New names for what comes next. */
void trial_begin(struct trial *trial);
void trial_set(struct trial *trial, const char *setting);
void trial_create_topics(const struct trial *trial);
/* eddy run */
pid_t trial_start(const struct trial *trial);
/* Ends well, or the benchmark does not. */
void trial_wait(pid_t pid);
void trial_stop(pid_t pid);
void trial_remove(const char *folder); /* with all that is in it */
void trial_remove_state(const struct trial *trial);

bool trial_ready(const struct trial *trial);
void trial_wait_ready(const struct trial *trial);
/* Of a metric, all its labels together; 0 when eddy does not answer. */
int64_t trial_metric(const struct trial *trial, const char *name);
/* User and system time so far, in seconds. */
double trial_cpu_seconds(pid_t pid);
/* "VmRSS", "RssAnon", ...: MiB. */
double trial_memory_mib(pid_t pid, const char *what);

/* ---- its topics: clicks are published as OUTPUT_CLICKS, items as OUTPUT_ITEMS, closed sessions as OUTPUT_SESSIONS */

struct kafka_sink *trial_open_sink(const struct trial *trial, uint32_t records_max, uint32_t bytes_max);
/* Waits while the queue is full; empties `value`. */
void trial_publish(struct record_sink sink, enum output output, struct bytes key, struct buffer *value);
/* Reads one of the topics, "recommendations" say, from its beginning or from now on. */
struct kafka_reader *trial_open_reader(const struct trial *trial, const char *topic, bool committed, bool from_now);

// SPDX-License-Identifier: Apache-2.0
#pragma once
/* llm_stand_in: starts and ends the process llm-stand-in (tests/llm_stand_in) from a test, and tells it what is to go
 * wrong. */
#include "support/support.h"

#include <eddy/base/buffer.h>

#include <sys/types.h>

struct llm_stand_in {
    pid_t pid;
    struct temporary_folder folder;
    uint16_t port, control_port;
    char url[64]; /* "http://127.0.0.1:4711/v1" */
    char log[300];
};

/* `options` ends with NULL: "--latency", "fixed:5", ... */
struct llm_stand_in llm_stand_in_start(const char *const *options);
void llm_stand_in_stop(struct llm_stand_in *stand_in);
/* See faults_tell() in tests/llm_stand_in/stand_in.h: "{\"next\":[\"busy\"]}". */
void llm_stand_in_tell(const struct llm_stand_in *stand_in, const char *faults);
/* "requests", "connections", "in_flight_max", "busy" */
int64_t llm_stand_in_count(const struct llm_stand_in *stand_in, const char *what);
/* All that it has logged. */
void llm_stand_in_read_log(const struct llm_stand_in *stand_in, struct buffer *out);

/* For processes that tests start: `argv` ends with NULL, and names a program in PATH or a file. */
pid_t child_start(const char *const *argv);
void child_stop(pid_t pid);
/* A port that was free a moment ago. */
uint16_t free_port(void);

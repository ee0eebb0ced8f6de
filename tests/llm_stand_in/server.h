// SPDX-License-Identifier: Apache-2.0
#pragma once
/* server: the process's state, and its connections. One thread; all in one loop. */
#include "llm_stand_in/stand_in.h"

#include <sys/types.h>

#define CONNECTIONS_MAX 1024
#define REQUEST_MAX     (16 << 20)

enum ending { END_KEEP, END_CLOSE, END_RESET, END_HANG, END_ENDLESS };

struct connection {
    int fd; /* -1: the place is free */
    bool control;
    bool answering;
    struct buffer in, out;
    size_t sent;
    int64_t due_us; /* when the next bytes may go */
    size_t piece;   /* bytes at a time; 0: all */
    int64_t piece_us;
    enum ending ending;
};

struct options {
    uint16_t port, control_port;
    const char *port_file, *log_file;
    struct latency latency;
    uint64_t seed;
    pid_t parent; /* 0: may end before us */
};

struct server {
    struct options options;
    struct answers answers;
    struct faults faults;
    struct random random;
    struct allowance requests, tokens;
    FILE *log;
    int listener, control_listener;
    struct connection connections[CONNECTIONS_MAX];
    size_t in_flight, in_flight_max;
    uint64_t request_count, connection_count, busy_count;
};

int64_t now_us(void);

struct request {
    char method[16], path[256];
    struct bytes head, body; /* the head without the first line */
};

/* What is there to be read; answers what is whole. */
void connection_read(struct server *server, struct connection *connection);
/* What is due to be written. */
void connection_write(struct server *server, struct connection *connection);
void connection_close(struct server *server, struct connection *connection, bool reset);
/* The value of a header of the request; empty without one. */
struct bytes request_header(const struct request *request, const char *name);

/* respond.c: fills `out` and says how and when it goes. */
void respond(struct server *server, struct connection *connection, const struct request *request);

// SPDX-License-Identifier: Apache-2.0
/* llm-stand-in [OPTION...]: see usage() and stand_in.h. */
#include "llm_stand_in/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
    (void)signal;
    stopped = 1;
}

int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void usage(void)
{
    puts("usage: llm-stand-in [OPTION...]   stands in for a language model's server; it is none\n"
         "  --port N            on 127.0.0.1; 0 (standard): any that is free\n"
         "  --control-port N    POST /stand-in/faults, GET /stand-in/counts; the same\n"
         "  --port-file FILE    where the two ports are written, \"PORT CONTROL-PORT\"; standard: stdout\n"
         "  --answers FILE      JSON Lines {\"match\" or \"key\": ..., \"content\": ...}\n"
         "  --latency HOW       fixed:MS, exponential:MEAN or lognormal:MEAN:P99, in ms; standard: fixed:0\n"
         "  --requests-per-minute N, --tokens-per-minute N   then 429 with Retry-After\n"
         "  --width N           of embeddings; standard: 8\n"
         "  --seed N            of latencies and faults\n"
         "  --faults JSON       as it would be posted\n"
         "  --log FILE          requests, as JSON Lines; keys as their SHA-256\n"
         "  --with-parent       ends when the process that started it does\n"
         "faults:");
#define X(name, text, what) printf("  %-13s %s\n", text, what);
    FAULTS(X)
#undef X
}

/* The same port again after it was closed. Returns -1 when it cannot be had. */
static int listen_on(uint16_t *port)
{
    const int yes = 1;
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (struct sockaddr *)&address, size) || listen(fd, 1024) ||
        getsockname(fd, (struct sockaddr *)&address, &size)) {
        close(fd);
        return -1;
    }
    *port = ntohs(address.sin_port);
    return fd;
}

static void accept_one(struct server *server, int listener, bool control)
{
    const int yes = 1;
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        if (server->connections[i].fd < 0) {
            server->connections[i] = (struct connection){.fd = fd, .control = control};
            server->connection_count += control ? 0 : 1;
            return;
        }
    close(fd);
}

/* Opens and closes the door, as the faults say. */
static void guard(struct server *server, int64_t now)
{
    bool refuse = faults_refuse(&server->faults, now);
    if (!refuse && server->listener < 0)
        server->listener = listen_on(&server->options.port);
    if (!refuse || server->listener < 0)
        return;
    close(server->listener);
    server->listener = -1;
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        if (server->connections[i].fd >= 0 && !server->connections[i].control)
            connection_close(server, &server->connections[i], true);
}

#define WAIT_MS 100 /* at most, so that what is to end by time does */

static void step(struct server *server)
{
    struct pollfd polled[CONNECTIONS_MAX + 2];
    int64_t now = now_us(), wait_us = WAIT_MS * 1000;
    guard(server, now);
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        const struct connection *connection = &server->connections[i];
        bool due = connection->answering && connection->due_us <= now;
        polled[i] = (struct pollfd){connection->fd, (short)(POLLIN | (due ? POLLOUT : 0)), 0};
        if (connection->fd >= 0 && connection->answering && !due && connection->due_us - now < wait_us)
            wait_us = connection->due_us - now;
    }
    polled[CONNECTIONS_MAX] = (struct pollfd){server->listener, POLLIN, 0};
    polled[CONNECTIONS_MAX + 1] = (struct pollfd){server->control_listener, POLLIN, 0};
    if (poll(polled, CONNECTIONS_MAX + 2, (int)((wait_us + 999) / 1000)) < 0)
        return;
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        struct connection *connection = &server->connections[i];
        if (connection->fd >= 0 && polled[i].revents & POLLOUT)
            connection_write(server, connection);
        if (connection->fd >= 0 && polled[i].revents & (POLLIN | POLLHUP | POLLERR))
            connection_read(server, connection);
    }
    if (polled[CONNECTIONS_MAX].revents & POLLIN)
        accept_one(server, server->listener, false);
    if (polled[CONNECTIONS_MAX + 1].revents & POLLIN)
        accept_one(server, server->control_listener, true);
}

static bool number(const char *text, int64_t most, int64_t *ret_number)
{
    return bytes_to_int64(bytes_of_text(text), ret_number) && *ret_number >= 0 && *ret_number <= most;
}

static bool set(struct server *server, int option, const char *value)
{
    int64_t n = 0;
    switch (option) {
    case 'a':
        return answers_read(&server->answers, value);
    case 'f':
        server->options.port_file = value;
        return true;
    case 'l':
        return latency_parse(value, &server->options.latency);
    case 'L':
        server->options.log_file = value;
        return true;
    case 'P':
        server->options.parent = getppid();
        return true;
    case 'F':
        return faults_tell(&server->faults, bytes_of_text(value), now_us());
    default:
        break;
    }
    if (!number(value, option == 'p' || option == 'c' ? 65535 : INT32_MAX, &n))
        return false;
    if (option == 'p')
        server->options.port = (uint16_t)n;
    else if (option == 'c')
        server->options.control_port = (uint16_t)n;
    else if (option == 'r')
        server->requests.per_minute = (double)n;
    else if (option == 't')
        server->tokens.per_minute = (double)n;
    else if (option == 'w')
        server->answers.width = n > 0 ? (size_t)n : 1;
    else
        server->options.seed = (uint64_t)n;
    return true;
}

/* -1: go on; otherwise what to exit with. */
static int read_options(struct server *server, int argc, char **argv)
{
    static const struct option options[] = {
        {"port", 1, NULL, 'p'},        {"control-port", 1, NULL, 'c'},
        {"port-file", 1, NULL, 'f'},   {"answers", 1, NULL, 'a'},
        {"latency", 1, NULL, 'l'},     {"requests-per-minute", 1, NULL, 'r'},
        {"width", 1, NULL, 'w'},       {"tokens-per-minute", 1, NULL, 't'},
        {"seed", 1, NULL, 's'},        {"faults", 1, NULL, 'F'},
        {"log", 1, NULL, 'L'},         {"help", 0, NULL, 'h'},
        {"with-parent", 0, NULL, 'P'}, {NULL, 0, NULL, 0},
    };
    int option, at;
    while ((option = getopt_long(argc, argv, "", options, &at)) != -1) {
        if (option == 'h') {
            usage();
            return 0;
        }
        if (option == '?')
            return 2;
        if (!set(server, option, optarg)) {
            fprintf(stderr, "llm-stand-in: --%s cannot be %s\n", options[at].name, optarg);
            return 2;
        }
    }
    return optind < argc ? 2 : -1;
}

/* Renamed into its place, so that who waits for it never reads half of it. */
static bool tell_ports(const struct options *options)
{
    char temporary[4096];
    FILE *file = stdout;
    if (options->port_file) {
        snprintf(temporary, sizeof temporary, "%s.new", options->port_file);
        file = fopen(temporary, "w");
    }
    if (!file)
        return false;
    fprintf(file, "%u %u\n", options->port, options->control_port);
    if (file == stdout)
        return fflush(file) == 0;
    return fclose(file) == 0 && rename(temporary, options->port_file) == 0;
}

static bool open_server(struct server *server)
{
    random_seed(&server->random, server->options.seed);
    server->listener = listen_on(&server->options.port);
    server->control_listener = listen_on(&server->options.control_port);
    if (server->options.log_file)
        server->log = fopen(server->options.log_file, "a");
    if (server->listener < 0 || server->control_listener < 0 || (server->options.log_file && !server->log) ||
        !tell_ports(&server->options)) {
        fprintf(stderr, "llm-stand-in: cannot begin: %s\n", strerror(errno));
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    static struct server server = {.answers.width = 8, .faults.until_us = INT64_MAX, .faults.retry_after = "1"};
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        server.connections[i].fd = -1;
    int result = read_options(&server, argc, argv);
    if (result >= 0)
        return result;
    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    if (!open_server(&server))
        return 1;
    while (!stopped && (!server.options.parent || server.options.parent == getppid()))
        step(&server);
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        if (server.connections[i].fd >= 0)
            connection_close(&server, &server.connections[i], true);
    answers_release(&server.answers);
    if (server.log)
        fclose(server.log);
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "support/llm_stand_in.h"

#include <arpa/inet.h>
#include <eddy/io/system.h>
#include <jansson.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS_MAX 24

pid_t child_start(const char *const *argv)
{
    pid_t pid;
    int error = posix_spawnp(&pid, argv[0], NULL, NULL, (char *const *)(uintptr_t)argv, environ);
    if (error)
        fail_msg("cannot start %s: %s", argv[0], strerror(error));
    return pid;
}

void child_stop(pid_t pid)
{
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
}

uint16_t free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static void read_ports(struct llm_stand_in *stand_in, const char *path)
{
    unsigned port, control_port;
    for (int tries = 0; tries < 3000; tries++) {
        FILE *file = fopen(path, "r");
        int count = file ? fscanf(file, "%u %u", &port, &control_port) : 0;
        if (file)
            fclose(file);
        if (count == 2) {
            stand_in->port = (uint16_t)port;
            stand_in->control_port = (uint16_t)control_port;
            return;
        }
        system_wait_ms(10);
    }
    fail_msg("llm-stand-in has no port after 30 s");
}

struct llm_stand_in llm_stand_in_start(const char *const *options)
{
    struct llm_stand_in stand_in = {.folder = temporary_folder_make()};
    const char *argv[ARGUMENTS_MAX] = {LLM_STAND_IN};
    char ports[300];
    size_t count = 1;
    snprintf(ports, sizeof ports, "%s/ports", stand_in.folder.path);
    snprintf(stand_in.log, sizeof stand_in.log, "%s/log", stand_in.folder.path);
    argv[count++] = "--port-file";
    argv[count++] = ports;
    argv[count++] = "--with-parent";
    argv[count++] = "--log";
    argv[count++] = stand_in.log;
    for (; options && *options; options++) {
        assert_in_range(count, 1, ARGUMENTS_MAX - 2);
        argv[count++] = *options;
    }
    stand_in.pid = child_start(argv);
    read_ports(&stand_in, ports);
    snprintf(stand_in.url, sizeof stand_in.url, "http://127.0.0.1:%u/v1", stand_in.port);
    return stand_in;
}

void llm_stand_in_stop(struct llm_stand_in *stand_in)
{
    child_stop(stand_in->pid);
    temporary_folder_remove(&stand_in->folder);
}

/* One exchange on the control path; what came behind the head. */
static void control(const struct llm_stand_in *stand_in, const char *method, const char *path, const char *body,
                    struct buffer *out)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(stand_in->control_port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    AUTO(buffer) request = {0};
    const char *end;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    buffer_format(&request, "%s %s HTTP/1.1\r\nContent-Length: %zu\r\n\r\n%s", method, path, strlen(body), body);
    assert_int_equal(send(fd, request.data, request.size, 0), (ssize_t)request.size);
    do {
        char piece[4096];
        ssize_t size = recv(fd, piece, sizeof piece, 0);
        if (size <= 0)
            fail_msg("llm-stand-in's control path does not answer");
        buffer_append(out, piece, (size_t)size);
        end = strstr(buffer_text(out), "\r\n\r\n");
    } while (!end || !end[4]);
    close(fd);
}

void llm_stand_in_tell(const struct llm_stand_in *stand_in, const char *faults)
{
    AUTO(buffer) answer = {0};
    control(stand_in, "POST", "/stand-in/faults", faults, &answer);
    if (!strstr(buffer_text(&answer), " 200 "))
        fail_msg("llm-stand-in does not understand %s", faults);
}

int64_t llm_stand_in_count(const struct llm_stand_in *stand_in, const char *what)
{
    AUTO(buffer) answer = {0};
    control(stand_in, "GET", "/stand-in/counts", "", &answer);
    json_t *counts = json_loads(strstr(buffer_text(&answer), "\r\n\r\n") + 4, 0, NULL);
    const json_t *count = json_object_get(counts, what);
    assert_true(json_is_integer(count));
    int64_t value = json_integer_value(count);
    json_decref(counts);
    return value;
}

void llm_stand_in_read_log(const struct llm_stand_in *stand_in, struct buffer *out)
{
    FILE *file = fopen(stand_in->log, "r");
    char piece[4096];
    size_t size;
    assert_non_null(file);
    while ((size = fread(piece, 1, sizeof piece, file)) > 0)
        buffer_append(out, piece, size);
    fclose(file);
}

// SPDX-License-Identifier: Apache-2.0
#include "llm_stand_in/server.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

void connection_close(struct server *server, struct connection *connection, bool reset)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    if (reset)
        setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(connection->fd);
    if (connection->answering && !connection->control)
        server->in_flight--;
    buffer_release(&connection->in);
    buffer_release(&connection->out);
    *connection = (struct connection){.fd = -1};
}

struct bytes request_header(const struct request *request, const char *name)
{
    size_t name_size = strlen(name);
    struct bytes rest = request->head;
    while (rest.size > 0) {
        const uint8_t *end = memmem(rest.data, rest.size, "\r\n", 2);
        size_t size = end ? (size_t)(end - rest.data) : rest.size;
        if (size > name_size && rest.data[name_size] == ':' &&
            strncasecmp((const char *)rest.data, name, name_size) == 0) {
            struct bytes value = bytes_of(rest.data + name_size + 1, size - name_size - 1);
            while (value.size > 0 && value.data[0] == ' ')
                value = bytes_of(value.data + 1, value.size - 1);
            return value;
        }
        size_t passed = end ? size + 2 : size;
        rest = bytes_of(rest.data + passed, rest.size - passed);
    }
    return (struct bytes){0};
}

/* The bytes of the first request in `in` when it is whole, 0 when not yet, SIZE_MAX when it never will be one. */
static size_t whole(const struct buffer *in, struct request *request)
{
    char line[512];
    const uint8_t *end = in->size ? memmem(in->data, in->size, "\r\n\r\n", 4) : NULL;
    if (!end)
        return in->size > REQUEST_MAX ? SIZE_MAX : 0;
    const uint8_t *first = memmem(in->data, in->size, "\r\n", 2);
    size_t head = (size_t)(end - in->data) + 4;
    snprintf(line, sizeof line, "%.*s", (int)(first - in->data), (const char *)in->data);
    if (sscanf(line, "%15s %255s HTTP/1.", request->method, request->path) != 2)
        return SIZE_MAX;
    request->head = first < end ? bytes_of(first + 2, (size_t)(end - first) - 2) : (struct bytes){0};
    int64_t length = 0;
    struct bytes value = request_header(request, "Content-Length");
    if ((value.size && !bytes_to_int64(value, &length)) || length < 0 || length > REQUEST_MAX ||
        request_header(request, "Transfer-Encoding").size)
        return SIZE_MAX;
    request->body = bytes_of(in->data + head, (size_t)length);
    return in->size - head >= (size_t)length ? head + (size_t)length : 0;
}

static void begin_answer(struct server *server, struct connection *connection, const struct request *request)
{
    connection->answering = true;
    connection->ending = END_KEEP;
    connection->piece = 0;
    connection->sent = 0;
    connection->due_us = now_us();
    buffer_clear(&connection->out);
    if (!connection->control) {
        server->in_flight++;
        if (server->in_flight > server->in_flight_max)
            server->in_flight_max = server->in_flight;
    }
    respond(server, connection, request);
}

static void answer_next(struct server *server, struct connection *connection)
{
    struct request request = {0};
    if (connection->answering)
        return;
    size_t size = whole(&connection->in, &request);
    if (size == SIZE_MAX) {
        connection_close(server, connection, false);
        return;
    }
    if (size == 0)
        return;
    begin_answer(server, connection, &request);
    memmove(connection->in.data, connection->in.data + size, connection->in.size - size);
    connection->in.size -= size;
}

void connection_read(struct server *server, struct connection *connection)
{
    uint8_t *room = buffer_reserve(&connection->in, 65536);
    ssize_t size = room ? recv(connection->fd, room, 65536, MSG_DONTWAIT) : -1;
    if (size < 0 && room && (errno == EAGAIN || errno == EINTR))
        return;
    if (size <= 0) {
        connection_close(server, connection, false);
        return;
    }
    connection->in.size += (size_t)size;
    answer_next(server, connection);
}

static void more_of_endless(struct connection *connection)
{
    static const char text[] = "and so on and so on and so on and so on and so on and so on and so on and so on ";
    buffer_clear(&connection->out);
    connection->sent = 0;
    for (int i = 0; i < 256; i++)
        buffer_format(&connection->out, "%zx\r\n%s\r\n", sizeof text - 1, text);
}

static void finish(struct server *server, struct connection *connection)
{
    switch (connection->ending) {
    case END_HANG:
        connection->due_us = INT64_MAX;
        return;
    case END_ENDLESS:
        more_of_endless(connection);
        return;
    case END_CLOSE:
    case END_RESET:
        connection_close(server, connection, connection->ending == END_RESET);
        return;
    default:
        connection->answering = false;
        server->in_flight -= connection->control ? 0 : 1;
        answer_next(server, connection);
    }
}

void connection_write(struct server *server, struct connection *connection)
{
    size_t left = connection->out.size - connection->sent;
    size_t size = connection->piece && connection->piece < left ? connection->piece : left;
    if (size > 0) {
        ssize_t sent = send(connection->fd, connection->out.data + connection->sent, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (sent < 0) {
            connection_close(server, connection, false);
            return;
        }
        connection->sent += (size_t)sent;
        if (connection->piece)
            connection->due_us = now_us() + connection->piece_us;
    }
    if (connection->sent == connection->out.size)
        finish(server, connection);
}

// SPDX-License-Identifier: Apache-2.0
#include <eddy/io/http.h>

#include <stdio.h>

static struct status refuse(const char *text, struct complaint *complaint)
{
    return complain(complaint, FAIL(CONFIG, 0, "not a listen address"),
                    "'%s' is not an address to listen on; write host:port, such as 127.0.0.1:9464, [::1]:9464 or "
                    "*:9464 (all addresses)",
                    text);
}

struct status http_address_parse(const char *text, struct http_address *ret_address, struct complaint *complaint)
{
    struct http_address address = {"", ""};
    const char *colon = strrchr(text, ':');
    int64_t port;
    if (!colon || colon == text || !bytes_to_int64(bytes_of_text(colon + 1), &port) || port < 0 || port > 65535 ||
        colon[1] == '-' || strlen(colon + 1) >= sizeof address.port)
        return refuse(text, complaint);
    struct bytes host = bytes_of(text, (size_t)(colon - text));
    bool bracketed = host.data[0] == '[' && host.size > 2 && host.data[host.size - 1] == ']';
    if (bracketed)
        host = bytes_of(host.data + 1, host.size - 2);
    bool plain = !memchr(host.data, '[', host.size) && !memchr(host.data, ']', host.size) &&
                 (bracketed || !memchr(host.data, ':', host.size)) && !memchr(host.data, ' ', host.size);
    if (!plain || host.size >= sizeof address.host)
        return refuse(text, complaint);
    if (!bytes_equal_text(host, "*"))
        memcpy(address.host, host.data, host.size);
    snprintf(address.port, sizeof address.port, "%d", (int)port);
    *ret_address = address;
    return OK;
}

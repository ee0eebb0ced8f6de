// SPDX-License-Identifier: Apache-2.0
#pragma once
/* registry_stand_in: an HTTP server in the test that stands in for a schema registry: it answers as the test tells it,
 * also in ways that no registry should. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stand_in_answer {
    unsigned code;
    const char *body;         /* NULL: none */
    const char *content_type; /* NULL: a registry's */
    const char *location;     /* of a redirect */
    size_t repeat;            /* the body this many times; 0: once */
    int delay_ms;
    bool hang_up; /* without any answer */
};

struct stand_in_request {
    char method[8], path[256], authorization[128], body[4096];
};

struct stand_in;

/* `answers` are given one after the other, the last one for ever. */
struct stand_in *stand_in_open(const struct stand_in_answer *answers, size_t count);
/* The same over TLS, with a certificate for 127.0.0.1 that only stand_in_certificate (PEM) vouches for. */
struct stand_in *stand_in_open_tls(const struct stand_in_answer *answers, size_t count);
/* And to those alone who show that certificate; others get no answer. */
struct stand_in *stand_in_open_mutual_tls(const struct stand_in_answer *answers, size_t count);
extern const char stand_in_certificate[];
extern const char stand_in_key[];        /* of that certificate, PEM ... */
extern const char stand_in_locked_key[]; /* ... and the same under the password "hush" */
void stand_in_close(struct stand_in *stand_in);
/* From now on. */
void stand_in_tell(struct stand_in *stand_in, const struct stand_in_answer *answers, size_t count);
/* "http://127.0.0.1:4711" */
const char *stand_in_url(const struct stand_in *stand_in);
size_t stand_in_request_count(struct stand_in *stand_in);
/* The last one. */
struct stand_in_request stand_in_request(struct stand_in *stand_in);

// SPDX-License-Identifier: Apache-2.0
#pragma once
/* registry: a client of a schema registry that speaks Confluent's API (Confluent's own, Apicurio's ccompat/v7, ...), on
 * libcurl. A registry gives every schema a number, the id that stands before each record in the Confluent wire format,
 * and keeps the versions of what a topic holds under a subject.
 *
 * What a registry says is outside input: a body is cut off while it arrives, a schema has at most 64 KiB, only Avro
 * schemas without references are taken; whether the text is a schema that can be used is the decoder's to say.
 * Redirects are not followed, so credentials go to the configured hosts alone. Complaints and statuses never hold a
 * password.
 *
 * Failures, beside MEMORY: NOT_FOUND, the registry says that there is no such thing; BAD_INPUT, it refuses what was
 * sent, or what it sent is of no use, and asking again will not help; UNAVAILABLE, anything else: no connection, no
 * answer in time, a server's error, access denied, an answer that no registry gives. Connection failures go on with the
 * next URL.
 *
 * Any thread may call; calls do not wait for each other. Memory: at most CACHED_MAX schemas. */
#include <eddy/port.h>

#define REGISTRY_SCHEMA_BYTES_MAX (64 * 1024)

struct registry_options { /* texts are never NULL; "" is none */
    const char *urls;     /* "http://a:8081,http://b:8081": of the same registry */
    const char *user, *password;
    const char *ca, *certificate, *key, *key_password; /* paths of PEM files; ca "": the system's */
    bool verify;                                       /* the server's certificate and name */
    int timeout_ms;                                    /* of one request to one URL */
    uint32_t retries;                                  /* after an UNAVAILABLE that may pass by itself */
    int64_t unknown_ms;                                /* how long an id that does not exist is not asked for again */
};

struct registry;

/* No request is made. CONFIG when a URL is not one, or holds a user name, or a file cannot be read. */
MUST_CHECK struct status registry_open(const struct registry_options *options, struct registry **ret_registry,
                                       struct complaint *complaint);
void registry_close(struct registry *registry);

/* CONFIG unless the text is a list of http:// and https:// URLs without user names. */
MUST_CHECK struct status registry_check_urls(const char *urls, struct complaint *complaint);

struct registry_version {
    int32_t id;
    int32_t number; /* within the subject; 0: not told */
    bool has_guid;  /* newer registries tell it */
    uint8_t guid[16];
};

/* Makes the schema known under the subject, which may be so already. BAD_INPUT when it does not fit to its versions. */
MUST_CHECK struct status registry_register(struct registry *registry, const char *subject, struct bytes schema,
                                           struct registry_version *ret_version, struct complaint *complaint);
/* NOT_FOUND when the subject does not have this schema. */
MUST_CHECK struct status registry_look_up(struct registry *registry, const char *subject, struct bytes schema,
                                          struct registry_version *ret_version, struct complaint *complaint);
/* Appends the subject's newest schema. NOT_FOUND when there is none. */
MUST_CHECK struct status registry_latest(struct registry *registry, const char *subject, struct buffer *out,
                                         struct registry_version *ret_version, struct complaint *complaint);
/* Whether the subject, by its compatibility level, would take the schema as its next version. */
MUST_CHECK struct status registry_fits(struct registry *registry, const char *subject, struct bytes schema,
                                       bool *ret_fits, struct complaint *complaint);
/* How many subjects there are: whether a registry is there at all. */
MUST_CHECK struct status registry_count_subjects(struct registry *registry, size_t *ret_count,
                                                 struct complaint *complaint);

/* Schemas by name, through a cache. Its fetch() asks each URL at most once, for less than two timeouts together, and
 * does not retry: its caller waits, and asks again. */
struct schema_source registry_source(struct registry *registry);

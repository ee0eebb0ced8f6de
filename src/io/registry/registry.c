// SPDX-License-Identifier: Apache-2.0
#include <eddy/io/registry.h>

#include "io/registry/cache.h"
#include "io/registry/exchange.h"
#include "io/registry/reply.h"

#include <eddy/core/codec.h>
#include <eddy/io/system.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct registry {
    struct exchange_target target;
    pthread_mutex_t lock;
    struct cache cache; /* under lock */
};

struct status registry_open(const struct registry_options *options, struct registry **ret_registry,
                            struct complaint *complaint)
{
    struct registry *registry = calloc(1, sizeof *registry);
    if (!registry)
        return FAIL(MEMORY, 0, "no memory for a registry's client");
    pthread_mutex_init(&registry->lock, NULL);
    struct status status = exchange_target_open(options, &registry->target, complaint);
    if (failed(status)) {
        registry_close(registry);
        return status;
    }
    *ret_registry = registry;
    return OK;
}

void registry_close(struct registry *registry)
{
    if (!registry)
        return;
    exchange_target_release(&registry->target);
    cache_release(&registry->cache);
    pthread_mutex_destroy(&registry->lock);
    free(registry);
}

/* ---- subjects */

/* Unreserved characters of RFC 3986 stay as they are. */
static void append_escaped(const char *text, struct buffer *out)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    for (; *text; text++) {
        if (strchr(plain, *text))
            buffer_append_byte(out, (uint8_t)*text);
        else
            buffer_format(out, "%%%02X", (unsigned char)*text);
    }
}

/* Asks about a subject: `before`, its name, `behind`; with a schema it is a POST. */
static struct status ask_subject(struct registry *registry, const char *before, const char *subject, const char *behind,
                                 const struct bytes *schema, struct buffer *ret_body, struct complaint *complaint)
{
    AUTO(buffer) path = {0};
    AUTO(buffer) request = {0};
    buffer_append_text(&path, before);
    append_escaped(subject, &path);
    buffer_append_text(&path, behind);
    if (schema)
        reply_write_request(*schema, &request);
    TRY(buffer_check(&path));
    TRY(buffer_check(&request));
    const struct exchange_request asked = {buffer_text(&path), buffer_bytes(&request),
                                           registry->target.options.retries};
    return exchange(&registry->target, &asked, ret_body, complaint);
}

struct status registry_register(struct registry *registry, const char *subject, struct bytes schema,
                                struct registry_version *ret_version, struct complaint *complaint)
{
    AUTO(buffer) body = {0};
    TRY(ask_subject(registry, "/subjects/", subject, "/versions", &schema, &body, complaint));
    return reply_read_version(buffer_bytes(&body), ret_version, complaint);
}

struct status registry_look_up(struct registry *registry, const char *subject, struct bytes schema,
                               struct registry_version *ret_version, struct complaint *complaint)
{
    AUTO(buffer) body = {0};
    TRY(ask_subject(registry, "/subjects/", subject, "", &schema, &body, complaint));
    return reply_read_version(buffer_bytes(&body), ret_version, complaint);
}

struct status registry_latest(struct registry *registry, const char *subject, struct buffer *out,
                              struct registry_version *ret_version, struct complaint *complaint)
{
    AUTO(buffer) body = {0};
    struct registry_version version;
    TRY(ask_subject(registry, "/subjects/", subject, "/versions/latest", NULL, &body, complaint));
    TRY(reply_read_version(buffer_bytes(&body), &version, complaint));
    TRY(reply_read_schema(buffer_bytes(&body), out, complaint));
    *ret_version = version;
    return OK;
}

struct status registry_fits(struct registry *registry, const char *subject, struct bytes schema, bool *ret_fits,
                            struct complaint *complaint)
{
    AUTO(buffer) body = {0};
    TRY(ask_subject(registry, "/compatibility/subjects/", subject, "/versions/latest", &schema, &body, complaint));
    return reply_read_fits(buffer_bytes(&body), ret_fits, complaint);
}

struct status registry_count_subjects(struct registry *registry, size_t *ret_count, struct complaint *complaint)
{
    AUTO(buffer) body = {0};
    TRY(ask_subject(registry, "/subjects", "", "", NULL, &body, complaint));
    return reply_read_count(buffer_bytes(&body), ret_count, complaint);
}

/* ---- schemas by name */

static int64_t now_us(void)
{
    struct time_source time = system_time();
    return time.ops->monotonic_us(time.self);
}

/* What is known already; false when nothing is. */
static bool look_into_cache(struct registry *registry, const struct schema_name *name, struct buffer *out,
                            struct status *ret_status, struct complaint *complaint)
{
    pthread_mutex_lock(&registry->lock);
    const struct cached *cached = cache_find(&registry->cache, name, now_us());
    if (cached && !failed(cached->status)) {
        buffer_append_bytes(out, buffer_bytes(&cached->text));
        *ret_status = buffer_check(out);
    } else if (cached) {
        *ret_status = complain(complaint, cached->status, BYTES_FORMAT, BYTES_ARGS(buffer_bytes(&cached->text)));
    }
    pthread_mutex_unlock(&registry->lock);
    return cached != NULL;
}

static void note(struct registry *registry, const struct schema_name *name, struct status status, struct bytes text)
{
    int64_t until_us = INT64_MAX;
    if (failed_as(status, FAULT_NOT_FOUND))
        until_us = now_us() + registry->target.options.unknown_ms * 1000;
    pthread_mutex_lock(&registry->lock);
    cache_note(&registry->cache, name, status, text, until_us);
    pthread_mutex_unlock(&registry->lock);
}

static struct status ask_schema(struct registry *registry, const struct schema_name *name, struct buffer *out,
                                struct complaint *complaint)
{
    char text[SCHEMA_NAME_TEXT_MAX], path[80];
    AUTO(buffer) body = {0};
    schema_name_text(name, text);
    snprintf(path, sizeof path, name->by_guid ? "/schemas/guids/%s" : "/schemas/ids/%s", strchr(text, ' ') + 1);
    const struct exchange_request request = {.path = path};
    struct status status = exchange(&registry->target, &request, &body, complaint);
    if (name->by_guid && failed_as(status, FAULT_UNAVAILABLE) && status.detail == 404)
        return complain(complaint, FAIL(NOT_FOUND, 0, "the schema registry knows no GUIDs"),
                        "this schema registry cannot be asked by GUID");
    TRY(status);
    return reply_read_schema(buffer_bytes(&body), out, complaint);
}

static struct status fetch(void *self, const struct schema_name *name, struct buffer *out, struct complaint *complaint)
{
    struct registry *registry = self;
    struct status status;
    struct complaint why = {""};
    AUTO(buffer) schema = {0};
    if (look_into_cache(registry, name, out, &status, complaint))
        return status;
    status = ask_schema(registry, name, &schema, &why);
    if (!failed(status) || failed_as(status, FAULT_NOT_FOUND) || failed_as(status, FAULT_BAD_INPUT))
        note(registry, name, status, failed(status) ? bytes_of_text(why.text) : buffer_bytes(&schema));
    if (failed(status))
        return complain(complaint, status, "%s", why.text);
    buffer_append_bytes(out, buffer_bytes(&schema));
    return buffer_check(out);
}

struct schema_source registry_source(struct registry *registry)
{
    static const struct schema_source_ops ops = {fetch};
    return (struct schema_source){&ops, registry};
}

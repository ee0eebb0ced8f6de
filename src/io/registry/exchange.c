// SPDX-License-Identifier: Apache-2.0
#include "io/registry/exchange.h"

#include "io/registry/reply.h"

#include <curl/curl.h>
#include <eddy/io/system.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BACKOFF_FIRST_MS 100
#define BACKOFF_MAX_MS   2000
#define CONTENT_TYPE     "application/vnd.schemaregistry.v1+json"

/* ---- where to */

static void start_curl(void)
{
    CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    assert(code == CURLE_OK);
}

static struct status bad_url(const char *url, size_t size, const char *why, struct complaint *complaint)
{
    return complain(complaint, FAIL(CONFIG, 0, "not a registry's URL"), "'%.*s' %s", (int)size, url, why);
}

/* A user name in it is not shown, as a password would stand behind it. */
static struct status check_url(const char *url, size_t size, struct complaint *complaint)
{
    bool plain = !strncasecmp(url, "http://", 7), secure = !strncasecmp(url, "https://", 8);
    size_t scheme = plain ? 7 : 8, host = strcspn(url + (plain || secure ? scheme : 0), "/?#,");
    if (!plain && !secure)
        return bad_url(url, memchr(url, '@', size) ? 0 : size, "is not a URL like http://localhost:8081", complaint);
    if (memchr(url, '@', size))
        return bad_url(url, scheme, "is followed by a user name: set registry.user and registry.password", complaint);
    if (host == 0 || memchr(url, '?', size) || memchr(url, '#', size) || memchr(url, ' ', size))
        return bad_url(url, size, "is not a URL like http://localhost:8081", complaint);
    return OK;
}

/* Calls `take` for each URL of the list. */
static struct status each_url(const char *urls, struct status (*take)(void *, const char *, size_t), void *context,
                              struct complaint *complaint)
{
    size_t count = 0;
    for (const char *url = urls;; url += 1) {
        url += strspn(url, " ");
        size_t size = strcspn(url, ",");
        const char *next = url + size;
        while (size > 0 && (url[size - 1] == ' ' || url[size - 1] == '/'))
            size--;
        TRY(check_url(url, size, complaint));
        if (count++ == URLS_MAX)
            return complain(complaint, FAIL(CONFIG, URLS_MAX, "too many URLs"), "there are more than %d URLs",
                            URLS_MAX);
        TRY(take(context, url, size));
        url = next;
        if (!*url)
            return OK;
    }
}

static struct status pass(void *context, const char *url, size_t size)
{
    (void)context;
    (void)url;
    (void)size;
    return OK;
}

struct status registry_check_urls(const char *urls, struct complaint *complaint)
{
    return each_url(urls, pass, NULL, complaint);
}

static struct status keep_url(void *context, const char *url, size_t size)
{
    struct exchange_target *target = context;
    target->bases[target->count] = strndup(url, size);
    return target->bases[target->count++] ? OK : FAIL(MEMORY, 0, "no memory for a URL");
}

static const char **option_text(struct registry_options *options, size_t i)
{
    const char **const texts[] = {&options->urls,        &options->user, &options->password,    &options->ca,
                                  &options->certificate, &options->key,  &options->key_password};
    return i < sizeof texts / sizeof *texts ? texts[i] : NULL;
}

static struct status check_file(const char *path, const char *what, struct complaint *complaint)
{
    if (!*path || !access(path, R_OK))
        return OK;
    return complain(complaint, FAIL(CONFIG, errno, "a file of a registry's options cannot be read"),
                    "cannot read %s %s: %s", what, path, strerror(errno));
}

struct status exchange_target_open(const struct registry_options *options, struct exchange_target *ret_target,
                                   struct complaint *complaint)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_curl);
    TRY(check_file(options->ca, "registry.ca", complaint));
    TRY(check_file(options->certificate, "registry.certificate", complaint));
    TRY(check_file(options->key, "registry.key", complaint));
    *ret_target = (struct exchange_target){.options = *options};
    const char **text;
    bool good = true;
    for (size_t i = 0; (text = option_text(&ret_target->options, i)); i++)
        good = (*text = strdup(*text)) && good;
    if (!good)
        return FAIL(MEMORY, 0, "no memory for a registry's options");
    return each_url(options->urls, keep_url, ret_target, complaint);
}

void exchange_target_release(struct exchange_target *target)
{
    const char **text;
    for (size_t i = 0; (text = option_text(&target->options, i)); i++)
        free((char *)(uintptr_t)*text);
    for (size_t i = 0; i < target->count; i++)
        free(target->bases[i]);
}

/* ---- one request to one URL */

struct answer {
    struct buffer *body;
    char problem[CURL_ERROR_SIZE];
    long code;
    CURLcode result;
};

static size_t take_body(char *data, size_t one, size_t size, void *context)
{
    struct answer *answer = context;
    buffer_append(answer->body, data, one * size);
    return answer->body->overflow ? 0 : size;
}

static void set_security(CURL *handle, const struct registry_options *options)
{
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, options->verify ? 1L : 0L);
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, options->verify ? 2L : 0L);
    if (*options->ca)
        curl_easy_setopt(handle, CURLOPT_CAINFO, options->ca);
    if (*options->certificate)
        curl_easy_setopt(handle, CURLOPT_SSLCERT, options->certificate);
    if (*options->key)
        curl_easy_setopt(handle, CURLOPT_SSLKEY, options->key);
    if (*options->key_password)
        curl_easy_setopt(handle, CURLOPT_KEYPASSWD, options->key_password);
    if (!*options->user)
        return;
    curl_easy_setopt(handle, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
    curl_easy_setopt(handle, CURLOPT_USERNAME, options->user);
    curl_easy_setopt(handle, CURLOPT_PASSWORD, options->password);
}

static void perform(CURL *handle, const struct exchange_target *target, const struct exchange_request *request,
                    const char *url, struct answer *answer)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Accept: " CONTENT_TYPE ", application/json");
    headers = curl_slist_append(headers, "Content-Type: " CONTENT_TYPE);
    curl_easy_setopt(handle, CURLOPT_URL, url);
    curl_easy_setopt(handle, CURLOPT_USERAGENT, "eddy");
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, (long)target->options.timeout_ms);
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, (long)target->options.timeout_ms);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, answer);
    curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, answer->problem);
    set_security(handle, &target->options);
    if (request->body.data) {
        curl_easy_setopt(handle, CURLOPT_POST, 1L);
        curl_easy_setopt(handle, CURLOPT_POSTFIELDS, (const char *)request->body.data);
        curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE, (long)request->body.size);
    }
    answer->result = curl_easy_perform(handle);
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &answer->code);
    curl_slist_free_all(headers);
}

static struct status ask(const struct exchange_target *target, const struct exchange_request *request, const char *url,
                         struct answer *answer)
{
    CURL *handle = curl_easy_init();
    if (!handle)
        return FAIL(MEMORY, 0, "no memory for an HTTP request");
    buffer_clear(answer->body);
    answer->body->limit = BODY_BYTES_MAX;
    perform(handle, target, request, url, answer);
    curl_easy_cleanup(handle);
    return OK;
}

/* ---- what an answer means */

enum verdict {
    FINAL,      /* asking again says the same */
    TRY_OTHERS, /* another URL may answer; so may this one, later */
    TRY_LATER,  /* the registry is busy */
};

static struct status judge_failure(const struct answer *answer, const char *url, enum verdict *ret_verdict,
                                   struct complaint *complaint)
{
    *ret_verdict = TRY_OTHERS;
    return complain(complaint, FAIL(UNAVAILABLE, answer->result, "the schema registry does not answer"), "%s: %s", url,
                    *answer->problem ? answer->problem : curl_easy_strerror(answer->result));
}

static struct status judge_refusal(const struct answer *answer, const char *url, enum verdict *ret_verdict,
                                   struct complaint *complaint)
{
    struct reply_error error = reply_read_error(buffer_bytes(answer->body));
    long code = answer->code;
    *ret_verdict = FINAL;
    if (code == 404 && error.code != 0)
        return complain(complaint, FAIL(NOT_FOUND, error.code, "the schema registry does not know it"), "%s: %s", url,
                        error.text);
    if (code == 409 || code == 422)
        return complain(complaint, FAIL(BAD_INPUT, code, "the schema registry refuses a schema"), "%s: %s", url,
                        *error.text ? error.text : "refused without a reason");
    if (code == 401 || code == 403)
        return complain(complaint, FAIL(UNAVAILABLE, code, "the schema registry refuses access"),
                        "%s: access refused (HTTP %ld); look at registry.user and registry.password", url, code);
    if (code == 429 || code >= 500) {
        *ret_verdict = TRY_LATER;
        return complain(complaint, FAIL(UNAVAILABLE, code, "the schema registry is not well"), "%s: HTTP %ld%s%s", url,
                        code, *error.text ? ": " : "", error.text);
    }
    return complain(complaint, FAIL(UNAVAILABLE, code, "this is no answer of a schema registry"),
                    "%s: HTTP %ld%s: is registry.url the base of a schema registry's API?", url, code,
                    code >= 300 && code < 400 ? ", a redirect, which is not followed" : "");
}

static struct status judge(const struct answer *answer, const char *url, enum verdict *ret_verdict,
                           struct complaint *complaint)
{
    *ret_verdict = FINAL;
    bool cut = answer->body->overflow; /* then curl has failed, because we did not take the rest */
    if (answer->result != CURLE_OK && !cut)
        return judge_failure(answer, url, ret_verdict, complaint);
    if (answer->code / 100 != 2)
        return judge_refusal(answer, url, ret_verdict, complaint);
    return cut ? complain(complaint, FAIL(BAD_INPUT, BODY_BYTES_MAX, "an answer of the registry is too large"),
                          "%s: the answer has more than %d bytes", url, BODY_BYTES_MAX)
               : OK;
}

static int64_t now_us(void)
{
    struct time_source time = system_time();
    return time.ops->monotonic_us(time.self);
}

/* Each URL once, from the one that answered last on; but when one timeout has gone by no more of them: somebody waits
 * for us. The next call goes on where this one ended. */
static struct status ask_all(struct exchange_target *target, const struct exchange_request *request,
                             struct buffer *body, enum verdict *ret_verdict, struct complaint *complaint)
{
    struct status status = OK;
    int64_t end_us = now_us() + (int64_t)target->options.timeout_ms * 1000;
    size_t first = atomic_load(&target->first);
    for (size_t i = 0; i < target->count && (i == 0 || now_us() < end_us); i++) {
        size_t place = (first + i) % target->count;
        AUTO(buffer) url = {0};
        buffer_format(&url, "%s%s", target->bases[place], request->path);
        TRY(buffer_check(&url));
        struct answer answer = {.body = body};
        TRY(ask(target, request, buffer_text(&url), &answer));
        status = judge(&answer, buffer_text(&url), ret_verdict, complaint);
        atomic_store(&target->first, *ret_verdict == TRY_OTHERS ? (place + 1) % target->count : place);
        if (*ret_verdict != TRY_OTHERS)
            return status;
    }
    return status;
}

struct status exchange(struct exchange_target *target, const struct exchange_request *request, struct buffer *ret_body,
                       struct complaint *complaint)
{
    int backoff_ms = BACKOFF_FIRST_MS;
    for (uint32_t left = request->retries;; left--) {
        enum verdict verdict;
        struct status status = ask_all(target, request, ret_body, &verdict, complaint);
        if (!failed_as(status, FAULT_UNAVAILABLE) || verdict == FINAL || left == 0)
            return status;
        system_wait_ms(backoff_ms);
        backoff_ms = backoff_ms * 2 < BACKOFF_MAX_MS ? backoff_ms * 2 : BACKOFF_MAX_MS;
    }
}

// SPDX-License-Identifier: Apache-2.0
#include "io/llm/client.h"

#include <stdlib.h>

/* ---- what comes */

static size_t take_body(char *data, size_t one, size_t size, void *context)
{
    struct transfer *transfer = context;
    buffer_append(&transfer->body, data, one * size);
    return transfer->body.overflow ? 0 : size;
}

static void take_value(const char *line, size_t size, const char *name, char value[HEADER_VALUE_MAX])
{
    size_t name_size = strlen(name);
    if (size <= name_size || line[name_size] != ':' || strncasecmp(line, name, name_size) != 0)
        return;
    line += name_size + 1;
    size -= name_size + 1;
    while (size > 0 && (*line == ' ' || *line == '\t'))
        line++, size--;
    while (size > 0 && (line[size - 1] == '\n' || line[size - 1] == '\r' || line[size - 1] == ' '))
        size--;
    if (size >= HEADER_VALUE_MAX) /* none of them is that long */
        return;
    memcpy(value, line, size);
    value[size] = 0;
}

static size_t take_header(char *data, size_t one, size_t size, void *context)
{
    static const char *const names[HEADER_COUNT] = {
        [HEADER_RETRY_AFTER] = "retry-after",
        [HEADER_RETRY_AFTER_MS] = "retry-after-ms",
        [HEADER_DATE] = "date",
        [HEADER_REMAINING_REQUESTS] = "x-ratelimit-remaining-requests",
        [HEADER_RESET_REQUESTS] = "x-ratelimit-reset-requests",
        [HEADER_REMAINING_TOKENS] = "x-ratelimit-remaining-tokens",
        [HEADER_RESET_TOKENS] = "x-ratelimit-reset-tokens",
    };
    struct transfer *transfer = context;
    transfer->header_bytes += one * size;
    if (transfer->header_bytes > HEADER_BYTES_MAX)
        return 0;
    for (size_t i = 0; i < HEADER_COUNT; i++)
        take_value(data, one * size, names[i], transfer->headers[i]);
    return size;
}

/* ---- one request */

static long version_of(enum llm_http http)
{
    switch (http) {
    case LLM_HTTP_1:
        return CURL_HTTP_VERSION_1_1;
    case LLM_HTTP_2_PLAIN:
        return CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
    default:
        return CURL_HTTP_VERSION_2TLS;
    }
}

/* What is the same for all requests of a client; a handle that was used before has it already. */
static void set_up(CURL *easy, const struct llm_client *client)
{
    const struct llm_options *options = &client->options;
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "eddy");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* a name server that hangs does not hold us up */
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, version_of(options->http));
    curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)options->connect_timeout_ms);
    curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)options->body_bytes_max);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, options->verify ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, options->verify ? 2L : 0L);
    if (*client->ca)
        curl_easy_setopt(easy, CURLOPT_CAINFO, client->ca);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
}

static CURL *take_easy(struct llm_client *client)
{
    if (client->spare_count > 0)
        return client->spare[--client->spare_count];
    CURL *easy = curl_easy_init();
    if (easy)
        set_up(easy, client);
    return easy;
}

static void leave_easy(struct llm_client *client, CURL *easy)
{
    if (client->spare_count < client->spare_capacity)
        client->spare[client->spare_count++] = easy;
    else
        curl_easy_cleanup(easy);
}

/* libcurl before 8.0 fails every request but the first on a connection of HTTP/2 without TLS (curl/curl#10643, seen
 * with 7.88.1), so each request gets a connection of its own there. */
static bool connections_serve_once(const struct llm_client *client)
{
    return client->options.http == LLM_HTTP_2_PLAIN && curl_version_info(CURLVERSION_NOW)->version_num < 0x080000;
}

/* Whether a request waits for a connection that is being made, because it may be carried on it too. Without TLS that is
 * known only when the first answer has come, which takes a language model seconds. */
static bool may_share(const struct llm_client *client, const struct target *target)
{
    if (client->options.http == LLM_HTTP_2_PLAIN)
        return !connections_serve_once(client);
    return client->options.http == LLM_HTTP_NEGOTIATED && strncasecmp(target->base, "https:", 6) == 0;
}

static bool set_request(struct llm_client *client, struct transfer *transfer)
{
    const struct target *target = &client->targets[transfer->endpoint];
    const struct call *call = transfer->call;
    AUTO(buffer) url = {0};
    buffer_format(&url, "%s%s", target->base, call->path);
    CURLcode code = failed(buffer_check(&url)) ? CURLE_OUT_OF_MEMORY
                                               : curl_easy_setopt(transfer->easy, CURLOPT_URL, buffer_text(&url));
    curl_easy_setopt(transfer->easy, CURLOPT_PIPEWAIT, may_share(client, target) ? 1L : 0L);
    curl_easy_setopt(transfer->easy, CURLOPT_FRESH_CONNECT, connections_serve_once(client) ? 1L : 0L);
    curl_easy_setopt(transfer->easy, CURLOPT_FORBID_REUSE, connections_serve_once(client) ? 1L : 0L);
    curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, target->headers);
    curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDS, (const char *)call->body.data);
    curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDSIZE, (long)call->body.size);
    curl_easy_setopt(transfer->easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(transfer->easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(transfer->easy, CURLOPT_ERRORBUFFER, transfer->problem);
    curl_easy_setopt(transfer->easy, CURLOPT_PRIVATE, transfer);
    return code == CURLE_OK && curl_multi_add_handle(client->multi, transfer->easy) == CURLM_OK;
}

bool transfer_begin(struct llm_client *client, struct transfer *transfer, struct call *call, size_t endpoint,
                    int64_t now_us)
{
    struct buffer body = transfer->body;
    *transfer = (struct transfer){.call = call, .endpoint = endpoint, .begun_us = now_us, .body = body};
    buffer_clear(&transfer->body);
    transfer->body.limit = client->options.body_bytes_max;
    transfer->easy = take_easy(client);
    if (!transfer->easy)
        return false;
    if (set_request(client, transfer))
        return true;
    leave_easy(client, transfer->easy);
    transfer->easy = NULL;
    return false;
}

void transfer_end(struct llm_client *client, struct transfer *transfer)
{
    long connections = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &connections);
    client->report.connections += connections > 0 ? (uint64_t)connections : 0;
    curl_multi_remove_handle(client->multi, transfer->easy);
    curl_easy_setopt(transfer->easy, CURLOPT_ERRORBUFFER, NULL);
    leave_easy(client, transfer->easy);
    transfer->easy = NULL;
    target_blot(&client->targets[transfer->endpoint], transfer->body.data, transfer->body.size);
    target_blot(&client->targets[transfer->endpoint], (uint8_t *)transfer->problem, strlen(transfer->problem));
}

/* ---- what it came to */

static enum call_outcome outcome_of_failure(CURLcode result, long connect_code)
{
    switch (result) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
    case CURLE_OPERATION_TIMEDOUT: /* of the connection: the rest of the time is ours to watch */
        return CALL_CONNECT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_INVALIDCERTSTATUS:
        return CALL_TLS;
    case CURLE_FILESIZE_EXCEEDED:
        return CALL_LARGE;
    case CURLE_OUT_OF_MEMORY:
        return CALL_NO_MEMORY;
    default:
        return connect_code >= 400 ? CALL_CONNECT : CALL_BROKEN;
    }
}

static struct retry_hints hints_of(const struct transfer *transfer)
{
    const struct bytes values[HEADER_COUNT] = {bytes_of_text(transfer->headers[0]), bytes_of_text(transfer->headers[1]),
                                               bytes_of_text(transfer->headers[2]), bytes_of_text(transfer->headers[3]),
                                               bytes_of_text(transfer->headers[4]), bytes_of_text(transfer->headers[5]),
                                               bytes_of_text(transfer->headers[6])};
    return (struct retry_hints){.retry_after = values[HEADER_RETRY_AFTER],
                                .retry_after_ms = values[HEADER_RETRY_AFTER_MS],
                                .date = values[HEADER_DATE],
                                .remaining_requests = values[HEADER_REMAINING_REQUESTS],
                                .reset_requests = values[HEADER_RESET_REQUESTS],
                                .remaining_tokens = values[HEADER_REMAINING_TOKENS],
                                .reset_tokens = values[HEADER_RESET_TOKENS]};
}

enum call_outcome transfer_outcome(const struct llm_client *client, struct transfer *transfer, CURLcode result,
                                   int64_t *ret_hint_ms, int *ret_code)
{
    long code = 0, connect_code = 0;
    *ret_hint_ms = -1;
    *ret_code = 0;
    if (transfer->body.no_memory)
        return CALL_NO_MEMORY;
    if (transfer->body.overflow || transfer->header_bytes > HEADER_BYTES_MAX)
        return CALL_LARGE; /* then libcurl has failed, because we did not take the rest */
    curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_CONNECTCODE, &connect_code);
    if (result != CURLE_OK)
        return outcome_of_failure(result, connect_code);
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &code);
    struct retry_hints hints = hints_of(transfer);
    *ret_hint_ms = retry_hint_ms(&hints, client->time.ops->wall_ms(client->time.self));
    *ret_code = (int)code;
    return call_outcome_of_code((int)code, *ret_hint_ms);
}

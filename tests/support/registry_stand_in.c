// SPDX-License-Identifier: Apache-2.0
#include "support/registry_stand_in.h"

#include "support/support.h"

#include <eddy/io/system.h>

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>

#define ANSWERS_MAX 16

const char stand_in_certificate[] = "-----BEGIN CERTIFICATE-----\n"
                                    "MIIBWzCCAQKgAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAllZGR5IHRl\n"
                                    "c3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBQxEjAQBgNVBAMM\n"
                                    "CWVkZHkgdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABLFsUU3GmOrTKaYO\n"
                                    "+yQPdh9uciX/mlpAabBZK2JH1ZX9+7IOFPw2aT2IMwQ0ilCPJwp6coMak/+Y9THo\n"
                                    "IgIaqG2jQzBBMA8GA1UdEwEB/wQFMAMBAf8wDwYDVR0RBAgwBocEfwAAATAdBgNV\n"
                                    "HQ4EFgQUtBBh2VkbXb/T44hTDpYFHdgW9SAwCgYIKoZIzj0EAwIDRwAwRAIgf3VU\n"
                                    "WnlM21P9VdQTJn/uSH92JrAar8XRUQRuY6jJrMECICwDc8V2SVxpqTmJ46zGXS8O\n"
                                    "p66KURaW+v0OKplxwcj0\n"
                                    "-----END CERTIFICATE-----\n";
const char stand_in_key[] = /* of tests alone */
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgiGoO5ZnudBHuW/BU\n"
    "GRiMKTHKraKAS3Qz8LTgSMlHnYShRANCAASxbFFNxpjq0ymmDvskD3YfbnIl/5pa\n"
    "QGmwWStiR9WV/fuyDhT8Nmk9iDMENIpQjycKenKDGpP/mPUx6CICGqht\n"
    "-----END PRIVATE KEY-----\n";

/* The same, encrypted with the password "hush". */
const char stand_in_locked_key[] = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
                                   "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjizHRdWXBrsQICCAAw\n"
                                   "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEAQIEEDL+OuSRO2GRW5RIu33/F7oEgZAG\n"
                                   "7vp/YjRBCcD4R0azxfTIc59dqQNNVNm6hPLGKcJt7/CUD1Rv/gYVAa7AhJXdQHRK\n"
                                   "8m3J1gWEBp+S/c07QOlSNSpBTmcmusjkojuCKgcArSGrV8h1/UssQYVeaIyiy7/+\n"
                                   "qhh6GdQmv71T3zOA5to3kEdP5VwkGb96vKqnvXfoBb2Qz1FNn+Ykrniblsr7X3E=\n"
                                   "-----END ENCRYPTED PRIVATE KEY-----\n";

struct stand_in {
    struct MHD_Daemon *daemon;
    char url[64];
    bool mutual; /* only who shows the certificate is answered */
    pthread_mutex_t lock;
    struct stand_in_answer answers[ANSWERS_MAX]; /* this and the rest under lock */
    size_t answer_count, next, request_count;
    struct stand_in_request request;
};

static struct stand_in_answer next_answer(struct stand_in *stand_in, const struct stand_in_request *request)
{
    pthread_mutex_lock(&stand_in->lock);
    struct stand_in_answer answer = stand_in->answers[stand_in->next];
    if (stand_in->next + 1 < stand_in->answer_count)
        stand_in->next++;
    stand_in->request = *request;
    stand_in->request_count++;
    pthread_mutex_unlock(&stand_in->lock);
    return answer;
}

static enum MHD_Result reply(struct MHD_Connection *connection, const struct stand_in_answer *answer)
{
    size_t size = answer->body ? strlen(answer->body) : 0, times = answer->repeat ? answer->repeat : 1;
    char *body = malloc(size * times + 1);
    assert_non_null(body);
    for (size_t i = 0; i < times; i++)
        memcpy(body + i * size, answer->body ? answer->body : "", size);
    struct MHD_Response *response = MHD_create_response_from_buffer(size * times, body, MHD_RESPMEM_MUST_FREE);
    MHD_add_response_header(response, "Content-Type",
                            answer->content_type ? answer->content_type : "application/vnd.schemaregistry.v1+json");
    if (answer->location)
        MHD_add_response_header(response, "Location", answer->location);
    enum MHD_Result result = MHD_queue_response(connection, answer->code, response);
    MHD_destroy_response(response);
    return result;
}

static bool is_trusted(struct MHD_Connection *connection)
{
    unsigned faults;
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    return info && gnutls_certificate_verify_peers2(info->tls_session, &faults) == 0 && faults == 0;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *path, const char *method,
                              const char *version, const char *upload, size_t *upload_size, void **state)
{
    (void)version;
    struct stand_in_request *request = *state;
    if (!request) {
        *state = calloc(1, sizeof *request);
        return *state ? MHD_YES : MHD_NO;
    }
    struct stand_in *stand_in = context;
    if (stand_in->mutual && !is_trusted(connection))
        return MHD_NO;
    size_t used = strlen(request->body);
    if (*upload_size) {
        snprintf(request->body + used, sizeof request->body - used, "%.*s", (int)*upload_size, upload);
        *upload_size = 0;
        return MHD_YES;
    }
    const char *authorization = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization");
    snprintf(request->method, sizeof request->method, "%s", method);
    snprintf(request->path, sizeof request->path, "%s", path);
    snprintf(request->authorization, sizeof request->authorization, "%s", authorization ? authorization : "");
    struct stand_in_answer answer = next_answer(stand_in, request);
    if (answer.delay_ms)
        system_wait_ms(answer.delay_ms);
    return answer.hang_up ? MHD_NO : reply(connection, &answer);
}

static void done(void *context, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code)
{
    (void)context;
    (void)connection;
    (void)code;
    free(*state);
    *state = NULL;
}

/* As it was sent: names of subjects come escaped. */
static size_t leave_escaped(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context;
    (void)connection;
    return strlen(text);
}

enum security { PLAIN, TLS, MUTUAL_TLS };

static struct stand_in *start(const struct stand_in_answer *answers, size_t count, enum security security)
{
    struct stand_in *stand_in = calloc(1, sizeof *stand_in);
    assert_non_null(stand_in);
    pthread_mutex_init(&stand_in->lock, NULL);
    stand_in_tell(stand_in, answers, count);
    const struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct MHD_OptionItem options[] = {
        {MHD_OPTION_HTTPS_MEM_TRUST, 0, (void *)(uintptr_t)stand_in_certificate},
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)stand_in_certificate},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)stand_in_key},
        {MHD_OPTION_END, 0, NULL},
    };
    static const size_t first[] = {[PLAIN] = 3, [TLS] = 1, [MUTUAL_TLS] = 0};
    stand_in->mutual = security == MUTUAL_TLS;
    stand_in->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | (security ? MHD_USE_TLS : 0), 0, NULL, NULL,
                                        handle, stand_in, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_NOTIFY_COMPLETED,
                                        done, NULL, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL, MHD_OPTION_ARRAY,
                                        options + first[security], MHD_OPTION_END);
    assert_non_null(stand_in->daemon);
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(stand_in->daemon, MHD_DAEMON_INFO_BIND_PORT);
    snprintf(stand_in->url, sizeof stand_in->url, "%s://127.0.0.1:%u", security ? "https" : "http", info->port);
    return stand_in;
}

struct stand_in *stand_in_open(const struct stand_in_answer *answers, size_t count)
{
    return start(answers, count, PLAIN);
}

struct stand_in *stand_in_open_tls(const struct stand_in_answer *answers, size_t count)
{
    return start(answers, count, TLS);
}

struct stand_in *stand_in_open_mutual_tls(const struct stand_in_answer *answers, size_t count)
{
    return start(answers, count, MUTUAL_TLS);
}

void stand_in_close(struct stand_in *stand_in)
{
    MHD_stop_daemon(stand_in->daemon);
    pthread_mutex_destroy(&stand_in->lock);
    free(stand_in);
}

void stand_in_tell(struct stand_in *stand_in, const struct stand_in_answer *answers, size_t count)
{
    assert_in_range(count, 1, ANSWERS_MAX);
    pthread_mutex_lock(&stand_in->lock);
    memcpy(stand_in->answers, answers, count * sizeof *answers);
    stand_in->answer_count = count;
    stand_in->next = 0;
    pthread_mutex_unlock(&stand_in->lock);
}

const char *stand_in_url(const struct stand_in *stand_in)
{
    return stand_in->url;
}

size_t stand_in_request_count(struct stand_in *stand_in)
{
    pthread_mutex_lock(&stand_in->lock);
    size_t count = stand_in->request_count;
    pthread_mutex_unlock(&stand_in->lock);
    return count;
}

struct stand_in_request stand_in_request(struct stand_in *stand_in)
{
    pthread_mutex_lock(&stand_in->lock);
    struct stand_in_request request = stand_in->request;
    pthread_mutex_unlock(&stand_in->lock);
    return request;
}

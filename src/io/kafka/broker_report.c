// SPDX-License-Identifier: Apache-2.0
#include "io/kafka/client.h"

/* librdkafka tells of brokers in sentences alone:
 *   [thrd:host:9092/1]: host:9092/1: Connect to ipv4#10.0.0.1:9092 failed: Connection refused (after 0ms in state ...)
 *   GroupCoordinator: host:9092: Disconnected (after 5155ms in state UP)
 *   [thrd:...]: sasl_ssl://host:9092/bootstrap: Broker changed state APIVERSION_QUERY -> UP
 * A connection's error comes twice, from its thread as FAIL and through the error callback with the error's name. */

static bool is_any(const char *word, const char *const *words)
{
    for (; *words; words++)
        if (!strcmp(word, *words))
            return true;
    return false;
}

static const char *behind(const char *text, const char *part)
{
    const char *found = strstr(text, part);
    return found ? found + strlen(part) : text;
}

/* Past what stands before host:port. */
static const char *skip_role(const char *text)
{
    if (!strncmp(text, "[thrd:", 6))
        text = behind(text, "]: ");
    if (!strncmp(text, "GroupCoordinator: ", 18))
        text += 18;
    const char *scheme = strstr(text, "://"), *blank = strchr(text, ' ');
    return scheme && (!blank || scheme < blank) ? scheme + 3 : text;
}

const char *kafka_advice(const char *text)
{
    static const struct {
        const char *part, *advice;
    } rows[] = {
        {"SASL authentication error", "check kafka.sasl.username and kafka.sasl.password"},
        {"mechanism handshake failed", "check kafka.sasl.mechanisms"},
        {"certificate verify failed",
         "check kafka.ssl.ca.location, and that kafka.bootstrap.servers has the names that "
         "stand in the brokers' certificates"},
        {"incorrect security.protocol", "check kafka.security.protocol"},
        {"alert bad certificate", "the broker wants a client's certificate that it knows: check "
                                  "kafka.ssl.certificate.location and kafka.ssl.key.location"},
        {"alert certificate required", "the broker wants a client's certificate: check kafka.ssl.certificate.location "
                                       "and kafka.ssl.key.location"},
        {"alert unknown ca", "the broker does not know who signed the client's certificate: check "
                             "kafka.ssl.certificate.location"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strstr(text, rows[i].part))
            return rows[i].advice;
    return "";
}

bool kafka_read_broker_report(const char *facility, const char *text, struct kafka_broker_report *ret_report)
{
    static const char *const errors[] = {"FAIL", "_TRANSPORT", "_RESOLVE", "_SSL", "_AUTHENTICATION", NULL};
    bool error = is_any(facility, errors);
    text = skip_role(text);
    const char *colon = strstr(text, ": ");
    if (!colon || (!error && strcmp(facility, "STATE") != 0))
        return false;
    struct bytes broker = bytes_of(text, strcspn(text, "/ "));
    if (broker.data + broker.size > (const uint8_t *)colon)
        broker.size = (size_t)(colon - text);
    const char *cause = colon + 2, *state = strstr(cause, " (after ");
    struct kafka_broker_report report = {.broker = broker,
                                         .cause = bytes_of(cause, state ? (size_t)(state - cause) : strlen(cause)),
                                         .advice = kafka_advice(cause)};
    if (!error) {
        report.reachable = strstr(cause, "-> UP") && !strstr(cause, "-> UPDATE");
        report.cause = (struct bytes){0};
    }
    *ret_report = report;
    return error || report.reachable;
}

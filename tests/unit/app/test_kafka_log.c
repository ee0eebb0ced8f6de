// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "app/log.h"
#include "app/run/kafka_log.h"

#include <eddy/io/kafka.h>

#include <unistd.h>

#define THREAD "[thrd:shop:9092/bootstrap]: "

static void assert_report(const char *facility, const char *text, const char *broker, const char *cause)
{
    struct kafka_broker_report report;
    assert_true(kafka_read_broker_report(facility, text, &report));
    assert_bytes(report.broker, broker);
    assert_int_equal(report.reachable, !cause);
    assert_bytes(report.cause, cause ? cause : "");
}

static void what_refuses_a_connection_names_the_options_to_look_at(void **state)
{
    (void)state;
    static const struct {
        const char *cause, *option;
    } rows[] = {
        {"SASL authentication error: Authentication failed", "kafka.sasl.password"},
        {"SASL PLAIN mechanism handshake failed: Broker: Unsupported SASL mechanism", "kafka.sasl.mechanisms"},
        {"SSL handshake failed: ... certificate verify failed: ...", "kafka.ssl.ca.location"},
        {"SSL handshake failed: ... certificate verify failed: ...", "kafka.bootstrap.servers"},
        {"Disconnected while requesting ApiVersion: might be caused by incorrect security.protocol configuration",
         "kafka.security.protocol"},
        {"Receive failed: ... sslv3 alert bad certificate: SSL alert number 42", "kafka.ssl.certificate.location"},
        {"Connect to ipv4#127.0.0.1:9092 failed: Connection refused", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[256];
        struct kafka_broker_report report;
        snprintf(text, sizeof text, "ssl://shop:9092/bootstrap: %s", rows[i].cause);
        assert_true(kafka_read_broker_report("FAIL", text, &report));
        assert_non_null(strstr(report.advice, rows[i].option));
        assert_int_equal(!*report.advice, !*rows[i].option);
    }
}

static void sentences_of_librdkafka_are_read(void **state)
{
    (void)state;
    static const char refused[] = "Connect to ipv4#127.0.0.1:9092 failed: Connection refused";
    assert_report("FAIL",
                  THREAD "shop:9092/bootstrap: Connect to ipv4#127.0.0.1:9092 failed: Connection refused (after 0ms in "
                         "state CONNECT, 1 identical error(s) suppressed)",
                  "shop:9092", refused);
    assert_report("_TRANSPORT",
                  "GroupCoordinator: shop:9092: Connect to ipv4#127.0.0.1:9092 failed: Connection refused (after 3ms)",
                  "shop:9092", refused);
    assert_report("_TRANSPORT", "shop:9092/1: Disconnected (after 5156ms in state UP)", "shop:9092", "Disconnected");
    assert_report("_RESOLVE", "shop:9092/bootstrap: Failed to resolve 'shop:9092': Name or service not known",
                  "shop:9092", "Failed to resolve 'shop:9092': Name or service not known");
    assert_report("FAIL", "sasl_ssl://[::1]:9092/2: SSL handshake failed", "[::1]:9092", "SSL handshake failed");
    assert_report("STATE", THREAD "shop:9092/1: Broker changed state APIVERSION_QUERY -> UP", "shop:9092", NULL);
    assert_report("STATE", THREAD "GroupCoordinator: shop:9092: Broker changed state AUTH -> UP", "shop:9092", NULL);
    struct kafka_broker_report report;
    assert_false(kafka_read_broker_report("STATE", "shop:9092/1: Broker changed state UP -> UPDATE", &report));
    assert_false(kafka_read_broker_report("STATE", "shop:9092/1: Broker changed state UP -> DOWN", &report));
    assert_false(kafka_read_broker_report("_ALL_BROKERS_DOWN", "2/2 brokers are down", &report));
    assert_false(kafka_read_broker_report("CONNECTED", "shop:9092/1: Connected (#1)", &report));
    assert_false(kafka_read_broker_report("FAIL", "", &report));
    assert_false(kafka_read_broker_report("FAIL", "[thrd:", &report));
}

/* What the log has written since, and nothing the next time. */
static const char *written(int file)
{
    static char text[32768];
    off_t size = lseek(file, 0, SEEK_CUR);
    assert_in_range(size, 0, sizeof text - 1);
    assert_int_equal(pread(file, text, (size_t)size, 0), size);
    text[size] = 0;
    assert_int_equal(ftruncate(file, 0), 0);
    lseek(file, 0, SEEK_SET);
    return text;
}

static int lines_of(const char *text)
{
    int count = 0;
    for (; *text; text++)
        count += *text == '\n';
    return count;
}

/* As librdkafka tells of a refused connection: from the broker's thread, through the callback, and of all brokers. */
static void refuse(struct kafka_log *log, const char *broker, int64_t now_ms)
{
    char text[200];
    snprintf(text, sizeof text, "[thrd:x]: %s/1: Connect failed: refused (after %dms in state CONNECT)", broker,
             (int)(now_ms % 7));
    kafka_log_take(log, 3, "FAIL", text, now_ms);
    snprintf(text, sizeof text, "%s/1: Connect failed: refused (after 0ms in state CONNECT)", broker);
    kafka_log_take(log, 3, "_TRANSPORT", text, now_ms);
    kafka_log_take(log, 3, "_ALL_BROKERS_DOWN", "1/1 brokers are down", now_ms);
}

static void reach(struct kafka_log *log, const char *broker)
{
    char text[200];
    snprintf(text, sizeof text, "[thrd:x]: %s/1: Broker changed state APIVERSION_QUERY -> UP", broker);
    kafka_log_take(log, 7, "STATE", text, 0);
}

/* A log of Kafka's whose lines go into a file. */
struct rig {
    struct temporary_folder folder;
    FILE *out;
    int file;
    struct metrics metrics;
    struct kafka_log log;
};

static void rig_open(struct rig *rig)
{
    char path[300];
    *rig = (struct rig){.folder = temporary_folder_make()};
    snprintf(path, sizeof path, "%s/log", rig->folder.path);
    rig->out = fopen(path, "w+");
    assert_non_null(rig->out);
    rig->file = fileno(rig->out);
    log_configure(LOG_INFO, LOG_FORMAT_LOGFMT, rig->file);
    kafka_log_open(&rig->log, &rig->metrics);
}

static void rig_close(struct rig *rig)
{
    kafka_log_close(&rig->log);
    log_configure(LOG_ERROR, LOG_FORMAT_LOGFMT, STDERR_FILENO);
    fclose(rig->out);
    temporary_folder_remove(&rig->folder);
}

static void a_lost_broker_is_one_line_and_one_more_when_it_is_back(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig);
    reach(&rig.log, "a:9092"); /* as it should be */
    assert_string_equal(written(rig.file), "");
    for (int64_t now_ms = 1; now_ms < KAFKA_LOG_REPEAT_MS; now_ms += 1000)
        refuse(&rig.log, "a:9092", now_ms);
    const char *text = written(rig.file);
    assert_int_equal(lines_of(text), 1);
    assert_non_null(strstr(text, "level=error event=broker_lost broker=a:9092 reason=\"Connect failed: refused\""));
    assert_int_equal(metric_get(&rig.metrics, METRIC_BROKER_ERRORS), 180);
    refuse(&rig.log, "b:9092", 0);
    assert_int_equal(lines_of(written(rig.file)), 1);
    refuse(&rig.log, "a:9092", 2 * KAFKA_LOG_REPEAT_MS);
    assert_non_null(strstr(written(rig.file), "broker=a:9092 reason=\"Connect failed: refused\" repeats=119"));
    reach(&rig.log, "a:9092");
    reach(&rig.log, "a:9092");
    text = written(rig.file);
    assert_int_equal(lines_of(text), 1);
    assert_non_null(strstr(text, "level=info event=broker_reached broker=a:9092"));
    refuse(&rig.log, "a:9092", 2 * KAFKA_LOG_REPEAT_MS + 1); /* lost again */
    assert_int_equal(lines_of(written(rig.file)), 1);
    kafka_log_take(&rig.log, 6, "FAIL", "c:9092/1: Disconnected (after 600000ms in state UP)", 0);
    kafka_log_take(&rig.log, 3, "_TRANSPORT", "c:9092/1: Disconnected (after 600000ms in state UP)", 0);
    reach(&rig.log, "c:9092"); /* brokers close idle connections */
    text = written(rig.file);
    assert_int_equal(lines_of(text), 1);
    assert_non_null(strstr(text, "level=info event=connection_closed broker=c:9092 reason=Disconnected"));
    kafka_log_take(&rig.log, 3, "FAIL", "d:9092/1: Disconnected while requesting ApiVersion: might be SSL", 0);
    assert_non_null(strstr(written(rig.file), "level=error event=broker_lost broker=d:9092"));
    for (int i = 0; i < 100; i++) {
        char broker[32];
        snprintf(broker, sizeof broker, "host%d:1", i);
        refuse(&rig.log, broker, 0);
    }
    assert_int_equal(lines_of(written(rig.file)), 100);
    kafka_log_take(&rig.log, 3, "PARTCNT", "something else", 0);
    assert_non_null(strstr(written(rig.file), "level=error event=kafka about=PARTCNT text=\"something else\""));
    rig_close(&rig);
}

static void what_is_said_over_and_over_hides_no_other_matter(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig);
    for (int i = 0; i < 100; i++)
        kafka_log_take(&rig.log, 3, "OFFSET", "the offset is out of range", 0);
    assert_int_equal(lines_of(written(rig.file)), LOG_BURST);
    kafka_log_take(&rig.log, 3, "LOG_BEHIND", "a log is short", 0);
    assert_non_null(strstr(written(rig.file), "about=LOG_BEHIND"));
    for (int i = 0; i < 2 * KAFKA_LOG_MATTERS; i++) {
        char facility[32];
        snprintf(facility, sizeof facility, "MATTER%d", i);
        kafka_log_take(&rig.log, 3, facility, "once", 0);
    }
    const char *text = written(rig.file); /* the last of the table is for all that are too many */
    assert_int_equal(lines_of(text), KAFKA_LOG_MATTERS - 3 + LOG_BURST);
    kafka_log_take(&rig.log, 3, "OFFSET", "the offset is out of range", 0);
    assert_string_equal(written(rig.file), "");
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_refuses_a_connection_names_the_options_to_look_at),
        cmocka_unit_test(sentences_of_librdkafka_are_read),
        cmocka_unit_test(a_lost_broker_is_one_line_and_one_more_when_it_is_back),
        cmocka_unit_test(what_is_said_over_and_over_hides_no_other_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

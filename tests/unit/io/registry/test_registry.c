// SPDX-License-Identifier: Apache-2.0
/* The client of a schema registry, against a server in the test that stands in for one. */
#include "support/support.h"

#include "support/registry_stand_in.h"

#include <eddy/io/registry.h>

#define TIMEOUT_MS 2000

static const struct stand_in_answer string_schema = {.code = 200, .body = "{\"schema\":\"\\\"string\\\"\"}"};
static const struct stand_in_answer unknown_schema = {
    .code = 404, .body = "{\"error_code\":40403,\"message\":\"Schema 7 not found\"}"};

static struct registry_options options_for(const char *urls)
{
    return (struct registry_options){.urls = urls,
                                     .user = "",
                                     .password = "",
                                     .ca = "",
                                     .certificate = "",
                                     .key = "",
                                     .key_password = "",
                                     .verify = true,
                                     .timeout_ms = TIMEOUT_MS,
                                     .retries = 2,
                                     .unknown_ms = 60000};
}

static struct registry *open_for(const char *urls)
{
    struct registry_options options = options_for(urls);
    struct registry *registry;
    assert_ok(registry_open(&options, &registry, NULL));
    return registry;
}

static struct status fetch(struct registry *registry, int32_t id, struct buffer *out, struct complaint *complaint)
{
    struct schema_source source = registry_source(registry);
    buffer_clear(out);
    *complaint = (struct complaint){""};
    const struct schema_name name = {.id = id};
    return source.ops->fetch(source.self, &name, out, complaint);
}

/* What fetching an id says when the registry answers so. */
static struct status fetch_once(struct stand_in_answer answer, struct complaint *complaint)
{
    struct stand_in *stand_in = stand_in_open(&answer, 1);
    struct registry *registry = open_for(stand_in_url(stand_in));
    AUTO(buffer) schema = {0};
    struct status status = fetch(registry, 7, &schema, complaint);
    registry_close(registry);
    stand_in_close(stand_in);
    return status;
}

static void a_schema_is_fetched_once_and_remembered(void **state)
{
    (void)state;
    struct stand_in *stand_in = stand_in_open(&string_schema, 1);
    struct registry *registry = open_for(stand_in_url(stand_in));
    AUTO(buffer) schema = {0};
    struct complaint complaint;
    for (int i = 0; i < 3; i++) {
        assert_ok(fetch(registry, 7, &schema, &complaint));
        assert_bytes(buffer_bytes(&schema), "\"string\"");
    }
    assert_int_equal(stand_in_request_count(stand_in), 1);
    struct stand_in_request request = stand_in_request(stand_in);
    assert_string_equal(request.method, "GET");
    assert_string_equal(request.path, "/schemas/ids/7");
    assert_string_equal(request.authorization, "");
    registry_close(registry);
    stand_in_close(stand_in);
}

static void a_guid_is_asked_for_where_the_registry_has_them(void **state)
{
    (void)state;
    const struct stand_in_answer no_such_path = {.code = 404};
    struct stand_in *stand_in = stand_in_open(&string_schema, 1);
    struct registry *registry = open_for(stand_in_url(stand_in));
    struct schema_source source = registry_source(registry);
    struct schema_name name = {.by_guid = 1, .guid = {0x89, 0x79, 0x17, 0x62, 0x23, 0x36, 0x4f, 0x8f, 0xa1}};
    AUTO(buffer) schema = {0};
    struct complaint complaint;
    assert_ok(source.ops->fetch(source.self, &name, &schema, &complaint));
    assert_string_equal(stand_in_request(stand_in).path, "/schemas/guids/89791762-2336-4f8f-a100-000000000000");
    name.guid[15] = 1;
    stand_in_tell(stand_in, &no_such_path, 1);
    assert_fails(NOT_FOUND, source.ops->fetch(source.self, &name, &schema, &complaint));
    registry_close(registry);
    stand_in_close(stand_in);
}

static void the_cache_is_bounded_and_the_oldest_leaves(void **state)
{
    (void)state;
    struct stand_in *stand_in = stand_in_open(&string_schema, 1);
    struct registry *registry = open_for(stand_in_url(stand_in));
    AUTO(buffer) schema = {0};
    struct complaint complaint;
    for (int32_t id = 1; id <= 257; id++)
        assert_ok(fetch(registry, id, &schema, &complaint));
    assert_ok(fetch(registry, 257, &schema, &complaint));
    assert_ok(fetch(registry, 2, &schema, &complaint));
    assert_int_equal(stand_in_request_count(stand_in), 257);
    assert_ok(fetch(registry, 1, &schema, &complaint));
    assert_int_equal(stand_in_request_count(stand_in), 258);
    registry_close(registry);
    stand_in_close(stand_in);
}

static void an_id_that_does_not_exist_is_believed_for_a_while(void **state)
{
    (void)state;
    struct stand_in *stand_in = stand_in_open(&unknown_schema, 1);
    struct registry_options options = options_for(stand_in_url(stand_in));
    AUTO(buffer) schema = {0};
    struct complaint complaint;
    for (int64_t unknown_ms = 0; unknown_ms <= 60000; unknown_ms += 60000) {
        struct registry *registry;
        size_t before = stand_in_request_count(stand_in);
        options.unknown_ms = unknown_ms;
        assert_ok(registry_open(&options, &registry, NULL));
        for (int i = 0; i < 2; i++) {
            assert_fails(NOT_FOUND, fetch(registry, 7, &schema, &complaint));
            assert_non_null(strstr(complaint.text, "Schema 7 not found"));
        }
        assert_int_equal(stand_in_request_count(stand_in) - before, unknown_ms ? 1 : 2);
        registry_close(registry);
    }
    stand_in_close(stand_in);
}

static void schemas_that_eddy_cannot_use_are_refused_for_good(void **state)
{
    (void)state;
    static const struct {
        const char *body, *why;
        size_t repeat;
    } cases[] = {
        {"{\"schema\":\"syntax = 3\",\"schemaType\":\"PROTOBUF\"}", "PROTOBUF", 0},
        {"{\"schema\":\"\\\"x.Y\\\"\",\"references\":[{\"name\":\"x.Y\",\"subject\":\"y\",\"version\":1}]}", "refers",
         0},
        {"{\"schema\":\"\\\"x.Y\\\"\",\"references\":7}", "refers", 0},
        {"{\"schema\":\"0123456789\"}          ", "1048576 bytes", 100000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct complaint complaint;
        struct stand_in_answer answer = {.code = 200, .body = cases[i].body, .repeat = cases[i].repeat};
        assert_fails(BAD_INPUT, fetch_once(answer, &complaint));
        assert_non_null(strstr(complaint.text, cases[i].why));
    }
}

static void a_schema_larger_than_the_decoder_takes_is_refused(void **state)
{
    (void)state;
    AUTO(buffer) body = {0};
    struct complaint complaint;
    buffer_append_text(&body, "{\"schema\":\"");
    for (int i = 0; i <= REGISTRY_SCHEMA_BYTES_MAX; i++)
        buffer_append_byte(&body, 'x');
    buffer_append_text(&body, "\"}");
    assert_fails(BAD_INPUT, fetch_once((struct stand_in_answer){.code = 200, .body = buffer_text(&body)}, &complaint));
    assert_non_null(strstr(complaint.text, "64 KiB"));
}

static void what_no_registry_would_say_tells_nothing_about_the_id(void **state)
{
    (void)state;
    static const struct stand_in_answer answers[] = {
        {.code = 200, .body = "<html>please log in</html>", .content_type = "text/html"},
        {.code = 200, .body = "{\"schema\":"},
        {.code = 200, .body = "[]"},
        {.code = 200, .body = "{\"schema\":\"\\\"int\\\"\",\"schema\":\"\\\"long\\\"\"}"},
        {.code = 200},
        {.code = 404, .body = "not found", .content_type = "text/plain"},
        {.code = 301, .location = "http://127.0.0.1:1/schemas/ids/7"},
        {.code = 401, .body = "{\"error_code\":40101,\"message\":\"no\"}"},
        {.code = 502, .body = "0123456789", .repeat = 200000},
        {.hang_up = true},
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct complaint complaint;
        assert_fails(UNAVAILABLE, fetch_once(answers[i], &complaint));
        assert_non_null(strstr(complaint.text, answers[i].code == 200 ? "registry.url" : "http://127.0.0.1"));
    }
}

static void an_answer_of_another_content_type_is_read(void **state)
{
    (void)state;
    struct complaint complaint;
    struct stand_in_answer answer = string_schema;
    answer.content_type = "text/plain";
    assert_ok(fetch_once(answer, &complaint));
}

static void an_answer_that_does_not_come_in_time_is_given_up(void **state)
{
    (void)state;
    struct stand_in_answer late = string_schema;
    late.delay_ms = 600;
    struct stand_in *stand_in = stand_in_open(&late, 1);
    struct registry_options options = options_for(stand_in_url(stand_in));
    options.timeout_ms = 100;
    struct registry *registry;
    AUTO(buffer) schema = {0};
    struct complaint complaint;
    assert_ok(registry_open(&options, &registry, NULL));
    assert_fails(UNAVAILABLE, fetch(registry, 7, &schema, &complaint));
    registry_close(registry);
    stand_in_close(stand_in);
}

static void errors_that_may_pass_are_retried_and_counted(void **state)
{
    (void)state;
    const struct stand_in_answer answers[] = {
        {.code = 500}, {.code = 429}, {.code = 200, .body = "{\"id\":12,\"version\":3}"}};
    const struct stand_in_answer broken = {.code = 503, .body = "{\"error_code\":50301,\"message\":\"starting\"}"};
    struct stand_in *stand_in = stand_in_open(answers, 3);
    struct registry *registry = open_for(stand_in_url(stand_in));
    struct registry_version version;
    struct complaint complaint = {""};
    assert_ok(registry_register(registry, "clicks-value", BYTES("\"string\""), &version, &complaint));
    assert_int_equal(version.id, 12);
    assert_false(version.has_guid);
    assert_int_equal(version.number, 3);
    assert_int_equal(stand_in_request_count(stand_in), 3);
    stand_in_tell(stand_in, &broken, 1);
    assert_fails(UNAVAILABLE, registry_register(registry, "clicks-value", BYTES("\"string\""), &version, &complaint));
    assert_non_null(strstr(complaint.text, "starting"));
    assert_int_equal(stand_in_request_count(stand_in), 6);
    registry_close(registry);
    stand_in_close(stand_in);
}

static void a_url_that_does_not_answer_is_followed_by_the_next(void **state)
{
    (void)state;
    const struct stand_in_answer gone = {.hang_up = true};
    struct stand_in *first = stand_in_open(&gone, 1), *second = stand_in_open(&string_schema, 1);
    char urls[160];
    snprintf(urls, sizeof urls, "%s/ , %s", stand_in_url(first), stand_in_url(second));
    struct registry *registry = open_for(urls);
    AUTO(buffer) schema = {0};
    struct complaint complaint;
    assert_ok(fetch(registry, 1, &schema, &complaint));
    size_t before = stand_in_request_count(first);
    assert_ok(fetch(registry, 2, &schema, &complaint));
    assert_int_equal(stand_in_request_count(first), before);
    assert_int_equal(stand_in_request_count(second), 2);
    registry_close(registry);
    stand_in_close(first);
    stand_in_close(second);
}

static void a_redirect_is_not_followed_so_no_password_leaves(void **state)
{
    (void)state;
    struct stand_in *other = stand_in_open(&string_schema, 1);
    char location[160];
    snprintf(location, sizeof location, "%s/schemas/ids/7", stand_in_url(other));
    const struct stand_in_answer away = {.code = 307, .location = location};
    struct stand_in *stand_in = stand_in_open(&away, 1);
    struct registry_options options = options_for(stand_in_url(stand_in));
    options.user = "eddy";
    options.password = "hush";
    struct registry *registry;
    AUTO(buffer) schema = {0};
    struct complaint complaint;
    assert_ok(registry_open(&options, &registry, NULL));
    assert_fails(UNAVAILABLE, fetch(registry, 7, &schema, &complaint));
    assert_non_null(strstr(complaint.text, "redirect"));
    assert_null(strstr(complaint.text, "hush"));
    assert_int_equal(stand_in_request_count(other), 0);
    assert_string_equal(stand_in_request(stand_in).authorization, "Basic ZWRkeTpodXNo");
    registry_close(registry);
    stand_in_close(stand_in);
    stand_in_close(other);
}

static const char *write_pem(const struct temporary_folder *folder, const char *name, const char *pem, char path[300])
{
    snprintf(path, 300, "%s/%s", folder->path, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(pem, file);
    fclose(file);
    return path;
}

static void a_certificate_is_checked_unless_that_is_switched_off(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    struct stand_in *stand_in = stand_in_open_tls(&string_schema, 1);
    char path[300], missing[300];
    write_pem(&folder, "ca.pem", stand_in_certificate, path);
    snprintf(missing, sizeof missing, "%s/missing.pem", folder.path);
    const struct {
        const char *ca, *certificate;
        bool verify, good;
    } cases[] = {{"", "", true, false},
                 {path, "", true, true},
                 {"", "", false, true},
                 {path, path, true, false}}; /* a certificate without its key */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct registry_options options = options_for(stand_in_url(stand_in));
        struct registry *registry;
        AUTO(buffer) schema = {0};
        struct complaint complaint;
        options.ca = cases[i].ca;
        options.certificate = cases[i].certificate;
        options.verify = cases[i].verify;
        assert_ok(registry_open(&options, &registry, NULL));
        struct status status = fetch(registry, 7, &schema, &complaint);
        assert_true(cases[i].good ? !failed(status) : failed_as(status, FAULT_UNAVAILABLE));
        registry_close(registry);
    }
    struct registry_options options = options_for(stand_in_url(stand_in));
    struct registry *registry;
    struct complaint complaint;
    options.ca = missing;
    assert_fails(CONFIG, registry_open(&options, &registry, &complaint));
    assert_non_null(strstr(complaint.text, "missing.pem"));
    stand_in_close(stand_in);
    temporary_folder_remove(&folder);
}

static void a_registry_that_asks_for_a_certificate_is_shown_one(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    struct stand_in *stand_in = stand_in_open_mutual_tls(&string_schema, 1);
    char paths[3][300];
    const char *certificate = write_pem(&folder, "own.pem", stand_in_certificate, paths[0]);
    const char *key = write_pem(&folder, "key.pem", stand_in_key, paths[1]);
    const char *locked = write_pem(&folder, "locked.pem", stand_in_locked_key, paths[2]);
    const struct {
        const char *certificate, *key, *password;
        bool good;
    } cases[] = {{"", "", "", false},
                 {certificate, key, "", true},
                 {certificate, locked, "hush", true},
                 {certificate, locked, "loud", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct registry_options options = options_for(stand_in_url(stand_in));
        struct registry *registry;
        AUTO(buffer) schema = {0};
        struct complaint complaint = {""};
        options.ca = certificate;
        options.certificate = cases[i].certificate;
        options.key = cases[i].key;
        options.key_password = cases[i].password;
        assert_ok(registry_open(&options, &registry, NULL));
        struct status status = fetch(registry, 7, &schema, &complaint);
        assert_true(cases[i].good ? !failed(status) : failed_as(status, FAULT_UNAVAILABLE));
        assert_null(strstr(complaint.text, "loud"));
        registry_close(registry);
    }
    stand_in_close(stand_in);
    temporary_folder_remove(&folder);
}

static void subjects_are_asked_about(void **state)
{
    (void)state;
    struct stand_in_answer answer = {.code = 200,
                                     .body = "{\"id\":5,\"version\":2,\"schema\":\"\\\"int\\\"\","
                                             "\"guid\":\"30313233-3435-3637-3839-616263646566\"}"};
    struct stand_in *stand_in = stand_in_open(&answer, 1);
    struct registry *registry = open_for(stand_in_url(stand_in));
    struct registry_version version;
    struct complaint complaint = {""};
    AUTO(buffer) schema = {0};
    size_t count;
    bool fits;
    assert_ok(registry_look_up(registry, "a/b value", BYTES("\"int\""), &version, &complaint));
    assert_int_equal(version.id, 5);
    assert_true(version.has_guid);
    assert_memory_equal(version.guid, "0123456789abcdef", 16);
    assert_string_equal(stand_in_request(stand_in).method, "POST");
    assert_string_equal(stand_in_request(stand_in).path, "/subjects/a%2Fb%20value");
    assert_string_equal(stand_in_request(stand_in).body, "{\"schema\":\"\\\"int\\\"\"}");
    assert_ok(registry_latest(registry, "s", &schema, &version, &complaint));
    assert_bytes(buffer_bytes(&schema), "\"int\"");
    assert_string_equal(stand_in_request(stand_in).path, "/subjects/s/versions/latest");
    answer = (struct stand_in_answer){.code = 200, .body = "{\"is_compatible\":false}"};
    stand_in_tell(stand_in, &answer, 1);
    assert_ok(registry_fits(registry, "s", BYTES("\"int\""), &fits, &complaint));
    assert_false(fits);
    assert_string_equal(stand_in_request(stand_in).path, "/compatibility/subjects/s/versions/latest");
    answer = (struct stand_in_answer){.code = 200, .body = "[\"s\",\"t\"]"};
    stand_in_tell(stand_in, &answer, 1);
    assert_ok(registry_count_subjects(registry, &count, &complaint));
    assert_int_equal(count, 2);
    answer = (struct stand_in_answer){.code = 409, .body = "{\"error_code\":409,\"message\":\"field gone\"}"};
    stand_in_tell(stand_in, &answer, 1);
    assert_fails(BAD_INPUT, registry_register(registry, "s", BYTES("\"int\""), &version, &complaint));
    assert_non_null(strstr(complaint.text, "field gone"));
    registry_close(registry);
    stand_in_close(stand_in);
}

static void only_http_urls_without_a_user_are_taken(void **state)
{
    (void)state;
    static const char *const bad[] = {"",         "localhost:8081", "file:///etc/passwd", "http://",
                                      "http:///", "http://a,",      "http://a b",         "http://a?x=1"};
    struct complaint complaint;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_fails(CONFIG, registry_check_urls(bad[i], &complaint));
    assert_fails(CONFIG, registry_check_urls("https://eddy:hush@a", &complaint));
    assert_null(strstr(complaint.text, "hush"));
    assert_ok(registry_check_urls("http://a:8081,https://b/apis/ccompat/v7/", &complaint));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_schema_is_fetched_once_and_remembered),
        cmocka_unit_test(a_guid_is_asked_for_where_the_registry_has_them),
        cmocka_unit_test(the_cache_is_bounded_and_the_oldest_leaves),
        cmocka_unit_test(an_id_that_does_not_exist_is_believed_for_a_while),
        cmocka_unit_test(schemas_that_eddy_cannot_use_are_refused_for_good),
        cmocka_unit_test(a_schema_larger_than_the_decoder_takes_is_refused),
        cmocka_unit_test(what_no_registry_would_say_tells_nothing_about_the_id),
        cmocka_unit_test(an_answer_of_another_content_type_is_read),
        cmocka_unit_test(an_answer_that_does_not_come_in_time_is_given_up),
        cmocka_unit_test(errors_that_may_pass_are_retried_and_counted),
        cmocka_unit_test(a_url_that_does_not_answer_is_followed_by_the_next),
        cmocka_unit_test(a_redirect_is_not_followed_so_no_password_leaves),
        cmocka_unit_test(a_certificate_is_checked_unless_that_is_switched_off),
        cmocka_unit_test(a_registry_that_asks_for_a_certificate_is_shown_one),
        cmocka_unit_test(subjects_are_asked_about),
        cmocka_unit_test(only_http_urls_without_a_user_are_taken),
    };
    setenv("no_proxy", "127.0.0.1", 1); /* curl takes a proxy from the environment */
    return cmocka_run_group_tests(tests, NULL, NULL);
}

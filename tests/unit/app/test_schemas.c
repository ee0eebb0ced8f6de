// SPDX-License-Identifier: Apache-2.0
/* Subjects, and the ids and headers that eddy writes, with a server in the test that stands in for a registry. */
#include "support/support.h"

#include "app/schemas.h"
#include "support/registry_stand_in.h"

#define GUID "\"guid\":\"30313233-3435-3637-3839-616263646566\""

static void make(struct config *config, const char *url, const char *more)
{
    char yaml[512];
    struct complaint complaint = {""};
    snprintf(yaml, sizeof yaml,
             "{topics: {prefix: shop.}, formats: {recommendations: confluent}, registry: {url: '%s'%s}}", url, more);
    assert_ok(config_defaults(config, &complaint));
    assert_ok(config_load_text(config, "eddy.yaml", bytes_of_text(yaml), &complaint));
    assert_ok(config_check(config, &complaint));
}

static void subjects_follow_the_strategy(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "shop.items-value"},
        {", subjects: record", "eddy.Item"},
        {", subjects: topic_record", "shop.items-eddy.Item"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO(config) config = {0};
        AUTO(buffer) subject = {0};
        make(&config, "http://a", cases[i][0]);
        schema_subject(&config, RECORD_ITEM, &subject);
        assert_bytes(buffer_bytes(&subject), cases[i][1]);
    }
}

static void subjects_bear_the_names_of_the_schemas(void **state)
{
    (void)state;
    AUTO(config) config = {0};
    make(&config, "http://a", ", subjects: record");
    for (int type = 0; type < RECORD_TYPE_COUNT; type++) {
        AUTO(buffer) subject = {0};
        char name[64];
        schema_subject(&config, (enum record_type)type, &subject);
        snprintf(name, sizeof name, "\"name\": \"%s\"", buffer_text(&subject) + strlen("eddy."));
        assert_non_null(strstr(record_schema((enum record_type)type), name));
    }
}

/* What is written of recommendations, when the registry answers so. */
static struct status writing_with(const char *more, struct stand_in_answer answer, struct schema_writing *ret_writing,
                                  struct stand_in_request *ret_request, struct complaint *complaint)
{
    AUTO(config) config = {0};
    struct registry *registry;
    struct stand_in *stand_in = stand_in_open(&answer, 1);
    make(&config, stand_in_url(stand_in), more);
    assert_ok(schemas_open_registry(&config, 0, &registry, complaint));
    struct status status = schema_writing_of(&config, registry, RECORD_RECOMMENDATION, ret_writing, complaint);
    *ret_request = stand_in_request(stand_in);
    registry_close(registry);
    stand_in_close(stand_in);
    return status;
}

static void the_id_is_registered_or_looked_up(void **state)
{
    (void)state;
    const struct stand_in_answer answer = {.code = 200, .body = "{\"id\":258," GUID "}"};
    struct schema_writing writing;
    struct stand_in_request request;
    struct complaint complaint = {""};
    assert_ok(writing_with("", answer, &writing, &request, &complaint));
    assert_string_equal(request.path, "/subjects/shop.recommendations-value/versions");
    assert_int_equal(writing.encoding.format, RECORD_CONFLUENT);
    assert_int_equal(writing.encoding.schema_id, 258);
    assert_int_equal(writing.header_size, 0);
    assert_ok(writing_with(", register: false", answer, &writing, &request, &complaint));
    assert_string_equal(request.path, "/subjects/shop.recommendations-value");
}

static void the_id_in_a_header_is_a_guid_where_there_is_one(void **state)
{
    (void)state;
    const struct stand_in_answer with_guid = {.code = 200, .body = "{\"id\":258," GUID "}"};
    const struct stand_in_answer without = {.code = 200, .body = "{\"id\":258,\"guid\":\"none\"}"};
    struct schema_writing writing;
    struct stand_in_request request;
    struct complaint complaint = {""};
    assert_ok(writing_with(", id_place: header", with_guid, &writing, &request, &complaint));
    assert_int_equal(writing.encoding.format, RECORD_AVRO);
    assert_true(bytes_equal(schema_header(&writing), BYTES("\1"
                                                           "0123456789abcdef")));
    assert_ok(writing_with(", id_place: header", without, &writing, &request, &complaint));
    assert_true(bytes_equal(schema_header(&writing), BYTES("\0\0\0\1\2")));
}

static void a_registry_that_refuses_or_lacks_the_schema_is_wrong_configuration(void **state)
{
    (void)state;
    const struct stand_in_answer conflict = {.code = 409, .body = "{\"error_code\":409,\"message\":\"field gone\"}"};
    const struct stand_in_answer missing = {.code = 404, .body = "{\"error_code\":40403,\"message\":\"not there\"}"};
    const struct stand_in_answer busy = {.code = 503};
    struct schema_writing writing;
    struct stand_in_request request;
    struct complaint complaint = {""};
    assert_fails(CONFIG, writing_with("", conflict, &writing, &request, &complaint));
    assert_non_null(strstr(complaint.text, "subject shop.recommendations-value does not take eddy's schema"));
    assert_non_null(strstr(complaint.text, "field gone"));
    assert_fails(CONFIG, writing_with(", register: false", missing, &writing, &request, &complaint));
    assert_non_null(strstr(complaint.text, "eddy schemas register"));
    assert_fails(UNAVAILABLE, writing_with("", busy, &writing, &request, &complaint));
}

static void no_registry_is_asked_where_no_format_needs_it(void **state)
{
    (void)state;
    AUTO(config) config = {0};
    struct registry *registry;
    struct complaint complaint = {""};
    assert_ok(config_defaults(&config, &complaint));
    assert_ok(config_set(&config, "registry.url=http://127.0.0.1:1", &complaint));
    assert_ok(config_check(&config, &complaint));
    assert_ok(schemas_open_registry(&config, 0, &registry, &complaint));
    assert_null(registry);
    assert_null(schemas_source(registry).ops);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(subjects_follow_the_strategy),
        cmocka_unit_test(subjects_bear_the_names_of_the_schemas),
        cmocka_unit_test(the_id_is_registered_or_looked_up),
        cmocka_unit_test(the_id_in_a_header_is_a_guid_where_there_is_one),
        cmocka_unit_test(a_registry_that_refuses_or_lacks_the_schema_is_wrong_configuration),
        cmocka_unit_test(no_registry_is_asked_where_no_format_needs_it),
    };
    setenv("no_proxy", "127.0.0.1", 1); /* curl takes a proxy from the environment */
    return cmocka_run_group_tests(tests, NULL, NULL);
}

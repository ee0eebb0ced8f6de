// SPDX-License-Identifier: Apache-2.0
#include "app/config/options.h"

#include "app/command.h"
#include "app/environment.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#define PREFIX         "EDDY_"
#define NAME_MAX_BYTES 128

/* session.gap_ms -> EDDY_SESSION_GAP_MS */
static void variable_of_key(const char *key, char name[NAME_MAX_BYTES])
{
    int size = snprintf(name, NAME_MAX_BYTES, PREFIX "%s", key);
    assert(size < NAME_MAX_BYTES);
    for (int i = 0; i < size; i++)
        name[i] = name[i] == '.' ? '_' : (char)toupper((unsigned char)name[i]);
}

/* KAFKA_SASL_PASSWORD -> kafka.sasl.password: librdkafka's names have dots where variables have underscores. */
static bool key_of_kafka_variable(const char *rest, char key[NAME_MAX_BYTES])
{
    size_t size = strlen(rest);
    if (size >= NAME_MAX_BYTES)
        return false;
    for (size_t i = 0; i <= size; i++)
        key[i] = rest[i] == '_' ? '.' : (char)tolower((unsigned char)rest[i]);
    return true;
}

/* False when the variable names nothing that can be set. */
static bool key_of_variable(const char *variable, char key[NAME_MAX_BYTES])
{
    const char *rest = variable + strlen(PREFIX);
    if (!strncmp(rest, "KAFKA_", 6) && rest[6])
        return key_of_kafka_variable(rest, key);
    size_t digits = !strncmp(rest, "SCHEMA_IDS_", 11) ? strspn(rest + 11, "0123456789") : 0;
    if (digits > 0 && digits < 20 && !rest[11 + digits]) {
        snprintf(key, NAME_MAX_BYTES, "schema_ids.%s", rest + 11);
        return true;
    }
    for (size_t i = 0; i < option_count; i++) {
        char name[NAME_MAX_BYTES];
        variable_of_key(option_table[i].key, name);
        if (!strcmp(name, variable)) {
            snprintf(key, NAME_MAX_BYTES, "%s", option_table[i].key);
            return true;
        }
    }
    return false;
}

/* Kubernetes gives every pod variables like EDDY_SERVICE_HOST and EDDY_PORT_9464_TCP when a service is called eddy. */
static bool is_service_link(const char *name, const char *value)
{
    if (strstr(name, "_SERVICE_HOST") || strstr(name, "_SERVICE_PORT"))
        return true;
    const char *port = strstr(name, "_PORT");
    return port && (!port[5] || port[5] == '_') &&
           (!strncmp(value, "tcp://", 6) || !strncmp(value, "udp://", 6) || strstr(port, "_TCP") ||
            strstr(port, "_UDP"));
}

/* Variables of eddy's tests and scripts. */
static bool is_reserved(const char *name)
{
    static const char *const names[] = {"EDDY_BINARY", "EDDY_SEED", "EDDY_KAFKA", "EDDY_REGISTRY"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(names[i], name))
            return true;
    return !strncmp(name, "EDDY_TEST_", 10);
}

static struct status unknown_variable(const char *name, struct complaint *complaint)
{
    char(*names)[NAME_MAX_BYTES] = calloc(option_count, sizeof *names);
    const char **candidates = calloc(option_count + 1, sizeof *candidates);
    const char *near = NULL;
    for (size_t i = 0; names && candidates && i < option_count; i++) {
        variable_of_key(option_table[i].key, names[i]);
        candidates[i] = names[i];
    }
    if (names && candidates)
        near = suggest(name, candidates);
    struct status status = complain(complaint, FAIL(CONFIG, 0, "unknown variable"),
                                    "environment variable %s names no option%s%s%s; unset it or see 'eddy config docs'",
                                    name, near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    free(candidates);
    free(names);
    return status;
}

static struct status load_variable(struct config *config, const char *variable, struct complaint *complaint)
{
    const char *equals = strchr(variable, '=');
    char name[NAME_MAX_BYTES], key[NAME_MAX_BYTES];
    if (!equals)
        return OK;
    if ((size_t)(equals - variable) >= sizeof name)
        return complain(complaint, FAIL(CONFIG, 0, "unknown variable"),
                        "environment variable %.60s... names no option; unset it", variable);
    snprintf(name, sizeof name, "%.*s", (int)(equals - variable), variable);
    if (is_reserved(name) || is_service_link(name, equals + 1))
        return OK;
    if (!key_of_variable(name, key))
        return unknown_variable(name, complaint);
    char *text = strdup(equals + 1);
    if (!text)
        return FAIL(MEMORY, 0, "no memory for a variable");
    struct config_assignment assignment = {key, {&text, 1, false}, {CONFIG_ENVIRONMENT, 0}, name};
    struct status status = config_assign(config, &assignment, complaint);
    free(text);
    return status;
}

struct status config_load_environment(struct config *config, struct complaint *complaint)
{
    for (char *const *variable = environment_all(); *variable; variable++)
        if (!strncmp(*variable, PREFIX, strlen(PREFIX)))
            TRY(load_variable(config, *variable, complaint));
    return OK;
}

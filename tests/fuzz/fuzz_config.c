// SPDX-License-Identifier: Apache-2.0
/* YAML bytes into a configuration. What is accepted must survive being dumped and loaded again. */
#include "app/config/options.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Without the places values came from, which differ after a reload. False when it cannot be loaded again: a secret
 * became ***, or a text holds what stands for a variable. */
static bool dump(struct config *config, struct buffer *out)
{
    bool loadable = !*config->registry.password && !*config->registry.key_password;
    for (size_t i = 0; i < config->kafka_count; i++) {
        config->kafka[i].origin.source = CONFIG_DEFAULT;
        loadable = loadable && !config->kafka[i].secret;
    }
    for (size_t i = 0; i < config->schema_count; i++)
        config->schemas[i].origin.source = CONFIG_DEFAULT;
    free(config->origins);
    config->origins = calloc(option_count, sizeof *config->origins);
    if (!config->origins)
        abort();
    config_dump(config, out);
    assert(!failed(buffer_check(out)));
    return loadable && !memmem(out->data, out->size, "${", 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(config) config = {0};
    AUTO(config) again = {0};
    AUTO(buffer) first = {0};
    AUTO(buffer) second = {0};
    struct complaint complaint = {""};
    if (memmem(data, size, "file:", 5)) /* would read any file, terminals included */
        return 0;
    if (failed(config_defaults(&config, &complaint)) || failed(config_defaults(&again, &complaint)))
        abort();
    struct status status = config_load_text(&config, "fuzz.yaml", bytes_of(data, size), &complaint);
    if (!failed(status))
        status = config_check(&config, &complaint);
    assert(!failed(status) || *complaint.text);
    if (failed(status) || !dump(&config, &first))
        return 0;
    status = config_load_text(&again, "dump.yaml", buffer_bytes(&first), &complaint);
    assert(!failed(status));
    assert(!failed(config_check(&again, &complaint)));
    assert(dump(&again, &second) && bytes_equal(buffer_bytes(&first), buffer_bytes(&second)));
    return 0;
}

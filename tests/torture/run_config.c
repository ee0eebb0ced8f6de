// SPDX-License-Identifier: Apache-2.0
/* A configuration of each kind of value is loaded from a file, with a secret in another. */
#include "support/support.h"

#include "app/config.h"
#include "torture/torture.h"

struct self {
    struct temporary_folder folder;
    enum sabotage sabotage;
    uint64_t dump;
};

static void write_file(const struct self *self, const char *name, const char *format)
{
    char path[300], text[1024];
    snprintf(path, sizeof path, "%s/%s", self->folder.path, name);
    snprintf(text, sizeof text, format, self->folder.path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void *begin(enum sabotage sabotage)
{
    struct self *self = calloc(1, sizeof *self);
    assert_non_null(self);
    self->folder = temporary_folder_make();
    self->sabotage = sabotage;
    write_file(self, "secret", "hidden\n");
    write_file(self, "eddy.yaml",
               "kafka:\n"
               "  bootstrap.servers: localhost:1\n"
               "  sasl.password: file:%s/secret\n"
               "group_id: shop\n"
               "start: 2024-05-01T00:00:00Z\n"
               "topics: {prefix: test., partitions: 3}\n"
               "formats: {clicks: confluent, recommendations: json}\n"
               "session: {gap_ms: 20min, key: user_id}\n"
               "filters: {categories_excluded: [food, drink]}\n");
    return self;
}

static struct status make(const struct self *self, struct config *config)
{
    char file[300], schema[300];
    struct complaint complaint = {0};
    snprintf(file, sizeof file, "%s/eddy.yaml", self->folder.path);
    snprintf(schema, sizeof schema, "schema_ids.7=%s/schema.avsc", self->folder.path);
    const char *const sets[] = {schema, "fusion.list_size=7", "kafka.client.id=torture"};
    return config_make(config, file, sets, sizeof sets / sizeof *sets, &complaint);
}

static struct status once(void *context)
{
    struct self *self = context;
    struct config config;
    struct status status = make(self, &config);
    if (failed(status) && self->sabotage == SABOTAGE_LEAK) {
        faults_pause();
        void *volatile lost = malloc(100);
        lost = NULL;
        (void)lost;
        faults_resume();
    }
    if (failed(status) && self->sabotage == SABOTAGE_WRONG_KIND)
        return FAIL(CONFIG, 0, "something is wrong with the configuration");
    TRY(status);
    AUTO(buffer) dump = {0};
    config_dump(&config, &dump);
    config_release(&config);
    TRY(buffer_check(&dump));
    struct bytes origin = bytes_of_text(self->folder.path), text = buffer_bytes(&dump);
    for (uint8_t *at; (at = memmem(dump.data, dump.size, origin.data, origin.size));)
        memset(at, '-', origin.size); /* its name is another one each time */
    self->dump = result_with(0, text);
    return OK;
}

static uint64_t result(void *context)
{
    return ((struct self *)context)->dump;
}

static void end(void *context)
{
    struct self *self = context;
    temporary_folder_remove(&self->folder);
    free(self);
}

const struct run run_config = {"config", 1u << FAULTS_MEMORY | 1u << FAULTS_FILE, false, begin, once, result, end};

// SPDX-License-Identifier: Apache-2.0
/* Any records as the models topic: whatever comes, what a directory says is there can be asked for, and is loaded or
 * refused. Input: records, each a byte of its key's size, two of its value's (65535: a tombstone), key and value. */
#include "app/models/assembly.h"
#include "app/models/directory.h"
#include "app/models/listing.h"

#include <stdlib.h>

#define RECORDS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct log {
    struct message records[RECORDS_MAX];
    size_t count;
};

static struct bytes take(struct bytes *rest, size_t size)
{
    size = size < rest->size ? size : rest->size;
    struct bytes taken = bytes_of(rest->data, size);
    *rest = bytes_of(rest->data + size, rest->size - size);
    return taken;
}

static void parse(struct bytes rest, struct log *log)
{
    while (rest.size >= 3 && log->count < RECORDS_MAX) {
        struct message *record = &log->records[log->count];
        size_t key_size = rest.data[0], value_size = rest.data[1] + 256u * rest.data[2];
        take(&rest, 3);
        *record = (struct message){.offset = (int64_t)log->count++, .key = take(&rest, key_size)};
        if (value_size != 65535)
            record->value = take(&rest, value_size);
    }
}

static void load(const struct log *log, const struct model_directory *directory, const struct model_manifest *manifest)
{
    struct model_assembly *assembly;
    struct model_file file;
    struct complaint why = {""};
    if (failed(model_directory_check(directory, manifest, &why)) ||
        failed(model_assembly_open(manifest, 1 << 20, &assembly, &why))) {
        assert(*why.text);
        return;
    }
    bool good = true;
    for (uint32_t chunk = 0; chunk < manifest->chunk_count && good; chunk++) {
        struct model_place place = model_directory_place(directory, manifest->slot, chunk);
        good = !failed(model_assembly_take(assembly, log->records[place.offset].value, &why));
    }
    if (good && !failed(model_assembly_model(assembly, &file, &why)))
        model_file_release(&file);
    else
        assert(*why.text);
    model_assembly_close(assembly);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct model_directory *directory;
    struct log log = {.count = 0};
    AUTO(buffer) text = {0};
    if (failed(model_directory_open("m", &directory)))
        abort();
    parse(bytes_of(data, size), &log);
    for (size_t i = 0; i < log.count; i++) {
        struct complaint why = {""};
        struct status status = model_directory_take(directory, &log.records[i], &why);
        assert(!failed(status) || *why.text);
    }
    for (uint32_t slot = 0; slot < MODEL_SLOTS_MAX; slot++)
        if (model_directory_slot(directory, slot))
            load(&log, directory, model_directory_slot(directory, slot));
    if (model_directory_wanted(directory))
        load(&log, directory, model_directory_wanted(directory));
    model_listing_table(directory, &text);
    model_listing_json(directory, &text);
    model_directory_close(directory);
    return 0;
}

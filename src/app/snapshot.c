// SPDX-License-Identifier: Apache-2.0
#include "app/snapshot.h"

#include <eddy/io/file.h>

#define SIZE_MAX_BYTES ((size_t)64 << 30)

struct status snapshot_write(const char *path, const struct learned *learned, const struct catalogue *catalogue,
                             struct complaint *complaint)
{
    AUTO(buffer) content = {.limit = SIZE_MAX_BYTES};
    learned_encode(learned, catalogue, &content);
    if (failed(buffer_check(&content)))
        return complain(complaint, buffer_check(&content), "%s: there is no memory to write the learned state", path);
    return file_write(path, &content, complaint);
}

struct status snapshot_read(const char *path, const struct learned_options *options, struct catalogue *catalogue,
                            struct learned **ret_learned, struct complaint *complaint)
{
    AUTO(buffer) content = {.limit = SIZE_MAX_BYTES};
    TRY(file_read(path, &content, complaint));
    struct status status = learned_restore(buffer_bytes(&content), options, catalogue, ret_learned);
    if (failed(status))
        complain(complaint, status, "%s: %s (%s)", path, status.fault->what, fault_kind_text(status.fault->kind));
    return status;
}

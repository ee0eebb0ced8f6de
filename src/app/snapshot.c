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

static const char *way_out(struct status status)
{
    if (failed_as(status, FAULT_CONFIG))
        return "; make it again with the learn.* options of this configuration ('eddy replay --into-state')";
    if (failed_as(status, FAULT_CORRUPT))
        return "; make it again with 'eddy replay --into-state'";
    if (failed_as(status, FAULT_NEWER))
        return "; use the eddy that wrote it, or a newer one";
    return failed_as(status, FAULT_LIMIT) ? "; raise items.max or items.memory_max_bytes" : "";
}

struct status snapshot_read(const char *path, const struct learned_options *options, struct catalogue *catalogue,
                            struct learned **ret_learned, struct complaint *complaint)
{
    AUTO(buffer) content = {.limit = SIZE_MAX_BYTES};
    struct complaint why = {0};
    struct status status = file_read(path, &content, &why);
    if (failed(status))
        return complain(complaint, status, "learn.snapshot: %s", why.text);
    status = learned_restore(buffer_bytes(&content), options, catalogue, ret_learned);
    if (failed(status))
        complain(complaint, status, "learn.snapshot: %s: %s%s", path, status.fault->what, way_out(status));
    return status;
}

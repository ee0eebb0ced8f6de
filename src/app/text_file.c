// SPDX-License-Identifier: Apache-2.0
#include "app/text_file.h"

#include <errno.h>
#include <stdio.h>

static struct status write_failed(const char *path, struct complaint *complaint)
{
    int error = errno;
    struct status status = error == ENOSPC || error == EDQUOT ? FAIL(DISK_FULL, error, "a file cannot be written")
                                                              : FAIL(IO, error, "a file cannot be written");
    return complain(complaint, status, "%s: %s", path, strerror(error));
}

struct status text_file_write(const char *path, const struct buffer *content, struct complaint *complaint)
{
    TRY(buffer_check(content));
    bool standard = !strcmp(path, "-");
    FILE *file = standard ? stdout : fopen(path, "wb");
    if (!file)
        return write_failed(path, complaint);
    bool written = fwrite(content->data, 1, content->size, file) == content->size && fflush(file) == 0;
    struct status status = written ? OK : write_failed(path, complaint);
    if (!standard && fclose(file) != 0 && !failed(status))
        status = write_failed(path, complaint);
    return status;
}

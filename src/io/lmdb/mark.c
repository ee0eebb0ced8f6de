// SPDX-License-Identifier: Apache-2.0
#include "io/lmdb/environment.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"
#define MARK_SIZE    128

/* "" when the system does not tell, and then no two boots are the same. */
static void read_boot_id(char boot_id[BOOT_ID_SIZE + 1])
{
    boot_id[0] = 0;
    int file = open(BOOT_ID_FILE, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return;
    ssize_t size = read(file, boot_id, BOOT_ID_SIZE);
    boot_id[size == BOOT_ID_SIZE ? size : 0] = 0;
    close(file);
}

/* What is stored may be used when it was closed, or written to the disk commit by commit, or when the page cache that
 * it was written to is still the same. */
static bool mark_is_trusted(const char *text, const char *boot_id)
{
    char boot[BOOT_ID_SIZE + 1];
    int closed, sync;
    if (sscanf(text, "eddy state\nboot %36s\nclosed %d\nsync %d\n", boot, &closed, &sync) != 3)
        return false;
    return closed || sync || (boot_id[0] && strcmp(boot, boot_id) == 0);
}

struct status mark_open(const char *path, bool sync, struct mark *ret_mark, bool *ret_trusted,
                        struct complaint *complaint)
{
    struct mark mark = {.sync = sync};
    char text[MARK_SIZE + 1] = "";
    read_boot_id(mark.boot_id);
    mark.file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (mark.file < 0)
        return complain_of_errno(complaint, "open", path);
    if (pread(mark.file, text, MARK_SIZE, 0) < 0) {
        struct status status = complain_of_errno(complaint, "read", path);
        mark_close(&mark);
        return status;
    }
    *ret_trusted = mark_is_trusted(text, mark.boot_id);
    *ret_mark = mark;
    return OK;
}

struct status mark_write(const struct mark *mark, bool closed)
{
    char text[MARK_SIZE + 1];
    int size = snprintf(text, sizeof text, "eddy state\nboot %s\nclosed %d\nsync %d\n",
                        mark->boot_id[0] ? mark->boot_id : "unknown", closed, mark->sync);
    memset(text + size, '\n', MARK_SIZE - (size_t)size);
    if (pwrite(mark->file, text, MARK_SIZE, 0) != MARK_SIZE || fdatasync(mark->file))
        return complain_of_errno(NULL, "write", "mark");
    return OK;
}

void mark_close(struct mark *mark)
{
    if (mark->file >= 0)
        close(mark->file);
    mark->file = -1;
}

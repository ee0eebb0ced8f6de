// SPDX-License-Identifier: Apache-2.0
#include <eddy/io/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether the file that was locked still has the name: its last owner may have removed it before the lock was got. */
static bool has_name(int descriptor, const char *path)
{
    struct stat locked, named;
    return fstat(descriptor, &locked) == 0 && stat(path, &named) == 0 && locked.st_ino == named.st_ino &&
           locked.st_dev == named.st_dev;
}

struct status file_lock_take(const char *path, struct file_lock *ret_lock, struct complaint *complaint)
{
    for (;;) {
        int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (descriptor < 0)
            return complain(complaint, FAIL(IO, errno, "open"), "%s: cannot be made: %s", path, strerror(errno));
        if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
            struct status status = errno == EWOULDBLOCK ? FAIL(LOCKED, errno, "flock") : FAIL(IO, errno, "flock");
            complain(complaint, status, "%s: %s", path,
                     errno == EWOULDBLOCK ? "another process has this file" : strerror(errno));
            close(descriptor);
            return status;
        }
        if (has_name(descriptor, path)) {
            *ret_lock = (struct file_lock){descriptor, strdup(path)};
            return OK;
        }
        close(descriptor);
    }
}

void file_lock_give(struct file_lock *lock)
{
    if (lock->path) {
        unlink(lock->path); /* while it is locked, so that it is nobody else's */
        free(lock->path);
    }
    close(lock->descriptor);
}

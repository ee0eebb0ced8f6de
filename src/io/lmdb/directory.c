// SPDX-License-Identifier: Apache-2.0
#include "io/lmdb/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

const char *unsuitable_file_system(unsigned long magic)
{
    static const struct {
        unsigned long magic;
        const char *name;
    } systems[] = {
        {0x6969, "NFS"},      {0xff534d42, "CIFS"},  {0xfe534d42, "SMB2"},   {0x517b, "SMB"},
        {0x564c, "NCP"},      {0x5346414f, "AFS"},   {0x6b414653, "AFS"},    {0x73757245, "Coda"},
        {0x01021997, "9P"},   {0x00c36400, "Ceph"},  {0x0bd00bd0, "Lustre"}, {0x47504653, "GPFS"},
        {0x65735546, "FUSE"}, {0x7461636f, "OCFS2"}, {0x01161970, "GFS2"},   {0x19830326, "BeeGFS"},
    };
    for (size_t i = 0; i < sizeof systems / sizeof *systems; i++)
        if (systems[i].magic == magic)
            return systems[i].name;
    return NULL;
}

struct status complain_of_errno(struct complaint *complaint, const char *verb, const char *path)
{
    int reason = errno;
    char text[128];
    const char *because = strerror_r(reason, text, sizeof text);
    struct status status = reason == ENOSPC || reason == EDQUOT || reason == EFBIG
                               ? FAIL(DISK_FULL, reason, "the disk is full")
                               : FAIL(IO, reason, "a system call on the state directory failed");
    return complain(complaint, status, "cannot %s %s: %s", verb, path, because);
}

static struct status check_file_system(const char *path, struct complaint *complaint)
{
    struct statfs info;
    if (statfs(path, &info))
        return complain_of_errno(complaint, "look at", path);
    const char *name = unsuitable_file_system((unsigned long)info.f_type & 0xffffffff);
    if (!name)
        return OK;
    return complain(
        complaint, FAIL(CONFIG, info.f_type, "the state directory is on a network file system"),
        "%s is on a %s file system, on which memory maps and locks cannot be relied on: set state.directory "
        "to a folder on a local disk",
        path, name);
}

static struct status complain_of_owner(const char *path, int pid_file, struct complaint *complaint)
{
    char pid[24] = "";
    ssize_t size = pread(pid_file, pid, sizeof pid - 1, 0);
    pid[size > 0 ? size : 0] = 0;
    pid[strcspn(pid, "\n")] = 0;
    return complain(complaint, FAIL(LOCKED, strtol(pid, NULL, 10), "the state directory belongs to another process"),
                    "%s is in use by process %s (%s/pid is locked): stop that process, or set state.directory to "
                    "another folder for this one",
                    path, pid[0] ? pid : "unknown", path);
}

static struct status write_pid(int pid_file, const char *path, struct complaint *complaint)
{
    char pid[24];
    int size = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    if (ftruncate(pid_file, 0) || pwrite(pid_file, pid, (size_t)size, 0) != size)
        return complain_of_errno(complaint, "write", path);
    return OK;
}

static struct status lock(struct state_directory *directory, struct complaint *complaint)
{
    char path[PATH_MAX + 8];
    snprintf(path, sizeof path, "%s/pid", directory->path);
    directory->pid_file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (directory->pid_file < 0)
        return complain_of_errno(complaint, "open", path);
    if (flock(directory->pid_file, LOCK_EX | LOCK_NB))
        return errno == EWOULDBLOCK ? complain_of_owner(directory->path, directory->pid_file, complaint)
                                    : complain_of_errno(complaint, "lock", path);
    return write_pid(directory->pid_file, path, complaint);
}

struct status state_directory_open(const char *path, struct state_directory **ret_directory,
                                   struct complaint *complaint)
{
    if (!path[0] || strlen(path) >= PATH_MAX - 512)
        return complain(complaint, FAIL(CONFIG, strlen(path), "the state directory's name is of bad length"),
                        "state.directory: its name is empty or too long");
    if (mkdir(path, 0700) && errno != EEXIST)
        return complain_of_errno(complaint, "make the folder", path);
    TRY(check_file_system(path, complaint));
    struct state_directory *directory = calloc(1, sizeof *directory);
    if (!directory)
        return FAIL(MEMORY, 0, "no memory for the state directory");
    snprintf(directory->path, sizeof directory->path, "%s", path);
    directory->pid_file = -1;
    struct status status = lock(directory, complaint);
    if (!failed(status))
        status = instance_name_open(path, directory->instance, complaint);
    if (failed(status)) {
        state_directory_close(directory);
        return status;
    }
    *ret_directory = directory;
    return OK;
}

const char *state_directory_instance(const struct state_directory *directory)
{
    return directory->instance;
}

void state_directory_close(struct state_directory *directory)
{
    if (!directory)
        return;
    if (directory->pid_file >= 0)
        close(directory->pid_file); /* and with it the lock */
    free(directory);
}

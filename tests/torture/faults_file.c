// SPDX-License-Identifier: Apache-2.0
#include "torture/faults.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

static bool fails(const char *function, int reason)
{
    if (!faults_strike(FAULTS_FILE, function))
        return false;
    errno = reason;
    return true;
}

#define WRAP(type, name, failure, reason, parameters, arguments)                                                       \
    type __real_##name parameters;                                                                                     \
    type __wrap_##name parameters;                                                                                     \
    type __wrap_##name parameters                                                                                      \
    {                                                                                                                  \
        return fails(#name, reason) ? failure : __real_##name arguments;                                               \
    }

WRAP(ssize_t, read, -1, EIO, (int file, void *data, size_t size), (file, data, size))
WRAP(ssize_t, pread, -1, EIO, (int file, void *data, size_t size, off_t at), (file, data, size, at))
WRAP(ssize_t, write, -1, ENOSPC, (int file, const void *data, size_t size), (file, data, size))
WRAP(ssize_t, pwrite, -1, ENOSPC, (int file, const void *data, size_t size, off_t at), (file, data, size, at))
WRAP(int, ftruncate, -1, EIO, (int file, off_t size), (file, size))
WRAP(int, rename, -1, EIO, (const char *from, const char *to), (from, to))
WRAP(int, unlink, -1, EIO, (const char *path), (path))
WRAP(int, mkdir, -1, EACCES, (const char *path, mode_t mode), (path, mode))
WRAP(int, stat, -1, EIO, (const char *path, struct stat *info), (path, info))
WRAP(int, fstat, -1, EIO, (int file, struct stat *info), (file, info))
WRAP(int, statfs, -1, EIO, (const char *path, struct statfs *info), (path, info))
WRAP(int, fstatvfs, -1, EIO, (int file, struct statvfs *info), (file, info))
WRAP(int, flock, -1, ENOLCK, (int file, int operation), (file, operation))
WRAP(int, posix_fallocate, ENOSPC, 0, (int file, off_t at, off_t size), (file, at, size))
WRAP(int, getentropy, -1, EIO, (void *data, size_t size), (data, size))
WRAP(void *, mmap, MAP_FAILED, ENOMEM, (void *at, size_t size, int protection, int flags, int file, off_t offset),
     (at, size, protection, flags, file, offset))
WRAP(FILE *, fopen, NULL, EMFILE, (const char *path, const char *mode), (path, mode))

/* Nothing here outlives a machine, so what need not fail need not be waited for. */
int __wrap_fsync(int file);
int __wrap_fsync(int file)
{
    (void)file;
    return fails("fsync", EIO) ? -1 : 0;
}

int __wrap_fdatasync(int file);
int __wrap_fdatasync(int file)
{
    (void)file;
    return fails("fdatasync", EIO) ? -1 : 0;
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return fails("open", EMFILE) ? -1 : __real_open(path, flags, mode);
}

/* The descriptor is gone even when close() fails. */
int __real_close(int file);
int __wrap_close(int file);
int __wrap_close(int file)
{
    int result = __real_close(file);
    return fails("close", EIO) ? -1 : result;
}

static _Thread_local const FILE *broken;

size_t __real_fread(void *data, size_t size, size_t count, FILE *file);
size_t __wrap_fread(void *data, size_t size, size_t count, FILE *file);
size_t __wrap_fread(void *data, size_t size, size_t count, FILE *file)
{
    broken = fails("fread", EIO) ? file : NULL;
    return broken ? 0 : __real_fread(data, size, count, file);
}

int __real_ferror(FILE *file);
int __wrap_ferror(FILE *file);
int __wrap_ferror(FILE *file)
{
    return broken == file || __real_ferror(file);
}

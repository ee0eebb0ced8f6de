// SPDX-License-Identifier: Apache-2.0
/* The name of whoever uses a state directory, which stays the same across restarts. */
#include "io/lmdb/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define RANDOM_SIZE 8
#define NAME_SIZE   (2 * RANDOM_SIZE)

struct status instance_name_make(char name[INSTANCE_NAME_MAX + 1])
{
    uint8_t random[RANDOM_SIZE];
    if (getentropy(random, sizeof random))
        return FAIL(IO, errno, "no random numbers to be had");
    for (size_t i = 0; i < sizeof random; i++)
        snprintf(name + 2 * i, 3, "%02x", random[i]);
    return OK;
}

static struct status make(const char *path, char name[INSTANCE_NAME_MAX + 1], struct complaint *complaint)
{
    char text[INSTANCE_NAME_MAX + 2];
    TRY(instance_name_make(name));
    int size = snprintf(text, sizeof text, "%s\n", name);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0)
        return complain_of_errno(complaint, "open", path);
    bool written = write(file, text, (size_t)size) == size && fsync(file) == 0;
    struct status status = written ? OK : complain_of_errno(complaint, "write", path);
    close(file);
    return status;
}

/* A file that was cut short by a full disk is made again. */
struct status instance_name_open(const char *folder, char name[INSTANCE_NAME_MAX + 1], struct complaint *complaint)
{
    char path[PATH_MAX + 16], text[INSTANCE_NAME_MAX + 1] = "";
    snprintf(path, sizeof path, "%s/instance", folder);
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0 && errno != ENOENT)
        return complain_of_errno(complaint, "open", path);
    ssize_t size = file < 0 ? 0 : read(file, text, INSTANCE_NAME_MAX);
    if (file >= 0)
        close(file);
    if (size < 0)
        return complain_of_errno(complaint, "read", path);
    if (size != NAME_SIZE + 1 || strspn(text, "0123456789abcdef") != NAME_SIZE)
        return make(path, name, complaint);
    memcpy(name, text, NAME_SIZE);
    name[NAME_SIZE] = 0;
    return OK;
}

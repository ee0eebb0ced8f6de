// SPDX-License-Identifier: Apache-2.0
#pragma once
/* environment: what the files of this folder share. */
#include <eddy/io/session_store.h>

#include <limits.h>

struct state_directory {
    char path[PATH_MAX];
    int pid_file;
    char instance[INSTANCE_NAME_MAX + 1];
};

/* instance.c: the name in the folder's file `instance`, made when there is none. */
MUST_CHECK struct status instance_name_open(const char *folder, char name[INSTANCE_NAME_MAX + 1],
                                            struct complaint *complaint);

/* "NFS", ...; NULL when the file system with that magic number (statfs) is good for memory maps and locks. */
const char *unsuitable_file_system(unsigned long magic);

/* A failed system call on `path`: DISK_FULL or IO, with a complaint "cannot <verb> <path>: <reason>". */
MUST_CHECK struct status complain_of_errno(struct complaint *complaint, const char *verb, const char *path);

#define BOOT_ID_SIZE 36

/* The mark beside an environment: one block that is overwritten in place, so that a full disk cannot keep it from being
 * written. */
struct mark {
    int file;
    char boot_id[BOOT_ID_SIZE + 1];
    bool sync; /* how the environment is written from now on */
};

/* Opens or makes the mark; *ret_trusted says whether what lies beside it may be used. */
MUST_CHECK struct status mark_open(const char *path, bool sync, struct mark *ret_mark, bool *ret_trusted,
                                   struct complaint *complaint);
/* Writes it and waits for the disk. */
MUST_CHECK struct status mark_write(const struct mark *mark, bool closed);
void mark_close(struct mark *mark);

/* verify.c: walks all pages of an LMDB file. OK when it does not exist or is empty; CORRUPT (detail: the page), IO,
 * MEMORY. `path` is for the complaint in the second one. */
MUST_CHECK struct status environment_verify(const char *path, struct complaint *complaint);
MUST_CHECK struct status environment_verify_bytes(struct bytes content, const char *path, struct complaint *complaint);

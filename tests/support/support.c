// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include <ftw.h>
#include <unistd.h>

void assert_bytes_at(struct bytes bytes, const char *text, const char *file, int line)
{
    if (!bytes_equal_text(bytes, text)) {
        print_error("got \"" BYTES_FORMAT "\", wanted \"%s\"\n", BYTES_ARGS(bytes), text);
        _fail(file, line);
    }
}

struct temporary_folder temporary_folder_make(void)
{
    struct temporary_folder folder;
    const char *parent = getenv("TMPDIR");
    snprintf(folder.path, sizeof folder.path, "%s/eddy-test-XXXXXX", parent ? parent : "/tmp");
    if (!mkdtemp(folder.path))
        fail_msg("cannot make a folder like %s", folder.path);
    return folder;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

void temporary_folder_remove(struct temporary_folder *folder)
{
    nftw(folder->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

uint64_t test_seed(uint64_t standard)
{
    const char *text = getenv("EDDY_SEED");
    return text ? strtoull(text, NULL, 10) : standard;
}

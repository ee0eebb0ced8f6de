// SPDX-License-Identifier: Apache-2.0
/* Runs a fuzz target over files and folders, so that every compiler and every ctest replays the corpus
 * without libFuzzer. An empty or missing corpus is a failure: a test that runs nothing tests nothing. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return -1;
    static uint8_t data[1 << 20];
    size_t size = fread(data, 1, sizeof data, file);
    fclose(file);
    uint8_t *exact = malloc(size ? size : 1); /* exact size, so that ASan sees a read past the end */
    for (size_t i = 0; exact && i < size; i++)
        exact[i] = data[i];
    if (exact)
        LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return 1;
}

static int replay_path(const char *path)
{
    struct stat info;
    if (stat(path, &info))
        return -1;
    if (!S_ISDIR(info.st_mode))
        return replay_file(path);
    DIR *folder = opendir(path);
    int count = 0;
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        char name[4096];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        int replayed = replay_path(name);
        if (replayed < 0)
            return -1;
        count += replayed;
    }
    if (folder)
        closedir(folder);
    return count;
}

int main(int argc, char **argv)
{
    int count = 0;
    for (int i = 1; i < argc; i++) {
        int replayed = replay_path(argv[i]);
        if (replayed < 0) {
            fprintf(stderr, "cannot read %s\n", argv[i]);
            return 1;
        }
        count += replayed;
    }
    fprintf(stderr, "replayed %d inputs\n", count);
    return count == 0;
}

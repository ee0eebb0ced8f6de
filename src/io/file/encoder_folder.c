// SPDX-License-Identifier: Apache-2.0
#include <eddy/io/encoder_folder.h>

#include <eddy/io/file.h>
#include <stdio.h>

#define PATH_SIZE 4096

static struct status map(const char *folder, enum encoder_file file, struct bytes *ret_content,
                         struct complaint *complaint)
{
    char path[PATH_SIZE];
    int size = snprintf(path, sizeof path, "%s/%s", folder, encoder_file_names[file]);
    if (size < 0 || (size_t)size >= sizeof path)
        return complain(complaint, FAIL(BAD_INPUT, size, "a path is too long"), "the path of the folder is too long");
    struct status status = file_map(path, ret_content, complaint);
    if (!failed_as(status, FAULT_NOT_FOUND))
        return status;
    if (file >= ENCODER_NEEDED)
        return OK;
    return complain(complaint, status,
                    "there is no %s; the folder of a sentence encoder has %s, %s and %s ('./dev setup --encoder' "
                    "fetches one)",
                    path, encoder_file_names[ENCODER_WEIGHTS], encoder_file_names[ENCODER_VOCABULARY],
                    encoder_file_names[ENCODER_CONFIG]);
}

struct status encoder_folder_open(const char *folder, struct encoder **ret_encoder, struct complaint *complaint)
{
    struct encoder_files files = {0};
    struct complaint reason = {{0}};
    struct status status = OK;
    for (enum encoder_file i = 0; i < ENCODER_FILE_COUNT && !failed(status); i++)
        status = map(folder, i, &files.content[i], complaint);
    if (!failed(status)) {
        status = encoder_open(&files, ret_encoder, &reason);
        if (failed(status) && *reason.text)
            status = complain(complaint, status, "%s/%s", folder, reason.text);
    }
    for (enum encoder_file i = 0; i < ENCODER_FILE_COUNT; i++)
        file_unmap(files.content[i]);
    return status;
}

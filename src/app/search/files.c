// SPDX-License-Identifier: Apache-2.0
#include "app/search/files.h"

#include "app/model_file.h"

#include <errno.h>
#include <stdio.h>

struct status search_file_path(const char *output, struct buffer *path)
{
    buffer_format(path, "%s.search", output);
    return buffer_check(path);
}

struct status search_trial_path(const char *output, uint32_t number, struct buffer *path)
{
    struct bytes stem = file_stem(output);
    buffer_append_bytes(path, stem);
    buffer_format(path, ".trial-%u%s", number, output + stem.size);
    return buffer_check(path);
}

/* The model and the state of a trial. */
static struct status forget_trial(const char *output, uint32_t number, struct complaint *complaint)
{
    AUTO(buffer) path = {0};
    TRY(search_trial_path(output, number, &path));
    TRY(file_remove(buffer_text(&path), complaint));
    return training_forget(buffer_text(&path), complaint);
}

struct status search_settle(const char *output, const struct trials *trials, struct complaint *complaint)
{
    AUTO(buffer) path = {0};
    TRY(search_trial_path(output, trials->count, &path));
    if (trials_best(trials) + 1 == trials->count && rename(buffer_text(&path), output) != 0 && errno != ENOENT)
        return complain(complaint, FAIL(IO, errno, "rename"), "%s: cannot become %s: %s", buffer_text(&path), output,
                        strerror(errno));
    return forget_trial(output, trials->count, complaint);
}

struct status search_check_output(const char *output, const struct trials *trials, struct complaint *complaint)
{
    uint64_t hash;
    bool there = !failed(model_file_hash_of(output, &hash, NULL));
    return there && hash == trials->list[trials_best(trials)].model_hash
               ? OK
               : complain(complaint, FAIL(CONFIG, 0, "the best model is gone"),
                          "%s.search: %s is not the model of its best trial, number %u; --restart begins anew", output,
                          output, trials_best(trials) + 1);
}

struct status search_forget(const char *output, struct complaint *complaint)
{
    AUTO(buffer) path = {0}, lines = {0};
    uint32_t count = 0;
    TRY(search_file_path(output, &path));
    struct status status = file_read(buffer_text(&path), &lines, complaint);
    if (failed(status) && !failed_as(status, FAULT_NOT_FOUND))
        return status;
    complaint->text[0] = 0;
    for (size_t i = 0; i < lines.size; i++)
        count += lines.data[i] == '\n';
    TRY(forget_trial(output, count, complaint));
    TRY(forget_trial(output, count + 1, complaint)); /* the one that was under way */
    return file_remove(buffer_text(&path), complaint);
}

// SPDX-License-Identifier: Apache-2.0
/* Any bytes as what a search has kept of its trials. What is accepted is added again, and then comes back the same. */
#include "app/search/trials.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct trial_space space = {
    .search = {{{.kind = SEARCH_REAL, .logarithmic = true, .low = 0.001, .high = 0.01},
                {.kind = SEARCH_WHOLE, .low = 16, .high = 64},
                {.kind = SEARCH_CHOICE, .choices = 2}},
               3},
    .parameters = {{.key = "train.rate", .given = "0.002"},
                   {.key = "train.batch", .given = "512"},
                   {.key = "model.backbone", .given = "pw_core", .words = {"narm", "stamp"}}},
};
static const struct trials_purpose purpose = {1, 2, 3};

static void must(struct status status)
{
    if (failed(status))
        abort();
}

static void must_come_back(const struct trials *trials)
{
    struct trials first, second;
    must(trials_open(&space, purpose, &first));
    must(trials_open(&space, purpose, &second));
    for (uint32_t i = 0; i < trials->count; i++)
        must(trials_add(&first, &trials->list[i]));
    must(trials_decode(&second, buffer_bytes(&first.text), "", NULL));
    assert(bytes_equal(buffer_bytes(&first.text), buffer_bytes(&second.text)) && second.count == trials->count);
    assert(trials->count == 0 || trials_best(&first) == trials_best(&second));
    trials_release(&first);
    trials_release(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trials trials;
    struct complaint complaint = {""};
    must(trials_open(&space, purpose, &trials));
    struct status status = trials_decode(&trials, bytes_of(data, size), "a", &complaint);
    assert(!failed(status) || *complaint.text);
    must_come_back(&trials);
    trials_release(&trials);
    return 0;
}

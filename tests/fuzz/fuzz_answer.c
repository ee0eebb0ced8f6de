// SPDX-License-Identifier: Apache-2.0
/* What a language model answered: JSON text about three sessions. */
#include <eddy/core/answer.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct answered_session sessions[3];
    struct status status = answer_read(bytes_of(data, size), 3, (uint32_t[]){5, 0, 20}, &arena, sessions);
    assert(!failed(status));
    for (int i = 0; i < 3; i++)
        for (enum answer_view view = 0; view < VIEW_COUNT; view++) {
            const struct answered_view *said = &sessions[i].views[view];
            assert(sessions[i].fault == ANSWER_NONE || said->title_count == 0);
            assert(bytes_is_utf8(said->intent) && said->intent.size <= ANSWER_TEXT_MAX);
            for (uint32_t j = 0; j < said->title_count; j++)
                assert(bytes_is_utf8(said->titles[j]) && said->titles[j].size);
        }
    arena_release(&arena);
    return 0;
}

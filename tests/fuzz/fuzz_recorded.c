// SPDX-License-Identifier: Apache-2.0
/* A line of a file of recorded answers. */
#include <eddy/core/click.h>
#include <eddy/core/recorded.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct recorded_answer recorded;
    struct complaint complaint = {""};
    struct status status = recorded_answer_read(bytes_of(data, size), &arena, &recorded, &complaint);
    assert(!failed(status) || failed_as(status, FAULT_BAD_INPUT));
    assert(failed(status) == (complaint.text[0] != 0));
    if (!failed(status)) {
        assert(recorded.position >= 1 && recorded.session_id.size >= 1 && recorded.session_id.size <= CLICK_ID_MAX);
        for (enum answer_view view = 0; view < VIEW_COUNT; view++) {
            const struct answered_view *said = &recorded.answer.views[view];
            assert(bytes_is_utf8(said->intent) && said->intent.size <= ANSWER_TEXT_MAX);
            for (uint32_t i = 0; i < said->title_count; i++)
                assert(bytes_is_utf8(said->titles[i]) && said->titles[i].size);
        }
    }
    arena_release(&arena);
    return 0;
}

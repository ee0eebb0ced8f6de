// SPDX-License-Identifier: Apache-2.0
/* A prompt's file; one that can be used is filled in with the file itself as a title. */
#include <eddy/core/prompt.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct prompt *prompt;
    struct complaint complaint = {0};
    enum prompt_kind kind = size % 2 ? PROMPT_AGENT : PROMPT_INTENT;
    if (failed(prompt_open(kind, "prompt", bytes_of(data, size), &prompt, &complaint))) {
        assert(complaint.text[0]);
        return 0;
    }
    const struct bytes titles[] = {bytes_of(data, size), BYTES("a")};
    const struct prompt_titles both = {titles, 2};
    const struct prompt_session session = {both, 1, both, &both, 1};
    AUTO(buffer) out = {0};
    prompt_write(prompt, &session, 1, &(struct prompt_limits){2, 60}, &out);
    assert(bytes_is_utf8(buffer_bytes(&out)));
    prompt_close(prompt);
    return 0;
}

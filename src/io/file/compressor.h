// SPDX-License-Identifier: Apache-2.0
#pragma once
/* compressor: bytes compressed as a file's name asks for: .gz gzip, .zst zstd. Neither is given a time or a name, so
 * same bytes in same parts give same bytes. Both end with a checksum. */
#include <eddy/base/bytes.h>
#include <eddy/base/status.h>

struct compressor;

/* *ret_compressor is NULL when the name asks for none. MEMORY. */
MUST_CHECK struct status compressor_open(const char *name, struct compressor **ret_compressor);
void compressor_close(struct compressor *compressor);

/* Compresses from the front of *input and hands out what is ready, perhaps nothing, until the next call. `last`:
 * nothing comes behind this input. Call again with what is left until *ret_more is false. MEMORY. */
MUST_CHECK struct status compressor_step(struct compressor *compressor, struct bytes *input, bool last,
                                         struct bytes *ret_output, bool *ret_more);

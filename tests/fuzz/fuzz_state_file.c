// SPDX-License-Identifier: Apache-2.0
/* Arbitrary bytes as a stored environment's file, before LMDB sees it. */
#include "io/lmdb/environment.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct complaint complaint = {0};
    struct status status = environment_verify_bytes(bytes_of(data, size), "fuzzed", &complaint);
    if (failed(status) && !failed_as(status, FAULT_CORRUPT))
        abort();
    if (failed(status) && !complaint.text[0])
        abort();
    return 0;
}

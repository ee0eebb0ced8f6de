// SPDX-License-Identifier: Apache-2.0
/* Arbitrary bytes as a safetensors file. Of what is accepted each tensor that the corpus names is read, or refused. */
#include "core/encoder/safetensors.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t shapes[][2] = {{1, 1}, {1, 2}, {2, 1}, {2, 2}, {3, 4}};
    struct safetensors *tensors;
    struct complaint complaint;
    float numbers[12];
    if (failed(safetensors_open(bytes_of(data, size), "file", &tensors, &complaint)))
        return 0;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        if (failed(safetensors_read(tensors, "a", shapes[i][0], shapes[i][1], numbers, &complaint)) &&
            complaint.text[0] == '\0')
            abort();
    safetensors_close(tensors);
    return 0;
}

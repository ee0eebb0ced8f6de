// SPDX-License-Identifier: Apache-2.0
#include <eddy/base/sha256.h>

#include <nettle/sha2.h>
#include <stdlib.h>

struct sha256 {
    struct sha256_ctx context;
};

struct status sha256_open(struct sha256 **ret_hash)
{
    struct sha256 *hash = malloc(sizeof *hash);
    if (!hash)
        return FAIL(MEMORY, 0, "no memory for a hash");
    sha256_init(&hash->context);
    *ret_hash = hash;
    return OK;
}

void sha256_close(struct sha256 *hash)
{
    free(hash);
}

void sha256_add(struct sha256 *hash, struct bytes piece)
{
    if (piece.size)
        sha256_update(&hash->context, piece.size, piece.data);
}

void sha256_text(struct sha256 *hash, char text[SHA256_TEXT_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t digest[SHA256_SIZE];
    sha256_digest(&hash->context, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++) {
        text[2 * i] = digits[digest[i] >> 4];
        text[2 * i + 1] = digits[digest[i] & 15];
    }
    text[SHA256_TEXT_SIZE - 1] = 0;
}

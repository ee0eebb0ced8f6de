// SPDX-License-Identifier: Apache-2.0
#pragma once
/* sha256: FIPS 180-4, by Nettle: for what others are to check with tools of their own. Where nobody else looks,
 * bytes_hash() is faster. */
#include <eddy/base/bytes.h>

#define SHA256_SIZE      32
#define SHA256_TEXT_SIZE 65 /* as hexadecimal digits, with NUL */

struct sha256;

MUST_CHECK struct status sha256_open(struct sha256 **ret_hash); /* MEMORY */
void sha256_close(struct sha256 *hash);
void sha256_add(struct sha256 *hash, struct bytes piece);
/* Writes the digits of all that was added, and begins anew. */
void sha256_text(struct sha256 *hash, char text[SHA256_TEXT_SIZE]);

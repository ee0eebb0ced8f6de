// SPDX-License-Identifier: Apache-2.0
#pragma once
/* utf8: code points of bytes that may be anything. What is not UTF-8 (RFC 3629) is U+FFFD, one for each longest piece
 * that could have begun a code point, as Unicode recommends (chapter 3, "U+FFFD substitution of maximal subparts") and
 * Python decodes with errors="replace". */
#include <eddy/base/bytes.h>

#define UTF8_REPLACEMENT 0xfffdu
#define UTF8_SIZE_MAX    4

/* Takes the first code point off *rest, which is not empty. */
uint32_t utf8_take(struct bytes *rest);
/* Writes a code point and returns its bytes, 1 to UTF8_SIZE_MAX. */
size_t utf8_put(uint32_t code, uint8_t *out);

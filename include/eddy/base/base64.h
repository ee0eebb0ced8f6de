// SPDX-License-Identifier: Apache-2.0
#pragma once
/* base64: bytes as text, for JSON. RFC 4648, section 4: with padding, without line ends. */
#include <eddy/base/buffer.h>

/* Appends the text of `bytes`. */
void base64_write(struct bytes bytes, struct buffer *out);
/* Appends the bytes of `text`. False when that is not what base64_write() makes of any bytes; nothing is appended then.
 */
bool base64_read(struct bytes text, struct buffer *out);

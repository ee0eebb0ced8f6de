// SPDX-License-Identifier: Apache-2.0
#include "core/text/letters.h"

#include <assert.h>
#include <stddef.h>
#include <utf8proc.h>

#define REPLACEMENT 0xfffdu

struct range {
    uint32_t first, last;
};

/* Marks, punctuation and formats that came after Unicode 8, which the tables of Hugging Face's tokenizers are of, with
 * nothing but letters between them: they are letters there, and so they are here. The tokens would be others. */
static const struct range newer[] = {
    {0x61d, 0x61d},     {0x7fd, 0x7fd},     {0x890, 0x8e2},     {0x9fd, 0x9fe},     {0xa76, 0xa76},
    {0xafa, 0xaff},     {0xb55, 0xb55},     {0xc04, 0xc3c},     {0xc77, 0xc77},     {0xc84, 0xc84},
    {0xd00, 0xd00},     {0xd3b, 0xd3c},     {0xd81, 0xd81},     {0xeba, 0xeba},     {0xece, 0xece},
    {0x180f, 0x1886},   {0x1abf, 0x1ace},   {0x1b7d, 0x1b7e},   {0x1df6, 0x1dfb},   {0x2e43, 0x2e5d},
    {0xa82c, 0xa82c},   {0xa8c5, 0xa8c5},   {0xa8ff, 0xa8ff},   {0xa9bd, 0xa9bd},   {0x10d24, 0x10f89},
    {0x11070, 0x11074}, {0x110c2, 0x110cd}, {0x111cf, 0x111cf}, {0x1123e, 0x11241}, {0x1133b, 0x1133b},
    {0x11438, 0x1145e}, {0x11660, 0x1166c}, {0x116b9, 0x116b9}, {0x1182f, 0x11fff}, {0x12ff1, 0x13455},
    {0x16e97, 0x16f4f}, {0x16fe2, 0x16fe4}, {0x1cf00, 0x1cf46}, {0x1e000, 0x1e4ef}, {0x1e944, 0x1e95f}};

static bool is_newer(uint32_t code)
{
    size_t first = 0, end = sizeof newer / sizeof *newer;
    while (first < end) {
        size_t middle = (first + end) / 2;
        if (code > newer[middle].last)
            first = middle + 1;
        else
            end = middle;
    }
    return first < sizeof newer / sizeof *newer && code >= newer[first].first;
}

/* And three that were something else then. */
static utf8proc_category_t category_of(uint32_t code)
{
    switch (code) {
    case 0x166d:  /* Canadian syllabics chi sign */
    case 0x111c9: /* Sharada sandhi mark */
        return UTF8PROC_CATEGORY_PO;
    case 0x1734: /* Hanunoo sign pamudpod */
        return UTF8PROC_CATEGORY_MN;
    default:
        return is_newer(code) ? UTF8PROC_CATEGORY_LO : utf8proc_category((utf8proc_int32_t)code);
    }
}

bool letter_is_dropped(uint32_t code)
{
    if (code >= 0x20 && code < 0x7f)
        return false; /* most of all letters */
    if (code == '\t' || code == '\n' || code == '\r')
        return false;
    switch (category_of(code)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
        return true;
    default:
        return code == REPLACEMENT;
    }
}

bool letter_is_space(uint32_t code)
{
    if (code < 0x80)
        return code == ' ' || (code >= '\t' && code <= '\r');
    switch (category_of(code)) {
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
        return true;
    default:
        return code == 0x85;
    }
}

bool letter_is_punctuation(uint32_t code)
{
    if (code < 0x80)
        return (code >= '!' && code <= '/') || (code >= ':' && code <= '@') || (code >= '[' && code <= '`') ||
               (code >= '{' && code <= '~');
    switch (category_of(code)) {
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO:
        return true;
    default:
        return false;
    }
}

bool letter_is_ideograph(uint32_t code)
{
    static const struct range blocks[] = {{0x3400, 0x4dbf},   {0x4e00, 0x9fff},   {0xf900, 0xfaff},
                                          {0x20000, 0x2a6df}, {0x2a700, 0x2b73f}, {0x2b740, 0x2b81f},
                                          {0x2b920, 0x2ceaf}, {0x2f800, 0x2fa1f}};
    if (code < blocks[0].first)
        return false;
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        if (code >= blocks[i].first && code <= blocks[i].last)
            return true;
    return false;
}

bool letter_is_accent(uint32_t code)
{
    return code >= 0x300 && category_of(code) == UTF8PROC_CATEGORY_MN;
}

uint8_t letter_order(uint32_t code)
{
    return code < 0x300 ? 0 : (uint8_t)utf8proc_get_property((utf8proc_int32_t)code)->combining_class;
}

uint32_t letter_decompose(uint32_t code, uint32_t letters[LETTERS_OF_CODE_MAX])
{
    utf8proc_int32_t out[LETTERS_OF_CODE_MAX];
    int boundary = 0;
    if (code < 0xc0) {
        letters[0] = code;
        return 1;
    }
    utf8proc_ssize_t count =
        utf8proc_decompose_char((utf8proc_int32_t)code, out, LETTERS_OF_CODE_MAX, UTF8PROC_DECOMPOSE, &boundary);
    assert(count >= 0 && count <= LETTERS_OF_CODE_MAX);
    for (utf8proc_ssize_t i = 0; i < count; i++)
        letters[i] = (uint32_t)out[i];
    return (uint32_t)count;
}

uint32_t letter_lower(uint32_t code)
{
    if (code < 0x80)
        return code >= 'A' && code <= 'Z' ? code + ('a' - 'A') : code;
    return (uint32_t)utf8proc_tolower((utf8proc_int32_t)code);
}

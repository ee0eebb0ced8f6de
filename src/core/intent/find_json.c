// SPDX-License-Identifier: Apache-2.0
#include <eddy/core/chat.h>

#include <jansson.h>

/* What a model thought aloud before its answer, in <think>...</think>, is not its answer. */
static struct bytes without_thoughts(struct bytes text)
{
    static const char begin[] = "<think>", end[] = "</think>";
    size_t start = 0;
    while (start < text.size && (text.data[start] == ' ' || text.data[start] == '\n' || text.data[start] == '\r'))
        start++;
    struct bytes rest = bytes_of(text.data + start, text.size - start);
    if (rest.size < sizeof begin - 1 || memcmp(rest.data, begin, sizeof begin - 1) != 0)
        return text;
    const uint8_t *found = memmem(rest.data, rest.size, end, sizeof end - 1);
    if (!found)
        return bytes_of(rest.data + rest.size, 0);
    found += sizeof end - 1;
    return bytes_of(found, rest.size - (size_t)(found - rest.data));
}

/* How many bytes from an opening brace to the one that closes it, braces in strings left out; 0: it is not closed. */
static size_t balanced(struct bytes text)
{
    size_t depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && c == '{')
            depth++;
        else if (!quoted && c == '}' && --depth == 0)
            return i + 1;
    }
    return 0;
}

static bool is_object(struct bytes text)
{
    json_error_t error;
    json_t *root = json_loadb((const char *)text.data, text.size, 0, &error);
    bool object = json_is_object(root);
    json_decref(root);
    return object;
}

enum chat_outcome chat_find_json(struct bytes text, size_t bytes_max, struct bytes *ret_object)
{
    struct bytes longest = {0};
    bool begun = false;
    if (text.size > bytes_max)
        return CHAT_TOO_LARGE;
    struct bytes rest = text.size ? without_thoughts(text) : text;
    for (int tries = 0; tries < CHAT_TRIES_MAX && rest.size > longest.size; tries++) {
        const uint8_t *brace = memchr(rest.data, '{', rest.size);
        if (!brace)
            break;
        rest = bytes_of(brace, rest.size - (size_t)(brace - rest.data));
        size_t size = balanced(rest);
        begun = begun || size == 0;
        bool good = size > 0 && is_object(bytes_of(rest.data, size));
        if (good && size > longest.size)
            longest = bytes_of(rest.data, size);
        size_t passed = good ? size : 1;
        rest = bytes_of(rest.data + passed, rest.size - passed);
    }
    if (longest.size == 0)
        return begun ? CHAT_TRUNCATED : CHAT_NOT_JSON;
    *ret_object = longest;
    return CHAT_GOOD;
}

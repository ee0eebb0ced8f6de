// SPDX-License-Identifier: Apache-2.0
#include "app/config/options.h"

#include "app/environment.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define SECRET_FILE_MAX (64 * 1024)

bool secret_name(const char *name)
{
    static const char *const parts[] = {"password", "passphrase", "secret", "key.pem", "ssl_key"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strcasestr(name, parts[i]))
            return true;
    return false;
}

static size_t name_size(const char *text)
{
    size_t size = 0;
    while (isalnum((unsigned char)text[size]) || text[size] == '_')
        size++;
    return size;
}

/* True when the whole text is one ${NAME}. */
static bool is_reference(const char *text)
{
    if (strncmp(text, "${", 2) != 0)
        return false;
    size_t size = name_size(text + 2);
    return size > 0 && !strcmp(text + 2 + size, "}");
}

static struct status expand(const char *text, struct buffer *out, struct complaint *complaint)
{
    for (const char *dollar; (dollar = strstr(text, "${"));) {
        size_t size = name_size(dollar + 2);
        char name[128];
        if (size == 0 || size >= sizeof name || dollar[2 + size] != '}')
            return complain(complaint, FAIL(CONFIG, 0, "broken reference"),
                            "a reference to the environment is written ${NAME}");
        snprintf(name, sizeof name, "%.*s", (int)size, dollar + 2);
        const char *value = environment_get(name);
        if (!value)
            return complain(complaint, FAIL(CONFIG, 0, "variable is not set"), "the environment variable %s is not set",
                            name);
        buffer_append(out, text, (size_t)(dollar - text));
        buffer_append_text(out, value);
        text = dollar + 2 + size + 1;
    }
    buffer_append_text(out, text);
    return buffer_check(out);
}

static struct status read_secret_file(const char *path, struct buffer *out, struct complaint *complaint)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return complain(complaint, FAIL(IO, errno, "cannot open a secret's file"), "cannot read the file %s: %s", path,
                        strerror(errno));
    out->limit = SECRET_FILE_MAX + 1;
    uint8_t *room = buffer_reserve(out, SECRET_FILE_MAX + 1);
    out->size = room ? fread(room, 1, SECRET_FILE_MAX + 1, file) : 0;
    bool broken = ferror(file);
    fclose(file);
    TRY(buffer_check(out));
    if (broken)
        return complain(complaint, FAIL(IO, 0, "cannot read a secret's file"), "cannot read the file %s", path);
    if (out->size > SECRET_FILE_MAX || memchr(room, 0, out->size))
        return complain(complaint, FAIL(CONFIG, 0, "not a secret's file"), "the file %s is not text of at most 64 KiB",
                        path);
    while (out->size > 0 && (room[out->size - 1] == '\n' || room[out->size - 1] == '\r'))
        out->size--;
    return OK;
}

static struct status take_text(struct buffer *buffer, char **ret_text, struct complaint *complaint)
{
    if (!bytes_is_utf8(buffer_bytes(buffer)))
        return complain(complaint, FAIL(CONFIG, 0, "not UTF-8"), "the value is not UTF-8 text");
    char *copy = strndup(buffer->size ? (const char *)buffer->data : "", buffer->size);
    if (!copy)
        return FAIL(MEMORY, 0, "no memory for a configured text");
    *ret_text = copy;
    return OK;
}

struct status secret_resolve(const char *text, bool secret, enum config_source source, char **ret_text,
                             struct complaint *complaint)
{
    bool from_file = secret && !strncmp(text, "file:", 5);
    bool written_out = source == CONFIG_FILE || source == CONFIG_SET;
    if (secret && written_out && !from_file && !is_reference(text))
        return complain(complaint, FAIL(CONFIG, 0, "secret written out"),
                        "a secret must not be written here; write ${NAME} to take it from the environment, or "
                        "file:/path to read it from a file");
    AUTO(buffer) expanded = {0};
    if (written_out)
        TRY(expand(text, &expanded, complaint));
    else
        buffer_append_text(&expanded, text);
    TRY(buffer_check(&expanded));
    if (!from_file)
        return take_text(&expanded, ret_text, complaint);
    AUTO(buffer) content = {0};
    const char *path = buffer_text(&expanded); /* "" without memory for its end */
    TRY(buffer_check(&expanded));
    TRY(read_secret_file(path + strlen("file:"), &content, complaint));
    return take_text(&content, ret_text, complaint);
}

// SPDX-License-Identifier: Apache-2.0
#include "io/llm/client.h"

#include <stdio.h>
#include <stdlib.h>

static struct status bad_url(const char *url, const char *why, struct complaint *complaint)
{
    return complain(complaint, FAIL(CONFIG, 0, "not the URL of a language model's API"), "'%s' %s", url, why);
}

/* A user name in it is not shown, as a password would stand behind it. */
static struct status check_url(const char *url, struct complaint *complaint)
{
    static const char wanted[] = "is not a URL like https://api.example.com/v1";
    bool plain = !strncasecmp(url, "http://", 7), secure = !strncasecmp(url, "https://", 8);
    if (strchr(url, '@'))
        return bad_url("...", "has a user name in its URL: set the endpoint's key instead", complaint);
    if (!plain && !secure)
        return bad_url(url, wanted, complaint);
    size_t host = strcspn(url + (plain ? 7 : 8), "/?#");
    if (host == 0 || strpbrk(url, "?# \t\r\n"))
        return bad_url(url, wanted, complaint);
    return OK;
}

/* What could end the header, or begin another one, must not be in it. */
static struct status check_key(struct bytes key, const char *url, struct complaint *complaint)
{
    for (size_t i = 0; i < key.size; i++)
        if (key.data[i] <= ' ' || key.data[i] > '~')
            return complain(complaint, FAIL(CONFIG, i, "a key has a character that no key has"),
                            "the key of %s has a blank or another character that is not printable ASCII, at place %zu "
                            "(is there a line break at the end of its file?)",
                            url, i + 1);
    return OK;
}

static bool add_header(struct curl_slist **headers, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*headers, line);
    *headers = longer ? longer : *headers;
    return longer != NULL;
}

static bool add_key(struct target *target)
{
    if (target->key_size == 0)
        return true;
    size_t size = sizeof "Authorization: Bearer " + target->key_size;
    char *line = malloc(size);
    if (!line)
        return false;
    snprintf(line, size, "Authorization: Bearer %s", target->key);
    bool good = add_header(&target->headers, line);
    explicit_bzero(line, size);
    free(line);
    return good;
}

struct status target_open(const struct llm_endpoint *endpoint, struct target *target, struct complaint *complaint)
{
    TRY(check_url(endpoint->url, complaint));
    TRY(check_key(endpoint->key, endpoint->url, complaint));
    target->base = strdup(endpoint->url);
    target->key_size = endpoint->key.size;
    target->key = calloc(target->key_size + 1, 1);
    if (!target->base || !target->key)
        return FAIL(MEMORY, 0, "no memory for an endpoint");
    for (size_t size = strlen(target->base); size > 0 && target->base[size - 1] == '/';)
        target->base[--size] = 0;
    if (target->key_size)
        memcpy(target->key, endpoint->key.data, target->key_size);
    bool good = add_header(&target->headers, "Content-Type: application/json") &&
                add_header(&target->headers, "Accept: application/json") && add_header(&target->headers, "Expect:") &&
                add_key(target);
    return good ? OK : FAIL(MEMORY, 0, "no memory for an endpoint");
}

void target_release(struct target *target)
{
    for (struct curl_slist *line = target->headers; line; line = line->next)
        explicit_bzero(line->data, strlen(line->data));
    curl_slist_free_all(target->headers);
    if (target->key)
        explicit_bzero(target->key, target->key_size);
    free(target->key);
    free(target->base);
    *target = (struct target){0};
}

void target_blot(const struct target *target, uint8_t *data, size_t size)
{
    uint8_t *found;
    if (target->key_size == 0 || size == 0)
        return;
    for (uint8_t *end = data + size; (found = memmem(data, (size_t)(end - data), target->key, target->key_size));
         data = found + target->key_size)
        memset(found, '*', target->key_size);
}

// SPDX-License-Identifier: Apache-2.0
#include "llm_stand_in/stand_in.h"

#include <ctype.h>
#include <stdlib.h>

#define TITLES_MAX 64
#define WORDS_MAX  256
#define WORD_SIZE  32
#define KEYWORDS   3 /* of an intent */
#define LATEST     2 /* titles that the short view is about */
#define ITEMS      3 /* titles that a view names */

struct line {
    const char *text;
    size_t size;
};

struct word {
    char text[WORD_SIZE];
    size_t count;
};

static struct line line_at(const char *text)
{
    return (struct line){text, strcspn(text, "\n")};
}

/* "12. title" */
static bool read_title(struct line line, struct line *ret_title)
{
    size_t digits = strspn(line.text, "0123456789");
    if (digits == 0 || digits + 2 > line.size || line.text[digits] != '.' || line.text[digits + 1] != ' ')
        return false;
    *ret_title = (struct line){line.text + digits + 2, line.size - digits - 2};
    return true;
}

static void count_words(struct line title, struct word *words, size_t *count)
{
    for (size_t i = 0; i < title.size;) {
        char text[WORD_SIZE];
        size_t size = 0, at = 0;
        for (; i < title.size && isalnum((unsigned char)title.text[i]); i++)
            if (size + 1 < WORD_SIZE)
                text[size++] = (char)tolower((unsigned char)title.text[i]);
        text[size] = 0;
        i += size == 0;
        while (at < *count && strcmp(words[at].text, text) != 0)
            at++;
        if (size < 3 || at == WORDS_MAX)
            continue;
        if (at == *count)
            words[(*count)++] = (struct word){.count = 0};
        memcpy(words[at].text, text, size + 1);
        words[at].count++;
    }
}

/* The most frequent words of the titles, earlier ones first among equals. */
static json_t *intent_of(const struct line *titles, size_t count)
{
    struct word words[WORDS_MAX];
    size_t word_count = 0;
    AUTO(buffer) text = {0};
    for (size_t i = 0; i < count; i++)
        count_words(titles[i], words, &word_count);
    for (int k = 0; k < KEYWORDS; k++) {
        size_t best = 0;
        for (size_t i = 1; i < word_count; i++)
            if (words[i].count > words[best].count)
                best = i;
        if (word_count == 0 || words[best].count == 0)
            break;
        buffer_format(&text, "%s%s", k ? " " : "", words[best].text);
        words[best].count = 0;
    }
    return json_string(buffer_text(&text));
}

static json_t *view_of(const struct line *titles, size_t count)
{
    json_t *items = json_array();
    for (size_t i = count > ITEMS ? count - ITEMS : 0; i < count; i++)
        json_array_append_new(items, json_stringn(titles[i].text, titles[i].size));
    return json_pack("{s:o, s:o}", "intent", intent_of(titles, count), "items", items);
}

static json_t *session_of(long long id, const struct line *titles, size_t count)
{
    size_t latest = count > LATEST ? LATEST : count;
    return json_pack("{s:I, s:o, s:o}", "id", (json_int_t)id, "long", view_of(titles, count), "short",
                     view_of(titles + count - latest, latest));
}

char *summary_of(const char *user)
{
    json_t *sessions = json_array();
    struct line titles[TITLES_MAX];
    size_t count = 0;
    long long id = -1, found;
    for (struct line line = line_at(user); *line.text; line = line_at(line.text + line.size + 1)) {
        if (sscanf(line.text, "<session id=\"%lld\">", &found) == 1) {
            id = found;
            count = 0;
        } else if (strncmp(line.text, "</session>", 10) == 0 && id >= 0) {
            json_array_append_new(sessions, session_of(id, titles, count));
            id = -1;
        } else if (count < TITLES_MAX && read_title(line, &titles[count])) {
            count++;
        }
        if (!line.text[line.size])
            break;
    }
    json_t *root = json_pack("{s:o}", "sessions", sessions);
    char *text = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    return text;
}

char *smuggled_in(const char *user)
{
    static const char mark[] = "INSTRUCTION:";
    const char *found = strstr(user, mark);
    if (!found)
        return strdup("");
    found += sizeof mark - 1;
    found += strspn(found, " ");
    return strndup(found, strcspn(found, "\n"));
}

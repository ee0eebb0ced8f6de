// SPDX-License-Identifier: Apache-2.0
#include <eddy/core/prompt.h>

#include <eddy/base/sha256.h>

#include <stdio.h>
#include <stdlib.h>

#define SHORT_DIGITS 8 /* of the SHA-256 in a name */

#define VALUES(X)                                                                                                      \
    X(SESSIONS, "sessions")                                                                                            \
    X(ID, "id")                                                                                                        \
    X(LONG, "long")                                                                                                    \
    X(SHORT, "short")                                                                                                  \
    X(SHORTLIST, "shortlist")                                                                                          \
    X(EXAMPLES, "examples")

enum value {
#define X(name, text) VALUE_##name,
    VALUES(X)
#undef X
        VALUE_COUNT
};

static const char *const value_names[] = {
#define X(name, text) [VALUE_##name] = (text),
    VALUES(X)
#undef X
};

enum section { SECTION_SYSTEM, SECTION_USER, SECTION_SESSION, SECTION_COUNT };
static const char *const section_names[] = {"system", "user", "session"};

struct prompt {
    uint8_t *text;
    char name[PROMPT_NAME_MAX];
    struct bytes sections[SECTION_COUNT];
};

/* ---- reading */

struct reading {
    const char *name;
    struct bytes text;
    enum prompt_kind kind;
    struct prompt *prompt;
    struct complaint *complaint;
    int64_t line; /* from 1; of what is looked at */
    bool has_version;
    int64_t section_lines[SECTION_COUNT]; /* of their heads; 0: none */
    bool used[SECTION_COUNT][VALUE_COUNT];
};

static struct status refuse(struct reading *reading, const char *what, struct bytes which)
{
    struct bytes some = bytes_utf8_prefix(which, 80);
    return complain(reading->complaint, FAIL(BAD_INPUT, reading->line, "a prompt cannot be used"),
                    "%s:%lld: %s" BYTES_FORMAT, reading->name, (long long)reading->line, what, BYTES_ARGS(some));
}

static struct bytes trimmed(struct bytes text)
{
    while (text.size && (text.data[0] == '\n' || text.data[0] == '\r' || text.data[0] == ' '))
        text = bytes_of(text.data + 1, text.size - 1);
    while (text.size &&
           (text.data[text.size - 1] == '\n' || text.data[text.size - 1] == '\r' || text.data[text.size - 1] == ' '))
        text.size--;
    return text;
}

static bool starts_with(struct bytes text, const char *start)
{
    size_t size = strlen(start);
    return text.size >= size && memcmp(text.data, start, size) == 0;
}

static struct status read_version(struct reading *reading, struct bytes line)
{
    struct bytes version = trimmed(bytes_of(line.data + strlen("version:"), line.size - strlen("version:")));
    if (!version.size || version.size > PROMPT_VERSION_MAX - 1)
        return refuse(reading, "a version has 1 to 63 bytes, not: ", version);
    for (size_t i = 0; i < version.size; i++)
        if (version.data[i] <= ' ' || version.data[i] > '~' || version.data[i] == '/')
            return refuse(reading, "a version has no blanks, slashes or letters beyond ASCII: ", version);
    snprintf(reading->prompt->name, sizeof reading->prompt->name, BYTES_FORMAT, BYTES_ARGS(version));
    reading->has_version = true;
    return OK;
}

/* Which section begins at the line; SECTION_COUNT: none does. */
static struct status section_at(struct reading *reading, struct bytes line, enum section *ret_section)
{
    *ret_section = SECTION_COUNT;
    line = trimmed(line);
    if (line.size < 2 || line.data[0] != '[' || line.data[line.size - 1] != ']')
        return OK;
    struct bytes name = bytes_of(line.data + 1, line.size - 2);
    for (enum section i = 0; i < SECTION_COUNT; i++)
        if (bytes_equal_text(name, section_names[i])) {
            if (reading->section_lines[i])
                return refuse(reading, "this section is there already: ", name);
            *ret_section = i;
            return OK;
        }
    return OK; /* a line of text that happens to stand in brackets */
}

static struct status read_head(struct reading *reading, struct bytes line)
{
    if (starts_with(line, "#") || !trimmed(line).size)
        return OK;
    if (starts_with(line, "version:"))
        return read_version(reading, line);
    return refuse(reading,
                  "before the first section ([system], [user], [session]) stand 'version: NAME' and comments "
                  "(#), not: ",
                  trimmed(line));
}

static struct bytes line_at(struct bytes text, size_t at)
{
    const uint8_t *end = memchr(text.data + at, '\n', text.size - at);
    return bytes_of(text.data + at, end ? (size_t)(end - (text.data + at)) : text.size - at);
}

static struct status read_sections(struct reading *reading)
{
    enum section current = SECTION_COUNT;
    size_t begin = 0;
    for (size_t at = 0; at < reading->text.size;) {
        struct bytes line = line_at(reading->text, at);
        enum section next;
        reading->line++;
        TRY(section_at(reading, line, &next));
        if (next != SECTION_COUNT) {
            if (current != SECTION_COUNT)
                reading->prompt->sections[current] = trimmed(bytes_of(reading->text.data + begin, at - begin));
            current = next;
            begin = at + line.size;
            reading->section_lines[current] = reading->line;
        } else if (current == SECTION_COUNT) {
            TRY(read_head(reading, line));
        }
        at += line.size + 1;
    }
    if (current != SECTION_COUNT)
        reading->prompt->sections[current] = trimmed(bytes_of(reading->text.data + begin, reading->text.size - begin));
    return OK;
}

/* ---- templates: text, and values in braces */

struct piece {
    struct bytes text;
    enum value value; /* VALUE_COUNT: the text stands for itself */
};

/* The piece at *at, which goes past it; false when a brace there is none of a value's or doubled. */
static bool next_piece(struct bytes template, size_t *at, struct piece *ret_piece)
{
    const uint8_t *from = template.data + *at;
    size_t left = template.size - *at, size = 0;
    if (left >= 2 && (*from == '{' || *from == '}') && from[1] == *from) {
        *ret_piece = (struct piece){bytes_of(from, 1), VALUE_COUNT};
        *at += 2;
        return true;
    }
    while (size < left && from[size] != '{' && from[size] != '}')
        size++;
    if (size) {
        *ret_piece = (struct piece){bytes_of(from, size), VALUE_COUNT};
        *at += size;
        return true;
    }
    for (enum value value = 0; value < VALUE_COUNT; value++) {
        size_t name = strlen(value_names[value]);
        if (*from == '{' && left >= name + 2 && memcmp(from + 1, value_names[value], name) == 0 &&
            from[name + 1] == '}') {
            *ret_piece = (struct piece){bytes_of(from, name + 2), value};
            *at += name + 2;
            return true;
        }
    }
    return false;
}

static int64_t lines_before(const struct reading *reading, const uint8_t *at)
{
    int64_t line = 1;
    for (const uint8_t *byte = reading->text.data; byte < at; byte++)
        line += *byte == '\n';
    return line;
}

static struct status check_template(struct reading *reading, enum section section)
{
    struct bytes template = reading->prompt->sections[section];
    for (size_t at = 0; at < template.size;) {
        struct piece piece;
        if (!next_piece(template, &at, &piece)) {
            reading->line = lines_before(reading, template.data + at);
            return refuse(reading,
                          "there is no such value, and a brace that is none's is doubled: ", line_at(template, at));
        }
        if (piece.value == VALUE_COUNT)
            continue;
        if ((piece.value == VALUE_SESSIONS) != (section == SECTION_USER)) {
            reading->line = lines_before(reading, piece.text.data);
            return refuse(reading, "{sessions} belongs to [user] and all other values to [session], not: ", piece.text);
        }
        reading->used[section][piece.value] = true;
    }
    return OK;
}

static struct status check_whole(struct reading *reading)
{
    const bool *session = reading->used[SECTION_SESSION];
    reading->line = 1;
    if (!reading->has_version)
        return refuse(reading, "a prompt begins with 'version: NAME'", bytes_of(NULL, 0));
    for (enum section i = 0; i < SECTION_COUNT; i++)
        if (!reading->section_lines[i] || !reading->prompt->sections[i].size)
            return refuse(reading,
                          "the prompt lacks the section, or what is to be in it: ", bytes_of_text(section_names[i]));
    TRY(check_template(reading, SECTION_USER));
    TRY(check_template(reading, SECTION_SESSION));
    reading->line = reading->section_lines[SECTION_USER];
    if (!reading->used[SECTION_USER][VALUE_SESSIONS])
        return refuse(reading, "[user] has to have {sessions} in it", bytes_of(NULL, 0));
    reading->line = reading->section_lines[SECTION_SESSION];
    if (!session[VALUE_ID] || !(session[VALUE_LONG] || session[VALUE_SHORT]))
        return refuse(reading, "[session] has to have {id} in it, and {long} or {short}", bytes_of(NULL, 0));
    if (reading->kind == PROMPT_AGENT && !session[VALUE_SHORTLIST])
        return refuse(reading, "[session] of an agent's prompt has to have {shortlist} in it", bytes_of(NULL, 0));
    return OK;
}

static struct status add_digest(struct prompt *prompt, struct bytes text)
{
    struct sha256 *hash;
    char digits[SHA256_TEXT_SIZE];
    TRY(sha256_open(&hash));
    sha256_add(hash, text);
    sha256_text(hash, digits);
    sha256_close(hash);
    size_t size = strlen(prompt->name);
    snprintf(prompt->name + size, sizeof prompt->name - size, "/%.*s", SHORT_DIGITS, digits);
    return OK;
}

static struct status read_all(struct reading *reading)
{
    if (reading->text.size > PROMPT_FILE_MAX)
        return refuse(reading, "a prompt has 64 KiB at most", bytes_of(NULL, 0));
    if (!bytes_is_utf8(reading->text))
        return refuse(reading, "the prompt is not UTF-8 text", bytes_of(NULL, 0));
    TRY(read_sections(reading));
    TRY(check_whole(reading));
    return add_digest(reading->prompt, reading->text);
}

struct status prompt_open(enum prompt_kind kind, const char *name, struct bytes text, struct prompt **ret_prompt,
                          struct complaint *complaint)
{
    struct prompt *prompt = calloc(1, sizeof *prompt);
    if (!prompt || !(prompt->text = malloc(text.size + 1))) {
        prompt_close(prompt);
        return FAIL(MEMORY, text.size, "no memory for a prompt");
    }
    if (text.size)
        memcpy(prompt->text, text.data, text.size);
    struct reading reading = {.name = name,
                              .text = bytes_of(prompt->text, text.size),
                              .kind = kind,
                              .prompt = prompt,
                              .complaint = complaint};
    struct status status = read_all(&reading);
    if (failed(status)) {
        prompt_close(prompt);
        return status;
    }
    *ret_prompt = prompt;
    return OK;
}

void prompt_close(struct prompt *prompt)
{
    if (!prompt)
        return;
    free(prompt->text);
    free(prompt);
}

const char *prompt_name(const struct prompt *prompt)
{
    return prompt->name;
}

struct bytes prompt_system(const struct prompt *prompt)
{
    return prompt->sections[SECTION_SYSTEM];
}

/* ---- writing */

static void write_titles(const struct prompt_titles *titles, uint32_t from, const struct prompt_limits *limits,
                         struct buffer *out)
{
    if (titles->count > limits->titles_max && from < titles->count - limits->titles_max)
        from = titles->count - limits->titles_max;
    for (uint32_t i = from; i < titles->count; i++) {
        buffer_format(out, "%s%u. ", i > from ? "\n" : "", i - from + 1);
        prompt_write_title(titles->titles[i], limits->title_bytes_max, out);
    }
}

/* One line an example: its titles with arrows between them. */
static void write_examples(const struct prompt_session *session, const struct prompt_limits *limits, struct buffer *out)
{
    for (uint32_t i = 0; i < session->example_count; i++) {
        const struct prompt_titles *example = &session->examples[i];
        uint32_t from = example->count > limits->titles_max ? example->count - limits->titles_max : 0;
        buffer_append_text(out, i ? "\n- " : "- ");
        for (uint32_t j = from; j < example->count; j++) {
            buffer_append_text(out, j > from ? " -> " : "");
            prompt_write_title(example->titles[j], limits->title_bytes_max, out);
        }
    }
}

static void write_session(const struct prompt *prompt, const struct prompt_session *session, uint32_t id,
                          const struct prompt_limits *limits, struct buffer *out)
{
    struct bytes template = prompt->sections[SECTION_SESSION];
    struct piece piece;
    for (size_t at = 0; at < template.size && next_piece(template, &at, &piece);) {
        switch (piece.value) {
        case VALUE_ID:
            buffer_append_number(out, id);
            break;
        case VALUE_LONG:
            write_titles(&session->clicked, 0, limits, out);
            break;
        case VALUE_SHORT:
            write_titles(&session->clicked, session->short_from, limits, out);
            break;
        case VALUE_SHORTLIST:
            write_titles(&session->shortlist, 0, limits, out);
            break;
        case VALUE_EXAMPLES:
            write_examples(session, limits, out);
            break;
        case VALUE_SESSIONS:
        case VALUE_COUNT:
            buffer_append_bytes(out, piece.text);
            break;
        }
    }
}

void prompt_write(const struct prompt *prompt, const struct prompt_session *sessions, uint32_t count,
                  const struct prompt_limits *limits, struct buffer *out)
{
    struct bytes template = prompt->sections[SECTION_USER];
    struct piece piece;
    assert(limits->titles_max && limits->title_bytes_max);
    for (size_t at = 0; at < template.size && next_piece(template, &at, &piece);) {
        if (piece.value != VALUE_SESSIONS) {
            buffer_append_bytes(out, piece.text);
            continue;
        }
        for (uint32_t i = 0; i < count; i++) {
            buffer_append_text(out, i ? "\n" : "");
            write_session(prompt, &sessions[i], i + 1, limits, out);
        }
    }
}

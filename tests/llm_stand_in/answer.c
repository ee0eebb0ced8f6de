// SPDX-License-Identifier: Apache-2.0
#include "llm_stand_in/stand_in.h"

#include <eddy/base/sha256.h>

#include <math.h>
#include <stdlib.h>

#define TOKEN_BYTES 4 /* as models of today count, roughly */
#define HUGE_BYTES  10000000

static int64_t tokens_of(size_t size)
{
    return (int64_t)((size + TOKEN_BYTES - 1) / TOKEN_BYTES);
}

/* ---- recorded answers */

static char *copy_of(const json_t *text)
{
    return json_is_string(text) ? strdup(json_string_value(text)) : NULL;
}

static bool add_recorded(struct answers *answers, const json_t *line)
{
    struct recorded *more = realloc(answers->recorded, (answers->count + 1) * sizeof *more);
    struct recorded recorded = {copy_of(json_object_get(line, "match")), copy_of(json_object_get(line, "key")),
                                copy_of(json_object_get(line, "content"))};
    answers->recorded = more;
    more[answers->count++] = recorded;
    return recorded.content && (recorded.match || recorded.key);
}

bool answers_read(struct answers *answers, const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t capacity = 0, number = 0;
    bool good = file != NULL;
    if (!file)
        fprintf(stderr, "llm-stand-in: cannot read %s\n", path);
    while (good && getline(&text, &capacity, file) > 0) {
        json_error_t error;
        json_t *line = json_loads(text, 0, &error);
        number++;
        good = add_recorded(answers, line);
        json_decref(line);
        if (!good)
            fprintf(stderr, "llm-stand-in: %s:%zu: not {\"match\" or \"key\": ..., \"content\": ...}\n", path, number);
    }
    free(text);
    if (file)
        fclose(file);
    return good;
}

void answers_release(struct answers *answers)
{
    for (size_t i = 0; i < answers->count; i++) {
        free(answers->recorded[i].match);
        free(answers->recorded[i].key);
        free(answers->recorded[i].content);
    }
    free(answers->recorded);
}

/* ---- questions */

static void make_key(struct question *question)
{
    struct sha256 *hash;
    if (failed(sha256_open(&hash)))
        abort();
    const char *pieces[] = {"system\n", question->system, "\n", "user\n", question->user, "\n"};
    for (size_t i = *question->system ? 0 : 3; i < 6; i++)
        sha256_add(hash, bytes_of_text(pieces[i]));
    sha256_text(hash, question->key);
    sha256_close(hash);
}

static char *message_of(const json_t *messages, const char *role)
{
    size_t i;
    const json_t *message;
    json_array_foreach(messages, i, message)
    {
        const char *its = json_string_value(json_object_get(message, "role"));
        if (its && strcmp(its, role) == 0)
            return copy_of(json_object_get(message, "content"));
    }
    return NULL;
}

bool question_read(struct bytes body, struct question *ret_question)
{
    json_error_t error;
    json_t *root = json_loadb(body.size ? (const char *)body.data : "", body.size, 0, &error);
    const json_t *messages = json_object_get(root, "messages"), *most = json_object_get(root, "max_tokens");
    if (!most)
        most = json_object_get(root, "max_completion_tokens");
    struct question question = {.model = copy_of(json_object_get(root, "model")),
                                .system = message_of(messages, "system"),
                                .user = message_of(messages, "user"),
                                .max_tokens = json_is_integer(most) ? json_integer_value(most) : -1};
    json_decref(root);
    if (!question.system)
        question.system = strdup("");
    if (!question.model || !question.user) {
        question_release(&question);
        return false;
    }
    make_key(&question);
    question.prompt_tokens = tokens_of(strlen(question.system) + strlen(question.user));
    *ret_question = question;
    return true;
}

void question_release(struct question *question)
{
    free(question->model);
    free(question->system);
    free(question->user);
}

/* ---- chat completions */

static char *repeated(const char *text, size_t bytes)
{
    size_t size = strlen(text);
    char *all = malloc(bytes + size + 1);
    size_t used = 0;
    if (!all)
        abort();
    for (; used < bytes; used += size)
        memcpy(all + used, text, size);
    all[used] = 0;
    return all;
}

static char *content_of(const struct answers *answers, const struct question *question, enum fault_of fault)
{
    switch (fault) {
    case STAND_IN_WRONG_ANSWER:
        return strdup("{\"intents\":\"none\",\"sessions\":{\"id\":\"one\"}}");
    case STAND_IN_OBEY:
        return smuggled_in(question->user);
    case STAND_IN_HUGE:
        return repeated("and so on ", HUGE_BYTES);
    case STAND_IN_OVERRUN:
        return repeated("and so on ", 2 * TOKEN_BYTES * (size_t)(question->max_tokens > 0 ? question->max_tokens : 64));
    default:
        break;
    }
    for (size_t i = 0; i < answers->count; i++) {
        const struct recorded *recorded = &answers->recorded[i];
        if ((recorded->key && strcmp(recorded->key, question->key) == 0) ||
            (recorded->match && strstr(question->user, recorded->match)))
            return strdup(recorded->content);
    }
    return summary_of(question->user);
}

void answer_chat(const struct answers *answers, const struct question *question, enum fault_of fault,
                 struct buffer *out)
{
    char *content = content_of(answers, question, fault);
    struct bytes text = bytes_of_text(content);
    const char *finish = "stop";
    bool bounded = question->max_tokens > 0 && fault != STAND_IN_OVERRUN && fault != STAND_IN_HUGE;
    if (bounded && tokens_of(text.size) > question->max_tokens) {
        text = bytes_utf8_prefix(text, (size_t)question->max_tokens * TOKEN_BYTES);
        finish = "length";
    }
    json_int_t prompt = question->prompt_tokens, completion = tokens_of(text.size);
    json_t *root =
        json_pack("{s:s, s:s, s:s, s:[{s:i, s:{s:s, s:s%}, s:s}], s:{s:I, s:I, s:I}}", "id", "stand-in", "object",
                  "chat.completion", "model", question->model, "choices", "index", 0, "message", "role", "assistant",
                  "content", (const char *)text.data, text.size, "finish_reason", finish, "usage", "prompt_tokens",
                  prompt, "completion_tokens", completion, "total_tokens", prompt + completion);
    char *body = json_dumps(root, JSON_COMPACT);
    buffer_append_text(out, body);
    free(body);
    json_decref(root);
    free(content);
}

void answer_error(const char *message, struct buffer *out)
{
    json_t *root = json_pack("{s:{s:s, s:s}}", "error", "message", message, "type", "stand_in");
    char *body = json_dumps(root, JSON_COMPACT);
    buffer_append_text(out, body);
    free(body);
    json_decref(root);
}

/* ---- embeddings */

/* Each word adds 1 or -1 at a place that its hash says; then the length is made 1. */
static json_t *vector_of(const char *text, size_t width)
{
    double *values = calloc(width, sizeof *values), length = 0;
    json_t *vector = json_array();
    if (!values)
        abort();
    for (const char *word = text + strspn(text, " "); *word; word += strspn(word, " ")) {
        size_t size = strcspn(word, " ");
        uint64_t hash = bytes_hash(bytes_of(word, size));
        values[hash % width] += hash >> 63 ? 1 : -1;
        word += size;
    }
    for (size_t i = 0; i < width; i++)
        length += values[i] * values[i];
    for (size_t i = 0; i < width; i++)
        json_array_append_new(vector, json_real(length > 0 ? values[i] / sqrt(length) : 0));
    free(values);
    return vector;
}

static json_t *embedding_of(const json_t *text, size_t index, size_t width)
{
    return json_pack("{s:s, s:I, s:o}", "object", "embedding", "index", (json_int_t)index, "embedding",
                     vector_of(json_string_value(text) ? json_string_value(text) : "", width));
}

bool answer_embeddings(const struct answers *answers, struct bytes body, struct buffer *out)
{
    json_error_t error;
    json_t *root = json_loadb(body.size ? (const char *)body.data : "", body.size, 0, &error), *data = json_array();
    const json_t *input = json_object_get(root, "input"), *model = json_object_get(root, "model");
    const json_t *width = json_object_get(root, "dimensions"), *text;
    size_t wanted = json_integer_value(width) > 0 ? (size_t)json_integer_value(width) : answers->width, i, bytes = 0;
    bool good = json_is_array(input) && json_is_string(model);
    json_array_foreach(input, i, text)
    {
        json_array_insert_new(data, 0, embedding_of(text, i, wanted)); /* backwards: the index counts, not the place */
        bytes += json_string_length(text);
    }
    json_t *reply = json_pack("{s:s, s:O?, s:o, s:{s:I}}", "object", "list", "model", (json_t *)(uintptr_t)model,
                              "data", data, "usage", "prompt_tokens", (json_int_t)tokens_of(bytes));
    char *dumped = json_dumps(reply, JSON_COMPACT);
    if (good && dumped)
        buffer_append_text(out, dumped);
    free(dumped);
    json_decref(reply);
    json_decref(root);
    return good;
}

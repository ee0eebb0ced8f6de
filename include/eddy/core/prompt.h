// SPDX-License-Identifier: Apache-2.0
#pragma once
/* prompt: what a language model is asked, from a file that users can change.
 *
 *   version: intent-1            a name, for caches and records
 *   [system]                     sent as it is, first, so that servers can reuse what they made of it
 *   [user]                       ... {sessions} ...
 *   [session]                    ... {id} ... {long} ... {short} ...   once for each session
 *
 * Lines that begin with # before the first section are comments. In [user] and [session] a name in braces stands for
 * what is filled in, and {{ and }} for braces. {long} is the session's titles, one numbered line each, oldest first;
 * {short} the latest of them; {shortlist} and {examples} (of an agent's prompt) titles to rank, and similar sessions.
 *
 * Titles are data and not instructions: whatever is in them, each stays within its line. Controls, line ends,
 * directional and invisible characters are taken out, angle brackets become round ones (the blocks of a prompt are
 * delimited by tags), and the length is capped. Nothing but catalogue text is filled in: no id of an item, a session or
 * a person. */
#include <eddy/base/buffer.h>

enum prompt_kind {
    PROMPT_INTENT, /* what sessions are after, in two views: needs {sessions}; {id} and {long} or {short} */
    PROMPT_AGENT,  /* in which order a shortlist fits: needs {shortlist} too */
};

#define PROMPT_FILE_MAX    (64u << 10)
#define PROMPT_VERSION_MAX 64
#define PROMPT_NAME_MAX    (PROMPT_VERSION_MAX + 10)

struct prompt;

/* Reads a prompt's file; `name` is the file's, for complaints. BAD_INPUT with a complaint that names the line and what
 * to do; MEMORY. */
MUST_CHECK struct status prompt_open(enum prompt_kind kind, const char *name, struct bytes text,
                                     struct prompt **ret_prompt, struct complaint *complaint);
void prompt_close(struct prompt *prompt);
/* "intent-1/1f2e3d4c": the version and how its text begins in SHA-256, so that a text that was changed and kept its
 * version is not taken for the old one. Lives as long as the prompt. */
const char *prompt_name(const struct prompt *prompt);
struct bytes prompt_system(const struct prompt *prompt);

struct prompt_titles {
    const struct bytes *titles;
    uint32_t count;
};

struct prompt_session {
    struct prompt_titles clicked;         /* oldest first */
    uint32_t short_from;                  /* the first one of the short view */
    struct prompt_titles shortlist;       /* best first */
    const struct prompt_titles *examples; /* each as `clicked` */
    uint32_t example_count;
};

struct prompt_limits {
    uint32_t titles_max;      /* of a session, the latest; > 0 */
    uint32_t title_bytes_max; /* > 0 */
};

/* Appends the message for `count` sessions, which get the ids 1, 2, ... What it takes at most is bounded by the limits;
 * check the buffer. */
void prompt_write(const struct prompt *prompt, const struct prompt_session *sessions, uint32_t count,
                  const struct prompt_limits *limits, struct buffer *out);

/* Appends a title as it stands in a prompt. */
void prompt_write_title(struct bytes title, uint32_t bytes_max, struct buffer *out);

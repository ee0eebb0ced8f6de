// SPDX-License-Identifier: Apache-2.0
#pragma once
/* terminal: what standard output is, and text that fits on it. The only place that reads NO_COLOR and TERM. */
#include <eddy/base/buffer.h>

struct terminal {
    bool screen; /* a terminal that can be drawn on; false: a pipe, a file, TERM=dumb */
    bool colour; /* and NO_COLOR is not set (no-color.org) */
    uint32_t columns, rows;
};

struct terminal terminal_of_output(void);

enum style { STYLE_PLAIN, STYLE_STRONG, STYLE_DIM, STYLE_GOOD, STYLE_TITLE };

/* A frame being drawn: lines cut at `columns`, no more than `rows` of them. Columns are counted in code points. */
struct canvas {
    struct buffer *out;
    uint32_t columns, rows;
    bool colour;
    uint32_t column, row; /* where the next text goes, from 0 */
};

void canvas_begin(struct canvas *canvas, const struct terminal *terminal, struct buffer *out);
/* Control characters are drawn as '?'. */
void canvas_text(struct canvas *canvas, enum style style, struct bytes text);
void canvas_format(struct canvas *canvas, enum style style, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Whether `columns` more fit on the line. */
bool canvas_has_room(const struct canvas *canvas, size_t columns);
/* Blanks up to `column`; nothing when the line is already there. */
void canvas_go(struct canvas *canvas, uint32_t column);
void canvas_line_end(struct canvas *canvas);
void canvas_end(struct canvas *canvas);

/* What to write before the first frame and after the last one: a screen of its own, without cursor. */
extern const char terminal_enter[], terminal_leave[];

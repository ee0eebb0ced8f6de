// SPDX-License-Identifier: Apache-2.0
#include "app/terminal.h"

#include "app/environment.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

const char terminal_enter[] = "\033[?1049h\033[?25l";
const char terminal_leave[] = "\033[?25h\033[?1049l";

struct terminal terminal_of_output(void)
{
    const char *kind = environment_get("TERM"), *no_colour = environment_get("NO_COLOR");
    struct winsize size;
    struct terminal terminal = {.columns = 80, .rows = 24};
    terminal.screen = isatty(STDOUT_FILENO) && kind && strcmp(kind, "dumb") != 0;
    terminal.colour = terminal.screen && !(no_colour && *no_colour);
    if (terminal.screen && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col && size.ws_row) {
        terminal.columns = size.ws_col;
        terminal.rows = size.ws_row;
    }
    return terminal;
}

void canvas_begin(struct canvas *canvas, const struct terminal *terminal, struct buffer *out)
{
    *canvas =
        (struct canvas){.out = out, .columns = terminal->columns, .rows = terminal->rows, .colour = terminal->colour};
    buffer_append_text(out, "\033[H");
}

static const char *style_code(enum style style)
{
    switch (style) {
    case STYLE_STRONG:
        return "\033[1m";
    case STYLE_DIM:
        return "\033[2m";
    case STYLE_GOOD:
        return "\033[32;1m";
    case STYLE_TITLE:
        return "\033[36;1m";
    case STYLE_PLAIN:
        break;
    }
    return "";
}

void canvas_text(struct canvas *canvas, enum style style, struct bytes text)
{
    bool styled = canvas->colour && style != STYLE_PLAIN;
    if (canvas->row >= canvas->rows)
        return;
    if (styled)
        buffer_append_text(canvas->out, style_code(style));
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        bool continues = (byte & 0xc0) == 0x80;
        if (!continues && canvas->column++ >= canvas->columns)
            break;
        buffer_append_byte(canvas->out, byte < ' ' || byte == 0x7f ? '?' : byte);
    }
    if (canvas->column > canvas->columns)
        canvas->column = canvas->columns;
    if (styled)
        buffer_append_text(canvas->out, "\033[0m");
}

void canvas_format(struct canvas *canvas, enum style style, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    canvas_text(canvas, style, bytes_of_text(text));
}

bool canvas_has_room(const struct canvas *canvas, size_t columns)
{
    return columns <= canvas->columns - canvas->column;
}

void canvas_go(struct canvas *canvas, uint32_t column)
{
    while (canvas->row < canvas->rows && canvas->column < column && canvas->column < canvas->columns)
        canvas_text(canvas, STYLE_PLAIN, BYTES(" "));
}

void canvas_line_end(struct canvas *canvas)
{
    if (canvas->row >= canvas->rows)
        return;
    buffer_append_text(canvas->out, "\033[K");
    canvas->column = 0;
    if (++canvas->row < canvas->rows)
        buffer_append_text(canvas->out, "\r\n");
}

void canvas_end(struct canvas *canvas)
{
    buffer_append_text(canvas->out, "\033[J");
    canvas->row = canvas->rows;
}

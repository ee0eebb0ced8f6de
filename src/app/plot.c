// SPDX-License-Identifier: Apache-2.0
#include "app/plot.h"

#include <eddy/io/file.h>

#include <math.h>
#include <stdio.h>

#define HEIGHT       420.0 /* at least; a long legend makes it more */
#define LEFT         64.0  /* of the axes, and so on */
#define RIGHT        540.0
#define TOP          40.0
#define BOTTOM       52.0
#define TICKS        6

#define NAME_LEFT    (RIGHT + 36)
#define NAME_MAX     40   /* bytes of a name on one line of the legend */
#define NAME_MIN     18   /* the legend is at least so wide */
#define LETTER_WIDTH 7.5  /* a wide one's: fonts differ */
#define LINE_HEIGHT  15.0 /* of the legend, and between two series */
#define LINE_GAP     3.0

#define NUMBER_MAX   1e15

/* Okabe and Ito's colours, told apart by the colour-blind too. */
static const char *const colours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"};
#define COLOUR_COUNT (sizeof colours / sizeof *colours)

struct frame {
    bool x_logarithmic;
    double x_min, x_max, y_min, y_max;
};

/* Beyond these numbers scales would overflow; nothing that is measured gets there. */
static bool usable(const struct plot *plot, double x, double y)
{
    return fabs(x) <= NUMBER_MAX && fabs(y) <= NUMBER_MAX && (!plot->x_logarithmic || x >= 1 / NUMBER_MAX);
}

static struct frame frame_of(const struct plot *plot)
{
    struct frame frame = {plot->x_logarithmic, INFINITY, -INFINITY, plot->y_min, plot->y_max};
    bool y_given = plot->y_min < plot->y_max;
    for (size_t s = 0; s < plot->series_count; s++) {
        const struct plot_series *series = &plot->series[s];
        for (size_t i = 0; i < series->count; i++) {
            if (!usable(plot, series->x[i], series->y[i]))
                continue;
            frame.x_min = fmin(frame.x_min, series->x[i]);
            frame.x_max = fmax(frame.x_max, series->x[i]);
            if (!y_given) {
                frame.y_min = fmin(frame.y_min, series->y[i]);
                frame.y_max = fmax(frame.y_max, series->y[i] * 1.05);
            }
        }
    }
    if (!(frame.x_min < frame.x_max)) {
        frame.x_min = isfinite(frame.x_min) ? frame.x_min : 1;
        frame.x_max = frame.x_min + 1;
    }
    if (!(frame.y_min < frame.y_max))
        frame.y_max = frame.y_min + 1;
    return frame;
}

static double x_place(const struct frame *frame, double x)
{
    double share = frame->x_logarithmic ? log(x / frame->x_min) / log(frame->x_max / frame->x_min)
                                        : (x - frame->x_min) / (frame->x_max - frame->x_min);
    return LEFT + share * (RIGHT - LEFT);
}

static double y_place(const struct frame *frame, double y)
{
    return HEIGHT - BOTTOM - (y - frame->y_min) / (frame->y_max - frame->y_min) * (HEIGHT - TOP - BOTTOM);
}

static void write_text(struct buffer *out, struct bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '<')
            buffer_append_text(out, "&lt;");
        else if (text.data[i] == '&')
            buffer_append_text(out, "&amp;");
        else if (text.data[i] >= 0x20)
            buffer_append_byte(out, text.data[i]);
    }
}

static void write_bytes(struct buffer *out, double x, double y, const char *style, struct bytes text)
{
    buffer_format(out, "<text x=\"%.1f\" y=\"%.1f\" %s>", x, y, style);
    write_text(out, text);
    buffer_append_text(out, "</text>\n");
}

static void write_label(struct buffer *out, double x, double y, const char *style, const char *text)
{
    write_bytes(out, x, y, style, bytes_of_text(text));
}

/* The largest of 1, 2, 5 times a power of ten that gives about TICKS steps. */
static double tick_step(double span)
{
    double power = pow(10, floor(log10(span / TICKS))), rest = span / TICKS / power;
    return power * (rest < 1.5 ? 1 : rest < 3.5 ? 2 : rest < 7.5 ? 5 : 10);
}

static void write_y_axis(struct buffer *out, const struct frame *frame)
{
    double step = tick_step(frame->y_max - frame->y_min);
    for (double y = ceil(frame->y_min / step) * step; y <= frame->y_max + step * 1e-9; y += step) {
        char number[32];
        snprintf(number, sizeof number, "%.4g", fabs(y) < step * 1e-9 ? 0 : y);
        buffer_format(out, "<path d=\"M%.1f %.1fH%.1f\" stroke=\"#ddd\"/>\n", LEFT, y_place(frame, y), RIGHT);
        write_label(out, LEFT - 6, y_place(frame, y) + 4, "text-anchor=\"end\"", number);
    }
}

static void write_x_tick(struct buffer *out, const struct frame *frame, double x)
{
    char number[32];
    snprintf(number, sizeof number, "%.4g", x);
    buffer_format(out, "<path d=\"M%.1f %.1fv5\" stroke=\"#333\"/>\n", x_place(frame, x), HEIGHT - BOTTOM);
    write_label(out, x_place(frame, x), HEIGHT - BOTTOM + 18, "text-anchor=\"middle\"", number);
}

static void write_x_axis(struct buffer *out, const struct frame *frame)
{
    buffer_format(out, "<path d=\"M%.1f %.1fH%.1f\" stroke=\"#333\"/>\n", LEFT, HEIGHT - BOTTOM, RIGHT);
    if (frame->x_logarithmic && frame->x_max / frame->x_min >= 10) {
        for (double x = pow(10, ceil(log10(frame->x_min))); x <= frame->x_max * (1 + 1e-9); x *= 10)
            write_x_tick(out, frame, x);
        return;
    }
    double step = tick_step(frame->x_max - frame->x_min);
    for (double x = ceil(frame->x_min / step) * step; x <= frame->x_max + step * 1e-9; x += step)
        if (!frame->x_logarithmic || x > 0)
            write_x_tick(out, frame, x);
}

static void write_series(struct buffer *out, const struct plot *plot, const struct frame *frame, size_t number)
{
    const struct plot_series *series = &plot->series[number];
    const char *join = "M";
    buffer_format(out, "<path fill=\"none\" stroke-width=\"2\" stroke=\"%s\" d=\"", colours[number % COLOUR_COUNT]);
    for (size_t i = 0; i < series->count; i++) {
        if (!usable(plot, series->x[i], series->y[i]))
            continue;
        double y = fmin(fmax(series->y[i], frame->y_min), frame->y_max);
        buffer_format(out, "%s%.1f %.1f", join, x_place(frame, series->x[i]), y_place(frame, y));
        join = "L";
    }
    buffer_append_text(out, "\"/>\n");
}

/* ---- the legend: names of series, long ones on several lines */

/* Takes a line's part off the name: all, or up to a separator, if there is one not too near to its start. */
static struct bytes take_line(struct bytes *name)
{
    struct bytes line = bytes_utf8_prefix(*name, NAME_MAX);
    size_t size = line.size;
    while (line.size < name->size && size > NAME_MIN / 2 && !strchr(",/ ", line.data[size - 1]))
        size--;
    if (size > NAME_MIN / 2)
        line.size = size;
    *name = bytes_of(name->data + line.size, name->size - line.size);
    return line;
}

struct legend {
    size_t lines, widest; /* bytes of the widest line */
};

static struct legend legend_of(const struct plot *plot)
{
    struct legend legend = {0, NAME_MIN};
    for (size_t s = 0; s < plot->series_count; s++) {
        struct bytes name = bytes_of_text(plot->series[s].name);
        do {
            struct bytes line = take_line(&name);
            legend.widest = line.size > legend.widest ? line.size : legend.widest;
            legend.lines++;
        } while (name.size > 0);
    }
    return legend;
}

static void write_legend(struct buffer *out, const struct plot *plot)
{
    double y = TOP + 10;
    for (size_t s = 0; s < plot->series_count; s++) {
        struct bytes name = bytes_of_text(plot->series[s].name);
        buffer_format(out, "<path d=\"M%.1f %.1fh18\" stroke-width=\"3\" stroke=\"%s\"/>\n", RIGHT + 12, y,
                      colours[s % COLOUR_COUNT]);
        do {
            write_bytes(out, NAME_LEFT, y + 4, "", take_line(&name));
            y += LINE_HEIGHT;
        } while (name.size > 0);
        y += LINE_GAP;
    }
}

void plot_write(const struct plot *plot, struct buffer *out)
{
    assert(plot->series_count <= PLOT_SERIES_MAX);
    struct frame frame = frame_of(plot);
    struct legend legend = legend_of(plot);
    double width = NAME_LEFT + (double)legend.widest * LETTER_WIDTH + 9;
    double legend_end = TOP + (double)legend.lines * LINE_HEIGHT + (double)plot->series_count * LINE_GAP + 9;
    char turned[64];
    buffer_format(out,
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" font-family=\"sans-serif\" "
                  "font-size=\"12\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
                  width, fmax(HEIGHT, legend_end));
    write_label(out, LEFT, 22, "font-size=\"15\"", plot->title);
    write_y_axis(out, &frame);
    write_x_axis(out, &frame);
    write_label(out, (LEFT + RIGHT) / 2, HEIGHT - 12, "text-anchor=\"middle\"", plot->x_label);
    snprintf(turned, sizeof turned, "text-anchor=\"middle\" transform=\"rotate(-90 16 %.0f)\"", HEIGHT / 2);
    write_label(out, 16, HEIGHT / 2, turned, plot->y_label);
    for (size_t i = 0; i < plot->series_count; i++)
        write_series(out, plot, &frame, i);
    write_legend(out, plot);
    buffer_append_text(out, "</svg>\n");
}

struct status plot_try(const char *folder, struct complaint *complaint)
{
    AUTO(buffer) path = {0};
    if (!folder)
        return OK;
    TRY(file_make_folder(folder, complaint));
    buffer_format(&path, "%s/plot.svg", folder);
    return file_try(buffer_text(&path), complaint);
}

struct status plot_save(const struct plot *plot, const char *folder, const char *name, struct complaint *complaint)
{
    AUTO(buffer) path = {0}, content = {0};
    buffer_format(&path, "%s/%s", folder, name);
    plot_write(plot, &content);
    return file_write(buffer_text(&path), &content, complaint);
}

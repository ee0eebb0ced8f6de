// SPDX-License-Identifier: Apache-2.0
#include "app/plot.h"

#include <eddy/io/file.h>

#include <math.h>
#include <stdio.h>

#define WIDTH      720.0
#define HEIGHT     420.0
#define LEFT       64.0
#define RIGHT      180.0 /* room for the names */
#define TOP        40.0
#define BOTTOM     52.0
#define TICKS      6

#define NUMBER_MAX 1e15

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
    return LEFT + share * (WIDTH - LEFT - RIGHT);
}

static double y_place(const struct frame *frame, double y)
{
    return HEIGHT - BOTTOM - (y - frame->y_min) / (frame->y_max - frame->y_min) * (HEIGHT - TOP - BOTTOM);
}

static void write_text(struct buffer *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '<')
            buffer_append_text(out, "&lt;");
        else if (*text == '&')
            buffer_append_text(out, "&amp;");
        else if ((unsigned char)*text >= 0x20)
            buffer_append_byte(out, (uint8_t)*text);
    }
}

static void write_label(struct buffer *out, double x, double y, const char *style, const char *text)
{
    buffer_format(out, "<text x=\"%.1f\" y=\"%.1f\" %s>", x, y, style);
    write_text(out, text);
    buffer_append_text(out, "</text>\n");
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
        buffer_format(out, "<path d=\"M%.1f %.1fH%.1f\" stroke=\"#ddd\"/>\n", LEFT, y_place(frame, y), WIDTH - RIGHT);
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
    buffer_format(out, "<path d=\"M%.1f %.1fH%.1f\" stroke=\"#333\"/>\n", LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT);
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
    const char *colour = colours[number % COLOUR_COUNT], *join = "M";
    buffer_append_text(out, "<path fill=\"none\" stroke-width=\"2\" stroke=\"");
    buffer_format(out, "%s\" d=\"", colour);
    for (size_t i = 0; i < series->count; i++) {
        if (!usable(plot, series->x[i], series->y[i]))
            continue;
        double y = fmin(fmax(series->y[i], frame->y_min), frame->y_max);
        buffer_format(out, "%s%.1f %.1f", join, x_place(frame, series->x[i]), y_place(frame, y));
        join = "L";
    }
    double line = TOP + 10 + 18 * (double)number;
    buffer_format(out, "\"/>\n<path d=\"M%.1f %.1fh18\" stroke-width=\"3\" stroke=\"%s\"/>\n", WIDTH - RIGHT + 12, line,
                  colour);
    write_label(out, WIDTH - RIGHT + 36, line + 4, "", series->name);
}

void plot_write(const struct plot *plot, struct buffer *out)
{
    assert(plot->series_count <= PLOT_SERIES_MAX);
    struct frame frame = frame_of(plot);
    char turned[64];
    buffer_format(out,
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" font-family=\"sans-serif\" "
                  "font-size=\"12\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
                  WIDTH, HEIGHT);
    write_label(out, LEFT, 22, "font-size=\"15\"", plot->title);
    write_y_axis(out, &frame);
    write_x_axis(out, &frame);
    write_label(out, (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, "text-anchor=\"middle\"", plot->x_label);
    snprintf(turned, sizeof turned, "text-anchor=\"middle\" transform=\"rotate(-90 16 %.0f)\"", HEIGHT / 2);
    write_label(out, 16, HEIGHT / 2, turned, plot->y_label);
    for (size_t i = 0; i < plot->series_count; i++)
        write_series(out, plot, &frame, i);
    buffer_append_text(out, "</svg>\n");
}

struct status plot_try(const char *folder, struct complaint *complaint)
{
    AUTO(buffer) path = {0};
    if (!folder)
        return OK;
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

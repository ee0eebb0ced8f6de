// SPDX-License-Identifier: Apache-2.0
#include "core/search/parzen.h"

#include <eddy/base/bytes.h>

#include <stdio.h>

#define WIDTH      0.15 /* of a single kernel; more of them are narrower (Scott 1992) */
#define DIGITS_MAX 32

/* ---- numbers as places in 0 .. 1 */

/* A whole number stands for all that is rounded to it. */
static double edge(const struct search_parameter *parameter, bool upper)
{
    double value = upper ? parameter->high : parameter->low;
    if (parameter->kind == SEARCH_WHOLE)
        value += upper ? 0.5 : -0.5;
    return parameter->logarithmic ? log(value) : value;
}

static double place_of(const struct search_parameter *parameter, double value)
{
    double low = edge(parameter, false), high = edge(parameter, true);
    value = fmin(fmax(value, parameter->low), parameter->high);
    return ((parameter->logarithmic ? log(value) : value) - low) / (high - low);
}

static double round_to_digits(double value)
{
    char text[DIGITS_MAX];
    snprintf(text, sizeof text, "%.4g", value);
    bool number = bytes_to_double(bytes_of_text(text), &value);
    assert(number);
    return value;
}

static double value_at(const struct search_parameter *parameter, double place)
{
    double low = edge(parameter, false), high = edge(parameter, true);
    double value = low + place * (high - low);
    if (parameter->logarithmic)
        value = exp(value);
    value = parameter->kind == SEARCH_WHOLE ? round(value) : round_to_digits(value);
    return fmin(fmax(value, parameter->low), parameter->high);
}

/* ---- kernels */

/* Of the normal distribution around `centre`, the part below `place`. */
static double below(double place, double centre, double width)
{
    return 0.5 * (1 + erf((place - centre) / (width * M_SQRT2)));
}

static double normal_density(double place, double centre, double width)
{
    double distance = (place - centre) / width;
    double within = below(1, centre, width) - below(0, centre, width);
    return exp(-0.5 * distance * distance) / (width * sqrt(2 * M_PI) * within);
}

/* Half of it at least is within 0 .. 1, on one side of the centre or the other, unless it is very wide. */
static double draw_normal(struct random *random, double centre, double width)
{
    for (;;) {
        double radius = sqrt(-2 * log(1 - random_unit(random)));
        double place = centre + width * radius * cos(2 * M_PI * random_unit(random));
        if (place >= 0 && place <= 1)
            return place;
    }
}

static double draw_value(const struct search_parameter *parameter, const double *centre, double width,
                         struct random *random)
{
    if (parameter->kind != SEARCH_CHOICE)
        return value_at(parameter,
                        centre ? draw_normal(random, place_of(parameter, *centre), width) : random_unit(random));
    uint32_t any = random_below(random, parameter->choices);
    bool keeps = centre && *centre < parameter->choices && random_unit(random) >= width;
    return keeps ? *centre : any;
}

static double kernel_density(const struct search_parameter *parameter, double centre, double width, double value)
{
    if (parameter->kind != SEARCH_CHOICE)
        return normal_density(place_of(parameter, value), place_of(parameter, centre), width);
    bool same = value >= centre && value <= centre;
    return !(centre < parameter->choices) ? 1 : width + (same ? (1 - width) * parameter->choices : 0);
}

/* ---- groups */

struct parzen parzen_of(const struct search_space *space, const struct search_observation *const *members,
                        uint32_t count)
{
    double width = WIDTH * pow(count > 0 ? count : 1, -1 / (4.0 + space->count));
    return (struct parzen){space, members, count, width};
}

struct search_point parzen_draw(const struct parzen *parzen, struct random *random)
{
    const struct search_space *space = parzen->space;
    struct search_point point = {{0}};
    uint32_t member = random_below(random, parzen->count + 1); /* the last: the space as it is */
    for (uint32_t i = 0; i < space->count; i++)
        point.values[i] =
            draw_value(&space->parameters[i], member < parzen->count ? &parzen->members[member]->point.values[i] : NULL,
                       parzen->width, random);
    return point;
}

double parzen_density(const struct parzen *parzen, const struct search_point *point)
{
    double sum = 1;
    for (uint32_t m = 0; m < parzen->count; m++) {
        double product = 1;
        for (uint32_t i = 0; i < parzen->space->count; i++)
            product *= kernel_density(&parzen->space->parameters[i], parzen->members[m]->point.values[i], parzen->width,
                                      point->values[i]);
        sum += product;
    }
    return sum / (parzen->count + 1);
}

// SPDX-License-Identifier: Apache-2.0
#include <eddy/base/timestamp.h>

#include <stdio.h>

#define DAY_MS INT64_C(86400000)

/* Days since 1970-01-01 of a date of the proleptic Gregorian calendar, with years that begin in March, so that the
 * leap day comes last (H. Hinnant, "chrono-compatible low-level date algorithms"). */
static int64_t days_of_date(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static void date_of_days(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    *ret_day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
    *ret_month = (int)(month < 10 ? month + 3 : month - 9);
    *ret_year = year + era * 400 + (*ret_month <= 2);
}

/* Takes `count` digits from the front of *text. */
static bool take_number(struct bytes *text, size_t count, int *ret_number)
{
    if (text->size < count)
        return false;
    int number = 0;
    for (size_t i = 0; i < count; i++) {
        if (text->data[i] < '0' || text->data[i] > '9')
            return false;
        number = number * 10 + (text->data[i] - '0');
    }
    *ret_number = number;
    *text = bytes_of(text->data + count, text->size - count);
    return true;
}

static bool take_one_of(struct bytes *text, const char *characters, char *ret_character)
{
    if (text->size == 0 || text->data[0] == 0 || !strchr(characters, text->data[0]))
        return false;
    *ret_character = (char)text->data[0];
    *text = bytes_of(text->data + 1, text->size - 1);
    return true;
}

static bool take_date(struct bytes *text, int64_t *ret_days)
{
    int year, month, day, month_back, day_back;
    int64_t year_back;
    char dash;
    if (!take_number(text, 4, &year) || !take_one_of(text, "-", &dash) || !take_number(text, 2, &month) ||
        !take_one_of(text, "-", &dash) || !take_number(text, 2, &day) || month < 1 || month > 12 || day < 1)
        return false;
    *ret_days = days_of_date(year, month, day);
    date_of_days(*ret_days, &year_back, &month_back, &day_back);
    return year_back == year && month_back == month && day_back == day; /* not so for 30 February */
}

static bool take_time(struct bytes *text, int64_t *ret_ms)
{
    int hour, minute, second, digit;
    char mark;
    if (!take_number(text, 2, &hour) || !take_one_of(text, ":", &mark) || !take_number(text, 2, &minute) ||
        !take_one_of(text, ":", &mark) || !take_number(text, 2, &second) || hour > 23 || minute > 59 || second > 60)
        return false;
    int64_t ms = ((hour * 60 + minute) * 60 + second) * INT64_C(1000);
    if (take_one_of(text, ".", &mark)) {
        if (!take_number(text, 1, &digit))
            return false;
        int unit = 100;
        do {
            ms += digit * unit;
            unit /= 10;
        } while (take_number(text, 1, &digit));
    }
    *ret_ms = ms;
    return true;
}

static bool take_offset(struct bytes *text, int64_t *ret_ms)
{
    char sign, colon;
    int hours, minutes;
    *ret_ms = 0;
    if (take_one_of(text, "Zz", &sign))
        return true;
    if (!take_one_of(text, "+-", &sign) || !take_number(text, 2, &hours) || !take_one_of(text, ":", &colon) ||
        !take_number(text, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *ret_ms = (hours * 60 + minutes) * (sign == '-' ? INT64_C(-60000) : INT64_C(60000));
    return true;
}

bool timestamp_parse(struct bytes text, int64_t *ret_time_ms)
{
    int64_t days, time_ms, offset_ms;
    char separator;
    if (!take_date(&text, &days) || !take_one_of(&text, "Tt ", &separator) || !take_time(&text, &time_ms) ||
        !take_offset(&text, &offset_ms) || text.size > 0)
        return false;
    *ret_time_ms = days * DAY_MS + time_ms - offset_ms;
    return true;
}

bool timestamp_parse_any(struct bytes text, int64_t *ret_time_ms)
{
    return bytes_to_int64(text, ret_time_ms) || timestamp_parse(text, ret_time_ms);
}

const char *timestamp_text(int64_t time_ms, char text[TIMESTAMP_TEXT_MAX])
{
    int64_t days = time_ms / DAY_MS, year;
    int ms = (int)(time_ms % DAY_MS), month, day;
    if (ms < 0) {
        ms += (int)DAY_MS;
        days--;
    }
    date_of_days(days, &year, &month, &day);
    if (year < 0 || year > 9999)
        snprintf(text, TIMESTAMP_TEXT_MAX, "%lld", (long long)time_ms);
    else
        snprintf(text, TIMESTAMP_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", (int)year, month, day, ms / 3600000,
                 ms / 60000 % 60, ms / 1000 % 60, ms % 1000);
    return text;
}

// SPDX-License-Identifier: Apache-2.0
/* How fast files of clicks are read, by format and compression, and Avro-C reading the same container.
 *     bench_log_file [CLICKS]      1,000,000 unless told; the files go to $TMPDIR and take some 200 MB there */
#include <eddy/core/generate.h>
#include <eddy/io/file.h>
#include <eddy/io/log_file.h>
#include <eddy/io/log_writer.h>
#include <eddy/io/system.h>

#include <avro.h>
#include <zstd.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define REPEATS 5

static const char *const names[] = {"clicks.tsv", "clicks.csv", "clicks.jsonl", "clicks.avro", "clicks.tsv.gz"};
#define NAME_COUNT (sizeof names / sizeof *names)

static void must(struct status status)
{
    char text[256];
    if (!failed(status))
        return;
    fprintf(stderr, "%s\n", status_text(status, text, sizeof text));
    abort();
}

static void write_log(const char *path, int64_t clicks)
{
    struct generate_options options = generate_defaults();
    struct generator *generator;
    struct log_writer *writer;
    must(generator_open(&options, NULL, &generator));
    must(log_writer_open(path, RECORD_CLICK, log_writer_format(path), &writer, NULL));
    for (int64_t i = 0; i < clicks; i++) {
        struct click click;
        generator_next(generator, &click);
        must(log_writer_click(writer, &click, NULL));
    }
    must(log_writer_close(writer, NULL));
    generator_close(generator);
}

static int64_t read_log(struct bytes content)
{
    struct log_file *log;
    struct click click;
    bool found;
    int64_t count = 0;
    must(log_file_open_bytes(content, "log", LOG_FILE_CLICKS, &log, NULL));
    for (;; count++) {
        must(log_file_next_click(log, &click, &found, NULL));
        if (!found)
            break;
    }
    log_file_close(log);
    return count;
}

/* Nanoseconds of CPU per click, the best of some repeats. */
static double measure(struct bytes content, int64_t clicks)
{
    double best = 1e300;
    for (int i = 0; i < REPEATS; i++) {
        int64_t start_ns = system_thread_cpu_ns();
        if (read_log(content) != clicks)
            abort();
        double took = (double)(system_thread_cpu_ns() - start_ns) / (double)clicks;
        best = took < best ? took : best;
    }
    return best;
}

static double measure_avro(const char *path, int64_t clicks)
{
    double best = 1e300;
    for (int i = 0; i < REPEATS; i++) {
        int64_t start_ns = system_thread_cpu_ns(), count = 0;
        avro_file_reader_t reader;
        avro_value_t value;
        if (avro_file_reader(path, &reader))
            abort();
        avro_schema_t schema = avro_file_reader_get_writer_schema(reader);
        avro_value_iface_t *iface = avro_generic_class_from_schema(schema);
        avro_generic_value_new(iface, &value);
        while (!avro_file_reader_read_value(reader, &value))
            count++;
        avro_value_decref(&value);
        avro_value_iface_decref(iface);
        avro_schema_decref(schema);
        avro_file_reader_close(reader);
        if (count != clicks)
            abort();
        double took = (double)(system_thread_cpu_ns() - start_ns) / (double)clicks;
        best = took < best ? took : best;
    }
    return best;
}

static void print(const char *what, size_t bytes, double nanoseconds, double tsv)
{
    printf("%-24s %8.1f MB %8.0f ns a click %12.0f clicks a CPU-second %7.2f x TSV\n", what, (double)bytes / 1e6,
           nanoseconds, 1e9 / nanoseconds, nanoseconds / tsv);
}

int main(int argc, char **argv)
{
    int64_t clicks = argc > 1 ? strtoll(argv[1], NULL, 10) : 1000000;
    const char *parent = getenv("TMPDIR");
    char folder[256], path[300];
    double tsv = 1;
    snprintf(folder, sizeof folder, "%s/eddy-bench-XXXXXX", parent ? parent : "/tmp");
    if (clicks < 1 || !mkdtemp(folder))
        return 1;
    for (size_t i = 0; i < NAME_COUNT; i++) {
        AUTO(buffer) content = {.limit = (size_t)4 << 30};
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        write_log(path, clicks);
        must(file_read(path, &content, NULL));
        double took = measure(buffer_bytes(&content), clicks);
        tsv = i == 0 ? took : tsv;
        print(names[i], content.size, took, tsv);
        if (i == 0) {
            AUTO(buffer) packed = {.limit = (size_t)4 << 30};
            size_t bound = ZSTD_compressBound(content.size);
            packed.size = ZSTD_compress(buffer_reserve(&packed, bound), bound, content.data, content.size, 3);
            print("clicks.tsv.zst", packed.size, measure(buffer_bytes(&packed), clicks), tsv);
        }
        if (log_writer_format(path) == LOG_FILE_AVRO)
            print("  the same by Avro-C", content.size, measure_avro(path, clicks), tsv);
        unlink(path);
    }
    return rmdir(folder) ? 1 : 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "bench/load.h"

#include <eddy/core/codec.h>
#include <unistd.h>

#define QUEUE_RECORDS 500000
#define QUEUE_BYTES   (256u << 20)

void load_send(const struct trial *trial, struct generator *generator, int rate, int64_t base_ms, int64_t count,
               _Atomic int64_t *sent_us)
{
    struct kafka_sink *sink = trial_open_sink(trial, QUEUE_RECORDS, QUEUE_BYTES);
    struct record_sink port = kafka_sink_port(sink);
    AUTO(buffer) value = {0};
    int64_t began_us = trial_now_us();
    for (int64_t i = 0; i < count; i++) {
        struct click click;
        generator_next(generator, &click);
        click.time_ms = base_ms + i;
        encode_click((struct encoding){RECORD_AVRO, 0}, &click, &value);
        while (trial_now_us() - began_us < i * 1000000 / rate)
            usleep(100);
        sent_us[i] = trial_now_us();
        trial_publish(port, OUTPUT_CLICKS, click.session_id, &value);
    }
    trial_must(port.ops->flush(port.self, 10000), "flush");
    kafka_sink_close(sink);
}

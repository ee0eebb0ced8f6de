# SPDX-License-Identifier: Apache-2.0
"""A subscriber that knows nothing of eddy but its schema: reads a recommendations topic in the Confluent wire format
with confluent-kafka and fastavro.

usage: subscriber.py BOOTSTRAP TOPIC SCHEMA_FILE SCHEMA_ID RECORDS_MIN
"""
import io
import json
import struct
import sys

import confluent_kafka
import fastavro


def check(record, message):
    assert message.key().decode() == record["session_id"], record
    assert record["topic"].endswith("clicks") and record["offset"] >= 0, record
    assert len({item["item_id"] for item in record["items"]}) == len(record["items"]) <= 20, record
    scores = [item["score"] for item in record["items"]]
    assert scores == sorted(scores, reverse=True) and sum(scores) <= 1.001, record
    for item in record["items"]:
        assert len(item["shares"]) == len(record["scorers"]) and item["reason"], record


def main(bootstrap, topic, schema_file, schema_id, records_min):
    with open(schema_file, encoding="utf-8") as file:
        schema = fastavro.parse_schema(json.load(file))
    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": bootstrap, "group.id": topic + ".reader", "auto.offset.reset": "earliest",
        "enable.partition.eof": True})
    consumer.subscribe([topic])
    count, with_items, ended = 0, 0, set()
    while True:
        message = consumer.poll(20)
        assert message is not None, "the topic does not end"
        if message.error():
            assert message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF, message.error()
            ended.add(message.partition())
            if len(ended) == len(consumer.assignment()):
                break
            continue
        magic, written_id = struct.unpack(">bI", message.value()[:5])
        assert (magic, written_id) == (0, int(schema_id)), message.value()[:5]
        body = io.BytesIO(message.value()[5:])
        record = fastavro.schemaless_reader(body, schema)
        assert not body.read(), "bytes are left over"
        check(record, message)
        count += 1
        with_items += bool(record["items"])
    consumer.close()
    print(f"{count} recommendations read, {with_items} with items")
    assert count >= int(records_min) and with_items > count // 2


main(*sys.argv[1:])

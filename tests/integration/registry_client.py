# SPDX-License-Identifier: Apache-2.0
"""Producer and subscriber that know nothing of eddy but its topics: confluent-kafka's serializers and a registry.

usage: registry_client.py produce BOOTSTRAP REGISTRY TOPIC CLICKS      clicks in a schema of the shop's own
       registry_client.py read BOOTSTRAP REGISTRY TOPIC RECORDS_MIN    recommendations, from both places of the id
       registry_client.py strange BOOTSTRAP TOPIC SCHEMA_ID            a click behind an id that nobody registered
       registry_client.py forward PORT HOST:PORT                       passes connections on, until it is killed
"""
import socket
import sys
import threading
import time

CLICK_SCHEMA = """{
  "type": "record", "name": "ClickEvent", "namespace": "shop",
  "fields": [
    {"name": "timestamp", "type": {"type": "long", "logicalType": "timestamp-micros"}},
    {"name": "shelf", "type": ["null", "string"], "default": null},
    {"name": "item_id", "type": "string"},
    {"name": "session_id", "type": "string"}
  ]
}"""


def produce(bootstrap, registry_url, topic, clicks):
    from confluent_kafka import Producer
    from confluent_kafka.schema_registry import SchemaRegistryClient
    from confluent_kafka.schema_registry.avro import AvroSerializer
    from confluent_kafka.serialization import MessageField, SerializationContext

    serializer = AvroSerializer(SchemaRegistryClient({"url": registry_url}), CLICK_SCHEMA)
    producer = Producer({"bootstrap.servers": bootstrap})
    now_us = time.time_ns() // 1000
    for i in range(int(clicks)):
        session = f"visit-{i % 7}"
        click = {"timestamp": now_us + i * 1000, "shelf": "top", "item_id": f"item-{i % 11}", "session_id": session}
        value = serializer(click, SerializationContext(topic, MessageField.VALUE))
        assert value[0] == 0, value
        producer.produce(topic, value, key=session)
    producer.flush()


def strange(bootstrap, topic, schema_id):
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": bootstrap})
    producer.produce(topic, b"\0" + int(schema_id).to_bytes(4, "big") + b"\x02x", key="visit-0")
    producer.flush()


def messages_of(bootstrap, topic):
    from confluent_kafka import Consumer, KafkaError

    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": f"{topic}.reader.{time.time_ns()}",
                         "auto.offset.reset": "earliest", "enable.partition.eof": True})
    consumer.subscribe([topic])
    ended = set()
    while not ended or len(ended) < len(consumer.assignment()):
        message = consumer.poll(20)
        assert message is not None, "the topic does not end"
        if not message.error():
            yield message
            continue
        assert message.error().code() == KafkaError._PARTITION_EOF, message.error()
        ended.add(message.partition())
    consumer.close()


def read(bootstrap, registry_url, topic, records_min):
    from confluent_kafka.schema_registry import SchemaRegistryClient, dual_schema_id_deserializer
    from confluent_kafka.schema_registry.avro import AvroDeserializer
    from confluent_kafka.serialization import MessageField, SerializationContext

    deserializer = AvroDeserializer(SchemaRegistryClient({"url": registry_url}),
                                    conf={"schema.id.deserializer": dual_schema_id_deserializer})
    count = in_header = 0
    for message in messages_of(bootstrap, topic):
        headers = message.headers() or []
        context = SerializationContext(topic, MessageField.VALUE, headers)
        record = deserializer(message.value(), context)
        assert message.key().decode() == record["session_id"], record
        assert record["offset"] >= 0 and isinstance(record["items"], list), record
        in_header += any(name == "__value_schema_id" for name, _ in headers)
        count += 1
    print(f"{count} recommendations read, {in_header} with the id in a header")
    assert count >= int(records_min)


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def forward(port, address):
    host, to_port = address.rsplit(":", 1)
    with socket.create_server(("127.0.0.1", int(port))) as server:
        while True:
            client, _ = server.accept()
            upstream = socket.create_connection((host, int(to_port)))
            for pair in ((client, upstream), (upstream, client)):
                threading.Thread(target=pump, args=pair, daemon=True).start()


{"produce": produce, "read": read, "strange": strange, "forward": forward}[sys.argv[1]](*sys.argv[2:])

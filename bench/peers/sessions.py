# SPDX-License-Identifier: Apache-2.0
"""Recorded clicks as `eddy evaluate` takes them: a session is of the side on which its first click lies; test clicks on
items that do not train are left out, and then sessions of one click."""
import gzip


def open_text(path, mode="rt"):
    return gzip.open(path, mode, encoding="utf-8") if path.endswith(".gz") else open(path, mode, encoding="utf-8")


def read_sessions(path):
    """(session, time of its first click, its items), in the order of the first clicks."""
    clicks = {}
    with open_text(path) as lines:
        columns = next(lines).rstrip("\n").split("\t")
        session, time, item = (columns.index(name) for name in ("session_id", "timestamp_ms", "item_id"))
        for line in lines:
            fields = line.rstrip("\n").split("\t")
            clicks.setdefault(fields[session], []).append((int(fields[time]), fields[item]))
    sessions = []
    for name, own in clicks.items():
        own.sort(key=lambda click: click[0])  # stable: clicks of one time stay as the file has them
        sessions.append((name, own[0][0], [item for _, item in own]))
    sessions.sort(key=lambda session: session[1])
    return sessions


def split(sessions, valid_from, test_from):
    """Sessions that train, and those that are predicted: (session, items)."""
    train = [(name, items) for name, start, items in sessions if start < valid_from]
    known = {item for _, items in train for item in items}
    valid = []
    for name, start, items in sessions:
        if valid_from <= start < test_from:
            items = [item for item in items if item in known]
            if len(items) > 1:
                valid.append((name, items))
    return train, valid


def prefixes(sessions, length_max):
    """(session, position of the click from 1, the clicks before it, the click)"""
    for name, items in sessions:
        for at in range(1, len(items)):
            yield name, at + 1, items[max(0, at - length_max):at], items[at]

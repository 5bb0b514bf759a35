import asyncio

from harness.prove.way.http_message import HttpMessage, in_chunks, json_response, read_message

REQUEST = b"POST /v1/chat.postMessage?a=b HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"


def read(data: bytes) -> list[HttpMessage]:
    async def everything() -> list[HttpMessage]:
        reader = asyncio.StreamReader()
        reader.feed_data(data)
        reader.feed_eof()
        found = []
        while (message := await read_message(reader)) is not None:
            found.append(message)
        return found

    return asyncio.run(everything())


def test_messages_are_read_one_after_another() -> None:
    """The connection has two requests and half of a third one. The half is not returned."""
    found = read(REQUEST * 2 + REQUEST[:-1])
    assert [message.raw for message in found] == [REQUEST, REQUEST]
    assert (found[0].path, found[0].query) == ("/v1/chat.postMessage", {"a": "b"})


def test_a_changed_body_has_its_own_length() -> None:
    """The head has one Content-Length, that of the new body."""
    changed = json_response(200, "OK", {"ok": True}).with_json({"ok": True, "seq": 12})
    assert changed.head.lower().count(b"content-length") == 1
    (found,) = read(changed.raw)
    assert found.json() == {"ok": True, "seq": 12}
    assert found.status == 200


def test_chunks_hold_the_same_body() -> None:
    """RFC 9112 §7.1: the sizes are hexadecimal, and the last one is 0."""
    raw = in_chunks(json_response(200, "OK", {"ok": True}), 4)
    head, _, body = raw.partition(b"\r\n\r\n")
    assert b"content-length" not in head.lower()
    assert body == b'4\r\n{"ok\r\n4\r\n":tr\r\n3\r\nue}\r\n0\r\n\r\n'

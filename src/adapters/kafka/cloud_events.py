"""CloudEvents on Kafka: a message in binary content mode becomes the same message in structured mode.

In binary mode the attributes are headers and the value is the data alone; in structured mode the value is all of
it, which is what the platform keeps. See the CloudEvents Kafka protocol binding 1.0, 3.1 to 3.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from application.ports.message_stream import Trace

Headers = Sequence[tuple[str, bytes | None]]
_PREFIX = "ce_"
_MARK = "ce_specversion"
_STRUCTURED = "application/cloudevents"
_PARENT = "traceparent"
_TRACE = (_PARENT, "tracestate")
"""What OpenTelemetry's producers add as headers is CloudEvents' extension of the same name."""
_NUMBERS = frozenset({"originline"})
"""Extension attributes that are numbers in JSON; a header is text."""
_DIGITS = 18
_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder()


def structured(headers: Headers | None, value: bytes) -> bytes:
    """Return a message's payload in structured mode; one that is in no binary mode is returned as it came.

    So is one whose value is not JSON: what is wrong with it is said of the bytes that were received.
    """
    for name, _ in headers or ():
        if name == _MARK:
            break
    else:
        return value
    named = {name: text for name, text in headers or () if text is not None}
    content_type = _text(named.get("content-type", b""))
    if content_type.lower().startswith(_STRUCTURED) or not _is_json(value):
        return value
    attributes: dict[str, Any] = {name: _text(named[name]) for name in _TRACE if name in named}
    for name, text in named.items():
        if name.startswith(_PREFIX):
            attributes[name.removeprefix(_PREFIX)] = _text(text)
    for name in _NUMBERS & attributes.keys():
        if attributes[name].isdecimal() and len(attributes[name]) <= _DIGITS:
            attributes[name] = int(attributes[name])
    if content_type:
        attributes["datacontenttype"] = content_type
    return _ENCODER.encode({**attributes, "data": msgspec.Raw(value)})


def trace_of(headers: Headers) -> Trace | None:
    """Return the trace that a message's headers name, as OpenTelemetry's producers do in either mode."""
    parent, state = None, b""
    for name, text in headers:
        if text is not None and name in _TRACE:
            if name == _PARENT:
                parent = text
            else:
                state = text
    return None if parent is None else Trace(_text(parent), _text(state))


def _text(value: bytes) -> str:
    """Return a header as text; what is not UTF-8 stays different, so that no two ids become one."""
    return value.decode(errors="backslashreplace")


def _is_json(value: bytes) -> bool:
    try:
        _DECODER.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True

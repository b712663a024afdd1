"""Exceptions, all of them StatorError.

Where DynamoDB has the error the class is named as botocore's. Where several statuses share a DynamoDB name, each has a class
of its own below it: CorruptError and NoSpaceError are both InternalServerError.
"""

from collections import Counter, namedtuple

from . import _frames as frames
from ._codes import EXCEPTIONS, NAMES

RETRYABLE, MAYBE_APPLIED, CALLER = 1, 2, 4


REASONS = ("None", "ConditionalCheckFailed", "ValidationError", "TransactionConflict")

Reason = namedtuple("Reason", "code message item")
Reason.__doc__ = """Why one entry of a transaction stood in its way: code "None" if it did not, else "ConditionalCheckFailed",
"ValidationError" or "TransactionConflict"; the message; and the item that a condition saw, or None."""


class StatorError(Exception):
    """What a call failed with.

    code: the name of the status, as "LOCKED". position: byte position in a text, frame or file, or None.
    retryable: the same call may succeed later. maybe_applied: a failed write may have been applied.
    item: of a failed condition, the item that it saw, or None. reasons: of a cancelled transaction, a Reason for each entry.
    """

    item = None
    reasons = ()

    def __init__(self, message, code="UNKNOWN", flags=0, position=None):
        super().__init__(message)
        self.message = message
        self.code = code
        self.retryable = bool(flags & RETRYABLE)
        self.maybe_applied = bool(flags & MAYBE_APPLIED)
        self.position = position

    def __reduce__(self):
        flags = self.retryable * RETRYABLE | self.maybe_applied * MAYBE_APPLIED
        return type(self), (self.message, self.code, flags, self.position), {"item": self.item, "reasons": self.reasons}


_BUILTIN = {"ValidationException": ValueError, "ResourceNotFoundException": LookupError}
_shared = Counter(EXCEPTIONS.values())
_classes = {}


def _class(name, base):
    if name not in _classes:
        bases = (base, _BUILTIN[name]) if name in _BUILTIN else (base,)
        _classes[name] = type(name, bases, {"__module__": __name__, "__doc__": None})
    return _classes[name]


def _class_of(number, exception):
    cls = _class(exception, StatorError)
    if _shared[exception] == 1 or NAMES[number] == "INVALID_ARGUMENT":
        return cls
    own = "".join(part.capitalize() for part in NAMES[number].split("_")) + "Error"
    return _class("StorageIOError" if own == "IoError" else own, cls)


BY_CODE = {number: _class_of(number, exception) for number, exception in EXCEPTIONS.items()}
globals().update(_classes)
__all__ = ["Reason", "StatorError", *sorted(_classes)]


def make(code, flags, position, message, detail=None, mode=0):
    """The exception of a status; called from C, with what docs/formats/error.md describes."""
    found = frames.results(detail) if detail else {}
    if frames.DETAIL_TEXT in found:
        message = found[frames.DETAIL_TEXT].decode()
    cls = BY_CODE.get(code, StatorError)
    error = cls(message, NAMES.get(code, "UNKNOWN"), flags, None if position < 0 else position)
    if frames.DETAIL_ITEM in found:
        error.item = _decode(found[frames.DETAIL_ITEM], mode)
    if frames.DETAIL_REASONS in found:
        error.reasons = [
            Reason(REASONS[number], text or None, _decode(item, mode) if item else None)
            for number, text, item in frames.read_reasons(found[frames.DETAIL_REASONS])
        ]
    return error


def _decode(frame, mode):
    from ._native import hot

    return hot.decode(frame, mode)

"""What requests say with expressions: conditions, updates, filters, projections, and keys of several attributes."""

from . import _frames as frames
from . import errors
from ._native import hot

RETURNS = {None: 0, "NONE": 0, "ALL_OLD": 1, "UPDATED_OLD": 2, "ALL_NEW": 3, "UPDATED_NEW": 4}
OPERATORS = {1: "{0} = {1}", 2: "{0} < {1}", 3: "{0} <= {1}", 4: "{0} > {1}", 5: "{0} >= {1}", 6: "{0} BETWEEN {1} AND {2}",
             7: "begins_with({0}, {1})"}  # fmt: skip
NUMBERS = {"condition": frames.CONDITION, "update": frames.UPDATE_TEXT, "filter": frames.FILTER, "index": frames.INDEX,
           "projection": frames.PROJECTION, "key_condition": frames.KEY_CONDITION}  # fmt: skip


def invalid(text):
    return errors.make(6, errors.CALLER, -1, text)


def _text(name, value):
    if not isinstance(value, str):
        raise invalid(f"{name} must be a str, not {type(value).__name__}")
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise invalid(f"{name} has a lone surrogate and is no UTF-8") from None


def _map(name, value, mode):
    if not isinstance(value, dict):
        raise invalid(f"{name} must be a dict, not {type(value).__name__}")
    return hot.encode(value, mode)


def fields(mode, names=None, values=None, returns=None, legal=RETURNS, **texts):
    """The fields of a request: its expressions, what their #names and :values are, and what it gives back."""
    if returns not in legal:
        raise invalid(f"returns must be one of {', '.join(sorted(filter(None, legal)))}, not {returns!r}")
    number = RETURNS[returns]
    return frames.join(
        *((NUMBERS[name], _text(name, text)) for name, text in texts.items() if text is not None),
        (frames.NAMES, None if names is None else _map("names", names, mode)),
        (frames.VALUES, None if values is None else _map("values", values, mode)),
        (frames.RETURNS, bytes((number,)) if number else None),
    )


class KeyCondition:
    """A key condition put together of values for the attributes of a key; it brings its own #names and :values."""

    def __init__(self, names, values):
        self.names = dict(names or {})
        self.values = dict(values or {})
        self.clauses = []

    def _add(self, attribute, number, values):
        name = f"#stator_{len(self.clauses)}"
        self.names[name] = attribute
        places = []
        for value in values:
            places.append(f":stator_{len(self.clauses)}_{len(places)}")
            self.values[places[-1]] = value
        self.clauses.append(OPERATORS[number].format(name, *places))

    def partition(self, parts, values):
        if len(values) != len(parts):
            raise invalid(f"the partition key has {len(parts)} attributes, not {len(values)}: {', '.join(name for name, _ in parts)}")
        for (attribute, _), value in zip(parts, values):
            self._add(attribute, 1, [value])

    def sort(self, parts, conditions):
        if len(conditions) > len(parts):
            raise invalid(f"the sort key has {len(parts)} attributes, not {len(conditions)}")
        for (attribute, _), (number, *values) in zip(parts, conditions):
            self._add(attribute, number, values)

    def text(self):
        return " AND ".join(self.clauses)

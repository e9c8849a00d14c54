# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the package worker uses of `dataclasses`, which is new in Python 3.7.

Fields, defaults, comparison and frozen records behave the same. `field` takes `default` and
`default_factory`; there is no ordering, inheritance of fields, `init=False` or `__post_init__`.
"""


class FrozenInstanceError(AttributeError):
    """An attribute of a frozen record was to be changed."""


MISSING = object()
"""In place of a default that a field does not have."""
_FIELDS = "__dataclass_fields__"


class Field:
    """One field of a record."""

    def __init__(self, default=MISSING, default_factory=MISSING):
        self.name = ""
        self.type = None
        self.default = default
        self.default_factory = default_factory


def field(*, default=MISSING, default_factory=MISSING):
    """A field, with a default that is made for each record."""
    return Field(default, default_factory)


def dataclass(cls=None, *, frozen=False):
    """Add `__init__`, `__repr__`, `__eq__`; to a frozen record also `__hash__`."""
    if cls is None:
        return lambda decorated: _process(decorated, frozen)
    return _process(cls, frozen)


def fields(record):
    """The fields of a record or its class, in their order."""
    return tuple(getattr(record, _FIELDS).values())


def is_dataclass(record):
    """Whether it is a record, or the class of one."""
    return hasattr(record, _FIELDS)


def replace(record, **changes):
    """A copy of the record with other values."""
    values = {each.name: getattr(record, each.name) for each in fields(record)}
    return type(record)(**dict(values, **changes))


def _process(cls, frozen):
    found = {}
    for name, kind in vars(cls).get("__annotations__", {}).items():
        if str(kind).startswith("ClassVar"):
            continue
        default = cls.__dict__.get(name, MISSING)
        each = default if isinstance(default, Field) else Field(default)
        each.name, each.type = name, kind
        found[name] = each
        if each.default is not MISSING:
            setattr(cls, name, each.default)
        elif default is not MISSING:
            delattr(cls, name)
    setattr(cls, _FIELDS, found)
    cls.__init__ = _make_init(cls, found)
    cls.__eq__ = _compare
    if "__repr__" not in cls.__dict__:
        cls.__repr__ = _show
    cls.__hash__ = _hash if frozen else None
    if frozen:
        cls.__setattr__ = cls.__delattr__ = _refuse
    return cls


def _make_init(cls, found):
    names = list(found)

    def init(self, *args, **kwargs):
        if len(args) > len(names):
            raise TypeError(f"{cls.__name__}() takes {len(names)} arguments")
        values = dict(zip(names, args))
        for name, value in kwargs.items():
            if name not in found or name in values:
                raise TypeError(f"{cls.__name__}() got a wrong argument {name!r}")
            values[name] = value
        for name, each in found.items():
            if name not in values:
                values[name] = _make_default(cls, each)
            object.__setattr__(self, name, values[name])

    return init


def _make_default(cls, each):
    if each.default_factory is not MISSING:
        return each.default_factory()
    if each.default is MISSING:
        raise TypeError(f"{cls.__name__}() lacks the argument {each.name!r}")
    return each.default


def _list_values(record):
    return tuple(getattr(record, each.name) for each in fields(record))


def _compare(self, other):
    if type(other) is not type(self):
        return NotImplemented
    return _list_values(self) == _list_values(other)


def _hash(self):
    return hash(_list_values(self))


def _show(self):
    shown = (each.name for each in fields(self))
    values = ", ".join(f"{name}={getattr(self, name)!r}" for name in shown)
    return f"{type(self).__name__}({values})"


def _refuse(self, name, *_):
    raise FrozenInstanceError(f"cannot change {name!r}")

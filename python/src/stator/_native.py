"""The one shared object: the module that SWIG makes from stator.h, and the hand-written calls."""

from decimal import Decimal

from . import errors
from . import _hot as hot

hot.setup(Decimal, errors.make)

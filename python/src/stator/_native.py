"""The one shared object: the module that SWIG makes from stator.h, and the hand-written calls, which live in the same file."""

import importlib.machinery
import importlib.util
from decimal import Decimal

from . import _raw, errors


def _load_hot():
    name = __package__ + "._hot"
    loader = importlib.machinery.ExtensionFileLoader(name, _raw.__file__)
    module = importlib.util.module_from_spec(importlib.util.spec_from_file_location(name, _raw.__file__, loader=loader))
    loader.exec_module(module)
    return module


hot = _load_hot()
hot.setup(Decimal, errors.make)

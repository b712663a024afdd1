"""The whole C interface, for what the package does not wrap. python raw.py"""

from stator import raw

print(raw.stator_version(), raw.stator_abi_version())  # → 0.1.0 1
print(raw.stator_status_name(raw.STATOR_NO_SPACE))  # → NO_SPACE
print(raw.stator_status_exception(raw.STATOR_TABLE_NOT_FOUND))  # → ResourceNotFoundException

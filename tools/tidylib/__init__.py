"""The rules behind tools/tidy.py: source.py reads C, the rules_*.py modules hold the rules by subject."""

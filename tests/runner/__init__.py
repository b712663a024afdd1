"""The runner behind `make test`: reports.py reads what test programs wrote, suite.py runs one suite."""

"""Measures which lines of oic the tests reach: `make coverage`, see docs/coverage.md."""

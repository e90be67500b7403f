"""The report of a build: tables, counts, and a page."""

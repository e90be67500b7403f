"""What a build tells people: tables, counts, and a page."""

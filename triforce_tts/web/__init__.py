"""Requests to servers of the web, which may be faulty or hostile."""

"""Labelled recordings, or sentences for a synthesiser, to shards."""

"""Books as text: read from a file, divided into words, and found again in what was heard."""

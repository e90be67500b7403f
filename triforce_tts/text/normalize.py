def is_speakable(text: str) -> bool:
    return any(c.isalnum() for c in text)

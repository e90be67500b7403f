"""Fetches recordings from the web: addresses, transfers, feeds, and pages that yt-dlp knows."""

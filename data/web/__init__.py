"""From the web to files: addresses, transfers, feeds, and pages that yt-dlp knows."""

"""What all parts of the builder share: names, licences, clips, recordings and their segments, held-out lists."""

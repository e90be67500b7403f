"""What all rooms of the builder share: names, licences, labelled recordings, segments, held-out lists."""

"""The dataset builder: recordings in, webdataset shards out. Corpora never live here."""

"""The training programs, one file a stage, around one loop (``trainer``); they meet the library only through its public modules."""

"""Reads a book aloud, unattended: plans it, speaks and checks it line by line, and writes one file or a file a chapter.

``plan`` says what will be spoken, ``accounting`` proves that no word is lost, ``lines`` keeps the sounds, ``narrate`` speaks
what is missing, ``checks`` judges each line, ``timeline`` lays the lines out in time, ``master`` sets the level,
``book_file`` writes and reads back the finished file, ``report`` shows what came of it.
"""

"""A book read aloud, unattended: planned, spoken line by line, checked, and written as one file or one file a chapter.

``plan`` says what will be spoken, ``accounting`` proves that no word is lost, ``lines`` keeps the sounds, ``narrate`` speaks
what is missing, ``checks`` judges each line, ``timeline`` lays the lines out in time, ``master`` sets the level,
``book_file`` writes and reads back the finished file, ``report`` shows what came of it.
"""

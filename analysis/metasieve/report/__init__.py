"""The report: one HTML page of the files in a folder, and its RO-Crate.

    folder.py     finds the files of metasieve
    facts.py      what was run, where, with which settings, and the commands that repeat it
    usage.py      core-hours and energy
    crate.py      ro-crate-metadata.json: the files with hashes, and how each was made
    words.py      the verdict in sentences
    warnings.py   what a reader should know before trusting the figures
    pictures.py   the pictures with their captions
    page.py       the page itself, with style.css
"""

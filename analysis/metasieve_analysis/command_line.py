"""What all commands of analysis/ share: how they end."""
import pathlib
import sys


def run(work):
    """Calls work(); an error in the data or on disk is one line on standard error. Returns the exit code."""
    try:
        work()
    except (OSError, ValueError, KeyError) as error:
        text = error.args[0] if isinstance(error, KeyError) else error
        if isinstance(error, OSError) and error.filename:
            text = f"{error.filename}: {error.strerror}"
        print(f"{pathlib.Path(sys.argv[0]).stem}: {' '.join(str(text).split())}", file=sys.stderr)
        return 3
    return 0

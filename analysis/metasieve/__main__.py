"""Runs `python3 -m metasieve`."""
import sys

from .commands import main

sys.exit(main())

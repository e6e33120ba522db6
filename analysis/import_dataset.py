#!/usr/bin/env python3
"""Runs `python3 -m metasieve import`, which has replaced this script. Goes with the next release."""
import sys

from metasieve.commands import main

print("import_dataset.py: is now `python3 -m metasieve import`, with PYTHONPATH=analysis", file=sys.stderr)
sys.exit(main(["import", *sys.argv[1:]]))

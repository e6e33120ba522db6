"""Reads a table of an R package by Rscript."""
import os
import subprocess

TIMEOUT = 120  # seconds
NO_PACKAGE = 77  # exit code of the R code below


def csv_of_package(package, table, remedy):
    """Returns a table of an R package as CSV in bytes. Raises ValueError that ends in `remedy`."""
    code = (f'if (!requireNamespace("{package}", quietly = TRUE)) quit(status = {NO_PACKAGE}); '
            f"write.csv({package}::{table}, row.names = FALSE)")
    # A user's .Rprofile may print to standard output.
    command = ["Rscript", "--no-init-file", "-e", code]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT,
                              env=os.environ | {"LC_ALL": "C"})
    except FileNotFoundError as error:
        raise ValueError(f"Rscript, the program that runs R, is missing; {remedy}") from error
    except OSError as error:
        raise ValueError(f"Rscript cannot be run: {error.strerror}; {remedy}") from error
    except subprocess.TimeoutExpired as error:
        raise ValueError(f"Rscript has not ended within {TIMEOUT} s; {remedy}") from error
    if done.returncode == NO_PACKAGE:
        raise ValueError(f"the R package {package} is missing; {remedy}")
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").split("\n")
        why = next((line for line in said if line.startswith("Error")), "it says nothing on why")
        raise ValueError(f"Rscript ended with exit code {done.returncode}: {why}; {remedy}")
    return done.stdout

"""Builds the Python package with its compiled module, for `pip install .`.

scikit-build, as Debian 12 has it, is called from a setup.py; names, version and dependencies are in pyproject.toml.
"""
import sys

from setuptools import find_packages
from skbuild import setup

setup(package_dir={"": "analysis"}, packages=find_packages("analysis"),
      package_data={"metasieve": ["configs/*.h5", "report/*.css"]}, cmake_install_dir="analysis/metasieve",
      cmake_args=["-DMETASIEVE_PROGRAM=OFF", "-DMETASIEVE_TESTS=OFF", "-DMETASIEVE_PYTHON=ON",
                  f"-DPython_EXECUTABLE={sys.executable}"])

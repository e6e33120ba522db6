"""`pip install --no-build-isolation .`: a wheel with the compiled module and the policies, built without a network."""
import importlib.util
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile

from support import MODULE, ROOT, execute

missing = [name for name in ("pip", "skbuild", "setuptools", "wheel") if importlib.util.find_spec(name) is None]
if missing:
    raise unittest.SkipTest(f"{sys.executable} has no {', '.join(missing)}")
if not [*MODULE.glob("metasieve/_core*")]:
    raise unittest.SkipTest("built without METASIEVE_PYTHON")
PARTS = ("CMakeLists.txt", "pyproject.toml", "setup.py", "README.md", "LICENSE", "src", "configs", "analysis", "jobs")
FIT = """import metasieve, numpy as np
X = np.random.default_rng(0).normal(size=(60, 3))
print(metasieve.__file__, int(metasieve.MetaSieve().fit(X, X[:, 0] > 0).support_.sum()))"""


class Wheel(unittest.TestCase):
    def test_is_built_and_used_without_the_source_tree(self):
        with tempfile.TemporaryDirectory(prefix="metasieve.") as name:
            folder = pathlib.Path(name)
            for part in PARTS:
                copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
                copy(ROOT / part, folder / part)
            # Without optimisation it takes half the time. A package index that cannot be reached shows that none is asked.
            run = execute([sys.executable, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "--wheel-dir", "dist",
                           "."], folder, timeout=900, PIP_INDEX_URL="http://127.0.0.1:9", PIP_NO_INDEX="1",
                          SKBUILD_CONFIGURE_OPTIONS="-DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O0 -DMETASIEVE_NATIVE=OFF",
                          CMAKE_BUILD_PARALLEL_LEVEL="2")
            self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
            [wheel] = (folder / "dist").glob("metasieve-*.whl")
            with zipfile.ZipFile(wheel) as archive:
                names = archive.namelist()
                archive.extractall(folder / "installed")
            for wanted in ("metasieve/estimators.py", "metasieve/importing/columns.py", "metasieve/report/style.css",
                           "metasieve/configs/policy.h5", "metasieve/configs/policy_blind.h5"):
                self.assertIn(wanted, names)
            self.assertFalse([name for name in names if not name.startswith("metasieve")], names)

            used = subprocess.run([sys.executable, "-c", FIT], cwd="/", env={"PYTHONPATH": str(folder / "installed")},
                                  capture_output=True, text=True, timeout=60)
            self.assertEqual(used.stderr, "")
            self.assertEqual(used.stdout, f"{folder / 'installed/metasieve/__init__.py'} 42\n")

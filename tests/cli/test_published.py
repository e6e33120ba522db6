"""`import slid`, from R and from a file, and `import --download`, from a server on the loopback."""
import contextlib
import hashlib
import http.server
import io
import os
import pathlib
import resource
import shutil
import socket
import subprocess
import sys
import threading
import unittest
from dataclasses import replace
from unittest import mock

from support import ROOT, AnalysisTest, knows_r

sys.path.insert(0, str(ROOT / "analysis"))
try:
    import h5py  # noqa: F401, what the importer needs
    import numpy as np
    import pandas as pd
    import metasieve
    from metasieve import commands
    from metasieve.importing import download, published, r_package
except ImportError as error:
    raise unittest.SkipTest(f"{error} in {sys.executable}")

KNOWS_R = knows_r()
REMEDY = "apt-get install r-base-core r-cran-cardata; elsewhere --source DIR"


def like_slid():
    """A table with the columns and counts of SLID: 4,147 of 7,425 rows have wages, of which three are the median."""
    random = np.random.default_rng(1)
    sex = np.array(["Female"] * 2077 + ["Male"] * 2070)
    wages = np.concatenate([np.arange(2072) / 200, [14.09] * 3, 20 + np.arange(2072) / 100])
    table = pd.DataFrame({"wages": wages, "education": random.integers(0, 200, 4147) / 10,
                          "age": random.integers(16, 70, 4147), "sex": random.permutation(sex),
                          "language": random.choice(["English", "French", "Other"], 4147)}, dtype=object)
    others = table.iloc[:7425 - 4147].assign(wages=np.nan)
    table = pd.concat([table, others]).sample(frac=1, random_state=1).reset_index(drop=True)
    table.loc[table.index % 100 == 3, "education"] = np.nan
    table.loc[table.index % 100 == 7, "language"] = np.nan
    return table


class InProcess(AnalysisTest):
    """Runs of the command in this process, so that tests can change what it knows."""

    def run_main(self, *words):
        """Returns (exit code, standard output, standard error)."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = commands.main([str(word) for word in words])
            except SystemExit as end:  # of argparse
                code = end.code
        return code, out.getvalue(), err.getvalue()

    def refused(self, code, said, *words):
        """Checks for this exit code, one line that has all of `said`, and no data set or half a file."""
        found, _, err = self.run_main("import", *words, "--output", self.folder / "o.h5")
        self.assertEqual((found, err.count("\n")), (code, 1), err)
        for part in [said] if isinstance(said, str) else said:
            self.assertIn(part, err)
        self.assertFalse((self.folder / "o.h5").exists())
        self.assertEqual([*self.folder.rglob("*.part")], [])

    def imported(self, *words):
        """Returns (the data set, what is printed)."""
        code, out, err = self.run_main("import", *words, "--output", self.folder / "o.h5")
        self.assertEqual((code, err), (0, ""))
        return metasieve.read(self.folder / "o.h5"), out


class Slid(InProcess):
    def source(self, table=None, **options):
        """Options for a table in a file."""
        (like_slid() if table is None else table).to_csv(self.folder / "SLID.csv", **{"index": False} | options)
        return "slid", "--source", self.folder

    def test_labels_groups_and_features(self):
        table = like_slid()
        data, said = self.imported(*self.source(table))

        kept = table[table["wages"].notna()]
        np.testing.assert_array_equal(data["row"], kept.index)
        np.testing.assert_array_equal(data["y"], kept["wages"] > 14.09)  # the three at the median are 0
        np.testing.assert_array_equal(data["z"], kept["sex"] == "Female")
        self.assertEqual((len(data["y"]), data["y"].sum(), data["z"].sum()), (4147, 2072, 2077))
        self.assertEqual(data.attributes["feature_names"], ["education", "age", "language=English", "language=French",
                                                            "language=Other", "language=missing"])
        np.testing.assert_array_equal(data["x"][:, 1], kept["age"].astype("f4"))
        education = kept["education"].fillna(kept["education"].median())
        np.testing.assert_array_equal(data["x"][:, 0], education.astype("f4"))
        np.testing.assert_array_equal(data["x"][:, 5], kept["language"].isna())
        self.assertEqual((data.attributes["positive_label"], data.attributes["group_name"], data.attributes["source"]),
                         ("wages>14.09", "sex=Female", "SLID.csv"))
        self.assertIn("note: 3278 rows without 'wages' or 'sex' left out", said)
        self.assertIn("wage above the median of all rows that have wages, 14.09; at the median it is 0", said)
        self.assertIn("Survey of Labour and Income Dynamics, Ontario 1994, by way of the R package carData", said)

    def test_other_ways_to_write_the_table_make_the_same_data_set(self):
        data, _ = self.imported(*self.source())
        for options in ({"index": True}, {"index": True, "index_label": "rownames"}, {"na_rep": "NA", "sep": ";"}):
            with self.subTest(options):
                other, _ = self.imported(*self.source(**options))
                np.testing.assert_array_equal(other["x"], data["x"])
                self.assertEqual(other.attributes["feature_names"], data.attributes["feature_names"])

    def test_groups(self):
        table = like_slid()
        words = self.source(table)
        kept = table[table["wages"].notna()]
        data, _ = self.imported(*words, "--group", "sex", "language")
        self.assertEqual(data.attributes["feature_names"], ["education", "age"])
        self.assertEqual(len(data.attributes["group_names"]), 6)
        self.assertEqual(len(data["y"]), kept["language"].notna().sum())
        data, _ = self.imported(*words, "--group", "age:<30,>=30")
        self.assertEqual(data.attributes["group_names"], ["age>=30", "age<30"])
        np.testing.assert_array_equal(data["z"], kept["age"] < 30)
        self.assertNotIn("age", data.attributes["feature_names"])
        data, _ = self.imported(*words, "--group", "sex", "--group-value", "Male")
        np.testing.assert_array_equal(data["z"], kept["sex"] == "Male")
        (self.folder / "o.h5").unlink()
        self.refused(2, "--group wages: is the label; must be of sex, age, language", *words, "--group", "wages")
        self.refused(2, "--group sec: ", *words, "--group", "sec")
        self.refused(2, "--group-value: needs --group", *words, "--group-value", "Male")
        self.refused(2, "--smallest-group: needs --group", *words, "--smallest-group", "3")

    def test_another_table_is_refused(self):
        table = like_slid()
        first = (table["wages"] > 15).idxmax()

        def changed(**cells):
            other = table.copy()
            for name, value in cells.items():
                other.loc[first, name] = value
            return other
        other = "Male" if table.loc[first, "sex"] == "Female" else "Female"
        for said, wrong in (
                ("4146 rows are left; must be 4147", table.drop(index=first)),
                ("rows of group sex=Female are left; must be 2077", changed(sex=other)),
                ("rows of label wages>14.09 are left; must be 2072", changed(wages=14.09)),
                ("has no column 'language'", table.drop(columns="language")),
                ("column 'wages' must have only numbers", changed(wages="much")),
                ("column 'age' has numbers, and in 1 rows words such as 'old'", changed(age="old")),
                ("column 'sex' has no such value", table.assign(sex="F")),
                ("no row has both 'wages' and 'sex'", table.assign(wages="NA"))):
            with self.subTest(said):
                self.refused(3, [str(self.folder / "SLID.csv"), said], *self.source(wrong))
        (self.folder / "SLID.csv").unlink()
        self.refused(3, "SLID.csv: cannot be read: No such file", "slid", "--source", self.folder)

    def rscript(self, script, mode=0o755):
        """Makes an Rscript of these lines of shell the only one in PATH; None: there is none."""
        folder = self.folder / "bin"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for tool in ("cat", "sleep"):
            (folder / tool).symlink_to(shutil.which(tool))
        if script is not None:
            (folder / "Rscript").write_text("#!/bin/sh\n" + script)
            (folder / "Rscript").chmod(mode)
        return mock.patch.dict(os.environ, {"PATH": str(folder)})

    def test_the_table_that_rscript_prints(self):
        self.source()
        with self.rscript(f"echo Loading R >&2\necho \"$LC_ALL $@\" >{self.folder}/call\ncat {self.folder}/SLID.csv\n"):
            data, _ = self.imported("slid")
        self.assertEqual((len(data["y"]), data.attributes["source"]), (4147, "carData::SLID"))
        call = (self.folder / "call").read_text()
        self.assertTrue(call.startswith("C --no-init-file -e "), call)
        self.assertIn("write.csv(carData::SLID, row.names = FALSE)", call)

    def test_a_machine_without_r_or_the_package(self):
        with self.rscript(None):
            self.refused(3, ["Rscript, the program that runs R, is missing", REMEDY], "slid")
        with self.rscript(f"exit {r_package.NO_PACKAGE}\n"):
            self.refused(3, ["the R package carData is missing", REMEDY], "slid")

    def test_an_rscript_that_fails(self):
        for said, script in (
                ("exit code 1: Error: no SLID here;", "echo hm >&2; echo Error: no SLID here >&2; exit 1\n"),
                ("exit code 2: it says nothing on why;", "exit 2\n")):
            with self.subTest(said), self.rscript(script):
                self.refused(3, [said, REMEDY], "slid")
        with self.rscript("exit 0\n", mode=0o644):
            self.refused(3, ["Rscript cannot be run: Permission denied", REMEDY], "slid")
        with self.rscript("exit 0\n"):
            self.refused(3, "carData::SLID: is no table that can be read: it is empty", "slid")
        with self.rscript("echo wages,sex; echo 1,Female\n"):
            self.refused(3, "carData::SLID: has no column 'education'", "slid")
        with self.rscript("exec sleep 60\n"), mock.patch.object(r_package, "TIMEOUT", 0.2):
            self.refused(3, ["Rscript has not ended within 0.2 s", REMEDY], "slid")

    @unittest.skipUnless(KNOWS_R, "Rscript or its package carData is missing: jobs/bootstrap.sh data")
    def test_the_table_of_r(self):
        (self.folder / ".Rprofile").write_text('cat("a profile that prints\\n")\n')
        here = os.getcwd()
        self.addCleanup(os.chdir, here)
        os.chdir(self.folder)
        data, said = self.imported("slid")
        os.chdir(here)
        self.assertEqual((len(data["y"]), data["y"].sum(), data["z"].sum()), (4147, 2072, 2077))
        # The first row: wages 10.56, 15 years of education, 40 years old, a man, English.
        self.assertEqual((data["x"][0].tolist(), data["y"][0], data["z"][0]), ([15, 40, 1, 0, 0, 0], 0, 0))
        self.assertIn("column 'education': 133 missing values set to the median", said)
        subprocess.run(["Rscript", "-e", 'write.csv(carData::SLID, "SLID.csv")'], cwd=self.folder, check=True,
                       capture_output=True)
        by_hand, _ = self.imported("slid", "--source", self.folder)
        for name in ("x", "y", "z", "row"):
            np.testing.assert_array_equal(by_hand[name], data[name])

    @unittest.skipUnless(KNOWS_R, "Rscript or its package carData is missing: jobs/bootstrap.sh data")
    def test_r_without_the_package(self):
        nowhere = {name: str(self.folder) for name in ("R_LIBS", "R_LIBS_SITE", "R_LIBS_USER")}
        with mock.patch.dict(os.environ, nowhere):
            if knows_r():
                self.skipTest("carData is in R's own library here")
            self.refused(3, ["the R package carData is missing", REMEDY], "slid")


# ------------------------------------------------------------------------------------------------------- download

class Server(http.server.BaseHTTPRequestHandler):
    """Answers from `server.answers`: {path: bytes, an error's number, or a function of this handler}."""

    def do_GET(self):
        self.server.asked.append(self.path)
        answer = self.server.answers.get(self.path, 404)
        if callable(answer):
            answer(self)
        elif isinstance(answer, int):
            self.send_error(answer)
        else:
            self.send(answer, len(answer))

    def send(self, content, announced=None):
        self.send_response(200)
        if announced is not None:
            self.send_header("Content-Length", str(announced))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


def german(rows=40):
    """A file like german.data; half of the rows are of label 2."""
    return "".join(f"A11 {6 + i} A34 A43 {1000 + i} A65 A75 4 A9{1 + i % 3} A101 4 A121 {20 + i % 30} A143 A152 2 A173 "
                   f"1 A192 A201 {1 + i % 2}\n" for i in range(rows)).encode()


def adult(rows, ending=""):
    """A file like adult.data; half of the rows are of income above 50K."""
    return "".join(f"{20 + i}, Private, {i}, Bachelors, 13, Never-married, Sales, Husband, White, "
                   f"{'Female' if i % 4 < 2 else 'Male'}, {i}, 0, 40, Canada, {('<=', '>')[i % 2]}50K{ending}\n"
                   for i in range(rows)).encode()


def known_of(name, content, rows, group_rows, positive_rows, folder="http://127.0.0.1:9/published/"):
    return published.Known(folder, name, hashlib.sha256(content).hexdigest(), rows, group_rows, positive_rows)


class Addresses(unittest.TestCase):
    def test_published_addresses(self):
        uci = "https://archive.ics.uci.edu/ml/machine-learning-databases"
        raw = "https://raw.githubusercontent.com/propublica/compas-analysis/master"
        self.assertEqual([known.folder + known.file for known in (*published.KNOWN.values(), published.ADULT_TEST)], [
            f"{raw}/compas-scores-two-years.csv", f"{uci}/adult/adult.data", f"{uci}/statlog/german/german.data",
            f"{uci}/adult/adult.test"])


class Download(InProcess):
    def setUp(self):
        super().setUp()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
        self.server.answers, self.server.asked = {}, []
        thread = threading.Thread(target=self.server.serve_forever)
        thread.start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(thread.join)
        self.addCleanup(self.server.shutdown)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.source = self.folder / "new" / "data"
        self.file = self.source / "german.data"
        self.know("german", known_of("german.data", german(), 40, 30, 20))
        environment = mock.patch.dict(os.environ, {"no_proxy": "*", "XDG_CACHE_HOME": str(self.folder / "cache")})
        environment.start()
        self.addCleanup(environment.stop)

    def know(self, name, known):
        """Makes the importer take this file for the published one."""
        patch = mock.patch.dict(published.KNOWN, {name: known})
        patch.start()
        self.addCleanup(patch.stop)

    def download(self, answer=None):
        """Options for the german.data that the server gives."""
        self.server.answers["/german.data"] = german() if answer is None else answer
        return "german", "--source", self.source, "--download", f"{self.url}/german.data"

    def failed(self, said, *words):
        """Checks that nothing was written, and that the line names the reason, the address and the remedy."""
        by_hand = "fetch http://127.0.0.1:9/published/german.data by hand into"
        self.refused(3, [said, by_hand, f"--source {self.source}"], *words)
        self.assertFalse(self.source.exists())

    def test_a_file_is_fetched_and_imported(self):
        data, said = self.imported(*self.download())
        self.assertEqual(self.file.read_bytes(), german())
        self.assertEqual([path.name for path in self.source.iterdir()], ["german.data"])
        self.assertEqual((len(data["y"]), int(data["y"].sum())), (40, 20))
        self.assertEqual(data.attributes["source_sha256"], hashlib.sha256(german()).hexdigest())
        self.assertIn(f"note: fetched {self.url}/german.data into {self.source}", said)

    def test_a_file_that_is_there_is_not_fetched_again(self):
        self.imported(*self.download())
        _, said = self.imported(*self.download())
        self.assertEqual(self.server.asked, ["/german.data"])
        self.assertIn(f"{self.file} is the published file already: nothing was fetched", said)
        self.imported("german", "--source", self.source)

    def test_another_file_that_is_there_is_not_replaced(self):
        self.source.mkdir(parents=True)
        self.file.write_text("mine")
        self.refused(3, [f"{self.file}: is there, but is not the published file", "is not replaced; move it away"],
                     *self.download())
        self.assertEqual((self.file.read_text(), self.server.asked), ("mine", []))

    def test_the_published_address_and_the_cache_are_the_defaults(self):
        self.know("german", replace(published.KNOWN["german"], folder=f"{self.url}/a/"))
        self.server.answers["/a/german.data"] = german()
        self.imported("german", "--download")
        self.assertEqual((self.folder / "cache/metasieve/german.data").read_bytes(), german())
        with mock.patch.dict(os.environ, {"XDG_CACHE_HOME": "", "HOME": str(self.folder / "home")}):
            self.imported("german", "--download")
        self.assertTrue((self.folder / "home/.cache/metasieve/german.data").exists())
        self.assertEqual(self.server.asked, ["/a/german.data"] * 2)

    def test_two_files_are_fetched_from_a_folder(self):
        train, test = adult(40), b"|1x3 Cross validator\n" + adult(20, ".")
        self.know("adult", known_of("adult.data", train, 40, 20, 20))
        self.server.answers |= {"/mirror/adult.data": train, "/mirror/adult.test": test}
        with mock.patch.object(published, "ADULT_TEST", known_of("adult.test", test, 20, 10, 10)):
            data, _ = self.imported("adult", "--official", "--source", self.source, "--download", f"{self.url}/mirror")
        self.assertEqual((len(data["y"]), int(data["split"].sum())), (60, 20))
        self.assertEqual(self.server.asked, ["/mirror/adult.data", "/mirror/adult.test"])
        (self.source / "adult.data").unlink()
        self.imported("adult", "--source", self.source, "--download", f"{self.url}/mirror/")  # one file, of a folder
        self.assertEqual(self.server.asked[2:], ["/mirror/adult.data"])

    def test_a_file_with_another_hash_is_not_kept(self):
        other = german(41)
        self.failed(f"is not the published file: its sha256 is {hashlib.sha256(other).hexdigest()}, must be "
                    f"{hashlib.sha256(german()).hexdigest()}", *self.download(other))
        self.failed("is not the published file", *self.download(b""))

    def test_a_server_that_refuses(self):
        self.failed("/german.data: cannot be used: the server answers 404 Not Found", *self.download(404))
        self.failed("the server answers 503", *self.download(503))

    def test_no_server(self):
        with socket.socket() as closed:  # bound, and does not listen
            closed.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{closed.getsockname()[1]}/german.data"
            self.failed("cannot be used: Connection refused", "german", "--source", self.source, "--download", url)
        with mock.patch("socket.getaddrinfo", side_effect=socket.gaierror(-2, "Name or service not known")):
            self.failed("cannot be used: Name or service not known", *self.download())

    def test_a_file_that_ends_early(self):
        size = len(german())
        self.failed(f"ends after {size - 9} of {size} bytes",
                    *self.download(lambda handler: handler.send(german()[:-9], size)))
        self.failed("is not the published file", *self.download(lambda handler: handler.send(german()[:-9])))

    def test_an_answer_that_is_no_http(self):
        self.failed("cannot be used: ", *self.download(lambda handler: handler.wfile.write(b"hello\n")))
        self.failed("cannot be used: ", *self.download(lambda handler: None))

    def test_a_server_that_says_nothing(self):
        end = threading.Event()
        self.addCleanup(end.set)  # before the server is asked to end
        with mock.patch.object(download, "TIMEOUT", 0.2):
            self.failed("no answer within 0.2 s", *self.download(lambda handler: end.wait(60)))
            self.failed("no answer within 0.2 s",
                        *self.download(lambda handler: (handler.send(b"A11", 1000), end.wait(60))))

    def test_a_file_that_is_too_large(self):
        with mock.patch.object(download, "LARGEST", 2**20):
            self.failed("is larger than 1 MB", *self.download(lambda handler: handler.send(b"", 2**20 + 1)))
            self.failed("is larger than 1 MB", *self.download(self.endless))

    @staticmethod
    def endless(handler):
        """Sends until the other end has had enough, without saying how much."""
        handler.send(b"")
        with contextlib.suppress(OSError):
            while True:
                handler.wfile.write(bytes(2**16))

    def test_a_folder_that_cannot_be_written(self):
        self.source.parent.write_text("no folder")
        self.refused(3, f"cannot write {self.file}", *self.download())
        self.assertEqual(self.source.parent.read_text(), "no folder")

    def test_a_full_disk(self):
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))  # as if there were no more room
        try:
            self.refused(3, [f"cannot write {self.file}: ", "make room there, or name another folder with --source"],
                         *self.download())
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        self.assertEqual([*self.source.iterdir()], [])

    def test_usage(self):
        self.refused(2, "--source DIR, the folder of the published file, or --download is required", "german")
        self.refused(2, "--download mirror: must be an address that begins with http:// or https://", "german",
                     "--download", "mirror")
        self.refused(2, "unrecognized arguments: --download", "roh", "--source", self.source, "--download")
        with mock.patch.dict(os.environ, {"XDG_CACHE_HOME": ""}), mock.patch("os.path.expanduser", lambda path: path):
            self.refused(3, "there is no home folder to download into; --source DIR", "german", "--download")


if __name__ == "__main__":
    unittest.main()

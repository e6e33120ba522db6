"""`python3 -m metasieve report`: what the page of a folder says, and how it behaves in a real browser."""
import html.parser
import json
import os
import pathlib
import re
import shutil
import signal
import sys
import tempfile
import unittest
from unittest import mock

from support import ROOT, AnalysisTest, analysis, write_tables

sys.path.insert(0, str(ROOT / "analysis"))
try:
    import h5py
    import numpy as np
    import pandas as pd
    from metasieve.report import facts, folder as folders, pictures, warnings, words
    from evaluation_tables import write_evaluation
    from test_plot import evaluated, history, metadata, swept, validation
    from test_plot_scaling import trainings
except ImportError as error:
    raise unittest.SkipTest(f"{error} in {sys.executable}")
try:
    from selenium import webdriver
except ImportError:
    webdriver = None

NASTY = '<b>&"x'
CONFIG = "[suite]\ntasks = 24\n\n[meta]\niterations = 40\nfairness_weight = -0.5 & <i>\n"
FACTS = {"ranks": 2, "threads": 3, "nodes": 2, "hosts": "node1, node2", "processor": "Some CPU", "seconds": 150.0,
         "created_by": "metasieve 0.1.0", "git_commit": "a" * 40, "created": "2026-01-31T12:00:00Z"}


def stamp(path, **attributes):
    with h5py.File(path, "a") as file:
        for name, value in attributes.items():
            file.attrs[name] = value
    return path


def fill(folder):
    """Fills a folder with a file of each type that a report shows, and some that it cannot show."""
    stamp(write_evaluation(folder / "without ending", [NASTY, "adult"], with_frontier=True), **FACTS)
    results = write_tables(folder / "results.h5", "results", history=history().assign(failed_tasks=[3] + 39 * [0]),
                    validation=validation(),
                    failures=pd.DataFrame({"task_id": [17], "kind": ["diverged"], "count": [3]}),
                    sessions=pd.DataFrame({"first_iteration": [1], "last_iteration": [40], "ranks": [4], "threads": [2],
                                           "seconds": [7200.0]}))
    stamp(results, config=CONFIG, git_commit="b" * 40)
    write_tables(folder / "sweep.h5", "sweep", points=swept(meta__weight=[0.1, 0.5], policy__keep=[0.6, 0.8]))
    write_tables(folder / "scaling.h5", "scaling", points=trainings(cores=8))
    write_tables(folder / "suite.h5", "suite", metadata=metadata(30))
    write_tables(folder / "checkpoint.h5", "checkpoint", history=history(), validation=validation())
    (folder / "points/1").mkdir(parents=True)
    (folder / "points/1/status.txt").write_text("state = failed\nmessage = the fit <diverged>\n")
    (folder / "broken.h5").write_text("no HDF5")
    (folder / "e.h5.part").touch()
    with h5py.File(folder / "foreign.h5", "w") as file:
        file["x"] = 1


class Page(html.parser.HTMLParser):
    """Tags with attributes, and the words of each section."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words, self.where = [], {}, "top"
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag == "section":
            self.where = dict(attributes)["id"]

    def handle_data(self, data):
        self.words[self.where] = self.words.get(self.where, "") + " ".join(data.split()) + " "

    def of(self, *names):
        return [found for found in self.tags if found[0] in names]


def browser():
    """Returns a headless Chromium that logs its console and its requests."""
    options = webdriver.ChromeOptions()
    for word in ["headless=new", "disable-gpu", "disable-dev-shm-usage", *["no-sandbox"] * (os.geteuid() == 0)]:
        options.add_argument(f"--{word}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    options.binary_location = shutil.which("chromium")
    service = webdriver.chrome.service.Service(shutil.which("chromedriver"))
    return webdriver.Chrome(options=options, service=service)


class WholeFolder(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name) / "some run"
        cls.folder.mkdir()
        fill(cls.folder)
        run = analysis("report", "some run", folder=cls.folder.parent)
        if run.returncode:
            raise AssertionError(run.stderr)
        cls.text = (cls.folder / "report.html").read_text(encoding="utf-8")
        cls.page = Page(cls.text)

    def test_the_verdict_is_computed_from_the_figures(self):
        said = self.page.words["top"]
        for sentence in (f"On {NASTY}, metasieve (hard) is more accurate than training on all rows: 0.730 against "
                         "0.700 (+3.0 points, 95 % interval +2.5 to +3.5); it is fairer: the equalised-odds gap is "
                         "0.100 instead of 0.400 (−75 %).",
                         "trained for 40 iterations on 24 tasks; on the validation tasks it reaches accuracy 0.850 "
                         "(untrained 0.700, all rows 0.750)", "3 of 4 points of the sweep are done",
                         "the highest accuracy of metasieve (hard) is 0.830 [0.820, 0.840] at point 3 (meta.weight "
                         "0.5, policy.keep 0.8)"):
            self.assertIn(sentence, said)

    def test_warnings_name_what_is_wrong(self):
        said = self.page.words["warnings"]
        for words in ("broken.h5 is left out", "foreign.h5 is left out", "e.h5.part is unfinished",
                      f"Constant predictor on {NASTY}: one class: splits of 1 of group thresholds",
                      "left out of its batch 3 times: diverged, 1 task (first 17)",
                      "point 1 of sweep.h5 (meta.weight 0.1, policy.keep 0.8): the fit <diverged>",
                      "more threads than cores: 8 x 2", "bbbbbbbbbb: results.h5; aaaaaaaaaa: without ending"):
            self.assertIn(words, said)
        self.assertNotIn("checkpoint", said)

    def test_what_was_run_is_told_and_what_is_not_known_says_so(self):
        said = self.page.words["run"]
        for words in ("without ending evaluation metasieve 0.1.0 aaaaaaaaaaaa 2026-01-31 12:00:00 UTC node1, node2; "
                      "Some CPU 2 ranks × 3 threads on 2 nodes 2.5 min",
                      "results.h5 training not recorded bbbbbbbbbbbb not recorded not recorded 4 ranks × 2 threads "
                      "2.0 h",
                      "suite.h5 tasks not recorded", "1 to 40 not recorded"):
            self.assertIn(words, said)
        self.assertIn("fairness_weight = -0.5 &amp; &lt;i&gt;", self.text)  # as it was, to be run again

    def test_results_have_intervals_and_paired_differences(self):
        said = self.page.words["results"]
        for words in (f"{NASTY}: means over 10 splits and 2 policies; 5.0 % of the training labels are flipped",
                      "metasieve, hard 0.730 [0.720, 0.750] +3.0 [+2.5, +3.5] 0.100 [0.090, 0.120] −75 %",
                      "metasieve, hard − reweighing (Kamiran-Calders) +1.2 [+0.4, +2.0] 85 %",
                      "policy after 40 iterations 0.850", "highest accuracy 0.830 [0.820, 0.840] 3 0.5 0.8 0.700",
                      "strong, 8 x 1"):
            self.assertIn(words, said)

    def test_commands_repeat_it(self):
        said = self.page.words["repeat"]
        for words in ("git checkout " + "b" * 40, "OLD='some run' NEW=runs/again",
                      "$OLD/results.h5 > $NEW/results.ini",
                      "OMP_NUM_THREADS=2 mpirun -n 4 build/src/metasieve train --config $NEW/results.ini --output $NEW",
                      "build/src/metasieve sweep --output $NEW --collect"):
            self.assertIn(words, said)

    def test_names_are_words_and_no_markup(self):
        self.assertNotIn("b", {tag for tag, _ in self.page.tags})
        self.assertFalse([tag for tag, _ in self.page.tags if tag in ("i", "diverged", "script")])

    def test_nothing_comes_from_elsewhere(self):
        links = [value for _, attributes in self.page.tags for name, value in attributes.items()
                 if name in ("src", "href", "srcset", "data", "action")]
        self.assertFalse([link for link in links if not link.startswith(("data:", "#"))])
        self.assertNotRegex(re.sub(r'src="data:[^"]*"', "", self.text), r"https?://|url\(|@import")

    def test_pictures_say_what_is_in_them_with_figures(self):
        pictures = [attributes for _, attributes in self.page.of("img")]
        self.assertGreaterEqual(len(pictures), 10)
        for attributes in pictures:
            self.assertRegex(attributes["alt"], r"\d\.\d|\d %|undefined")
        self.assertEqual(len({attributes["alt"] for attributes in pictures}), len(pictures))
        self.assertNotIn("A picture is missing", self.text)

    def test_structure_can_be_heard(self):
        levels = [int(tag[1]) for tag, _ in self.page.of("h1", "h2", "h3", "h4", "h5", "h6")]
        self.assertEqual((levels[0], levels.count(1)), (1, 1))
        self.assertTrue(all(after <= before + 1 for before, after in zip(levels, levels[1:])), levels)
        self.assertTrue(all("scope" in attributes for _, attributes in self.page.of("th")))
        self.assertEqual(len(self.page.of("table")), len(self.page.of("caption")))
        self.assertEqual(dict(self.page.of("html")[0][1])["lang"], "en")

    @unittest.skipUnless(webdriver and shutil.which("chromium") and shutil.which("chromedriver"),
                         "needs Debian's packages chromium-driver and python3-selenium")
    def test_in_a_browser(self):
        page = browser()
        self.addCleanup(page.quit)
        for width, height in ((390, 844), (1280, 900)):
            with self.subTest(width=width):
                page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
                    "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
                page.get((self.folder / "report.html").as_uri())
                page.execute_script("document.querySelectorAll('details').forEach(one => { one.open = true; })")
                self.assertEqual(page.execute_script("return innerWidth"), width)
                self.assertLessEqual(page.execute_script("return document.documentElement.scrollWidth"), width)
                for bad in (BEYOND, BAD_PICTURES, SMALL, PALE):
                    self.assertEqual(page.execute_script(f"return {bad}"), [])
                self.assert_quiet(page)

    def assert_quiet(self, page):
        """Checks that there was no message, no error, and no request but for the page itself."""
        self.assertEqual(page.get_log("browser"), [])
        events = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
        asked = {event["params"]["request"]["url"] for event in events
                 if event["method"] == "Network.requestWillBeSent"}
        self.assertEqual({url for url in asked if not url.startswith("data:")},
                         {(self.folder / "report.html").as_uri()})


# JavaScript, each an expression that lists what is wrong.
BEYOND = """[...document.querySelectorAll('body *')].filter(one => !one.closest('.wide, pre')
  && one.getBoundingClientRect().right > innerWidth + 0.5).map(one => one.outerHTML.slice(0, 80))"""
BAD_PICTURES = """[...document.images].filter(one => !(one.complete && one.naturalWidth > 0 && one.alt.trim()
  && one.getBoundingClientRect().width > 200)).map(one => one.alt)"""
TEXTS = """(() => { const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) if (walk.currentNode.data.trim()) found.push(walk.currentNode); return found; })()"""
SMALL = f"""{TEXTS}.filter(text => parseFloat(getComputedStyle(text.parentElement).fontSize) < 12)
  .map(text => text.data)"""
PALE = f"""(() => {{
  const parts = colour => (colour.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = one => {{ for (; one; one = one.parentElement) {{
    const colour = parts(getComputedStyle(one).backgroundColor);
    if (colour.length === 3 || colour[3] === 1) return colour; }} return [255, 255, 255]; }};
  return {TEXTS}.map(text => {{
    const style = getComputedStyle(text.parentElement), own = parts(style.color);
    const [a, b] = [light(own), light(behind(text.parentElement))];
    const contrast = own.length === 4 && own[3] < 1 ? 0 : (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    return [text.data.trim(), contrast]; }}).filter(([, contrast]) => contrast < 4.5); }})()"""


class SmallFolders(AnalysisTest):
    def training(self, name, kind="results", **attributes):
        path = write_tables(self.folder / name, kind, history=history(), validation=validation())
        return stamp(path, config=CONFIG, **attributes)

    def names(self):
        return [one.path.name for one in folders.found_in(self.folder).contents]

    def test_checkpoints_are_left_out_where_there_are_results(self):
        self.training("a.h5", "checkpoint", step=40)
        self.training("b.h5")
        self.assertEqual(self.names(), ["b.h5"])

    def test_backups_of_an_earlier_run_are_left_out(self):
        self.training("#results.h5.1#")
        self.training("results.h5")
        self.assertEqual(self.names(), ["results.h5"])

    def test_an_unfinished_training_is_known_from_its_newest_checkpoint(self):
        self.training("a.h5", "checkpoint", step=20)
        self.training("b.h5", "checkpoint", step=10)
        folder = folders.found_in(self.folder)
        self.assertEqual(self.names(), ["a.h5"])
        self.assertIn(("Unfinished training", "a.h5 is at iteration 20 of 40; there is no results file. The same train "
                       "command with --resume continues it"), warnings.warnings(folder))
        self.assertIn("40 iterations so far", " ".join(words.verdict(folder)))
        self.assertRegex("\n".join(facts.commands(folder)), r"train --resume --config \S+ --output \$OLD")

    def test_without_anything_wrong_there_is_no_warning(self):
        self.training("results.h5")
        self.assertEqual(warnings.warnings(folders.found_in(self.folder)), [])

    def test_sources_with_changes_are_warned_of_and_never_checked_out(self):
        self.training("results.h5", git_commit="c" * 40 + "-dirty")
        folder = folders.found_in(self.folder)
        self.assertEqual([title for title, _ in warnings.warnings(folder)], ["Changed sources"])
        self.assertEqual(facts.commands(folder)[0], "git checkout " + "c" * 40)

    def test_a_file_that_ends_hdf5_itself_is_named(self):
        self.training("good.h5")
        self.training("deadly.h5")
        load = folders.load

        def fatal(contents):
            if contents.path.name == "deadly.h5":
                os.kill(os.getpid(), signal.SIGKILL)
            return load(contents)

        with mock.patch.object(folders, "load", fatal):
            folder = folders.found_in(self.folder)
        self.assertEqual([one.path.name for one in folder.contents], ["good.h5"])
        self.assertRegex(folder.problems[0], "deadly.h5 is left out: it is damaged")

    def test_one_split_tells_nothing_beyond_chance(self):
        path = write_evaluation(self.folder / "e.h5", ["compas"])
        with h5py.File(path, "a") as file:
            rows = file["summary"][:]
            rows["splits"] = 1  # then there is no interval, unless the data set has a test part
            for end in ("low", "high"):
                rows[end] = rows[f"baseline_change_{end}"] = np.nan
            file["summary"][...] = rows
        folder = folders.found_in(self.folder)
        self.assertRegex(words.verdict(folder)[0], "as accurate, within chance, as training on all rows.* no interval")
        self.assertIn(("One split only on compas", "differences may be chance"),
                      warnings.warnings(folder))

    def test_of_many_sources_a_verdict_counts(self):
        write_evaluation(self.folder / "e.h5", list("abcd"))
        said, = words.verdict(folders.found_in(self.folder))
        self.assertEqual(said, "Of 4 sources, metasieve is more accurate than training on all rows on 4, less accurate "
                               "on 0, and as accurate within chance on 0; its equalised-odds gap is smaller beyond "
                               "chance on 4, and larger on 0.")

    def test_an_evaluation_of_clean_labels_has_all_other_pictures(self):
        path = write_evaluation(self.folder / "e.h5", ["compas"])
        response = pd.DataFrame([{"source": "compas", "policy": 0, "feature": "loss", "quantile": q, "value": q,
                                  "score": q, "keep": q} for q in (0.0, 1.0)])
        tables = write_tables(self.folder / "tables", "evaluation", evaluation=evaluated([0.0] * 4), response=response)
        with h5py.File(path, "a") as file, h5py.File(tables) as more:
            for name in ("evaluation", "response"):
                file[name] = more[name][:]
        tables.unlink()
        drawn = list(pictures.pictures(folders.found_in(self.folder)))
        self.assertEqual([problem for _, problem in drawn if problem], [])
        titles = [picture.title for picture, _ in drawn]
        self.assertIn("What the policy looks at", titles)
        self.assertNotIn("Noise kept out of the selection", titles)

    def test_undefined_rates_are_warned_of(self):
        path = write_evaluation(self.folder / "e.h5", ["compas"])
        with h5py.File(path, "a") as file:
            rows = file["summary"][:]
            rows["mean"][(rows["method"] == b"meta_hard") & (rows["metric"] == b"eo_gap")] = np.nan
            file["summary"][...] = rows
        found = warnings.warnings(folders.found_in(self.folder))
        self.assertIn(("Undefined on compas", "in no split or task is there a value for EO gap of metasieve (hard)"),
                      found)

    def test_a_folder_without_results_is_refused_and_an_old_report_stays(self):
        (self.folder / "report.html").write_text("old")
        with h5py.File(self.folder / "policy.h5", "w") as file:
            file.attrs["filetype"], file.attrs["complete"] = "metasieve-policy", 1
        (self.folder / "points").mkdir()
        for arguments, code, said in (([self.folder], 3, "holds no results of metasieve; metasieve sweep --collect"),
                                      (["nothing"], 3, "report: nothing: No such file or directory"),
                                      ([], 2, "FOLDER")):
            self.assertEqual(self.refuse(code, said, "report", *arguments).stdout, "")
        self.assertEqual((self.folder / "report.html").read_text(), "old")

    def test_files_of_one_folder_are_reported_beside_them(self):
        for name in ("one.h5", "two.h5", "other/three.h5"):
            (self.folder / name).parent.mkdir(exist_ok=True)
            write_evaluation(self.folder / name, [name[:3]])
        self.succeed("report", "one.h5", self.folder / "two.h5")
        page = (self.folder / "report.html").read_text(encoding="utf-8")
        self.assertIn("one.h5", page)
        self.assertIn("two.h5", page)
        self.succeed("report", "one.h5", "--output", "o.html")
        self.assertNotIn("two.h5", (self.folder / "o.html").read_text(encoding="utf-8"))
        self.refuse(3, "none.h5: no such file", "report", "one.h5", "none.h5")
        self.refuse(3, "other: is a folder", "report", "one.h5", "other")
        self.refuse(3, "must be in one folder", "report", "one.h5", "other/three.h5")


if __name__ == "__main__":
    unittest.main()

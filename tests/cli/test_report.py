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
    from metasieve import groups, read
    from metasieve.plots import groups as group_plots
    from metasieve.report import facts, folder as folders, pictures, warnings, words
    from metasieve.tables import rendering, results
    from metasieve.tables.groups import gap_sentences
    from evaluation_tables import FINDINGS, RACES, UNKNOWN, add_groups, write_evaluation
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
    add_groups(folder / "without ending", NASTY, RACES | {NASTY: (90, 60, (0.8, 0.7, 0.1), (0.8, 0.7, 0.1))})
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


def report_of(folder):
    """Returns the Page of a folder's report, without its style."""
    run = analysis("report", folder)
    if run.returncode or run.stderr:
        raise AssertionError(run.stderr)
    text = (folder / "report.html").read_text(encoding="utf-8")
    return Page(re.sub("<style>.*?</style>", "", text, flags=re.DOTALL))


ALONE = {"all": (300, 100, (0.8, 0.7, 0.3), (0.81, 0.65, 0.28))}
FAIRNESS_WORDS = r"(?i)\bfair|\bgap|\bodds\b|\bparity\b|\bEO\b|\bDP\b|\bgroups?\b"


class Groups(AnalysisTest):
    def evaluation(self, groups=RACES, **options):
        path = write_evaluation(self.folder / "e.h5", ["compas"])
        return read(add_groups(path, "compas", groups, **options))

    def table(self, evaluation):
        """Returns the table of groups, and {name of a group: texts of its row}."""
        table = results.of_evaluation(evaluation)["compas_groups"]
        self.assertEqual(table.header, ["group", "test rows", *(
            f"{rate}: {method}" for rate in ("accuracy", "true positive rate", "false positive rate")
            for method in ("all rows", "metasieve (hard)"))])
        return table, {name: cells for name, *cells in table.rows}

    def sentences(self, evaluation):
        cells = {row["method"]: {"eo_gap": row} for row in evaluation["summary"].to_dict("records")
                 if row["metric"] == "eo_gap"}
        return gap_sentences(groups.groups_of(evaluation)["compas"], cells)

    def test_a_row_has_the_rates_before_and_after_with_their_intervals(self):
        _, rows = self.table(self.evaluation())
        self.assertEqual(rows["Caucasian"], ["230", "0.690 [0.624, 0.756]", "0.680 [0.614, 0.746]",
                                             "0.520 [0.415, 0.625]", "0.550 [0.445, 0.655]", "0.200 [0.115, 0.285]",
                                             "0.210 [0.125, 0.295]"])

    def test_few_rows_are_marked_and_never_called_the_lowest_accuracy(self):
        table, rows = self.table(self.evaluation())
        self.assertEqual(list(rows), ["African-American", "Caucasian", "Hispanic", "Asian †", "Other †"])
        self.assertEqual(table.pale, ("Asian †", "Other †"))
        self.assertIn("† Fewer than 10 test rows of a label: too few to judge", table.caption)
        lowest = [(name, k) for name, cells in rows.items() for k, text in enumerate(cells) if "lowest" in text]
        self.assertEqual(lowest, [("African-American", 1), ("African-American", 2)])  # Asian has 0.55

    def test_wide_intervals_are_shown_and_what_is_undefined_is_no_number(self):
        table, rows = self.table(self.evaluation())
        self.assertEqual(rows["Asian †"][2:4], ["0.600 [0.376, 0.824]", "0.300 (8 of 10) [-0.054, 0.654]"])
        self.assertEqual(rows["Other †"][3:5], ["undefined", "undefined"])
        self.assertIn("the splits where a rate is defined, if not all 10", table.caption)
        self.assertIn("Undefined: no test row of that label in any split", table.caption)

    def test_without_small_groups_the_caption_speaks_of_none(self):
        both = dict(list(RACES.items())[:2])
        table, _ = self.table(self.evaluation(both))
        self.assertEqual((table.pale, len(table.rows)), ((), 2))
        for words in ("†", "ndefined", "parentheses", "Without"):
            self.assertNotIn(words, table.caption)

    def test_one_split_has_no_interval(self):
        table, rows = self.table(self.evaluation(splits=1))
        self.assertEqual(rows["Caucasian"][1:3], ["0.690", "0.680"])
        self.assertNotIn("nan", str(rows))
        self.assertIn("Without an interval: one split, or the same rate in all.", table.caption)

    def test_a_rate_that_is_the_same_in_all_splits_does_not_look_certain(self):
        """So it is 0 in many a small group."""
        path = self.evaluation().path
        with h5py.File(path, "a") as file:
            rows = file["group_summary"][:]
            same = (rows["name"] == b"Asian") & (rows["metric"] == b"false_positive_rate")
            rows["mean"][same] = rows["low"][same] = rows["high"][same] = 0
            file["group_summary"][...] = rows
        table, rows = self.table(read(path))
        self.assertEqual(rows["Asian †"][5:], ["0.000", "0.000"])
        self.assertIn("Without an interval:", table.caption)
        drawn = [bar for bar in group_plots.plot(group_plots.panels_of([path])).axes[2].containers
                 if len(bar[0].get_xdata()) and bar[0].get_xdata()[0] == 0]
        self.assertEqual([bar.has_xerr for bar in drawn], [False, False])

    def test_a_group_is_small_by_the_rows_of_its_rarer_label(self):
        sizes = {"a": (10, 300), "b": (300, 10), "c": (9, 300), "d": (300, 9), "e": (10, 10)}
        evaluation = self.evaluation({name: (*rows, (0.6,) * 3, (0.6,) * 3) for name, rows in sizes.items()})
        self.assertEqual({group.name for group in groups.groups_of(evaluation)["compas"] if group.is_small}, {"c", "d"})

    def test_the_pair_that_makes_the_gap_is_named_before_and_after(self):
        large = dict(list(RACES.items())[:3])
        said = self.sentences(self.evaluation(large))
        self.assertEqual(said, "EO gap 0.400 (of the mean rates, true positive rate: African-American 0.710, Hispanic "
                               "0.400), after metasieve (hard) 0.100 (of the mean rates, true positive rate: "
                               "African-American 0.620, Hispanic 0.510). The gap is the mean over the splits of the "
                               "largest difference in a split; the pair named is the one whose mean rates differ most.")
        swapped = {name: (zeros, ones, rates, (rates[0], rates[2], rates[1]))
                   for name, (zeros, ones, rates, _) in large.items()}
        self.assertIn("after metasieve (hard) 0.100 (of the mean rates, false positive rate: African-American 0.710, "
                      "Hispanic 0.400)", self.sentences(self.evaluation(swapped)))

    def test_a_pair_with_few_rows_is_marked_and_another_named_beside_it(self):
        said = self.sentences(self.evaluation())
        self.assertIn("true positive rate: African-American 0.710, Asian † 0.300)", said)
        self.assertIn("Without the groups marked †, which have too few rows, true positive rate: African-American "
                      "0.710, Hispanic 0.400, after metasieve (hard) true positive rate: African-American 0.620, "
                      "Hispanic 0.510.", said)
        only = {name: RACES[name] for name in ("Caucasian", "Asian")}
        self.assertIn("Fewer than two groups have enough rows to judge a gap.", self.sentences(self.evaluation(only)))

    def test_a_gap_of_undefined_rates_is_undefined(self):
        rates = (0.7, UNKNOWN, UNKNOWN)
        evaluation = self.evaluation({"a": (0, 0, rates, rates), "b": (30, 30, (0.7,) * 3, (0.7,) * 3)})
        gaps = evaluation["summary"]
        gaps.loc[gaps["metric"] == "eo_gap", "mean"] = UNKNOWN
        self.assertIn("EO gap undefined (of the mean rates, undefined), after metasieve (hard) undefined (of the mean "
                      "rates, undefined).", self.sentences(evaluation))

    def test_the_page_shows_it_with_a_picture(self):
        self.evaluation()
        page = report_of(self.folder)
        said = page.words["results"]
        self.assertIn("African-American 370 0.660 lowest [0.608, 0.712] 0.670 lowest [0.618, 0.722] 0.710", said)
        self.assertIn("EO gap 0.400 (of the mean rates", said)
        self.assertEqual(len([tag for tag in page.of("tr") if tag[1].get("class") == "pale"]), 2)
        alt, = [tag["alt"] for _, tag in page.of("img") if "rates by group" in tag["alt"]]
        self.assertIn("Asian, 20 test rows, too few to judge: accuracy 0.550 (all rows) and 0.600 (metasieve (hard))",
                      alt)
        self.assertIn("true positive rate undefined (all rows)", alt)

    def test_detection_goes_by_the_names_of_the_groups(self):
        table = results.of_evaluation(self.evaluation())["compas_detection"]
        self.assertEqual([row[0] for row in table.rows], ["all rows", "African-American", "Caucasian",
                                                          "hidden positives", "false positives"])

    def test_files_of_older_programs_have_numbers_and_no_table(self):
        tables = results.of_evaluation(read(write_evaluation(self.folder / "e.h5", ["compas"])))
        self.assertEqual([row[0] for row in tables["compas_detection"].rows],
                         ["all rows", "group 0", "group 1", "hidden positives", "false positives"])
        self.assertNotIn("compas_groups", tables)

    def test_long_names_that_were_cut_differ_and_a_cut_character_is_left_out(self):
        rates = (0.7, 0.6, 0.2)
        evaluation = self.evaluation({"x" * 70 + end: (30, 30, rates, rates) for end in "ab"}
                                     | {"x" * 62 + "é": (30, 30, rates, rates)})
        names = [group.name for group in groups.groups_of(evaluation)["compas"]]
        self.assertEqual(names, [f"{'x' * 63} (group 0)", f"{'x' * 63} (group 1)", "x" * 62])

    def test_latex_has_the_mark_too(self):
        text = rendering.latex(results.of_evaluation(self.evaluation())["compas_groups"], "t")
        self.assertIn(r"Asian $\dagger$ & 20 & 0.550 & 0.600", text)

    def test_many_groups_are_shown_by_a_click(self):
        many = {f"group {k}": (30, 30, (0.7,) * 3, (0.7,) * 3) for k in range(40)}
        self.evaluation(many)
        self.assertIn("40 rows: compas: each group, means", report_of(self.folder).words["results"])
        self.assertIn("<details>\n<summary>40 rows:", (self.folder / "report.html").read_text(encoding="utf-8"))

    def test_small_groups_make_one_warning(self):
        path = self.evaluation().path
        with h5py.File(path, "a") as file:
            del file["findings"]
            file["findings"] = np.array([("compas", "small", f"WARNING: group '{name}' has few rows", "")
                                         for name in ("Asian", "Other")], FINDINGS)
        self.assertEqual([found for found in warnings.warnings(folders.found_in(self.folder))
                          if found[0].startswith("Too small")],
                         [("Too small on compas", "group 'Asian' has few rows; group 'Other' has few rows")])


class NoGroups(AnalysisTest):
    def write(self, *sources):
        """Writes an evaluation of these sources, of which "loans" has no groups, with a finding on its gap of 0."""
        path = add_groups(write_evaluation(self.folder / "e.h5", list(sources), with_frontier=True), "loans", ALONE)
        with h5py.File(path, "a") as file:
            rows = file["findings"][:]
            rows["method"][rows["kind"] == b"constant"] = b""  # group thresholds
            del file["findings"]
            file["findings"] = np.append(rows, np.array(
                [("loans", "fairness", "no selection of rows helps here: the EO gap is near what a fair model shows by "
                  "chance", "")], rows.dtype))
        stamp(path, config="[inner]\nuse_group = true\n")
        return path

    def test_a_report_says_once_that_fairness_is_not_in_question_and_no_more_of_it(self):
        self.write("loans")
        page = report_of(self.folder)
        said = " ".join(page.words[section] for section in ("top", "warnings", "results", "plots"))
        said += " ".join(tag["alt"] for _, tag in page.of("img"))
        sentence = "No groups given: fairness is not in question."
        self.assertEqual(said.count(sentence), 1)
        self.assertIsNone(re.search(FAIRNESS_WORDS, said.replace(sentence, "")), said)
        self.assertIn("metasieve, hard 0.730 [0.720, 0.750] +3.0 [+2.5, +3.5] – 5.0 %", said)
        self.assertIn("metasieve, hard − reweighing (Kamiran-Calders) +1.2", said)
        self.assertIn("all rows 23 %", said)
        self.assertEqual([tag["alt"] for _, tag in page.of("img")],
                         ["Dot plot of e.h5, accuracy of each method. loans: all rows 0.700, metasieve (hard) 0.730."])

    def test_beside_data_with_groups_their_gaps_stay(self):
        add_groups(self.write("loans", "compas"), "compas")
        page = report_of(self.folder)
        self.assertEqual(page.words["top"].count("On loans, no groups given: fairness is not in question."), 1)
        self.assertEqual(page.words["results"].count("EO gap 0.400"), 1)
        self.assertIn("0.100 instead of 0.400", page.words["top"])
        titles = [picture.title for picture, _ in pictures.pictures(folders.found_in(self.folder))]
        self.assertEqual(titles, ["Accuracy against the EO gap: compas", "Accuracy against the DP gap: compas",
                                  "Accuracy of each method: loans", "Groups of compas", "What fairness costs"])

    def test_of_many_sources_the_count_speaks_of_gaps_only_where_there_are_some(self):
        self.write("loans", "a", "b", "c")
        said = " ".join(words.verdict(folders.found_in(self.folder)))
        self.assertIn("as accurate within chance on 0; its equalised-odds gap is smaller beyond chance on 3,", said)
        for source in "abc":
            add_groups(self.folder / "e.h5", source, ALONE)
        said, sentence = words.verdict(folders.found_in(self.folder))
        self.assertTrue(said.endswith("as accurate within chance on 0."), said)
        self.assertEqual(sentence, "No groups given: fairness is not in question.")

    def test_trainings_and_sweeps_without_groups_have_no_gaps_either(self):
        table = validation()
        none = table.assign(**{name: 0.0 for name in table if name.endswith("_gap")})
        points = swept(meta__weight=[0.1, 0.5], policy__keep=[0.6, 0.8])
        gaps = [name for name in points if "_gap." in name]
        self.assertTrue(gaps)
        points[gaps] = points[gaps].where(points[gaps].isna(), 0.0)
        write_tables(self.folder / "results.h5", "results", history=history(), validation=none)
        write_tables(self.folder / "sweep.h5", "sweep", points=points)
        page = report_of(self.folder)
        said = page.words["top"] + page.words["results"] + " ".join(tag["alt"] for _, tag in page.of("img"))
        sentence = "No groups given: fairness is not in question."
        self.assertEqual(said.count(sentence), 1)
        self.assertIsNone(re.search(FAIRNESS_WORDS, said.replace(sentence, "")), said)
        self.assertIn("it reaches accuracy 0.850 (untrained 0.700, all rows 0.750)", said)


if __name__ == "__main__":
    unittest.main()

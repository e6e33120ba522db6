"""Bad usage and configuration give exit code 2: one clear line on any number of ranks, no hang, and nothing written."""

import os
import shutil

from support import (ALONE, BINARY, FAMILY, ROOT, SHORT, TINY, BinaryTest, execute, in_parallel, messages, noise,
                     write_dataset)

RANKS = (ALONE, 2, 3)


class BadConfiguration(BinaryTest):
    def refuse(self, cases, ranks=(ALONE,)):
        """cases: (words, what the message must match)"""
        before = sorted(self.folder.rglob("*"))
        calls = [lambda c=command, r=r: self.execute(*c, ranks=r) for command, _ in cases for r in ranks]
        expected = [(command, names, r) for command, names in cases for r in ranks]
        for (command, names, r), run in zip(expected, in_parallel(calls)):
            with self.subTest(" ".join(command), ranks=r):
                self.assert_refused(run, 2, names)
        self.assertEqual(sorted(self.folder.rglob("*")), before)

    def ini(self, name, text):
        (self.folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
        return ("train", "--output", "new", "--config", name)

    def train(self, *more):
        return ("train", "--output", "new", *more)

    def evaluate(self, *more):
        return ("evaluate", "--policy", "p.h5", "--suite", "s.h5", "--output", "new.h5", *more)

    def test_command_line(self):
        evaluate = ("evaluate", "--policy", "p.h5", "--output", "e.h5")
        self.refuse([
            ((), "a command is needed.*--help"),
            (("",), "unknown command"),
            (("trian",), "unknown command trian: the commands are generate, train, evaluate"),
            (("-v",), "must be a command, not -v"),
            (("--output", "x", "train"), "must be a command"),
            (("train",), "train needs --output; usage: "),
            (("generate", "--dry-run"), "generate needs --output"),
            (self.train("more"), "unexpected argument 'more'"),
            (("train", "--output"), "--output needs a value"),
            (("train", "--output", ""), "--output needs a value"),
            (("train", "--output="), "--output needs a value"),
            (("train", "--output", "--dry-run"), "--output needs a value, but --dry-run follows"),
            (("train", "--output", "a", "--output", "b"), "--output is given twice"),
            (("train", "--out", "a"), "unknown option --out: did you mean --output"),
            (self.train("--policy", "p.h5"), "unknown option --policy"),
            (self.train("--dry-run=yes"), "--dry-run takes no value"),
            (self.train("--iterations", "3"), "did you mean --meta.iterations"),
            (("evaluate", "--output", "e.h5", "--suite", "s.h5"), "evaluate needs --policy"),
            (("evaluate", "--policy", "p.h5", "--suite", "s.h5"), "evaluate needs --output"),
            (("score", "--policy", "p.h5", "--output", "s.h5"), "score needs --dataset"),
            (("score", "--policy", "p.h5", "q.h5", "--dataset", "d.h5", "--output", "s.h5"), "unexpected argument .q.h5.; usage: metasieve score"),
            (("score", "--policy", "p.h5", "--dataset", "d.h5", "--output", "s.csv"), "s.csv: name the HDF5 file"),
            (("score", "--policy", "p.h5", "--dataset", "d.h5", "--frontier", "--output", "s.h5"),
             "unknown option --frontier"),
            (evaluate, "either --suite or --dataset"),
            ((*evaluate, "--suite", "s.h5", "--dataset", "d.h5"), "either --suite or --dataset, not both"),
            ((*evaluate, "--dataset"), "--dataset needs a value"),
            (("inspect",), "inspect needs exactly one file"),
            (("inspect", "a", "b"), "inspect needs exactly one file"),
            (("inspect", "a", "--meta.batch", "3"), "unknown option --meta.batch: inspect takes one file"),
        ])

    def test_keys(self):
        self.refuse([
            (self.train("--meta.batsh", "3"), "--meta.batsh: did you mean --meta.batch"),
            (self.train("--meta.batch"), "--meta.batch needs a value"),
            (self.train("--meta.batch="), "--meta.batch needs a value"),
            (self.train("--meta.batch", "--dry-run"), "--meta.batch needs a value"),
            (self.train("--meta.batch", "2", "--meta.batch=3"), "--meta.batch is given twice"),
            (self.train("--meta.batch", "-1"), "meta.batch = -1: must be an integer from 0 to 1000000000"),
            (self.train("--meta.batch=-1"), "meta.batch = -1: must be an integer"),
            (self.train("--meta.batch", "1.5"), "meta.batch = 1.5: must be an integer"),
            (self.train("--meta.batch", "99999999999999999999"), "meta.batch = 9+: must be an integer"),
            (self.train("--meta.batch", "1\n2"), "meta.batch = 1 2: must be an integer"),
            (self.train("--meta.learning_rate", "nan"), "meta.learning_rate = nan: must be a number >= 0"),
            (self.train("--meta.learning_rate", "inf"), "meta.learning_rate = inf: must be a number >= 0"),
            (self.train("--meta.learning_rate", "1e-3x"), "meta.learning_rate = 1e-3x: must be a number"),
            (self.train("--policy.keep=2"), "policy.keep = 2: must be a number > 0 and < 1"),
            (self.train("--policy.keep", "0"), "policy.keep = 0: must be a number > 0 and < 1"),
            (self.train("--policy.hidden", "8,,4"), "policy.hidden = 8,,4: must be .*integers from 1 to 4096"),
            (self.train("--policy.features", "all"), r"policy.features = all: must be basic \| full \| context \| relative \| fair"),
            (self.train("--inner.method", "newton"), r"inner.method = newton: must be implicit \| unrolled"),
            (self.train("--inner.ridge", "0"), "inner.ridge = 0: must be a number > 0"),
            (self.train("--inner.use_group", "yes"), "inner.use_group = yes: must be true or false"),
            (self.train("--suite.seed", "-1"), "suite.seed = -1: must be an integer from 0"),
            (self.evaluate("--evaluate.label_noise", "0.5"), "evaluate.label_noise = 0.5: must be"),
            (self.evaluate("--evaluate.corruption", "flips:0.1,hidden"), "evaluate.corruption = flips:0.1,hidden: must be a"),
            (self.evaluate("--evaluate.corruption", "groups", "--evaluate.label_noise", "0.1"),
             "evaluate.label_noise is flips:0.1, and evaluate.corruption is groups; give one of the two"),
            (self.evaluate("--evaluate.methods", "meta_hrd"), "evaluate.methods = meta_hrd: .*meta_hard"),
            (self.evaluate("--evaluate.fairness", "both"), "evaluate.fairness = both: must be dp . eo"),
            (self.evaluate("--evaluate.roh_tau", "1.1"), "evaluate.roh_tau = 1.1: must be a number >= 0 and <= 1"),
            (self.evaluate("--evaluate.adapt_steps", "-1"), "evaluate.adapt_steps = -1: must be an integer from 0"),
            (self.evaluate("--evaluate.frontier_weights", "0,x"), "evaluate.frontier_weights = 0,x: must be 1 to 100"),
            (self.evaluate("--evaluate.frontier_weights", "0,-1"), "evaluate.frontier_weights = 0,-1: must be"),
            (self.train("--suite.validation_tasks", "240"), "_tasks = 240: must be less than suite.tasks = 240"),
            (self.train("--suite.tasks", "40"), "validation_tasks = 40: must be less than suite.tasks = 40"),
            (self.train("--suite.hold", "disk"), r"suite.hold = disk: must be memory \| regenerate"),
            (self.train("--suite.hold_features", "false"), "hold_features = false: needs suite.hold = regenerate"),
        ])

    def test_families(self):
        self.refuse([
            (self.train("--suite.mixture", ""), "suite.mixture = : must be NAME:SHARE"),
            (self.train("--suite.mixture", "seed:x"), "suite.mixture = seed:x: must be NAME:SHARE"),
            (self.train("--suite.mixture", "seed:-1"), "suite.mixture = seed:-1: must be"),
            (self.train("--suite.mixture", "seed:1,seed:2"), "suite.mixture = seed:1,seed:2: must be"),
            (self.train("--suite.mixture", "seed:1,,biased:1"), "suite.mixture = .*: must be"),
            (self.train("--suite.mixture", "none:1"), r"no family none: .*\[family.none\].*families/none.ini"),
            (self.train("--suite.mixture", "../seed:1"), "suite.mixture = ../seed:1: must be"),
            (self.train("--family.seed.samples", "100"), "family.seed.samples = 100: .*does not use this family"),
            (self.train("--family.biased.samplse", "100"), "did you mean family.biased.samples"),
            (self.train("--family.biased", "100"), "family.NAME.knob"),
            (self.train("--family.biased.samples"), "--family.biased.samples needs a value"),
            (self.train("--family.biased.samples", "--dry-run"), "--family.biased.samples needs a value"),
            (self.train("--family.biased.samples", "9:5"), "family.biased.samples = 9:5: must be lo:hi"),
            (self.train("--family.biased.minority", "0:1"), "family.biased.minority = 0:1: must be"),
            (self.train("--family.biased.label_noise", "0.6"), "family.biased.label_noise = 0.6: must be"),
            (self.train("--family.biased.disadvantaged", "1"), "disadvantaged = 1: must be minority or random"),
            (self.train("--family.biased.base", "table"), "family.biased.base = table: must be clusters or tabular"),
            (self.train("--family.biased.factors", "0"), "family.biased.factors = 0: must be lo:hi .*whole, 1 <= "),
            (self.train("--family.biased.groups", "0:2"), "biased.groups = 0:2: must be lo:hi or one number, whole, 1 <= "),
            (self.train("--family.biased.groups", "2.5"), "family.biased.groups = 2.5: must be lo:hi .*whole"),
            (self.train("--family.biased.groups", "65"), "family.biased.groups = 65: must be .*<= 64"),
            (self.train("--family.biased.groups", "2:7"),
             r"groups = 2:7: .* minority = 0\.1:0\.9 allows at most 6; or minority must begin at 0\.12"),
        ])

    def test_files(self):
        (self.folder / "folder").mkdir()
        with open(self.folder / "huge.ini", "w") as huge:
            huge.truncate(10**11)  # a hole: takes no space
        os.makedirs(self.folder / "families")
        (self.folder / "families/empty.ini").write_text("# nothing\n")
        (self.folder / "families/wrong.ini").write_text("samples = 100\nfeetures = 5\n")
        self.refuse([
            (self.train("--config", "none.ini"), "none.ini: no such file"),
            (self.train("--config", "folder"), "folder: is a folder"),
            (self.train("--config", ""), "--config needs a value"),
            (self.train("--config", "/dev/zero"), "/dev/zero: is no regular file"),
            (self.train("--config", "huge.ini"), "huge.ini: is larger than 16 MB"),
            (self.ini("binary.ini", noise(400)), "binary.ini: is no text file"),
            (self.ini("word.ini", "[meta]\nbatch = 3\nbatch size 3\n"), 'word.ini: line 3: "batch size 3"'),
            (self.ini("bracket.ini", "# [\n\n[meta\nbatch = 3\n"), r'bracket.ini: line 3: "\[meta"'),
            (self.ini("nokey.ini", "[meta]\n = 3\n"), "nokey.ini: unknown key meta.:"),
            (self.ini("long.ini", "word" * 200), r"long.ini: line 1: .*\.\.\."),
            (self.ini("twice.ini", "[meta]\nbatch = 3\n[suite]\ntasks = 50\n[meta]\nbatch = 4\n"),
             "twice.ini: meta.batch is given twice"),
            (self.ini("unknown.ini", "[meta]\nbatsh = 3\n"), "unknown.ini: .*meta.batsh: did you mean meta.batch"),
            (self.ini("bare.ini", "batch = 3\n"), "bare.ini: .*batch: did you mean meta.batch"),
            (self.ini("domain.ini", "[policy]\nkeep = 1.5\n"), "domain.ini: policy.keep = 1.5: must be"),
            (self.ini("none.ini2", "[meta]\nbatch =\n"), "none.ini2: meta.batch = : must be"),
            (self.ini("empty_family.ini", "[suite]\nmixture = empty:1\n"), "families/empty.ini: defines no knob"),
            (self.ini("wrong_family.ini", "[suite]\nmixture = wrong:1\n"), "families/wrong.ini: .*features"),
        ])

    def test_on_several_ranks(self):
        self.refuse([
            ((), "^metasieve: a command is needed"),
            (self.train("--meta.batsh", "3"), "^metasieve: unknown option"),
            (self.train("--policy.keep", "2"), "^metasieve: policy.keep = 2"),
            (self.train("--config", "none.ini"), "^metasieve: none.ini: no such file"),
            (self.train("--suite.mixture", "none:1"), "^metasieve: suite.mixture"),
            (self.train("--suite.tasks", "4"), "^metasieve: suite.validation_tasks"),
        ], ranks=(2, 3))

    def test_two_data_sets_of_one_name(self):
        self.succeed("train", *TINY, *SHORT, "--output", "run")
        for name in ("a", "b"):
            (self.folder / name).mkdir()
            write_dataset(self.folder / name / "same.h5")
        self.refuse([(("evaluate", "--policy", "run/policy.h5", "--dataset", "a/same.h5", "b/same.h5", "--output",
                       "e.h5"), "two data sets are called same; rename")], ranks=RANKS)

    def test_policies_of_two_kinds(self):
        for name, more in (("sees", ()), ("blind", ("--inner.use_group", "false")),
                           ("ten", ("--policy.features", "basic")), ("small", ("--policy.keep", "0.6"))):
            self.succeed("train", *TINY, *SHORT, *more, "--output", name)
        write_dataset(self.folder / "d.h5")
        both = ("evaluate", "--dataset", "d.h5", "--output", "e.h5", "--policy", "sees/policy.h5")
        self.refuse([((*both, "blind/policy.h5"), "blind/policy.h5 and sees/policy.h5: .*inner.use_group"),
                     ((*both, "small/policy.h5"), "small/policy.h5 and sees/policy.h5: keep different shares; give"),
                     ((*both, "ten/policy.h5"), "ten/policy.h5 and sees/policy.h5: trained on different features")],
                    ranks=RANKS)
        self.succeed(*both, "blind/policy.h5", "--inner.use_group", "true", "--evaluate.methods", "meta_hard")

    def test_names_of_data_sets_that_reports_would_mix_up(self):
        self.succeed("train", *TINY, *SHORT, "--output", ".")
        names = ["x" * 63 + end + ".h5" for end in ("a", "b")]
        for name in names:
            write_dataset(self.folder / name)
        evaluate = ("evaluate", "--policy", "policy.h5", "--dataset", *names, "--output", "e.h5")
        said = f"--dataset {names[0]} and {names[1]}: their names differ only after the first 63 bytes.*rename one"
        self.refuse([(evaluate, said), ((*evaluate, "--dry-run"), said)], ranks=RANKS)
        write_dataset(self.folder / ("y" + names[1][1:]))
        self.succeed("evaluate", "--policy", "policy.h5", "--dataset", names[0], "y" + names[1][1:], "--output",
                     "e.h5", "--evaluate.methods", "meta_hard", "--evaluate.splits", "2")

    def test_inputs_are_not_replaced(self):
        self.succeed("train", *TINY, *SHORT, "--output", ".")
        write_dataset(self.folder / "loans.h5")
        (self.folder / "loans.csv").write_text("income,repaid\n1,yes\n")
        (self.folder / "link.h5").symlink_to("loans.h5")
        evaluate = ("evaluate", "--policy", "policy.h5", "--dataset", "loans.h5", "--output")
        score = ("score", "--policy", "policy.h5", "--dataset", "loans.h5", "--output")
        self.refuse([((*evaluate, "loans.h5"), "would replace the input loans.h5"),
                     ((*evaluate, "./policy.h5"), "would replace the input policy.h5"),
                     ((*evaluate, "link.h5", "--dry-run"), "would replace the input loans.h5"),
                     ((*score, "loans.h5"), "would replace the input loans.h5"),
                     ((*score, "new/../loans.hdf5"), "would replace .*loans.csv, which holds something else"),
                     ((*score, "policy.h5", "--dry-run"), "would replace the input policy.h5")], ranks=RANKS)
        self.succeed(*score, "scores.h5")
        self.succeed(*score, "scores.h5")  # its own

    def test_validation_tasks_of_a_suite_file(self):
        self.succeed("generate", *TINY, "--output", "suite.h5")
        self.refuse([(self.train("--suite", "suite.h5"), "suite.validation_tasks = 40: the suite has 4 tasks"),
                     (self.train("--suite", "suite.h5", "--dry-run"), "suite.validation_tasks = 40")], ranks=RANKS)


class GoodConfiguration(BinaryTest):
    """What looks odd and is right."""

    def test_forms_of_the_command_line(self):
        for more in (("--meta.batch", "2"), ("--meta.batch=2",), ("--meta.batch=0", "--policy.keep", ".5"),
                     ("--suite.mixture=tiny",), ("--suite.mixture", "tiny:2"),
                     ("--suite.mixture", "tiny:1, seed:1e-9")):
            with self.subTest(more=more):
                rest = FAMILY[2:] if any("mixture" in word for word in more) else FAMILY
                self.succeed("train", "--dry-run", *more, *rest, "--suite.tasks", "4", "--output=new",
                             "--suite.validation_tasks=1")

    def test_forms_of_an_ini_file(self):
        text = "\ufeff# a comment\r\n[suite]\r\ntasks=4 # four\r\n validation_tasks = 1\r\nmixture = own:1\r\n" \
               "\r\n[family.own]\r\nsamples = 60:100\r\nfeatures=5\r\n"
        (self.folder / "run.ini").write_bytes(text.encode())

        run = self.succeed("train", "--config", "run.ini", "--suite.tasks", "3", "--dry-run", "--output", "new")

        self.assertRegex(run.stdout, "tasks +3 with")

    def test_a_program_without_its_families_evaluates_and_scores(self):
        program = shutil.copy(BINARY, self.folder / "program")
        write_dataset(self.folder / "data.h5")
        common = ("--policy", ROOT / "configs/policy.h5", "--dataset", "data.h5")
        for command in (("evaluate", *common, "--evaluate.splits", "2", "--evaluate.methods", "meta_hard", "--output",
                         "e.h5"), ("score", *common, "--output", "s.h5")):
            run = execute([str(program), *map(str, command)], self.folder)
            self.assertEqual((run.returncode, messages(run)), (0, []), run.stderr)
        run = execute([str(program), "generate", "--output", "suite.h5"], self.folder)
        self.assert_refused(run, 2, "no family seed_random: give a section")
        self.succeed("generate", *TINY, "--output", "suite.h5")
        run = execute([str(program), "train", "--suite", "suite.h5", "--suite.validation_tasks", "1", *SHORT,
                       "--output", "run"], self.folder)
        self.assertEqual((run.returncode, messages(run)), (0, []), run.stderr)

    def test_empty_file_means_defaults(self):
        (self.folder / "run.ini").touch()

        run = self.succeed("generate", "--config", "run.ini", "--dry-run", "--output", "new.h5")

        self.assertRegex(run.stdout, "tasks +240 with")

    def test_family_beside_the_configuration(self):
        (self.folder / "sub/families").mkdir(parents=True)
        (self.folder / "sub/families/own.ini").write_text("samples = 60\n")
        (self.folder / "sub/run.ini").write_text("[suite]\nmixture = own:1\ntasks = 10\nvalidation_tasks = 0\n")

        run = self.succeed("generate", "--config", "sub/run.ini", "--dry-run", "--output", "new.h5")

        self.assertRegex(run.stdout, "tasks +10 with 600 rows")

"""What is selected: several policies, adaptation, rounds, frontier, scores; h5py reads every file."""

import csv
import re

import h5py
import numpy as np

from support import FAMILY, TRAIN, FilesTest, text, write_dataset


class Selection(FilesTest):
    def test_several_policies_are_compared_in_one_call(self):
        write_dataset(self.folder / "data.h5")
        for seed in (1, 2):
            self.succeed(*TRAIN, "--meta.seed", seed, "--output", f"out{seed}")
        evaluate = ("evaluate", "--dataset", "data.h5", "--evaluate.splits", "3", "--evaluate.methods",
                    "meta_hard,trained_hard,roh")
        self.succeed(*evaluate, "--policy", "out1/policy.h5", "--output", "one.h5")
        run = self.succeed(*evaluate, "--policy", "out1/policy.h5", "out2/policy.h5", "--output", "both.h5", ranks=2)

        one, both = (self.open(f"{name}.h5")["evaluation"][()] for name in ("one", "both"))
        self.assertEqual([(row["split"], text(row["method"]), row["policy"]) for row in both],
                         [(split, method, policy) for split in range(3) for method, policy in
                          (("baseline", -1), ("meta_hard", 0), ("meta_hard", 1), ("trained_hard", 0),
                           ("trained_hard", 1), ("roh", -1))])
        np.testing.assert_array_equal(both[both["policy"] < 1], one)  # the second changes nothing for the first
        for row in self.open("both.h5")["summary"][()]:
            mine = both[both["method"] == row["method"]]
            values = mine[text(row["metric"])].reshape(3, -1).mean(axis=1)
            self.assertEqual(row["policies"], 2 if b"_hard" in row["method"] else 1)
            if not np.isnan(values).any():
                self.assertAlmostEqual(row["mean"], values.mean())
        pairs = self.open("both.h5")["paired"][()]
        pair = pairs[(pairs["method"] == b"meta_hard") & (pairs["peer"] == b"roh") & (pairs["metric"] == b"accuracy")][0]
        accuracy = {name: both[both["method"] == name]["accuracy"].reshape(3, -1).mean(axis=1)
                    for name in (b"meta_hard", b"roh")}
        difference = np.round(accuracy[b"meta_hard"] - accuracy[b"roh"], 12)  # equal means are equal to rounding
        self.assertAlmostEqual(pair["difference"], difference.mean())
        self.assertAlmostEqual(pair["won"], ((difference > 0) + 0.5 * (difference == 0)).mean())
        self.assertRegex(run.stdout, "mean of 2 policies")
        self.assertRegex(run.stdout, r"meta_hard - roh +accuracy")

    def test_adaptation_rounds_and_frontier(self):
        write_dataset(self.folder / "data.h5", rows=120)
        self.succeed(*TRAIN, "--output", "out")
        evaluate = ("evaluate", "--policy", "out/policy.h5", "--dataset", "data.h5", "--evaluate.splits", "2",
                    "--evaluate.methods", "trained_hard,meta_hard,meta_soft,penalised")
        self.succeed(*evaluate, "--output", "plain.h5", "--evaluate.adapt", "none")
        self.succeed(*evaluate, "--output", "adapted.h5", "--evaluate.adapt_steps", "5",
                     "--evaluate.adapt_learning_rate", "0.05")
        self.succeed(*evaluate, "--output", "rounds.h5", "--evaluate.refit_rounds", "2", "--evaluate.adapt_steps", "0",
                     "--evaluate.refit_below_correlation", "1")
        run = self.succeed(*evaluate, "--output", "frontier.h5", "--frontier", "--evaluate.frontier_weights", "0,2",
                           "--evaluate.frontier_tolerances", "0.1", "--evaluate.adapt_steps", "5", ranks=2)

        def of(name, method):
            rows = self.open(f"{name}.h5")["evaluation"][()]
            return rows[rows["method"] == method.encode()]["auc"]

        np.testing.assert_array_equal(of("plain", "meta_hard"), of("plain", "trained_hard"))
        for changed in ("adapted", "rounds"):
            np.testing.assert_array_equal(of(changed, "trained_hard"), of("plain", "trained_hard"))
            self.assertFalse(np.array_equal(of(changed, "meta_hard"), of("plain", "meta_hard")), changed)
        self.assertNotIn("frontier", self.open("plain.h5"))
        frontier = self.open("frontier.h5")["frontier"][()]
        points = {(text(row["method"]), row["setting"]) for row in frontier}
        self.assertEqual(points, {(m, s) for m in ("meta_hard", "meta_soft", "penalised") for s in (0.0, 2.0)} |
                         {("threshold", 0.1)})
        level = frontier[(frontier["method"] == b"penalised") & (frontier["setting"] == 0) &
                         (frontier["metric"] == b"accuracy")][0]
        self.assertEqual(level["baseline_change"], 0)
        self.assertRegex(run.stdout, r"(?m)^frontier: .*\n  data +meta_hard +0\.000  accuracy")

    def test_without_the_blend_the_adapted_policy_alone_selects(self):
        write_dataset(self.folder / "data.h5", rows=120)
        self.succeed(*TRAIN, "--output", "out")
        scores = {}
        for name, options in (("trained", ("--evaluate.adapt", "none")), ("adapted", ("--evaluate.blend", "false")),
                              ("blend", ())):
            self.succeed("score", "--policy", "out/policy.h5", "--dataset", "data.h5", "--output", f"{name}.h5",
                         "--evaluate.adapt_fairness_weight", "0", *options)
            scores[name] = self.open(f"{name}.h5")["scores"][()]
        weights = {name: found["weight"] for name, found in scores.items()}
        share = self.open("blend.h5").attrs["hidden_positives_share"]
        part = 0.6 - 0.3 * min(1, share / 0.25)
        np.testing.assert_allclose(weights["blend"], (1 - part) * weights["trained"] + part * weights["adapted"], atol=1e-12)
        np.testing.assert_allclose(1 / (1 + np.exp(-scores["blend"]["score"])), weights["blend"], atol=1e-12)
        self.assertFalse(np.allclose(weights["trained"], weights["adapted"]))

    def test_hidden_positives_are_found_said_and_kept(self):
        random = np.random.default_rng(5)
        x = random.normal(size=(3000, 4)).astype("f4")
        z = random.random(3000) < 0.4
        y = random.random(3000) < 1 / (1 + np.exp(-3 * x[:, 0] - 2 * x[:, 1]))
        hidden = y & z & (random.random(3000) < 0.4)
        for name, labels in (("plain", y), ("biased", y & ~hidden)):
            with h5py.File(write_dataset(self.folder / f"{name}.h5", rows=3000, columns=4, groups=["M", "F"]), "r+") as file:
                file["x"][...], file["y"][...], file["z"][...] = x, labels, z
        self.succeed(*TRAIN, "--output", "out")
        few = ("--policy", "out/policy.h5", "--evaluate.adapt_steps", "2")
        sentence = r"labels seem to hide (\d+) % of the positives of group 'F' \(log-likelihood \+\d+\.\d against none\)"
        for ranks in (1, 2):
            said = self.succeed("score", *few, "--dataset", "biased.h5", "--output", "s.h5", ranks=ranks).stdout
            attributes = self.open("s.h5").attrs
            self.assertEqual(text(attributes["hidden_positives_group"]), "F")
            self.assertTrue(0.25 < attributes["hidden_positives_share"] < 0.55)
            self.assertGreater(attributes["hidden_positives_evidence"], 2)
            self.assertEqual(int(re.search(sentence, said)[1]), round(100 * attributes["hidden_positives_share"]))
        self.assertNotRegex(self.succeed("score", *few, "--dataset", "plain.h5", "--output", "p.h5").stdout, "seem to hide")
        self.assertLess(self.open("p.h5").attrs["hidden_positives_share"], 0.1)
        self.succeed("score", *few, "--dataset", "biased.h5", "--output", "a.h5", "--evaluate.blend", "false")
        self.assertNotIn("hidden_positives_share", self.open("a.h5").attrs)

        run = self.succeed("evaluate", *few, "--dataset", "biased.h5", "plain.h5", "--output", "e.h5", "--evaluate.splits", "2",
                           "--evaluate.methods", "meta_soft", "--evaluate.corruption", "none", ranks=2)
        file = self.open("e.h5")
        rows = file["hidden_positives"][()]
        self.assertEqual([(text(row["source"]), row["split"]) for row in rows],
                         [(name, split) for name in ("biased", "plain") for split in (0, 1)])
        biased = rows[rows["source"] == b"biased"]
        self.assertEqual([(row["group"], text(row["name"])) for row in biased], [(1, "F")] * 2)
        self.assertEqual(int(re.search("hidden: " + sentence, run.stdout)[1]), round(100 * biased["share"].mean()))
        found = [row for row in file["findings"][()] if row["kind"] == b"hidden"]
        self.assertEqual([(text(row["source"]), text(row["group"])) for row in found], [("biased", "F")])
        self.assertAlmostEqual(found[0]["level"], biased["share"].mean())

    def test_corruptions_are_sources_of_one_file(self):
        write_dataset(self.folder / "data.h5", rows=200)
        long = "l" * 80
        for name in ("known", long):
            with h5py.File(write_dataset(self.folder / f"{name}.h5"), "r+") as file:
                if name == "known":
                    file["y_clean"] = file["y"][()] ^ (np.arange(80) % 9 == 0).astype("u1")
        self.succeed(*TRAIN, "--output", "out")
        evaluate = ("evaluate", "--policy", "out/policy.h5", "--evaluate.splits", "2", "--evaluate.adapt_steps", "2",
                    "--evaluate.methods", "reweighing,meta_soft")
        all_of_them = ["none", "flips:0.1", "hidden:0.3", "groups", "lowest_loss:0.1", "clustered:0.1"]
        run = self.succeed(*evaluate, "--dataset", "data.h5", f"{long}.h5", "known.h5", "--evaluate.corruption",
                           ",".join(all_of_them), "--output", "all.h5", ranks=2)
        rows = self.open("all.h5")["evaluation"][()]
        sources = list(dict.fromkeys(text(row["source"]) for row in rows))
        self.assertEqual(sources, [f"data/{name}" for name in all_of_them] +
                         [f"{long[:62 - len(name)]}/{name}" for name in all_of_them] + ["known"])
        for source in sources:
            self.assertRegex(run.stdout, rf"(?m)^{re.escape(source)} \(2 repeats;")
        wrong = {name: rows[rows["source"] == f"data/{name}".encode()]["noise_rate_all"] for name in all_of_them}
        self.assertEqual(set(wrong["none"]), {0.0})
        for name in ("flips:0.1", "lowest_loss:0.1", "clustered:0.1"):
            self.assertEqual(set(wrong[name]), {0.1})  # 14 of 140
        for name, options in (("flips:0.1", ("--evaluate.label_noise", "0.1")),
                              ("hidden:0.3", ("--evaluate.corruption", "hidden:0.3"))):
            self.succeed(*evaluate, "--dataset", "data.h5", *options, "--output", "one.h5")
            alone, among = self.open("one.h5")["evaluation"][()], rows[rows["source"] == f"data/{name}".encode()]
            self.assertEqual(set(alone["source"]), {b"data"})
            for field in ("method", "split", "accuracy", "auc", "noise_rate_selected", "selected"):
                np.testing.assert_array_equal(alone[field], among[field])
        self.succeed("verify", "all.h5")
        for name in ("n" * 56 + "x", "n" * 56 + "y"):
            write_dataset(self.folder / f"{name}.h5")
        alike = ("--dataset", "n" * 56 + "x.h5", "n" * 56 + "y.h5", "--output", "e.h5", "--evaluate.corruption")
        self.succeed(*evaluate, *alike, "groups")
        self.assert_refused(self.execute(*evaluate, *alike, "none,groups"), 2, "differ only after the first 56 bytes")

    def test_data_sets_are_adapted_to_and_suites_are_not_unless_asked_for(self):
        write_dataset(self.folder / "data.h5", rows=120)
        self.succeed(*TRAIN, "--output", "out")
        self.succeed("generate", *FAMILY, "--suite.tasks", "2", "--suite.validation_tasks", "0", "--output", "suite.h5")
        few = ("--evaluate.splits", "2", "--evaluate.methods", "trained_soft,meta_soft")
        recommended = ("--evaluate.adapt_steps", "60", "--evaluate.adapt_fairness_weight", "0.1",
                       "--evaluate.refit_rounds", "6", "--evaluate.refit_below_correlation", "0.3")

        def change(source, *options):
            run = self.succeed("evaluate", "--policy", "out/policy.h5", *source, *few, *options, "--output", "e.h5")
            rows = self.open("e.h5")["evaluation"][()]
            steps = int(re.search(r"(?m)^adapt_steps = (\d+)", text(self.open("e.h5").attrs["config"]))[1])
            self.assertEqual("meta_*: adapted by" in run.stdout, steps > 0)
            of = {name: rows[rows["method"] == name]["noise_rate_selected"] for name in (b"meta_soft", b"trained_soft")}
            return of[b"meta_soft"] - of[b"trained_soft"]

        data, suite = ("--dataset", "data.h5"), ("--suite", "suite.h5")
        self.assertTrue(change(data).any())
        np.testing.assert_array_equal(change(data), change(data, *recommended))
        np.testing.assert_array_equal(change(data, "--evaluate.adapt", "none"), 0)
        np.testing.assert_array_equal(change(suite), 0)
        self.assertTrue(change(suite, "--evaluate.adapt", "always").any())
        self.assertTrue(change(suite, "--evaluate.adapt_steps", "5").any())

    def test_few_methods_are_compared_on_data_sets_and_oracles_only_where_labels_are_clean(self):
        self.succeed(*TRAIN, "--output", "out")
        for name in ("plain", "known"):
            with h5py.File(write_dataset(self.folder / f"{name}.h5"), "r+") as file:
                if name == "known":
                    file["y_clean"] = file["y"][()] ^ (np.arange(80) % 9 == 0).astype("u1")
        evaluate = ("evaluate", "--policy", "out/policy.h5", "--evaluate.splits", "2", "--output", "e.h5")
        few = ["baseline", "reweighing", "roh", "penalised", "threshold", "meta_hard", "meta_soft"]

        def methods(source):
            rows = self.open("e.h5")["evaluation"][()]
            return [text(row["method"]) for row in rows if text(row["source"]) == source and row["split"] == 0]

        self.succeed(*evaluate, "--dataset", "plain.h5", "known.h5", ranks=2)
        self.assertEqual(methods("plain"), few)
        self.assertEqual(methods("known"), [*few, "oracle", "oracle_penalised"])
        self.succeed(*evaluate, "--dataset", "plain.h5", "--evaluate.methods", "all")
        self.assertEqual(len(methods("plain")), 24)

    def test_no_test_row_is_touched_in_the_selection(self):
        """Other test rows: another accuracy, the same selection, with rounds and adaptation on."""
        write_dataset(self.folder / "data.h5", rows=120, split=True)
        (self.folder / "other").mkdir()
        with h5py.File(self.folder / "data.h5") as data, h5py.File(self.folder / "other/data.h5", "w") as other:
            for name in data:
                data.copy(name, other)
            test = data["split"][()] == 1
            other["x"][test, :] = 3.0 - 2.0 * data["x"][()][test]
            other["y"][test] = data["z"][()][test]  # both labels are still there
            for name, value in data.attrs.items():
                other.attrs[name] = value
        self.succeed(*TRAIN, "--output", "out")
        settings = ("--policy", "out/policy.h5", "--evaluate.adapt_steps", "5", "--evaluate.refit_rounds", "1")
        for folder in (".", "other"):
            self.succeed("evaluate", *settings, "--dataset", f"{folder}/data.h5", "--output", f"{folder}/e.h5")
            self.succeed("score", *settings, "--dataset", f"{folder}/data.h5", "--output", f"{folder}/scores.h5")

        one, two = (self.open(f"{folder}/e.h5")["evaluation"][()] for folder in (".", "other"))
        for name in ("noise_rate_all", "noise_rate_selected", "minority_share", "selected"):
            np.testing.assert_array_equal(one[name], two[name], name)
        self.assertFalse(np.array_equal(one["accuracy"], two["accuracy"]))
        one, two = (self.open(f"{folder}/scores.h5")["scores"][()] for folder in (".", "other"))
        for name in ("score", "weight", "selected"):
            np.testing.assert_array_equal(one[name], two[name], name)

    def test_scores(self):
        write_dataset(self.folder / "data.h5")
        write_dataset(self.folder / "parts.h5", split=True)
        self.succeed(*TRAIN, "--output", "out")
        score = ("score", "--policy", "out/policy.h5")
        run = self.succeed(*score, "--dataset", "data.h5", "--output", "new/scores.h5")
        self.succeed(*score, "--dataset", "parts.h5", "--output", "parts_scores.h5", ranks=2)
        self.succeed(*score, "--dataset", "data.h5", "--output", "two.h5", ranks=2)

        file, data = self.open("new/scores.h5"), self.open("data.h5")
        self.assert_root(file, "scores", reproducible=False)
        scores = file["scores"][()]
        self.assertEqual(list(scores.dtype.names), ["row", "score", "weight", "selected", "y", "z"])
        np.testing.assert_array_equal(scores["row"], np.arange(80))
        for name in ("y", "z"):
            np.testing.assert_array_equal(scores[name], data[name][()])
        self.assertEqual(scores["selected"].sum(), 56)
        self.assertGreaterEqual(scores["score"][scores["selected"] == 1].min(),
                                scores["score"][scores["selected"] == 0].max())
        self.assertAlmostEqual(scores["weight"].mean(), 0.7)
        self.assertTrue((np.diff(scores["weight"][np.argsort(scores["score"])]) >= 0).all())
        np.testing.assert_array_equal(scores, self.open("two.h5")["scores"][()])
        self.assertRegex(run.stdout, "^56 of 80 training rows kept")

        table = np.genfromtxt(self.folder / "new/scores.csv", delimiter=",", names=True)
        for name in scores.dtype.names:
            np.testing.assert_array_equal(table[name], scores[name], name)

        parts, test = self.open("parts_scores.h5")["scores"][()], self.open("parts.h5")["split"][()] == 1
        np.testing.assert_array_equal(np.isnan(parts["score"]), test)
        self.assertTrue((parts["weight"][test] == 0).all() and (parts["selected"][test] == 0).all())
        self.assertEqual(parts["selected"].sum(), int(0.7 * (~test).sum()))
        self.assertIn("\n0,,0,0,", (self.folder / "parts_scores.csv").read_text())  # row 0 is a test row

    def test_scores_carry_the_users_row_numbers_ids_and_weights(self):
        write_dataset(self.folder / "plain.h5", split=True)
        write_dataset(self.folder / "data.h5", split=True)
        numbers = np.arange(80)[::-1] * 3
        ids = [f'Müller, "{i}"' if i % 2 else f"id {i}" for i in range(80)]
        weights = np.linspace(0.5, 4, 80)
        with h5py.File(self.folder / "data.h5", "r+") as file:
            file["row"], file["weight"] = numbers, weights
            file.create_dataset("id", data=ids, dtype=h5py.string_dtype())
        self.succeed(*TRAIN, "--output", "out")
        score = ("score", "--policy", "out/policy.h5")
        self.succeed(*score, "--dataset", "plain.h5", "--output", "scores.h5")
        plain = self.open("scores.h5")["scores"][()]
        self.succeed(*score, "--dataset", "data.h5", "--output", "new.h5", ranks=2)
        self.succeed(*score, "--dataset", "data.h5", "--output", "new.h5")  # replaces its own
        self.succeed("verify", "new.h5")

        file = self.open("new.h5")
        scores = file["scores"][()]
        np.testing.assert_array_equal(scores["row"], numbers)
        np.testing.assert_array_equal(scores["score"], plain["score"])
        np.testing.assert_array_equal(scores["weight"], plain["weight"] * weights)
        self.assertEqual([text(value) for value in file["id"]], ids)
        with open(self.folder / "new.csv", newline="", encoding="utf-8") as stream:
            table = list(csv.DictReader(stream))
        self.assertEqual(list(table[0]), ["row", "id", "score", "weight", "selected", "y", "z"])
        self.assertEqual([line["id"] for line in table], ids)
        self.assertEqual([int(line["row"]) for line in table], numbers.tolist())
        self.assertNotIn("id", self.open("scores.h5"))

    def test_row_numbers_and_weights_that_cannot_be_are_refused(self):
        self.succeed(*TRAIN, "--output", "out")
        for name, values, said in (("row", np.zeros(80, "i8"), "/row: has the row number 0 twice"),
                                   ("row", np.arange(80) - 1, "/row: has the row number -1; must be 0 or more"),
                                   ("weight", np.zeros(80) - 1, "/weight: row 0 is -1; must be finite and not negative"),
                                   ("weight", np.zeros(80), "no training row has a weight above 0"),
                                   ("id", np.arange(80), "/id: has type int64; must be text"),
                                   ("id", np.array([b"x"] * 79), "/id: has 79 values; must have the 80 rows of x")):
            with self.subTest(said):
                with h5py.File(write_dataset(self.folder / "data.h5"), "r+") as file:
                    file[name] = values
                run = self.execute("score", "--policy", "out/policy.h5", "--dataset", "data.h5", "--output", "s.h5")
                self.assert_refused(run, 3, f"data.h5: {said}")

    def test_a_changed_label_is_found_where_there_is_a_checksum(self):
        """Here by a file that metasieve scores: the data set's checksum is that of the suite's labels."""
        self.succeed("generate", *FAMILY, "--suite.tasks", "1", "--suite.validation_tasks", "0", "--output", "suite.h5")
        with h5py.File(self.folder / "suite.h5") as suite:
            labels, checksum = suite["train/y"][()], suite["train/y"].attrs["checksum"]
        rows = len(labels)
        with h5py.File(write_dataset(self.folder / "data.h5", rows=rows), "r+") as file:
            file["y"][...] = labels
            file["y"].attrs["checksum"] = checksum
        self.assertIn("1 checksums fit, 2 data sets have none", self.succeed("verify", "data.h5").stdout)
        with h5py.File(self.folder / "data.h5", "r+") as file:
            file["y"][rows // 2] = 1 - file["y"][rows // 2]
        self.succeed(*TRAIN, "--output", "out")
        for command in (("verify", "data.h5"),
                        ("score", "--policy", "out/policy.h5", "--dataset", "data.h5", "--output", "s.h5")):
            self.assert_refused(self.execute(*command), 3, "data.h5: /y: does not fit its checksum")

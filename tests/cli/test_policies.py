"""The policies that come with metasieve: what they were made from, and that they work on the first day."""

import configparser
import re

import h5py
import numpy as np

from support import ROOT, BinaryTest, write_dataset

POLICIES = {"policy.h5": True, "policy_blind.h5": False}  # sees the group?
# names of the feature sets
IN_FILES = {"context": "context27", "full": "full16", "basic": "seed10", "relative": "relative28", "fair": "fair56"}


def settings(text):
    parser = configparser.ConfigParser(delimiters="=", comment_prefixes="#", inline_comment_prefixes="#")
    parser.read_string(text)
    return {(section, key): same_form(value) for section in parser.sections() for key, value in parser[section].items()}


def same_form(value):
    """Numbers as numbers, lo:hi as two: 2 is 2.0."""
    try:
        return tuple(float(part) for part in value.split(":"))
    except ValueError:
        return value


class Policies(BinaryTest):
    def test_are_made_from_the_default_experiment(self):
        """A change of configs/train.ini or of a family needs `jobs/policy.sh --install`."""
        wanted = settings((ROOT / "configs/train.ini").read_text())
        wanted["policy", "features"] = IN_FILES[wanted.get(("policy", "features"), "relative")]
        for name, sees_group in POLICIES.items():
            with self.subTest(name), h5py.File(ROOT / "configs" / name) as file:
                made_from = settings(file.attrs["config"].decode())
                for section in {section for section, _ in made_from if section.startswith("family.")}:
                    made_from.setdefault((section, "groups"), same_form("2"))  # policies before this knob
                for key, value in (wanted | {("inner", "use_group"): str(sees_group).lower()}).items():
                    self.assertEqual(made_from[key], value, key)
                self.assertEqual(bool(file.attrs["use_group"]), sees_group)
                self.assertEqual(file.attrs["trained_iterations"], wanted["meta", "iterations"][0])
                for family in re.findall(r"(\w+):", wanted["suite", "mixture"]):
                    knobs = settings(f"[x]\n{(ROOT / f'configs/families/{family}.ini').read_text()}")
                    for (_, knob), value in knobs.items():
                        self.assertEqual(made_from[f"family.{family}", knob], value, (family, knob))

    def test_score_and_find_flipped_labels(self):
        """Labels that the columns tell, and every tenth flipped: most of these are among the rejected rows."""
        write_dataset(self.folder / "data.h5", rows=600)
        with h5py.File(self.folder / "data.h5", "r+") as file:
            flipped = np.arange(600) % 10 == 7
            file["y"][flipped] = 1 - file["y"][:][flipped]
        for name in POLICIES:
            with self.subTest(name):
                self.succeed("score", "--policy", ROOT / "configs" / name, "--dataset", "data.h5", "--output", "s.h5")
                with h5py.File(self.folder / "s.h5") as file:
                    rejected = file["scores"]["selected"] == 0
                self.assertGreater(rejected[flipped].mean(), 0.7)
                self.assertLess(rejected[~flipped].mean(), 0.3)

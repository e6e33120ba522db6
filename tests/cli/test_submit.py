"""jobs/submit.py and jobs/scaling.sh, with a fake sbatch that numbers its jobs."""

import subprocess
import sys
import unittest

from test_scripts import LOG_CALL, ROOT, ScriptTest


class Submit(ScriptTest):
    def setUp(self):
        super().setUp()
        # Job 1, 2, ...: as many as there were calls.
        self.fake("sbatch", LOG_CALL + 'wc -l <"$LOG"; exit ${SBATCH:-0}\n')
        self.site = self.folder / "site.sh"
        self.site.write_text("")
        self.env["METASIEVE_SITE"] = str(self.site)
        self.output = self.folder / "run"

    def submit(self, *words, folder=ROOT, script="submit.py", **env):
        start = [sys.executable] if script.endswith(".py") else []
        return subprocess.run([*start, str(ROOT / "jobs" / script), *map(str, words)], cwd=folder, env=self.env | env,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)

    def submitted(self, *words, **options):
        run = self.submit(*words, **options)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        return self.calls()

    def test_settings_of_the_site_reach_sbatch(self):
        self.site.write_text('partition=long account=physics ranks_per_node=8\n'
                             'sbatch_options=(--qos=low "--comment=a b")')

        call, = self.submitted("train", "--config", "a.ini", "--output", self.output, "--meta.iterations", "3")

        self.assertEqual(call, "sbatch --parsable --nodes=1 --ntasks-per-node=8 --partition=long --account=physics "
                               f"--qos=low --comment=a b --output={self.output}/logs/train-%j.log jobs/train.sbatch "
                               f"--config a.ini --output {self.output} --meta.iterations 3")
        self.assertTrue((self.output / "logs").is_dir())  # SLURM makes none, and loses the log

    def test_options_win_over_the_site(self):
        self.site.write_text("partition=long account=physics ranks_per_node=8")

        call, = self.submitted("generate", "--output", self.output / "s.h5", "--nodes", "4", "--ranks-per-node", "2",
                               "--threads", "16", "--time", "2:00:00", "--mem", "8G", "--partition", "short",
                               "--account", "maths", "--after", "afterok:5")

        self.assertEqual(call, "sbatch --parsable --nodes=4 --ntasks-per-node=2 --cpus-per-task=16 --time=2:00:00 "
                               f"--mem=8G --partition=short --account=maths --output={self.output}/logs/generate-%j.log "
                               "--dependency=afterok:5 --kill-on-invalid-dep=yes "
                               f"jobs/generate.sbatch --output {self.output}/s.h5")

    def test_from_another_folder_paths_stay_as_they_are(self):
        call, = self.submitted("train", "--output", "run", folder=self.folder)

        self.assertIn(f" --chdir={self.folder} jobs/train.sbatch --output run", call)
        self.assertTrue((self.output / "logs").is_dir())

    def test_a_chain_waits_for_success_step_by_step(self):
        generate, heldout, train, evaluate = self.submitted(
            "chain", "--config", "a.ini", "--output", self.output, "--held-out", "6", "--suite.tasks=24",
            "--suite.validation_tasks", "4", "--meta.iterations", "3")

        waits = [call.split("--dependency=")[-1].split()[0] if "--dependency" in call else ""
                 for call in (generate, heldout, train, evaluate)]
        self.assertEqual(waits, ["", "", "afterok:1", "afterok:3:2"])
        self.assertTrue(all("--kill-on-invalid-dep=yes" in call for call in (train, evaluate)))
        size = "--suite.tasks=24 --suite.validation_tasks 4"
        self.assertTrue(generate.endswith(f"--config a.ini --output {self.output}/suite.h5 {size}"), generate)
        self.assertTrue(heldout.endswith("--config a.ini --suite.seed 990001 --suite.validation_tasks 0 "
                                         f"--suite.tasks 6 --output {self.output}/heldout.h5"), heldout)
        self.assertTrue(train.endswith(f"--suite {self.output}/suite.h5 --output {self.output} {size} "
                                       "--meta.iterations 3"), train)
        self.assertTrue(evaluate.endswith(f"--policy {self.output}/policy.h5 --suite {self.output}/heldout.h5 "
                                          f"--output {self.output}/evaluation.h5"), evaluate)

    def test_a_chain_can_evaluate_on_data_sets(self):
        calls = self.submitted("chain", "--config", "a.ini", "--output", self.output, "--dataset", "a.h5", "b.h5")

        self.assertEqual(len(calls), 3)
        self.assertIn("--dependency=afterok:2 ", calls[-1])
        self.assertIn("--dataset a.h5 b.h5 --output", calls[-1])

    def test_a_dry_run_shows_what_would_be_submitted_and_submits_nothing(self):
        self.assertEqual(self.submitted("chain", "--output", self.output, "--dry-run"), [])
        self.assertFalse(self.output.exists())

        shown = self.submit("train", "--output", "two words", "--dry-run").stdout

        self.assertEqual(shown, "+ sbatch --parsable --nodes=1 --ntasks-per-node=2 "
                                "'--output=two words/logs/train-%j.log' jobs/train.sbatch --output 'two words'\n")
        self.assertIn(f"+ cd {ROOT} && sbatch ", self.submit("train", "--output", "o", "--dry-run", folder="/").stdout)

    def test_an_array_is_followed_by_a_job_that_collects(self):
        array, collect = self.submitted("sweep", "--config", "s.ini", "--output", self.output, "--array", "0-7%2")

        self.assertIn(f"--output={self.output}/logs/sweep-%A_%a.log --array=0-7%2 jobs/sweep.sbatch --config", array)
        self.assertIn("--dependency=afterany:1 ", collect)  # failed points are in the table, too
        self.assertTrue(collect.endswith(" --collect"), collect)

    def test_a_sweep_in_one_allocation_is_one_job(self):
        call, = self.submitted("sweep", "--config", "s.ini", "--output", self.output)

        self.assertNotIn("--array", call)

    def test_a_scaling_study_is_a_job_for_each_point(self):
        *points, collect = self.submitted("--config", "s.ini", "--output", self.output, "--nodes", "1,2", "--threads",
                                          "1,4", "--ranks-per-node", "3", script="scaling.sh")

        asked = [(call.split("--nodes=")[1].split()[0], call.split("--cpus-per-task=")[1].split()[0],
                  call.split("--scaling.ranks ")[1].split()[0], call.split("--scaling.threads ")[1].split()[0])
                 for call in points]
        self.assertEqual(asked, [("1", "1", "3", "1"), ("1", "4", "3", "4"), ("2", "1", "6", "1"),
                                 ("2", "4", "6", "4")])
        self.assertIn("--dependency=afterany:1:2:3:4 ", collect)
        self.assertTrue(collect.endswith(" --collect"), collect)

    def test_what_sbatch_refuses_ends_the_chain(self):
        run = self.submit("chain", "--output", self.output, SBATCH="1")

        self.assertEqual((run.returncode, len(self.calls())), (1, 1))
        self.assertIn("sbatch fails with exit code 1", run.stderr)

    def test_counts_below_one_are_refused_in_one_line(self):
        for words in (("train", "--nodes", "0"), ("train", "--nodes", "two"), ("scaling", "--nodes", "1,0"),
                      ("train", "--ranks-per-node", "0"), ("chain", "--threads", "0")):
            with self.subTest(words):
                run = self.submit(*words, "--output", self.output)
                self.assertEqual(run.returncode, 2)
                self.assertEqual(run.stderr.count("\n"), 1, run.stderr)
                self.assertIn(f"{words[1]} {words[2]}: must be 1 or more", run.stderr)
        self.assertEqual(self.calls(), [])

    def test_a_missing_output_or_site_file_is_named(self):
        self.assertIn("--output", self.submit("train").stderr)
        self.assertEqual(self.submit("train").returncode, 2)
        self.assertEqual(self.submit("train", "--output", "o", "--array", "0-3").returncode, 2)
        self.assertIn("none.sh", self.submit("train", "--output", "o", METASIEVE_SITE="none.sh").stderr)
        self.assertEqual(self.calls(), [])


if __name__ == "__main__":
    unittest.main()

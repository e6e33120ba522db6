#!/usr/bin/env python3
"""The real sharding, batches and sums on up to 64 simulated nodes: test_simulation.py SIMULATE_TRAINING

Times of tasks are synthetic, so that theory tells what must come out.
"""
import shutil
import sys
import unittest

from simulation import simulate

PROGRAM = sys.argv[1] if len(sys.argv) > 1 else ""
# All alike, so that predicted costs are too.
EQUAL = {"suite__mixture": "same:1", "family__same__samples": "1000:1000", "family__same__features": "10:10",
         "suite__validation_tasks": 0, "meta__batch": 0}


class Simulation(unittest.TestCase):
    def weak(self, nodes, times, tasks, **options):
        return simulate(PROGRAM, nodes, times, suite__tasks=nodes * tasks, timeout=60, **EQUAL | options)

    def test_sums_have_the_same_bits_on_any_number_of_nodes(self):
        for batch in (0, 48):
            runs = [simulate(PROGRAM, nodes, "lognormal:0.5", steps=4, suite__tasks=200, suite__validation_tasks=0,
                             meta__batch=batch, timeout=60) for nodes in (1, 4, 16, 64)]
            self.assertEqual(len({run["hash"] for run in runs}), 1, runs)
            self.assertEqual({run["failed"] for run in runs}, {0})  # each task of the batch was added once
        self.assertNotEqual(runs[0]["hash"], simulate(PROGRAM, 1, "equal", steps=3, suite__tasks=200, timeout=60,
                                                      suite__validation_tasks=0, meta__batch=batch)["hash"])

    def test_a_batch_of_all_visits_every_task_once_a_step(self):
        for nodes in (1, 7, 64):
            run = simulate(PROGRAM, nodes, "equal", steps=3, suite__tasks=300, suite__validation_tasks=40,
                           meta__batch=0, timeout=60)
            self.assertEqual((run["tasks"], run["batch"]), (260, 260))
            self.assertEqual((run["visits_least"], run["visits_most"]), (3, 3))

    def test_equal_work_loses_the_reduction_alone(self):
        run = self.weak(64, "equal", 16)
        self.assertAlmostEqual(run["imbalance"], 0, delta=1e-9)
        self.assertGreater(run["efficiency"], 0.98)
        self.assertLess(run["efficiency"], 1)
        self.assertAlmostEqual(run["step_seconds"], run["step_busiest"] / (1 - run["reduction_share"]), delta=1e-6)

    def test_one_task_a_node_waits_for_the_longest_of_all(self):
        """The mean of the largest of 64 lognormal times of sigma 0.5 and mean 1 is 2.9."""
        run = self.weak(64, "lognormal:0.5", 1, steps=40)
        self.assertGreater(run["imbalance"], 1.5)
        self.assertLess(run["imbalance"], 2.3)
        self.assertLess(run["efficiency"], 0.4)

    def test_more_tasks_a_node_even_out(self):
        few, many = (self.weak(16, "lognormal:0.5", tasks)["efficiency"] for tasks in (4, 256))
        self.assertGreater(many, 0.9)
        self.assertLess(few, many - 0.15)

    def test_threads_share_the_tasks_of_their_node(self):
        one, four = (self.weak(4, "equal", 16, threads=threads) for threads in (1, 4))
        self.assertAlmostEqual(one["step_busiest"], 4 * four["step_busiest"], delta=1e-9)
        self.assertAlmostEqual(self.weak(4, "equal", 17, threads=4)["step_busiest"], 5 * four["step_busiest"] / 4,
                               delta=1e-9)

    def test_other_times_are_refused(self):
        for times, part in (("lognormal:-1", "SIGMA > 0"), ("none.csv", "none.csv")):
            with self.assertRaisesRegex(RuntimeError, part):
                simulate(PROGRAM, 2, times, suite__tasks=200, timeout=60)


if __name__ == "__main__":
    if not PROGRAM or not shutil.which("smpirun"):
        print("skipped: SimGrid is not installed (Debian: libsimgrid-dev)")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1])

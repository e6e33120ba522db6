"""The SLURM scripts of jobs/ without a SLURM: fake commands stand for it. tests/slurm has the real one."""

import signal
import subprocess
import time
import unittest

from test_scripts import LOG_CALL, ROOT, ScriptTest

# Starts the map of ranks, or the program; the words that follow the launcher's own begin at one of these.
FAKE_LAUNCHER = LOG_CALL + """
while [ "$1" != sh ] && [[ "$1" != */metasieve ]]; do
  case $1 in none) unbound=yes ;; esac
  shift
done
if [ "$1" = sh ]; then
  [ -z "${FAIL_BOUND:-}" ] || [ -n "${unbound:-}" ] || { echo "cannot bind" >&2; exit 1; }
  [ -z "${FAIL_MAP:-}" ] || { echo "no such node" >&2; exit 213; }
  printf '%s\\n' "$MAP"
else
  exec "$@"
fi
"""


class Job(ScriptTest):
    """A job of two nodes with two cores each."""

    def setUp(self):
        super().setUp()
        self.program = self.folder / "build/metasieve"
        self.fake(self.program, 'echo "metasieve $*, threads $OMP_NUM_THREADS" >>"$LOG"; exit ${CODE:-0}\n')
        for launcher in ("mpirun", "srun"):
            self.fake(launcher, FAKE_LAUNCHER)
        self.fake("scontrol", LOG_CALL + "exit ${SCONTROL:-0}\n")
        self.fake("nproc", "echo ${CORES:-2}\n")
        self.site = self.folder / "site.sh"
        self.write_site()
        self.env = {k: v for k, v in self.env.items() if not k.startswith("SLURM_")}
        self.env.update(
            METASIEVE_SITE=str(self.site), SLURM_SUBMIT_DIR=str(ROOT), SLURM_JOB_ID="7", SLURM_JOB_NODELIST="n[1-2]",
            SLURM_JOB_NUM_NODES="2", SLURM_NTASKS="4", SLURM_TASKS_PER_NODE="2(x2)", SLURM_JOB_CPUS_PER_NODE="2(x2)",
            SLURM_CPUS_ON_NODE="2", MAP="rank n1 0 0\nrank n1 1 1\nrank n2 2 0\nrank n2 3 1")

    def write_site(self, text=""):
        self.site.write_text(f"metasieve={self.program}\n{text}\n")

    def job(self, script="train", *words, **env):
        return self.run_bash(f"jobs/{script}.sbatch", *words, **env)

    def start(self, script="train", **env):
        process = subprocess.Popen(["bash", f"jobs/{script}.sbatch"], cwd=ROOT, env=self.env | env, text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(process.kill)
        self.addCleanup(process.stdout.close)
        return process

    def wait_for_call(self, start):
        for _ in range(300):
            if any(call.startswith(start) for call in self.calls()):
                return
            time.sleep(0.1)
        raise AssertionError(f"no call {start}: {self.calls()}")

    def assert_not_started(self, run, reason):
        """One line, and nothing was run."""
        self.assertEqual(run.returncode, 2, run.stdout)
        self.assertRegex(run.stderr.splitlines()[-1], f"^== not started: {reason}")
        self.assertFalse([call for call in self.calls() if call.startswith("metasieve ")])


class Start(Job):
    def test_mpirun_starts_all_ranks_bound_and_resuming(self):
        run = self.job("train", "--config", "a.ini", "--output", "two words")

        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertEqual(self.calls()[-2:], [
            f"mpirun -n 4 --map-by slot:PE=1 --bind-to core {self.program} train --config a.ini --output two words "
            "--resume",
            "metasieve train --config a.ini --output two words --resume, threads 1"])
        self.assertIn(f"== OMP_NUM_THREADS=1 mpirun -n 4 --map-by slot:PE=1 --bind-to core {self.program} train "
                      "--config a.ini --output two\\ words --resume\n", run.stdout)
        self.assertRegex(run.stdout, "== metasieve train: done after [0-9]+ s\n$")

    def test_srun_starts_them_so_that_a_dead_rank_ends_all(self):
        self.write_site("launcher=(srun --mpi=pmix)")

        run = self.job(SLURM_CPUS_PER_TASK="1")

        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(self.calls()[-2], "srun --mpi=pmix --kill-on-bad-exit=1 --ntasks=4 --cpus-per-task=1 "
                                          f"--cpu-bind=cores {self.program} train --resume")

    def test_another_launcher_is_refused(self):
        self.write_site("launcher=(aprun)")

        self.assert_not_started(self.job(), r"launcher=\(aprun\) in site.sh: must be mpirun or srun")

    def test_resume_is_not_given_twice(self):
        self.job("generate", "--resume", "--output", "s.h5")

        self.assertEqual(self.calls()[-1], "metasieve generate --resume --output s.h5, threads 1")

    def test_threads_are_what_slurm_gave_or_else_share_the_cores(self):
        for env, threads in (({"SLURM_CPUS_PER_TASK": "3"}, 3), ({}, 4),
                             ({"SLURM_JOB_CPUS_PER_NODE": "8,7"}, 3)):  # the smaller node counts
            with self.subTest(env):
                self.log.write_text("")
                run = self.job(**({"SLURM_JOB_CPUS_PER_NODE": "8(x2)", "SLURM_CPUS_ON_NODE": "8", "CORES": "8"} | env))

                self.assertEqual(run.returncode, 0, run.stderr)
                self.assertIn(f"slot:PE={threads}", self.calls()[-2])
                self.assertIn(f"threads {threads}", self.calls()[-1])

    def test_a_part_of_a_node_is_not_bound_by_mpirun(self):
        self.job(CORES="64")

        self.assertIn("mpirun -n 4 --bind-to none", self.calls()[-2])

    def test_where_ranks_cannot_be_bound_they_run_unbound(self):
        run = self.job(FAIL_BOUND="yes")

        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("mpirun -n 4 --bind-to none", self.calls()[-2])

    def test_a_launcher_that_fails_is_told_in_its_own_words(self):
        run = self.job(FAIL_MAP="yes")

        self.assert_not_started(run, '"mpirun .*" fails with exit code 213, in the words above; site.sh')
        self.assertIn("no such node\n", run.stderr)

    def test_too_few_cores_end_with_one_line(self):
        for env, need in (({"SLURM_CPUS_PER_TASK": "2"}, "2 ranks x 2 threads on a node need 4 cores"),
                          ({"SLURM_TASKS_PER_NODE": "2,3"}, "3 ranks x 1 threads on a node need 3 cores")):
            with self.subTest(env):
                run = self.job(**env)

                self.assert_not_started(run, need + r", but n\[1-2\] gives 2: ")
                self.assertEqual((run.stdout, len(run.stderr.splitlines())), ("", 1))

    def test_a_program_that_is_not_there_is_named(self):
        self.program.unlink()

        self.assert_not_started(self.job(), "there is no program .*/build/metasieve")

    def test_modules_are_loaded_before_anything_else(self):
        self.write_site('metasieve=none\nload_modules() { metasieve=$HOW; echo "$UNSET"; false; }')

        run = self.job(HOW=str(self.program))

        self.assertEqual(run.returncode, 0, run.stderr)

    def test_the_repository_is_found_where_it_was_submitted_or_as_told(self):
        copy = self.folder / "spool"
        copy.write_bytes((ROOT / "jobs/train.sbatch").read_bytes())

        self.assertEqual(self.run_bash(copy).returncode, 0)
        self.assertEqual(self.run_bash(copy, SLURM_SUBMIT_DIR="/", METASIEVE_ROOT=str(ROOT)).returncode, 0)
        self.assertIn("/jobs/job.sh: No such file", self.run_bash(copy, SLURM_SUBMIT_DIR="/").stderr)

    def test_outside_of_a_job_says_how_to_submit(self):
        del self.env["SLURM_SUBMIT_DIR"]

        run = self.job()

        self.assertNotEqual(run.returncode, 0)
        self.assertIn("submit this with sbatch", run.stderr)

    def test_a_task_of_an_array_runs_its_point(self):
        self.job("sweep", "--output", "d", SLURM_ARRAY_TASK_ID="5", SLURM_ARRAY_JOB_ID="6")
        self.job("sweep", "--output", "d")

        self.assertEqual([call for call in self.calls() if call.startswith("metasieve")],
                         ["metasieve sweep --output d --point 5, threads 1", "metasieve sweep --output d, threads 1"])


class ParallelFileSystems(Job):
    """Open MPI's own MPI-IO has hung on Lustre: jobs take ROMIO there."""

    def setUp(self):
        super().setUp()
        self.fake(self.program, 'echo "io ${OMPI_MCA_io:-default}" >>"$LOG"\n')
        self.fake("ompi_info", "exit 1\n")

    def io(self, kind, output="runs/none/deep", **env):
        """What a run on such a file system has chosen, and the line of the log that says so."""
        self.fake("stat", LOG_CALL + f"echo '{kind}'\n")
        run = self.job("train", *(("--output", output) if output else ()), **env)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        return self.calls()[-1], [line for line in run.stdout.splitlines() if "OMPI_MCA_io" in line]

    def test_romio_is_chosen_on_lustre_and_gpfs(self):
        for kind, name in (("lustre bd00bd0", "Lustre"), ("UNKNOWN (0xbd00bd0) bd00bd0", "Lustre"),
                           ("gpfs 47504653", "GPFS")):
            with self.subTest(kind):
                self.assertEqual(self.io(kind), ("io romio321", [f"== . is on {name}: OMPI_MCA_io=romio321"]))

    def test_elsewhere_and_without_output_nothing_is_chosen(self):
        for kind, output in (("ext2/ext3 ef53", "run"), ("nfs 6969", "run"), ("lustre bd00bd0", "")):
            with self.subTest(kind, output=output):
                self.assertEqual(self.io(kind, output), ("io default", []))

    def test_the_nearest_folder_of_the_output_is_looked_at(self):
        there = self.folder / "a folder"
        there.mkdir()
        for output in (there / "new/run", there / "suite.h5", there):
            with self.subTest(output):
                self.io("lustre bd00bd0", str(output))
                self.assertIn(f"-- {there}", [call for call in self.calls() if call.startswith("stat")][-1])

    def test_the_users_own_choice_wins(self):
        self.assertEqual(self.io("lustre bd00bd0", OMPI_MCA_io="ompio"),
                         ("io ompio", ["== . is on Lustre: OMPI_MCA_io=ompio, as you set it"]))

    def test_the_romio_of_another_open_mpi_is_found(self):
        self.fake("ompi_info", "echo '                 MCA io: romio341 (MCA v2.1.0, API v2.0.0)'\n")

        self.assertEqual(self.io("lustre bd00bd0")[0], "io romio341")


class Map(Job):
    def map(self, lines, **env):
        run = self.job(MAP=lines, **env)
        self.assertEqual(run.returncode, 0, run.stderr)
        return [line for line in run.stdout.splitlines() if line.startswith("   ") or "warning" in line]

    def test_lists_ranks_and_cores_of_each_node_in_order(self):
        lines = self.map("rank n10 3 1\nsrun: a remark\nrank n10 2 0\nrank n2 1 1\nrank n2 0 0")

        self.assertEqual(lines, ["   n2: rank 0 on 0, rank 1 on 1", "   n10: rank 2 on 0, rank 3 on 1"])

    def test_warns_of_ranks_that_share_cores(self):
        lines = self.map("rank n1 0 0\nrank n1 1 0\nrank n2 2 0-1\nrank n2 3 0-1")

        self.assertEqual(lines[2:], ["== warning: n1 is oversubscribed: 2 ranks x 1 threads on 1 cores"])

    def test_warns_of_threads_that_share_the_core_of_their_rank(self):
        lines = self.map("rank n1 0 0,2\nrank n1 1 1\nrank n2 2 0-3\nrank n2 3 0-3", SLURM_CPUS_PER_TASK="2",
                         SLURM_JOB_CPUS_PER_NODE="4(x2)", SLURM_CPUS_ON_NODE="4", CORES="4")

        self.assertIn("== warning: n1 is oversubscribed: 2 ranks x 2 threads on 3 cores", lines)
        lines = self.map("rank n1 0 0-2\nrank n1 1 3\nrank n2 2 0-3\nrank n2 3 0-3", SLURM_CPUS_PER_TASK="2",
                         SLURM_JOB_CPUS_PER_NODE="4(x2)", SLURM_CPUS_ON_NODE="4", CORES="4")

        self.assertIn("== warning: n1 is oversubscribed: rank 1 has 2 threads on 1 core", lines)

    def test_warns_of_idle_cores(self):
        lines = self.map(self.env["MAP"], SLURM_CPUS_PER_TASK="1", SLURM_JOB_CPUS_PER_NODE="8(x2)", CORES="8",
                         SLURM_CPUS_ON_NODE="8")

        self.assertEqual(lines[2:],
                         ["== warning: 12 of 16 cores stay idle: raise --ntasks-per-node or --cpus-per-task"])


class End(Job):
    def last_line(self, run):
        return run.stdout.splitlines()[-1]

    def requeues(self):
        return [call for call in self.calls() if call.startswith("scontrol")]

    def test_a_run_that_was_stopped_early_is_requeued(self):
        run = self.job(CODE="75", SLURM_RESTART_COUNT="19")

        self.assertEqual(run.returncode, 75)
        self.assertEqual(self.requeues(), ["scontrol requeue 7"])
        self.assertRegex(self.last_line(run), r"^== metasieve train: stopped early \(75\) .*requeueing, 20 of at most 20")

    def test_a_task_of_an_array_requeues_itself_alone(self):
        self.job("sweep", CODE="75", SLURM_JOB_ID="6", SLURM_ARRAY_JOB_ID="6", SLURM_ARRAY_TASK_ID="5")

        self.assertEqual(self.requeues(), ["scontrol requeue 6_5"])

    def test_but_not_more_often_than_site_and_user_allow(self):
        for site, env, restarts in (("", {}, 20), ("max_requeues=3", {}, 3),
                                    ("max_requeues=3", {"METASIEVE_MAX_REQUEUES": "0"}, 0)):
            with self.subTest(site=site, env=env):
                self.write_site(site)

                run = self.job(CODE="75", SLURM_RESTART_COUNT=str(restarts), **env)

                self.assertEqual((run.returncode, self.requeues()), (75, []))
                self.assertRegex(self.last_line(run), rf"STOPPED EARLY \(75\) after {restarts} requeues.* submit")

    def test_a_requeue_that_slurm_refuses_is_told(self):
        run = self.job(CODE="75", SCONTROL="1")

        self.assertEqual(run.returncode, 75)
        self.assertIn("SLURM does not requeue it", self.last_line(run))

    def test_a_failure_keeps_its_code_and_says_what_to_do(self):
        for code, hint in ((2, "correct command or configuration"), (3, "repair the file or make room"),
                           (4, "fail numerically"), (70, "a rank died"), (137, "a rank died")):
            with self.subTest(code=code):
                run = self.job(CODE=str(code))

                self.assertEqual((run.returncode, self.requeues()), (code, []))
                self.assertRegex(self.last_line(run), f"^== metasieve train: FAILED with exit code {code}: .*{hint}")

    def test_a_crash_starts_the_command_once_more_and_no_oftener(self):
        crash = 'echo "metasieve run" >>"$LOG"; '
        once = "[ -e crashed ] && exit 0; touch crashed; exit 139\n"
        for program, code in ((crash + once, 0), (crash + "exit 139\n", 139)):
            with self.subTest(code):
                self.fake(self.program, f"cd {self.folder}; {program}")
                before = self.calls().count("metasieve run")

                run = self.job()

                self.assertEqual((run.returncode, self.calls().count("metasieve run") - before), (code, 2))
                self.assertEqual(run.stdout.count("a rank crashed (139), see above; starting once more"), 1)
                self.assertRegex(self.last_line(run), "train: done after" if code == 0 else "FAILED with exit code 139")

    def signalled(self, number, program):
        self.fake(self.program, 'echo "started" >>"$LOG"\n' + program)
        process = self.start()
        self.wait_for_call("started")
        process.send_signal(number)
        out, _ = process.communicate(timeout=30)
        return process.returncode, out

    def test_usr1_reaches_the_ranks_and_their_own_code_counts(self):
        code, out = self.signalled(signal.SIGUSR1, """trap 'sleep 0.5; echo kept; kill $!; exit 75' USR1
sleep 30 &>/dev/null &
wait
""")

        self.assertEqual(code, 75)
        self.assertRegex(out, "== SIGUSR1: stopping with a checkpoint\nkept\n== metasieve train: stopped early")
        self.assertEqual(self.requeues(), ["scontrol requeue 7"])

    def test_usr1_before_ranks_can_catch_it_stops_early_too(self):
        code, _ = self.signalled(signal.SIGUSR1, "exec sleep 30\n")

        self.assertEqual((code, self.requeues()), (75, ["scontrol requeue 7"]))

    def test_usr1_before_the_start_starts_nothing(self):
        self.fake("mpirun", 'echo "map" >>"$LOG"; sleep 1; echo "rank n1 0 0"\n')
        process = self.start()
        self.wait_for_call("map")

        process.send_signal(signal.SIGUSR1)

        self.assertIn("requeueing", process.communicate(timeout=30)[0])
        self.assertEqual((process.returncode, self.calls()), (75, ["map", "scontrol requeue 7"]))

    def test_the_end_of_the_job_is_told_whatever_the_launcher_returns(self):
        for returned in (0, 1, 75):
            with self.subTest(returned=returned):
                self.log.write_text("")
                code, out = self.signalled(signal.SIGTERM, f"sleep 1; exit {returned}\n")

                self.assertEqual((code, self.requeues()), (143, []))
                self.assertIn("== metasieve train: ENDED BY SLURM", out.splitlines()[-1])


if __name__ == "__main__":
    unittest.main()

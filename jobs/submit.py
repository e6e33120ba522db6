#!/usr/bin/env python3
"""Submits metasieve's jobs to SLURM, with partition, account and options of jobs/site.sh.

  jobs/submit.py train --config configs/train.ini --output runs/one --nodes 4 --ranks-per-node 2 --threads 16
  jobs/submit.py chain --config configs/train.ini --output runs/one      generate, train, evaluate, one after the other
  jobs/submit.py sweep --config configs/sweep.ini --output runs/sweep --array 0-7%2
  jobs/submit.py scaling --config configs/scaling.ini --output runs/scaling --nodes 1,2,4 --threads 1,2

Each prints the sbatch command that it runs and the number of the job; with --dry-run the commands alone. Words that are
not options of this script go to metasieve as they are: --suite, --policy, --section.key VALUE. The logs are in a folder
`logs` beside the output. A job that ended early or failed goes on when the same command is given again.
"""

import argparse
import itertools
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
COMMANDS = ("generate", "train", "evaluate", "chain", "sweep", "scaling")
HELD_OUT = {"--suite.seed": "990001", "--suite.validation_tasks": "0"}


def site_settings():
    """Of jobs/site.sh, which is Bash."""
    script = ('source jobs/job.sh; read_site; '
              'printf "%s\\0" "$partition" "$account" "$ranks_per_node" "${sbatch_options[@]}"')
    run = subprocess.run(["bash", "-euc", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if run.returncode != 0:
        sys.exit("jobs/submit.py: cannot read the site file, see above")
    partition, account, ranks_per_node, *options = run.stdout.split("\0")[:-1]
    return {"partition": partition, "account": account, "ranks_per_node": int(ranks_per_node), "options": options}


class Queue:
    """Hands commands to sbatch, or only shows them."""

    def __init__(self, options, site):
        self.options = options
        self.site = site

    @property
    def ranks_per_node(self):
        return self.options.ranks_per_node or self.site["ranks_per_node"]

    def resources(self, nodes, ranks_per_node, threads):
        options, site = self.options, self.site
        words = [f"--nodes={nodes}", f"--ntasks-per-node={ranks_per_node}"]
        for name, value in (("cpus-per-task", threads), ("time", options.time), ("mem", options.mem),
                            ("partition", options.partition or site["partition"]),
                            ("account", options.account or site["account"])):
            words += [f"--{name}={value}"] if value else []
        return words + site["options"]

    def collect(self, command, words, jobs):
        """What other jobs have left in the output folder, whether they failed or not, becomes one table."""
        return self.submit(command, [*words, "--collect"], name=f"{command}-collect", ranks_per_node=1,
                           after="afterany:" + ":".join(jobs))

    def submit(self, command, words, *, name=None, nodes=1, ranks_per_node=None, threads=None, after=None, array=None):
        """The number of the job that runs `metasieve COMMAND WORDS`; its log is called `name`."""
        name = name or command
        logs = output_folder(command, words) / "logs"
        sbatch = ["sbatch", "--parsable", *self.resources(nodes, ranks_per_node or self.ranks_per_node, threads),
                  f"--output={logs / name}-{'%A_%a' if array else '%j'}.log"]
        sbatch += [f"--array={array}"] if array else []
        # Without the second a job waits for ever for one that failed.
        sbatch += [f"--dependency={after}", "--kill-on-invalid-dep=yes"] if after else []
        here = pathlib.Path.cwd()
        if here != ROOT:  # where the script looks for the repository; paths stay as they were typed
            sbatch += [f"--chdir={here}"]
        sbatch += [f"jobs/{command}.sbatch", *words]
        print("+" if here == ROOT else f"+ cd {shlex.quote(str(ROOT))} &&", shlex.join(sbatch), flush=True)
        if self.options.dry_run:
            return f"ID_OF_{name.upper()}"
        logs.mkdir(parents=True, exist_ok=True)
        run = subprocess.run(sbatch, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        if run.returncode != 0:
            sys.exit(f"jobs/submit.py: sbatch fails with exit code {run.returncode}, in the words above")
        job = run.stdout.strip().split(";")[0]  # a cluster's name may follow
        print(f"{name}: job {job}, log {logs / name}-{job}{'_N' if array else ''}.log", flush=True)
        return job


def output_folder(command, words):
    output = pathlib.Path(words[words.index("--output") + 1])
    return output.parent if command in ("generate", "evaluate") else output


def without(words, names):
    """`words` without these options and their values."""
    kept, skip = [], False
    for word in words:
        name, _, value = word.partition("=")
        if not skip and name not in names:
            kept.append(word)
        skip = not skip and name in names and not value
    return kept


def words_for(command, words):
    """`words` without the keys that have no effect on a command."""
    script = 'source jobs/keys.sh; words_for "$@"'
    run = subprocess.run(["bash", "-euc", script, "bash", command, *words], cwd=ROOT, stdout=subprocess.PIPE, text=True,
                         check=True)
    return run.stdout.split("\0")[:-1]


def submit_chain(queue, options, words):
    """A suite, a training on it, and an evaluation on tasks that it has not seen, or on data sets."""
    folder = pathlib.Path(options.output)
    config = ["--config", options.config] if options.config else []

    def submit(name, command, *extra, others=words, after=()):
        jobs = ":".join(after)
        return queue.submit(command, [*config, *map(str, extra), *words_for(command, others)], name=name, nodes=options.nodes,
                            threads=options.threads, after=f"afterok:{jobs}" if jobs else options.after)

    suite, held_out = folder / "suite.h5", folder / "heldout.h5"
    jobs = [submit("generate", "generate", "--output", suite)]
    data = ["--dataset", *options.dataset]
    if not options.dataset:
        data = ["--suite", held_out]
        own = HELD_OUT | {"--suite.tasks": options.held_out}
        jobs.append(submit("heldout", "generate", *itertools.chain(*own.items()), "--output", held_out,
                           others=without(words, own)))
    jobs[0] = submit("train", "train", "--suite", suite, "--output", folder, after=jobs[:1])
    submit("evaluate", "evaluate", "--policy", folder / "policy.h5", *data, "--output", folder / "evaluation.h5",
           after=jobs)


def submit_scaling(queue, options, words):
    """One job for each number of nodes and threads, and one that collects."""
    jobs = []
    for nodes, threads in itertools.product(options.nodes.split(","), (options.threads or "1").split(",")):
        ranks = int(nodes) * queue.ranks_per_node
        jobs.append(queue.submit("scaling", [*words, "--scaling.ranks", str(ranks), "--scaling.threads", threads],
                                 name=f"scaling-{ranks}x{threads}", nodes=nodes, threads=threads, after=options.after))
    queue.collect("scaling", words, jobs)


def require_counts(parser, options):
    """Ends with exit code 2 and one line if a number of nodes, ranks or threads is not 1 or more."""
    list_of = r"{0}(,{0})*" if options.command == "scaling" else "{0}"
    for name, pattern in (("nodes", list_of if options.command == "scaling" else "{0}(-{0})?"), ("threads", list_of),
                          ("ranks_per_node", "{0}")):
        value = getattr(options, name)
        if value is not None and not re.fullmatch(pattern.format("0*[1-9][0-9]*"), value):
            wanted = "1 or more" + (", or a list such as 1,2,4" if "," in pattern else "")
            parser.exit(2, f"jobs/submit.py: --{name.replace('_', '-')} {value}: must be {wanted}\n")
    options.ranks_per_node = options.ranks_per_node and int(options.ranks_per_node)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     allow_abbrev=False)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--config", help="configuration file")
    parser.add_argument("--output", required=True, help="file of generate and evaluate; folder of the others")
    parser.add_argument("--nodes", default="1", help="default: 1; of scaling a list, e.g. 1,2,4")
    parser.add_argument("--ranks-per-node", help="default: that of site.sh")
    parser.add_argument("--threads", help="cores of each rank; default: what the node gives; of scaling a list")
    parser.add_argument("--time", help="limit, as SLURM writes it; default: 04:00:00")
    parser.add_argument("--mem", help="memory of each node, e.g. 8G; default: the cluster's")
    parser.add_argument("--partition", help="default: that of site.sh")
    parser.add_argument("--account", help="default: that of site.sh")
    parser.add_argument("--after", help="what to wait for, as sbatch --dependency takes it, e.g. afterok:123")
    parser.add_argument("--array", help="of sweep: its points, e.g. 0-7%%2, one a task; default: all in one job")
    parser.add_argument("--dataset", nargs="+", default=[], help="data sets of evaluate and chain")
    parser.add_argument("--held-out", default="100", help="of chain: tasks of the suite that is evaluated on")
    parser.add_argument("--dry-run", action="store_true", help="show the commands, submit nothing")
    options, words = parser.parse_known_args()
    require_counts(parser, options)
    if options.array and options.command != "sweep":
        parser.error("--array is for sweep")
    return options, words


def main():
    options, words = parse_arguments()
    queue = Queue(options, site_settings())
    if options.command == "chain":
        return submit_chain(queue, options, words)
    words = [*(["--config", options.config] if options.config else []), "--output", options.output,
             *(["--dataset", *options.dataset] if options.dataset else []), *words]
    if options.command == "scaling":
        return submit_scaling(queue, options, words)
    job = queue.submit(options.command, words, nodes=options.nodes, threads=options.threads, after=options.after,
                       array=options.array)
    if options.array:
        queue.collect("sweep", words, [job])


if __name__ == "__main__":
    main()

"""What a run has taken from the machine: core-hours and energy."""
import functools
import re
import shutil
import subprocess

from ..tables.rendering import Table

SOURCES = {"pm_counters": "Cray's pm_counters: whole nodes", "rapl": "RAPL: the processors of whole nodes"}
PATIENCE = 10  # seconds to wait for sacct


def usage(contents):
    """Returns {core_hours, energy_joules, energy_source, usage_of} as far as a file records them.

    Of a training that says nothing of itself the sum over its sessions; of a sweep the core-hours of its points. No
    energy_joules: unknown.
    """
    names = ("core_hours", "energy_joules", "energy_source", "usage_of")
    found = {name: contents.attributes[name] for name in names if name in contents.attributes}
    if not found and contents.type in ("results", "checkpoint") and "sessions" in contents:
        found = of_sessions(contents.table("sessions"))
    elif contents.type == "sweep" and "core_seconds" in contents.table("points"):
        found = {"core_hours": float(contents.table("points")["core_seconds"].sum()) / 3600, "usage_of": "all points"}
    return found


def of_sessions(sessions):
    """Returns the usage of all sessions of a training that are recorded; nothing of none."""
    if sessions.empty:
        return {}
    hours = float((sessions["ranks"] * sessions["threads"] * sessions["seconds"]).sum()) / 3600
    found = {"core_hours": hours, "energy_source": "unknown",
             "usage_of": "last part" if sessions["first_iteration"].iloc[0] > 1 else "whole run"}
    sources = set(sessions["energy_source"]) if "energy_source" in sessions else set()
    if len(sources) == 1 and sources <= set(SOURCES):
        found |= {"energy_joules": float(sessions["energy_joules"].sum(skipna=False)), "energy_source": sources.pop()}
    return found


def energy_text(joules):
    """Returns "12.3 kJ", or "unknown"."""
    if joules is None or not joules >= 0:
        return "unknown"
    unit = 0
    while joules >= 999.5 and unit < 4:
        joules, unit = joules / 1000, unit + 1
    return f"{joules:.3g} {('J', 'kJ', 'MJ', 'GJ', 'TJ')[unit]}"


def slurm_jobs(contents):
    """Returns the ids of the SLURM jobs that made a file, in their order."""
    ids = [str(contents.attributes.get("slurm_job", ""))]
    if "sessions" in contents and "slurm_job" in contents.table("sessions"):
        ids = [*contents.table("sessions")["slurm_job"], *ids]
    return [job for job in dict.fromkeys(ids) if re.fullmatch(r"\d+", job)]


@functools.cache
def sacct_joules(job):
    """Returns the energy of all nodes of a SLURM job by its accounting; None where sacct does not know."""
    program = shutil.which("sacct")
    if program is None:
        return None
    try:
        run = subprocess.run([program, "-j", job, "-n", "-P", "-o", "JobIDRaw,ConsumedEnergyRaw"], capture_output=True,
                             text=True, errors="replace", timeout=PATIENCE, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return None
    for line in run.stdout.splitlines() if run.returncode == 0 else ():
        name, _, joules = line.strip().partition("|")
        if name == job and re.fullmatch(r"\d{1,18}", joules) and int(joules) > 0:  # 0: the cluster does not measure
            return int(joules)
    return None


def usage_table(folder):
    """Returns a row for each file whose run recorded what it took."""
    rows = []
    for one in folder.contents:
        found = usage(one)
        if "core_hours" in found:
            jobs = [(job, sacct_joules(job)) for job in slurm_jobs(one)]
            rows.append([one.path.name, f"{found['core_hours']:.3g}", energy_text(found.get("energy_joules")),
                         SOURCES.get(found.get("energy_source"), "not measured"), found.get("usage_of", ""),
                         "; ".join(f"{job}: {energy_text(joules)}" for job, joules in jobs) or "none"])
    return Table(["file", "core-hours", "energy", "counted by", "of", "SLURM jobs, by sacct"], rows,
                 "What was used: ranks × threads × wall time, and the energy of whole nodes, with all that other jobs "
                 "did on them.")

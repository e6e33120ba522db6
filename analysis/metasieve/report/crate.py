"""The RO-Crate of a folder: ro-crate-metadata.json, which says what each file is and how it was made.

RO-Crate 1.1, https://www.researchobject.org/ro-crate/1.1/; the terms sha256 and resourceUsage are of Workflow Run
RO-Crate.
"""
import datetime
import hashlib
import json
import math
import mimetypes
import pathlib
import re
import urllib.parse

from .. import files
from ..commands import UsageError
from . import facts, folder as folders, words
from .usage import SOURCES, sacct_joules, slurm_jobs, usage

NAME = "ro-crate-metadata.json"
TERMS = "https://w3id.org/ro/terms/workflow-run#"
CONTEXT = ["https://w3id.org/ro/crate/1.1/context", {name: TERMS + name for name in ("sha256", "resourceUsage")}]
FORMATS = {".h5": "application/x-hdf5", ".ini": "text/plain", ".log": "text/plain", ".md": "text/markdown"}
LICENSES = ("LICENSE", "LICENSE.txt", "LICENSE.md", "COPYING")
COMMANDS = {"suite": "generate", "results": "train", "checkpoint": "train", "evaluation": "evaluate", "scores": "score",
            "sweep": "sweep", "scaling": "scaling"}
BLOCK = 4 << 20  # bytes, see docs/formats.md
LARGEST_CHECKED = 8 << 20  # bytes of an input file; of a larger one the hash would take long


class Graph:
    """The entities of a crate by their @id."""

    def __init__(self):
        self.entities = {}

    def add(self, name, kind, /, **properties):
        """Adds an entity, without properties that are empty, or adds properties to it. Returns the reference to it."""
        known = {key: value for key, value in properties.items() if value not in (None, "", [])}
        self.entities.setdefault(name, {"@id": name, "@type": kind}).update(known)
        return {"@id": name}

    def number(self, prefix, kind, /, **properties):
        """Returns the reference to the entity of this kind and these properties, #PREFIX-1, #PREFIX-2, ..."""
        same = [one for name, one in self.entities.items() if re.fullmatch(rf"#{prefix}-\d+", name)]
        for one in same:
            if {**one, "@id": None} == {"@type": kind, **properties, "@id": None}:
                return {"@id": one["@id"]}
        return self.add(f"#{prefix}-{len(same) + 1}", kind, **properties)


def file_id(path):
    return urllib.parse.quote(pathlib.Path(path).name)


# ------------------------------------------------------------------------------------------------------- files

def listed(folder, chosen, crate):
    """Returns the files of the crate: those that were chosen, or all of a folder that are whole and no backups."""
    if [path for path in chosen if path.is_file()]:
        return sorted(chosen)
    return [path for path in sorted(folder.path.iterdir()) if path.is_file() and path.name != crate.name
            and not path.name.startswith((".", "#")) and not path.name.endswith((".part", ".partial"))]


def described(contents):
    """Returns what a file of metasieve is, in words."""
    text = facts.TYPES[contents.type]
    if contents.type == "dataset" and contents.attributes.get("source"):
        text += f", made of {contents.attributes['source']}"
        text += f" (SHA-256 {contents.attributes['source_sha256']})" if contents.attributes.get("source_sha256") else ""
    return text


def add_file(graph, path, contents=None):
    digest, size = hashlib.sha256(), 0
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
            size += len(block)
    known = contents.attributes if contents else {}
    form = FORMATS.get(path.suffix) or mimetypes.guess_type(path.name)[0]
    form = FORMATS[".h5"] if contents else form or "application/octet-stream"
    return graph.add(file_id(path), "File", name=path.name, contentSize=str(size), sha256=digest.hexdigest(),
                     encodingFormat=form, dateCreated=known.get("created"),
                     description=described(contents) if contents else None)


# ------------------------------------------------------------------------------------------------------ inputs

def fnv(data):
    """Returns the 64-bit FNV-1a hash of bytes."""
    found = 0xCBF29CE484222325
    for byte in data:
        found = ((found ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return found


def input_hash(path):
    """Returns the hash by which files know their inputs, see docs/formats.md."""
    with open(path, "rb") as file:
        blocks = iter(lambda: file.read(BLOCK), b"")
        return f"{fnv(b''.join(fnv(block).to_bytes(8, 'little') for block in blocks)):016x}"


def input_entity(graph, folder, parts, record):
    """Returns the reference to an input: the file in the folder if it is this one, else an entity that names it."""
    kind, digits, name = (record.split(" ", 2) + ["", ""])[:3]
    for one in folder.of(kind):
        if one.path.name == name and one.path in parts:
            known = digits != "-" and one.path.stat().st_size <= LARGEST_CHECKED
            if not known or input_hash(one.path) == digits:
                return {"@id": file_id(one.path)}
    hashed = None if digits == "-" else f"fnv1a-64:{digits}"
    return graph.number("input", "CreativeWork", name=name, identifier=hashed or f"name:{name}",
                        description=f"{facts.TYPES.get(kind, kind)}; not a file of this crate")


def inputs(contents):
    """Returns the records of a file on its inputs, "KIND HASH NAME" each."""
    found = contents.attributes.get("inputs", [])
    return [found] if isinstance(found, str) else list(found)


# ----------------------------------------------------------------------------------------------------- actions

def software(graph, contents):
    """Returns the reference to the program that made a file."""
    libraries = [graph.number("software", "SoftwareApplication", name=f"{words_of} {version}", softwareVersion=version)
                 for name, words_of in (("mpi", "MPI:"), ("hdf5", "HDF5"), ("compiler", "compiler"))
                 if (version := str(contents.attributes.get(name, "")))]
    made_by = str(contents.attributes.get("created_by", "metasieve"))
    commit = str(contents.attributes.get("git_commit", "unknown"))
    properties = {"name": "metasieve", "softwareVersion": made_by.removeprefix("metasieve").strip() or "unknown",
                  "identifier": f"commit {commit}", "license": {"@id": "https://spdx.org/licenses/Apache-2.0"}}
    if libraries:
        properties["softwareRequirements"] = libraries
    return graph.number("metasieve", "SoftwareApplication", **properties)


def times(contents):
    """Returns when the making of a file began and ended, ISO 8601; None where it is not recorded."""
    end, seconds = contents.attributes.get("created"), contents.attributes.get("seconds")
    first = contents.table("sessions")["started"].iloc[0] if "sessions" in contents \
        and len(contents.table("sessions")) and "started" in contents.table("sessions") else None
    if not first and end and seconds is not None:
        try:
            moment = datetime.datetime.strptime(end, "%Y-%m-%dT%H:%M:%SZ") - datetime.timedelta(seconds=float(seconds))
            first = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        except (ValueError, OverflowError):
            pass
    return first, end


def used(graph, contents):
    """Returns references to what a run took; nothing where the file does not record it."""
    found, name = usage(contents), file_id(contents.path)
    if "core_hours" not in found:
        return []
    of = f"of the {found['usage_of']}" if found.get("usage_of") else ""
    values = [graph.add(f"#core-hours-{name}", "PropertyValue", name="core-hours", value=found["core_hours"],
                        unitText="core-hour", description=f"ranks x threads x wall time, {of}")]
    joules = found.get("energy_joules", math.nan)
    source = SOURCES.get(found.get("energy_source"))
    values.append(graph.add(f"#energy-{name}", "PropertyValue", name="energy",
                            value=joules if joules >= 0 else "unknown",
                            description=f"{source}, with what other jobs did on them; {of}" if source else
                            "not measured", **({"unitCode": "JOU", "unitText": "joule"} if joules >= 0 else {})))
    for job in slurm_jobs(contents):
        if (joules := sacct_joules(job)) is not None:
            values.append(graph.add(f"#energy-slurm-{job}", "PropertyValue", name=f"energy of SLURM job {job}",
                                    value=joules, unitCode="JOU", unitText="joule",
                                    description="ConsumedEnergyRaw of sacct: all nodes of the whole job"))
    return values


def was_made_by(policy, training):
    """Returns whether a policy is the one of a training: its settings are those of the training, and it is finished."""
    same = all(training.config.get(section, {}).get(key) == value
               for section, keys in policy.config.items() for key, value in keys.items())
    commit = policy.attributes.get("git_commit") == training.attributes.get("git_commit")
    iterations = str(policy.attributes.get("trained_iterations")) == training.config.get("meta", {}).get("iterations")
    return bool(policy.config) and same and commit and iterations


def add_action(graph, folder, parts, one):
    """Adds the run that made a file. Returns the reference to it."""
    results = [one.path, *(policy.path for policy in folder.of("policy")
                           if one.type == "results" and was_made_by(policy, one))]
    results += [table for table in [one.path.with_suffix(".csv")] if one.type in ("scores", "sweep")]
    objects = [input_entity(graph, folder, parts, record) for record in inputs(one)]
    text = str(one.attributes.get("config", ""))
    if text:
        objects.append(graph.number("configuration", "CreativeWork", name="configuration, defaults included",
                                    encodingFormat="text/plain", text=text))
    start, end = times(one)
    return graph.add(f"#run-{file_id(one.path)}", "CreateAction",
                     name=f"metasieve {COMMANDS[one.type]}: {one.path.name}", instrument=software(graph, one),
                     object=objects, startTime=start, endTime=end,
                     result=[{"@id": file_id(path)} for path in results if path in parts],
                     resourceUsage=used(graph, one))


def crate_of(folder, parts, name=NAME):
    """Returns the RO-Crate of a Folder with these files as a dictionary. Raises OSError that names a file."""
    graph = Graph()
    graph.add(name, "CreativeWork", conformsTo={"@id": "https://w3id.org/ro/crate/1.1"}, about={"@id": "./"})
    graph.add("./", "Dataset")
    known = {one.path: one for one in folder.contents}
    license_file = next(({"@id": file_id(path)} for path in parts if path.name in LICENSES), None)
    graph.add("./", "Dataset", name=f"metasieve: {folder.name}", description=" ".join(words.verdict(folder))
              or "Files of metasieve.", datePublished=datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
              license=license_file, hasPart=[add_file(graph, path, known.get(path)) for path in parts])
    graph.add("./", "Dataset", mentions=[add_action(graph, folder, parts, one) for one in folder.contents
                                         if one.type in COMMANDS and one.path in parts])
    graph.add("https://spdx.org/licenses/Apache-2.0", "CreativeWork", name="Apache License 2.0")
    return {"@context": CONTEXT, "@graph": list(graph.entities.values())}


def path_of(folder, wanted):
    """Returns where the crate goes: `wanted` is a path, or True for its usual name. Raises UsageError."""
    path = folder.path / NAME if wanted is True else wanted
    if path.parent.resolve() != folder.path.resolve() or path.is_dir():
        raise UsageError(f"--crate {path}: must be a file in {folder.path}, to which the paths in it are relative")
    return path


def write(folder, chosen, page, path):
    """Writes the crate of a folder, or of the chosen files in it and the page."""
    parts = listed(folder, chosen, path)
    parts += [folder.path / page.name] if page.parent.resolve() == folder.path.resolve() \
        and folder.path / page.name not in parts else []
    text = json.dumps(crate_of(folder, parts, file_id(path)), indent=2, ensure_ascii=False, allow_nan=False)
    files.write({path: lambda part: part.write_text(text + "\n", encoding="utf-8")})
    print(f"wrote {path}")

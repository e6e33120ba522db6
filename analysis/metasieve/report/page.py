"""The page of a report: HTML that needs no other file and no network."""
import base64
import io
import pathlib
import re
from html import escape

from .. import files
from ..files import findings_of, has_gaps, summary_of
from ..groups import groups_of
from ..plots.style import plt
from ..tables import results
from ..tables.comparison import FINDINGS, THRESHOLD_NOTE
from ..tables.groups import gap_sentences
from ..tables.rendering import html, html_text
from . import crate, facts, folder as folders, pictures, usage, warnings, words

STYLE = pathlib.Path(__file__).with_name("style.css")
LARGE = 300_000  # bytes; a larger drawing is embedded as pixels
INCH = 80  # pixels of the page
MORE = {"paired": "Differences to each method, split by split", "detection": "How well rejected rows are wrong labels"}
FEW = 30  # rows at most of a table that is shown without a click
SECTIONS = {"warnings": "Warnings", "run": "What was run", "results": "Results", "plots": "Plots",
            "repeat": "How to repeat it"}


def prose(text):
    """Returns HTML of a sentence, with `names` as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html_text(text))


def details(summary, inside):
    return f"<details>\n<summary>{html_text(summary)}</summary>\n{inside}\n</details>"


def code(text, label):
    return f'<pre tabindex="0" aria-label="{html_text(label)}"><code>{escape(text.strip())}</code></pre>'


def in_words(table):
    """Returns HTML of a table whose cells are words, not figures."""
    return html(table).replace('<div class="wide"', '<div class="wide words"', 1)


def section(name, *blocks):
    return "\n".join([f'<section id="{name}">', f"<h2>{SECTIONS[name]}</h2>", *filter(None, blocks), "</section>"])


# ----------------------------------------------------------------------------------------------------- pictures

def embedded(figure):
    """Returns the figure as a data URI: SVG if it is small enough, else PNG."""
    kind, part = "svg+xml", io.BytesIO()
    figure.savefig(part, format="svg", metadata={"Date": None})
    if part.tell() > LARGE:
        kind, part = "png", io.BytesIO()
        figure.savefig(part, format="png", dpi=150, metadata={"Software": None})
    return f"data:image/{kind};base64,{base64.b64encode(part.getvalue()).decode()}"


def picture_html(picture):
    """Returns HTML of a picture that scrolls sideways where it would be too small to read; closes the figure."""
    width, height = (round(INCH * size) for size in picture.figure.get_size_inches())
    source = embedded(picture.figure)
    plt.close(picture.figure)
    least = round(0.8 * width) if width > 520 else 0
    title, alt = html_text(picture.title), html_text(picture.alt)
    return (f'<h3>{title}</h3>\n<figure>\n<div class="wide" role="region" tabindex="0" aria-label="{title}">'
            f'<img src="{source}" width="{width}" height="{height}" style="min-width:{least}px" alt="{alt}">'
            f"</div>\n<figcaption>{html_text(picture.caption)}</figcaption>\n</figure>")


# ------------------------------------------------------------------------------------------------------ results

def source_html(evaluation, source, methods, tables, groups):
    """Returns HTML of one source of an evaluation: findings, methods, groups, detection and differences."""
    sees = evaluation.config.get("inner", {}).get("use_group")
    known = {"true": "; the final model sees the group", "false": "; the final model does not see the group"}
    blocks = [f"<h3>{html_text(source)}</h3>",
              f'<p class="from">From {html_text(evaluation.path.name)}{known.get(sees, "") * has_gaps(methods)}.</p>']
    found = [f"<li><strong>{html_text(FINDINGS.get(row.kind, row.kind))}:</strong> "
             f"{html_text(words.readable(row))}</li>"
             for row in findings_of(evaluation) if row.source == source and row.kind not in warnings.SUSPECT]
    blocks += ["<ul>", *found, "</ul>"] if found else []
    blocks.append(html(tables[source]))
    is_said = sees == "false" and "threshold" in methods and has_gaps(methods)
    blocks += [f"<p>{prose(THRESHOLD_NOTE)}</p>"] if is_said else []
    blocks += [table_html(tables[f"{source}_groups"]), f"<p>{html_text(gap_sentences(groups, methods))}</p>"] \
        if groups else []
    blocks += [details(summary, html(tables[f"{source}_{name}"])) for name, summary in MORE.items()
               if f"{source}_{name}" in tables]
    return "\n".join(blocks)


def table_html(table):
    """Returns HTML of a table; a long one is shown by a click."""
    return html(table) if len(table.rows) <= FEW else details(f"{len(table.rows)} rows: {table.caption}", html(table))


def results_html(folder):
    blocks = []
    for evaluation in folder.of("evaluation"):
        tables, groups = results.of_evaluation(evaluation), groups_of(evaluation)
        blocks += [source_html(evaluation, source, methods, tables, groups.get(source))
                   for source, methods in summary_of(evaluation).items()]
    for one in [*folder.of("sweep", "scaling"), *folder.trainings]:
        tables = results.of(one)
        title = f"{facts.TYPES[one.type].capitalize()}: {one.path.name}"
        blocks += [f"<h3>{html_text(title)}</h3>"] if tables else []
        blocks += map(table_html, tables.values())
    return section("results", *(blocks or ["<p>Nothing was trained or evaluated.</p>"]))


# --------------------------------------------------------------------------------------------- the other sections

def warnings_html(found):
    if not found:
        return section("warnings", '<p class="none">None: no constant predictor, no undefined rate, no failed task, no '
                                   "unfinished or unreadable file.</p>")
    items = [f"<li><strong>{html_text(title)}:</strong> {html_text(text)}.</li>" for title, text in found]
    return section("warnings", '<div class="warnings"><ul>', *items, "</ul></div>")


def run_html(folder):
    tables = [*map(facts.sessions_table, folder.trainings), usage.usage_table(folder)]
    settings = [f"<div><dt>{html_text(name)}</dt><dd>{html_text(value)} <code>{escape(key)}</code></dd></div>"
                for name, key, value in facts.settings(folder)]
    configurations = [details(f"Complete configuration of {', '.join(names)}", code(text, "configuration"))
                      for text, names in facts.configurations(folder).items()]
    return section("run", "<h3>Files and machine</h3>", in_words(facts.files_table(folder)),
                   *(in_words(table) for table in tables if table.rows), "<h3>Settings that matter most</h3>",
                   *(["<dl>", *settings, "</dl>"] if settings else ["<p>The files hold no configuration.</p>"]),
                   *configurations)


def repeat_html(folder):
    return section("repeat", "<p>The configuration, defaults included, is in each file; these commands take it out and "
                   "run it again, from the folder of metasieve's sources. Suites and policies have the same bytes on "
                   "any number of ranks and threads. Names of files in capitals are not known: put your own.</p>",
                   code("\n".join(facts.commands(folder)), "commands"))


def page(folder):
    """Returns the report of a Folder as HTML. Raises ValueError."""
    drawn, found = [], warnings.warnings(folder)
    for picture, problem in pictures.pictures(folder):
        if picture:
            drawn.append(picture_html(picture))
        else:
            found.append(("A picture is missing", problem))
    said = words.verdict(folder)
    said += [f"Read the {words.count(len(found), 'warning')} below first."] if found else []
    title = f"metasieve: {html_text(folder.name)}"
    links = [f'<li><a href="#{name}">{heading}</a></li>' for name, heading in SECTIONS.items()]
    return "\n".join([
        "<!doctype html>", '<html lang="en">', "<head>", '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
        'style-src \'unsafe-inline\'">', f"<title>{title}</title>", '<link rel="icon" href="data:,">',
        f"<style>\n{STYLE.read_text(encoding='utf-8')}</style>", "</head>", "<body>", "<header>", f"<h1>{title}</h1>",
        f'<p class="lead">{html_text(" ".join(said))}</p>',
        '<nav aria-label="Sections"><ul>', *links, "</ul></nav>", "</header>", "<main>", warnings_html(found),
        run_html(folder), results_html(folder), section("plots", *(drawn or ["<p>There is nothing to draw.</p>"])),
        repeat_html(folder), "</main>", "</body>", "</html>", ""])


def run(options):
    """Runs `report`."""
    folder = folders.found_in(options.files)
    output = options.output or folder.path / "report.html"
    crate_path = crate.path_of(folder, options.crate) if options.crate else None
    text = page(folder)
    files.write({output: lambda part: part.write_text(text, encoding="utf-8")})
    print(f"wrote {output}")
    if crate_path:
        crate.write(folder, options.files, output, crate_path)

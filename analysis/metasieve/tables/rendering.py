"""A table of texts, and its Markdown, LaTeX and HTML."""
import html as escaping
import math
import re
from dataclasses import dataclass

NONE = "–"  # undefined
INTERVAL = re.compile(r"(.*\S) (\[[^\[]*\])")  # a mean and its interval
LATEX = {"\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
         "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': "''", NONE: "--",
         "−": "$-$", "≥": r"$\geq$", "≤": r"$\leq$", "†": r"$\dagger$", **{sign: "\\" + sign for sign in "&%$#_"}}


@dataclass
class Table:
    """A table of texts. The first text of a row names it; the others are figures."""
    header: list
    rows: list
    caption: str = ""
    emphasised: tuple = ()  # names of the rows that are shown in bold
    pale: tuple = ()  # names of the rows that are shown in grey, where there are colours


def interval(mean, low, high, remark=""):
    """Returns a level with a remark and its 95 % interval as text."""
    known = "" if math.isnan(low + high) else f" [{low:.3f}, {high:.3f}]"
    return NONE if math.isnan(mean) else f"{mean:.3f}{remark}{known}"


# ----------------------------------------------------------------------------------------------------- Markdown

def markdown(table):
    """Returns Markdown with aligned columns."""
    widths = [max(len(row[i]) for row in [table.header, *table.rows]) for i in range(len(table.header))]
    lines = [table.header, ["-" * (widths[0])] + ["-" * (width - 1) + ":" for width in widths[1:]], *table.rows]
    return "\n".join("| " + " | ".join(text.ljust(width) if i == 0 else text.rjust(width)
                                       for i, (text, width) in enumerate(zip(line, widths))) + " |" for line in lines)


# -------------------------------------------------------------------------------------------------------- LaTeX

def latex_text(text):
    """Returns text with LaTeX's special letters escaped; a sign before a number becomes a mathematical sign."""
    escaped = "".join(LATEX.get(letter, letter) for letter in text)
    return re.sub(r"(?<![\w.)])([-+])(?=[\d ])", r"$\1$", escaped)


def stacked(text, wide=20):
    """Returns the lines of a cell: an interval goes below its mean, a long text is divided near its middle."""
    found = INTERVAL.fullmatch(text)
    if found:
        return [*stacked(found[1]), found[2]]
    gaps = [gap.start() for gap in re.finditer(" ", text)] if len(text) > wide else []
    minus = text.find(" - ")
    if not gaps:
        return [text]
    place = minus if minus in gaps else min(gaps, key=lambda gap: abs(gap - len(text) / 2))
    return [text[:place], *stacked(text[place + 1:], max(wide, len(text) - place - 1))]


def latex_rows(row, wide=20, on_top=True, bold=False):
    """Returns the lines of a row, narrow enough for a page; intervals are in smaller type."""
    def shown(i, line):
        words = rf"{{\scriptsize {latex_text(line)}}}" if line.startswith("[") else latex_text(line)
        return rf"\textbf{{{words}}}" if bold and i == 0 and words else words

    cells = [stacked(text, wide) for text in row]
    height = max(map(len, cells))
    cells = [cell + [""] * (height - len(cell)) if on_top else [""] * (height - len(cell)) + cell for cell in cells]
    return [" & ".join(shown(i, line) for i, line in enumerate(lines)) + r" \\" for lines in zip(*cells)]


def latex(table, label):
    """Returns a LaTeX table, centred where it is wider than the text. It needs the package booktabs."""
    rows = [latex_rows(row, bold=row[0] in table.emphasised) for row in table.rows]
    space = "[2pt]" if any(len(row) > 1 for row in rows) else ""
    lines = [line for row in rows for line in (*row[:-1], row[-1] + space)]
    label = re.sub(r"[^A-Za-z0-9:._-]+", "-", label)
    return "\n".join([
        r"\begin{table}", r"\centering", rf"\caption{{{latex_text(table.caption)}}}", rf"\label{{{label}}}",
        r"\footnotesize", r"\setlength{\tabcolsep}{4pt}",
        rf"\makebox[\textwidth][c]{{\begin{{tabular}}{{l{'r' * (len(table.header) - 1)}}}", r"\toprule",
        *latex_rows(table.header, 9, on_top=False), r"\midrule", *lines, r"\bottomrule", r"\end{tabular}}",
        r"\end{table}"])


# --------------------------------------------------------------------------------------------------------- HTML

def html_text(text):
    """Returns text escaped for HTML and its attributes; a hyphen before a number becomes a minus sign."""
    return escaping.escape(re.sub(r"(?<![\w.)])-(?=[\d ])", "−", text))


def html_cell(text):
    found = INTERVAL.fullmatch(text)
    return f"{html_text(found[1])} <small>{html_text(found[2])}</small>" if found else html_text(text)


def html(table):
    """Returns an HTML table in a box that scrolls sideways on a narrow page."""
    head = "".join(f'<th scope="col">{html_cell(text)}</th>' for text in table.header)
    looks = dict.fromkeys(table.emphasised, " class=ours") | dict.fromkeys(table.pale, " class=pale")
    body = "\n".join(f"<tr{looks.get(row[0], '')}>"
                     f'<th scope="row">{html_text(row[0])}</th>'
                     + "".join(f"<td>{html_cell(text)}</td>" for text in row[1:]) + "</tr>" for row in table.rows)
    return (f'<div class="wide" role="region" tabindex="0" aria-label="{html_text(table.caption)}">\n<table>\n'
            f"<caption><span>{html_text(table.caption)}</span></caption>\n<thead><tr>{head}</tr></thead>\n"
            f"<tbody>\n{body}\n</tbody>\n</table>\n</div>")

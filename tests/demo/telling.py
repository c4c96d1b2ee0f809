"""How the demo talks: a line of explanation, the command as typed at a router, what it shows."""
import os
import shutil
import sys
import textwrap

COLOURED = bool(os.environ.get("L2TPV3D_COLOUR")) or sys.stdout.isatty()
WIDTH = max(60, min(shutil.get_terminal_size((100, 24)).columns, 100))
BOLD, DIM, GREEN, RED, PLAIN = "\033[1m", "\033[2m", "\033[32m", "\033[31m", "\033[0m"


def paint(style, text):
    return f"{style}{text}{PLAIN}" if COLOURED else text


def say(text="", style=""):
    print(paint(style, text) if style else text, flush=True)


def folded(text, indent):
    """No wider than the terminal; words stay as they are where they can."""
    if len(text) <= WIDTH - len(indent):
        return indent + text
    return textwrap.fill(text, WIDTH, initial_indent=indent, subsequent_indent=indent + "    ", expand_tabs=False,
                         replace_whitespace=False, break_on_hyphens=False)


def heading(text):
    say(f"\n{text}\n{'-' * len(text)}", BOLD)


def explain(text):
    say()
    for line in textwrap.wrap(" ".join(text.split()), WIDTH):
        say(line)


def command(router, text):
    first, *rest = text.splitlines()
    say()
    say(f"{router}# {first}", BOLD)
    for line in rest:
        say(line, BOLD)


def shown(text, lines=None):
    """The output of a command, cut in the middle when it is long."""
    all_lines = text.rstrip("\n").splitlines()
    cut = lines and len(all_lines) > lines + 2
    for line in all_lines[:lines] if cut else all_lines:
        say(folded(line, "  "))
    if cut:
        say(f"  ... and {len(all_lines) - lines} more lines", DIM)


def good(text):
    say(folded(f"ok: {text}", "  "), GREEN)


def bad(text):
    say(folded(f"NOT AS IT SHOULD BE: {text}", "  "), RED)


def summary(scenes):
    """(title, seconds, whether all was as it should be) of each."""
    say()
    for number, (title, seconds, fine) in enumerate(scenes, 1):
        say(f"  {number:>2}. {title:<52} {seconds:>4.0f} s  {'ok' if fine else 'NOT AS IT SHOULD BE'}",
            "" if fine else RED)

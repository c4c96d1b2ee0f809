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
        say("  " + line if len(line) <= WIDTH - 2 else f"  {line[:WIDTH - 5]}...")
    if cut:
        say(f"  ... and {len(all_lines) - lines} more lines", DIM)


def good(text):
    say(f"  ok: {text}", GREEN)


def bad(text):
    say(f"  NOT AS IT SHOULD BE: {text}", RED)

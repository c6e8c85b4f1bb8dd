"""Completion for bash, zsh and fish: one script that knows every command, flag, step, requirement and other value.

The script holds the words themselves, so that a Tab starts no Python.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, get_args

from invoke.collection import Collection

from runbook import catalogue, faults
from runbook.app import application
from runbook.catalogue.requirements import BY_ID
from runbook.cli.plan import TARGETS
from runbook.engine.errors import UsageError
from runbook.engine.settings import ClusterChoice, Settings
from runbook.report.writer import Writer

if TYPE_CHECKING:
    from invoke.parser.context import ParserContext

PROGRAMS = ("inv", "invoke")
PARTS = ("lint", "unit", "services", "live", "field")
SHELLS = ("bash", "zsh", "fish")


def show(commands: Collection, shell: str) -> None:
    """Write the script. Raises `UsageError` for another shell."""
    writers = {"bash": bash, "zsh": zsh, "fish": fish}
    if shell not in writers:
        raise UsageError(
            f"no completion for {shell!r}", wanted=f"one of {', '.join(SHELLS)}", hint="inv completion bash"
        )
    Writer(sys.stdout).line(writers[shell](words(commands)).rstrip("\n"))


def words(commands: Collection) -> dict[str, dict[str, tuple[str, ...]]]:
    """Command -> flag -> the values that it takes; under "" what follows the command itself."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for context in commands.to_contexts():
        flags = {
            flag: _values(str(context.name), argument.name or "")
            for argument in context.args.values()
            for flag in (f"--{name}" if len(name) > 1 else f"-{name}" for name in argument.names)
        }
        first = _first(context)
        for name in (context.name, *context.aliases):
            found[str(name)] = {"": first, **{flag.replace("_", "-"): each for flag, each in flags.items()}}
    return dict(sorted(found.items()))


def _first(context: ParserContext) -> tuple[str, ...]:
    names = [argument.name or "" for argument in context.positional_args]
    return _values(str(context.name), names[0]) if names else ()


def _values(command: str, argument: str) -> tuple[str, ...]:
    steps = tuple(step.id for step in catalogue.STEPS)
    known: Mapping[str, tuple[str, ...]] = {
        "cluster": get_args(ClusterChoice),
        "step": (*steps, *BY_ID),
        "group": tuple(sorted(faults.GROUPS)),
        "component": (*(each.name for each in application.COMPONENTS), "database", "model", "dapr"),
        "target": tuple(TARGETS),
        "part": PARTS,
        "shell": SHELLS,
    }
    if argument == "name":
        return (*steps, *BY_ID) if command == "explain" else _clusters()
    return known.get(argument, ())


def _clusters() -> tuple[str, ...]:
    """The clusters of this user that there is a state folder of."""
    folder = Settings().state.parent
    return tuple(sorted(each.name for each in folder.iterdir() if each.is_dir())) if folder.is_dir() else ()


def _cases(found: Mapping[str, Mapping[str, tuple[str, ...]]]) -> Iterator[str]:
    """Branches of a `case` that bash and zsh read alike: "command flag-before" to words."""
    for command, flags in found.items():
        for flag, values in flags.items():
            if flag and values:
                yield f'    "{command} {flag}") words="{" ".join(values)}" ;;'
    for command, flags in found.items():
        offered = [*flags[""], *(flag for flag in flags if flag.startswith("--"))]
        yield f'    "{command} "*) words="{" ".join(offered)}" ;;'
    yield f'    *) words="{" ".join(found)}" ;;'


def bash(found: Mapping[str, Mapping[str, tuple[str, ...]]]) -> str:
    cases = "\n".join(_cases(found))
    return f"""# Completion of the runbook for bash, made by `inv completion bash`.
_todo_runbook() {{
  local words command="" current="${{COMP_WORDS[COMP_CWORD]}}" before="" i
  [[ $COMP_CWORD -gt 1 ]] && before="${{COMP_WORDS[COMP_CWORD-1]}}"
  for ((i = 1; i < COMP_CWORD; i++)); do
    [[ ${{COMP_WORDS[i]}} != -* ]] && command="${{COMP_WORDS[i]}}" && break
  done
  case "$command $before" in
{cases}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  case "$before" in
    --report | --path | --values) COMPREPLY=($(compgen -f -- "$current")) ;;
  esac
  return 0
}}
complete -F _todo_runbook {" ".join(PROGRAMS)}
"""


def zsh(found: Mapping[str, Mapping[str, tuple[str, ...]]]) -> str:
    cases = "\n".join(_cases(found))
    return f"""#compdef {" ".join(PROGRAMS)}
# Completion of the runbook for zsh, made by `inv completion zsh`.
_todo_runbook_words() {{ # command, word before the cursor
  local words
  case "$1 $2" in
{cases}
  esac
  print -r -- "$words"
}}
_todo_runbook() {{
  local command="" before="" each
  (( CURRENT > 2 )) && before="${{words[CURRENT-1]}}"
  for each in "${{(@)words[2,CURRENT-1]}}"; do
    [[ $each != -* ]] && command="$each" && break
  done
  case "$before" in
    --report | --path | --values) _files ;;
    *) compadd -- ${{=$(_todo_runbook_words "$command" "$before")}} ;;
  esac
}}
compdef _todo_runbook {" ".join(PROGRAMS)}
"""


def fish(found: Mapping[str, Mapping[str, tuple[str, ...]]]) -> str:
    lines = ["# Completion of the runbook for fish, made by `inv completion fish`."]
    lines.append(
        "function __todo_runbook_saw # the command, or nothing yet\n"
        "    set -l tokens (commandline -opc)[2..-1]\n"
        "    set -l given (string match --invert -- '-*' $tokens)\n"
        '    test "$given[1]" = "$argv[1]"\n'
        "end"
    )
    names = " ".join(found)
    for program in PROGRAMS:
        lines.append(f'complete -c {program} -f -n __todo_runbook_saw -a "{names}"')
        for command, flags in found.items():
            seen = f'-n "__todo_runbook_saw {command}"'
            if flags[""]:
                lines.append(f'complete -c {program} -f {seen} -a "{" ".join(flags[""])}"')
            for flag, values in flags.items():
                if flag.startswith("--"):
                    takes = f' -x -a "{" ".join(values)}"' if values else ""
                    lines.append(f"complete -c {program} {seen} -l {flag[2:]}{takes}")
    return "\n".join(lines) + "\n"

"""The command line as `--help` tells it, in all its depth, and as the documentation does: the same."""

import functools
import pathlib
import re
import unittest

from harness import ROOT, keyward

PAGE = ROOT / "docs" / "command-line.md"
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
# What every command takes.
COMMON = {"--json", "--help"}
PLACE = {"--config", "--data", "--database"}


@functools.cache
def helped(*words):
    done = keyward(*words, "--help")
    assert done.returncode == 0, (words, done.stderr)
    return done.stdout


def part(text, title):
    """The indented lines below this title."""
    found = re.search(rf"^{title}:\n((?:(?: .*)?\n)+)", text, re.M)
    return found.group(1) if found else ""


def names(text):
    return [line.split()[0] for line in text.splitlines() if re.match(r"  \S", line)]


@functools.cache
def commands():
    """Every command by its words, with its options and the words that it needs."""
    found = {}

    def look(words):
        text = helped(*words)
        below = [name for name in names(part(text, "Commands")) if name != "help"]
        for name in below:
            look((*words, name))
        if not below:
            # A command of clap has a list of options, one of the admin API names them in its usage.
            options = part(text, "Options") or text[: text.index("\n\n")]
            needs = [name.strip("<>[]") for name in names(part(text, "Arguments"))]
            found[words] = (set(OPTION.findall(options)), needs)

    look(())
    return found


def nouns():
    return {words[0] for words in commands() if "VERB" in helped(*words).splitlines()[0]}


def verbs(noun):
    lines = [line for line in helped(noun).splitlines() if re.match(r"  [a-z]", line)]
    return [line.split()[0] for line in lines]


def rows():
    """The rows of the table of commands: words, needed words, options."""
    table = PAGE.read_text().split("## Commands and their options")[1]
    for line in table.splitlines():
        if line.startswith("| `keyward "):
            command, _, options = [cell.strip() for cell in line.strip("|").split("|")]
            words = command.strip("`").split()[1:]
            small = tuple(word for word in words if word.islower())
            own = set(OPTION.findall(options))
            yield small, [word for word in words if not word.islower()], own | (PLACE if "place" in options else set())


class Help(unittest.TestCase):
    def test_the_documentation_names_every_command_and_option_and_no_other(self):
        documented = {words: (options, needs) for words, needs, options in rows()}
        # One row stands for all nouns.
        options, needs = documented.pop(())
        self.assertEqual(needs, ["NOUN", "VERB"])
        documented |= {(noun,): (options, []) for noun in nouns()}
        there = {words: (options - COMMON, needs) for words, (options, needs) in commands().items()}
        self.assertEqual(sorted(documented), sorted(there))
        for words, what in there.items():
            with self.subTest(" ".join(words)):
                self.assertEqual(documented[words], what)
        for words in there:
            self.assertLessEqual(COMMON, set(OPTION.findall(helped(*words))), words)
        page = PAGE.read_text()
        for option in OPTION.findall(part(helped(), "Options")):
            self.assertIn(f"`keyward {option}`" if option not in COMMON else f"`{option}`", page)
        self.assertIn("`keyward help COMMAND`", page)

    def test_the_documentation_names_every_verb_and_no_other(self):
        page = PAGE.read_text()
        table = dict(re.findall(r"^\| `([a-z]+)` \| ([a-z, -]+) \|$", page, re.M))
        self.assertEqual(set(table), nouns())
        for noun, listed in table.items():
            with self.subTest(noun):
                self.assertEqual(sorted(listed.split(", ")), sorted(verbs(noun)))
        # And each verb tells what it takes.
        for noun in nouns():
            for verb in verbs(noun):
                self.assertTrue(helped(noun, verb).startswith(f"Usage: keyward {noun} {verb}"))

    def test_the_fields_that_the_documentation_uses_are_there(self):
        for line in re.findall(r"^keyward ([a-z]+ [a-z].*)$", PAGE.read_text(), re.M):
            noun, verb, *more = line.split("#")[0].split()
            if noun in nouns():
                fields = set(names(part(helped(noun, verb), "Fields")))
                for name in re.findall(r"(?<!\S)'?([\w.]+)=", line):
                    with self.subTest(line=line, name=name):
                        self.assertTrue(name in fields or any(name.startswith(field + ".") for field in fields), fields)

    def test_no_page_shows_a_command_or_option_that_does_not_exist(self):
        pages = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md", *sorted((ROOT / "deploy").glob("*"))]
        seen = 0
        for path in pages:
            if not path.is_file():
                continue
            text = path.read_text(errors="replace").replace("\\\n", " ")
            for shown in re.findall(r"(?:^|`|\$ |/)keyward ((?:[a-z-]|--).*?)(?:`|$|#|\||&&|;)", text, re.M):
                seen += self.exists(path, shown)
        self.assertGreater(seen, 40)

    def exists(self, path, shown):
        words = shown.split()
        if pathlib.Path(words[0]).suffix or words[0].startswith("--"):
            return self.assertLessEqual(set(OPTION.findall(words[0])), set(OPTION.findall(helped()))) or 0
        with self.subTest(f"{path.relative_to(ROOT)}: keyward {shown}"):
            known = next((known for known in commands() if tuple(words[: len(known)]) == known), None)
            self.assertIsNotNone(known or words[0] in ("help", "config"), "no such command")
            if known:
                allowed = commands()[known][0] | COMMON
                self.assertLessEqual(set(OPTION.findall(shown)), allowed)
                if known[0] in nouns() and len(words) > 1 and words[1][0].islower():
                    self.assertIn(words[1], verbs(known[0]))
        return 1


if __name__ == "__main__":
    unittest.main()

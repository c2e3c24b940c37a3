"""Refuses words that the glossary replaces. `words.py FOLDER` checks the .rs and .md files of a folder.

The words are those in bold in the table 'Not used' of docs/glossary.md, and OWN. They are looked for in
- names that Rust code defines, split at capitals and underscores;
- comments and documents, without the code in them, and messages: string literals with a space.
Exceptions, one a line of tests/scripts/words.exceptions: PATH-REGEX | WORD | REASON.

Also refuses names of tests that are no sentences in the present: `test_…`, `…_should_…`, `…_works`; and names
that public types or traits of two crates have. An exception for these has the name, or `*`, as its word.
"""

import os
import re
import sys

PARTY = "the party that is meant, such as the validator, any account, no operator"
OWN = {word: PARTY for word in ("nobody", "whoever", "everybody", "anybody", "somebody", "someone")}
SENTENCE = "a sentence in the present that states the behaviour, such as a_spent_bond_locks_nothing"
GLOSSARY = "docs/glossary.md"
EXCEPTIONS = "tests/scripts/words.exceptions"
SKIPPED = {".git", ".noema", "node_modules", "target"}

COMMENT_OR_STRING = re.compile(
    r"(?P<comment>//[^\n]*(?:\n[ \t]*//[^\n]*)*|/\*.*?\*/)"
    r"|(?P<string>b?r(?P<hashes>#*)\".*?\"(?P=hashes)|b?\"(?:[^\"\\]|\\.)*\")"
    r"|'(?:[^'\\\n]|\\[^\n]{1,9}?)'",
    re.S,
)
DEFINITION = re.compile(
    # An item or a variable,
    r"\b(?:fn|struct|enum|union|trait|type|const|static|mod|macro_rules!|let(?:\s+mut)?)\s+(?!fn\b|mut\b)(?:r#)?(\w+)"
    # a field or a parameter,
    r"|\b([a-z_]\w*)\s*:(?!:)"
    # a variant.
    r"|^\s*([A-Z]\w*)\s*(?=[({,]|=\s|$)",
    re.M,
)
TEST = re.compile(r"#\[(?:\w+::)*test\b[^\]]*\](?:\s*#\[[^\]]*\])*\s*(?:async\s+)?fn\s+(\w+)")
PUBLIC_TYPE = re.compile(r"^[ \t]*pub (?:unsafe )?(?:struct|enum|union|trait|type)\s+(\w+)", re.M)
# Tests, and stand-ins for crates of other authors.
NO_CRATE = re.compile(r"^patches/|/(?:mock|tests)(?:/|\.rs$)")
NO_SENTENCE = re.compile(r"^test_|_should_|_works$")
PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
CODE = re.compile(r"```.*?```|`[^`]*`|\]\([^)]*\)|<?https?://\S+", re.S)


def blank(match):
    return re.sub(r"[^\n]", " ", match[0])


def plural(word):
    """The pattern of a word and of its plural."""
    return f"{word[:-1]}(?:y|ies)" if word.endswith("y") else f"{word}(?:e?s)?"


class Words:
    def __init__(self, table):
        self.instead = table
        longest_first = sorted(table, key=len, reverse=True)
        between = {"prose": r"[\s/!*\\-]+", "name": " "}
        patterns = {
            kind: "|".join(f"({gap.join(map(plural, word.split()))})" for word in longest_first)
            for kind, gap in between.items()
        }
        self.order = longest_first
        self.prose = re.compile(rf"(?<![\w/.@-])(?:{patterns['prose']})(?![\w/]|\.\w)", re.I)
        self.name = re.compile(rf"(?<!\S)(?:{patterns['name']})(?!\S)")
        self.stems = [[part.rstrip("y") for part in word.split()] for word in table]

    def may_be_in(self, text):
        """Whether a closer look at the text is worth its time."""
        text = text.lower()
        return any(all(stem in text for stem in stems) for stems in self.stems)

    def word(self, match):
        return self.order[match.lastindex - 1]


def read_glossary(folder):
    """The words in bold with what to write instead, and the lines of their table."""
    table, lines, inside = {}, set(), False
    with open(os.path.join(folder, GLOSSARY), encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            inside = line.startswith("| not |") or (inside and line.startswith("|"))
            if inside:
                lines.add(number)
                cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
                for word in re.findall(r"\*\*([^*]+)\*\*", cells[0]):
                    table[word] = cells[1]
    if not table:
        sys.exit(f"error: {GLOSSARY} has no words in bold in its table 'Not used'")
    return table, lines


def read_exceptions(folder):
    exceptions = []
    try:
        with open(os.path.join(folder, EXCEPTIONS), encoding="utf-8") as file:
            lines = file.read().splitlines()
    except FileNotFoundError:
        return exceptions
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = [cell.strip() for cell in re.split(r"\s\|\s", line)]
        if len(cells) != 3 or not all(cells):
            sys.exit(f"error: {EXCEPTIONS}:{number} is not PATH-REGEX | WORD | REASON")
        exceptions.append({"path": re.compile(cells[0]), "word": cells[1], "line": number, "used": False})
    return exceptions


def sources(folder):
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(set(folders) - SKIPPED)
        for name in sorted(names):
            if name.endswith((".rs", ".md")):
                path = os.path.join(place, name)
                yield os.path.relpath(path, folder), path


def hits(words, path, text):
    """(offset, word, what was found) of each word that is not used."""
    if path.endswith(".md"):
        for match in words.prose.finditer(CODE.sub(blank, text)):
            yield match.start(), words.word(match), f"'{match[0]}'"
        return
    for part in COMMENT_OR_STRING.finditer(text):
        if part["comment"] or (part["string"] and " " in part["string"]):
            for match in words.prose.finditer(CODE.sub(blank, part[0])):
                found = " ".join(re.findall(r"\w+", match[0]))
                yield part.start() + match.start(), words.word(match), f"'{found}'"
    for definition in DEFINITION.finditer(COMMENT_OR_STRING.sub(blank, text)):
        name = definition[definition.lastindex]
        for match in words.name.finditer(" ".join(PART.findall(name)).lower()):
            yield definition.start(definition.lastindex), words.word(match), f"'{match[0]}' in the name {name}"


def misnamed_tests(text):
    """(offset, name) of each test whose name is no sentence in the present."""
    for match in TEST.finditer(text):
        if NO_SENTENCE.search(match[1]):
            yield match.start(1), match[1]


def public_types(path, text):
    """(name, crate, offset) of each public type of a crate; the crate is the path of its folder."""
    folder, source, _ = ("/" + path).partition("/src/")
    if not source or not path.endswith(".rs") or NO_CRATE.search(path):
        return
    for match in PUBLIC_TYPE.finditer(text):
        yield match[1], folder.lstrip("/"), match.start(1)


def excepted(exceptions, words, path):
    """Whether one of the words is excepted in this file; marks the exceptions as used."""
    matching = [it for it in exceptions if it["word"] in words and it["path"].search(path)]
    for exception in matching:
        exception["used"] = True
    return bool(matching)


def shared_names(types, exceptions):
    """A line for each public type whose name a type of another crate has, too."""
    for name, places in sorted(types.items()):
        if len({crate for crate, _, _ in places}) < 2:
            continue
        places = [it for it in places if not excepted(exceptions, (name, "*"), it[1])]
        if len({crate for crate, _, _ in places}) > 1:
            for _, path, line in places:
                yield f"{path}:{line}: a type of another crate is called {name}, too; rename one of them"


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def main(folder):
    table, glossary_lines = read_glossary(folder)
    words = Words({**table, **OWN})
    exceptions = read_exceptions(folder)
    refused, types = [], {}
    for path, file in sources(folder):
        with open(file, encoding="utf-8") as opened:
            text = opened.read()
        for offset, name in misnamed_tests(text) if path.endswith(".rs") else ():
            refused.append(f"{path}:{line_of(text, offset)}: the test {name}; write: {SENTENCE}")
        for name, crate, offset in public_types(path, text):
            types.setdefault(name, []).append((crate, path, line_of(text, offset)))
        if not words.may_be_in(text):
            continue
        for offset, word, found in sorted(set(hits(words, path, text))):
            line = line_of(text, offset)
            if path == GLOSSARY and line in glossary_lines:
                continue
            if not excepted(exceptions, (word,), path):
                refused.append(f"{path}:{line}: {found}; write: {words.instead[word]}")
    refused.extend(shared_names(types, exceptions))
    for exception in exceptions:
        if not exception["used"]:
            refused.append(f"{EXCEPTIONS}:{exception['line']}: excepts nothing; remove it")
    print(*refused, sep="\n", end="\n" if refused else "")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

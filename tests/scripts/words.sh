#!/usr/bin/env bash
# Checks that names, comments, messages and documents use the glossary's words, that names of tests are
# sentences, and that public types of two crates have two names; tests that check first. Takes two seconds.
#
#   ./tests/scripts/words.sh
#
# words.py beside it says what is checked. An exception goes into words.exceptions, with its reason.
set -euo pipefail
ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
SCRATCH="$(mktemp -d)"
trap 'rm -rf "$SCRATCH"' EXIT
PASSED=0
FAILED=0

# folder: an empty folder with a glossary.
folder() {
    rm -rf "${SCRATCH:?}"/*
    mkdir -p "$SCRATCH/docs" "$SCRATCH/src" "$SCRATCH/tests/scripts"
    printf '%s\n' '# Glossary' '' '| not | but |' '|---|---|' \
        '| **committee**, panel | jury |' '| **penalty** | slash |' '| **session key** | hot key |' >"$SCRATCH/docs/glossary.md"
}

# -S: Python starts faster without what is installed beside it.
words() { python3 -S "$ROOT/tests/scripts/words.py" "$SCRATCH" 2>&1; }

# accepts NAME: nothing in the folder is refused.
accepts() {
    local said
    if said="$(words)"; then result "$1" ''; else result "$1" "$said"; fi
}

# refuses NAME LINE...: the check fails, and prints these lines and no others.
refuses() {
    local name="$1" said why=''
    shift
    said="$(words)" && why="it went on"
    [ "$said" = "$(printf '%s\n' "$@")" ] || why="it says: $said"
    result "$name" "$why"
}

result() {
    if [ -z "$2" ]; then
        PASSED=$((PASSED + 1))
    else
        FAILED=$((FAILED + 1))
        printf '  ✖ %s\n    %s\n' "$1" "$2"
    fi
}

PARTY='the party that is meant, such as the validator, any account, no operator'
SENTENCE='a sentence in the present that states the behaviour, such as a_spent_bond_locks_nothing'

folder
cat >"$SCRATCH/src/good.rs" <<'RUST'
//! A jury decides; a panel is not in bold. `committee` is code.
use other::Committee;
struct Jury<'a> { jurors: &'a [u8], quote: u8 }
fn decide() -> Committee { Committee::new('"', "committee") }
RUST
printf '%s\n' 'No juror.' '```' 'committee' '```' '[a link](docs/committee.md)' >"$SCRATCH/good.md"
accepts "words that are used, code, and names of others"

folder
cat >"$SCRATCH/src/bad.rs" <<'RUST'
//! Nobody has a session
//! key.
mod committee;
const SILENCE_PENALTY: u8 = 1;
struct CommitteeOf { penalties: u8 }
enum Error {
    NobodyHolds,
}
fn a_session_key_is_refused(committees: u8) { // whoever sent it
    panic!("the committee is closed");
}
RUST
refuses "names, comments and messages" \
    "src/bad.rs:1: 'Nobody'; write: $PARTY" \
    "src/bad.rs:1: 'session key'; write: hot key" \
    "src/bad.rs:3: 'committee' in the name committee; write: jury" \
    "src/bad.rs:4: 'penalty' in the name SILENCE_PENALTY; write: slash" \
    "src/bad.rs:5: 'committee' in the name CommitteeOf; write: jury" \
    "src/bad.rs:5: 'penalties' in the name penalties; write: slash" \
    "src/bad.rs:7: 'nobody' in the name NobodyHolds; write: $PARTY" \
    "src/bad.rs:9: 'session key' in the name a_session_key_is_refused; write: hot key" \
    "src/bad.rs:9: 'committees' in the name committees; write: jury" \
    "src/bad.rs:9: 'whoever'; write: $PARTY" \
    "src/bad.rs:10: 'committee'; write: jury"

folder
cat >"$SCRATCH/src/tests.rs" <<'RUST'
#[test]
fn a_node_works_on() {}
#[test]
fn test_bond() {}
#[tokio::test(flavor = "multi_thread")]
#[ignore = "slow"]
async fn a_bond_should_hold() {}
    #[test]
    fn bonding_works(bond: u64) {}
fn test_bed() {}
RUST
refuses "names of tests" \
    "src/tests.rs:4: the test test_bond; write: $SENTENCE" \
    "src/tests.rs:7: the test a_bond_should_hold; write: $SENTENCE" \
    "src/tests.rs:9: the test bonding_works; write: $SENTENCE"

# types NAME: a file of each of two crates and of one's tests, with a public type of that name.
types() {
    mkdir -p "$SCRATCH/one/src/tests" "$SCRATCH/one/two/src" "$SCRATCH/one/tests"
    printf '%s\n' '//! A type.' "pub struct $1<T>(T);" >"$SCRATCH/one/src/lib.rs"
    printf '%s\n' "    pub enum $1 {}" >"$SCRATCH/one/two/src/kind.rs"
    printf '%s\n' "pub type $1 = u8;" | tee "$SCRATCH/one/src/tests/all.rs" >"$SCRATCH/one/tests/all.rs"
}
folder
types Bond
ALSO='a type of another crate is called Bond, too; rename one of them'
refuses "a name of two types" "one/src/lib.rs:2: $ALSO" "one/two/src/kind.rs:1: $ALSO"

printf '%s\n' '^one/two/ | * | generated' >"$SCRATCH/tests/scripts/words.exceptions"
accepts "a name of two types that is excepted with all of its folder"

printf '%s\n' '^one/src/ | Bond | that of the chain' '^one/src/ | Bonds | that of the chain' >"$SCRATCH/tests/scripts/words.exceptions"
refuses "an exception for a type that excepts nothing" "tests/scripts/words.exceptions:2: excepts nothing; remove it"

folder
types Bond
rm "$SCRATCH/one/two/src/kind.rs"
accepts "a name of a type and of one in its tests"

folder
printf '%s\n' '# Title' '' 'Penalties, `penalty`, somebody.' >"$SCRATCH/docs/bad.md"
refuses "documents" \
    "docs/bad.md:3: 'Penalties'; write: slash" \
    "docs/bad.md:3: 'somebody'; write: $PARTY"

printf '%s\n' '# Reasons' '^docs/bad | penalty | of football' '^docs/ | somebody | a quotation' >"$SCRATCH/tests/scripts/words.exceptions"
accepts "exceptions"

printf '%s\n' '^src/ | committee | of another crate' >>"$SCRATCH/tests/scripts/words.exceptions"
refuses "an exception that excepts nothing" "tests/scripts/words.exceptions:4: excepts nothing; remove it"

printf '%s\n' '^docs/ | penalty' >"$SCRATCH/tests/scripts/words.exceptions"
refuses "an exception without a reason" "error: tests/scripts/words.exceptions:1 is not PATH-REGEX | WORD | REASON"

folder
sed -i 's/\*\*//g' "$SCRATCH/docs/glossary.md"
refuses "a glossary without words to refuse" "error: docs/glossary.md has no words in bold in its table 'Not used'"

printf '%d passed, %d failed\n' "$PASSED" "$FAILED"
[ "$FAILED" -eq 0 ]
python3 -S "$ROOT/tests/scripts/words.py" "$ROOT"

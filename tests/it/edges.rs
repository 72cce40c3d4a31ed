//! Things only look down: which module may use which.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A module, and what it uses.
type Module = (&'static str, &'static [&'static str]);

/// The floors from the ground up, and on each what its modules use; no other module, and no less.
const FLOORS: [(&str, &[Module]); 9] = [
    (
        "words",
        &[
            ("event_type", &[]),
            ("id", &[]),
            ("named", &[]),
            ("policy_file", &[]),
            ("secret", &[]),
            ("small_map", &[]),
            ("time", &[]),
        ],
    ),
    (
        "machines",
        &[
            ("decode", &["event_type"]),
            ("delivery", &["id", "named", "policy_file", "time"]),
            ("flow", &["policy_file", "time"]),
            ("health", &["named", "policy_file", "time"]),
        ],
    ),
    (
        "trust",
        &[
            ("danger", &["decode"]),
            ("json", &["decode"]),
            ("signature", &["decode", "id", "named", "secret", "time"]),
        ],
    ),
    ("event", &[("event", &["decode", "event_type", "id", "json", "time"])]),
    (
        "models",
        &[
            ("lab", &["decode", "event", "event_type", "id", "json", "time"]),
            ("policy", &["delivery", "event", "flow", "health", "named", "time"]),
        ],
    ),
    (
        "message",
        &[(
            "message",
            &["decode", "event", "event_type", "id", "json", "lab", "small_map", "time"],
        )],
    ),
    (
        "endpoint",
        &[(
            "endpoint",
            &[
                "delivery",
                "event",
                "event_type",
                "flow",
                "health",
                "id",
                "message",
                "policy",
                "signature",
                "time",
            ],
        )],
    ),
    (
        "engine",
        &[
            (
                "outbox",
                &[
                    "delivery",
                    "endpoint",
                    "flow",
                    "health",
                    "id",
                    "message",
                    "policy",
                    "small_map",
                    "time",
                ],
            ),
            (
                "provider",
                &[
                    "decode",
                    "delivery",
                    "endpoint",
                    "event",
                    "event_type",
                    "id",
                    "json",
                    "lab",
                    "message",
                    "named",
                    "secret",
                    "signature",
                    "time",
                ],
            ),
        ],
    ),
    (
        "doors",
        &[
            (
                "receive",
                &[
                    "danger",
                    "decode",
                    "delivery",
                    "id",
                    "lab",
                    "message",
                    "provider",
                    "signature",
                    "time",
                ],
            ),
            (
                "simulate",
                &[
                    "delivery",
                    "endpoint",
                    "event",
                    "health",
                    "id",
                    "lab",
                    "message",
                    "outbox",
                    "policy",
                    "signature",
                    "time",
                ],
            ),
        ],
    ),
];

type Edges = BTreeMap<String, BTreeSet<String>>;

fn table() -> Edges {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    FLOORS
        .iter()
        .flat_map(|(_, modules)| *modules)
        .map(|(module, uses)| ((*module).to_owned(), owned(uses)))
        .collect()
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// The code of a file: without comments, and without its tests.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = text.lines().map(|line| line.split("//").next().unwrap());
    lines.collect::<Vec<_>>().join("\n")
}

/// The first segment of each path that begins with `crate::`.
fn uses(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (position, path) in code.match_indices("crate::") {
        if code[..position].ends_with('$') {
            continue;
        }
        let path = &path.len();
        let rest = &code[position + path..];
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        found.insert(rest[..end].to_owned());
    }
    found
}

/// What each module under `src` uses, as its files say.
fn found() -> Edges {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    files(&src, &mut paths);
    let mut edges = Edges::new();
    for path in paths {
        let inside = path.strip_prefix(&src).unwrap().with_extension("");
        let parts: Vec<_> = inside.iter().map(|part| part.to_str().unwrap()).collect();
        if parts == ["lib"] || parts[0] == "guide" || parts.contains(&"tests") {
            continue;
        }
        let code = code(&fs::read_to_string(&path).unwrap());
        if parts.len() == 1 {
            // From here `super` is the root, whose names have no floor.
            assert!(!code.contains("\nuse super::"), "{} goes through the root", path.display());
        }
        let mut uses = uses(&code);
        uses.remove(parts[0]);
        edges.entry(parts[0].to_owned()).or_default().extend(uses);
    }
    edges
}

#[test]
fn each_module_uses_what_the_table_says_and_nothing_else() {
    let (table, found) = (table(), found());
    let modules: Vec<_> = table.keys().collect();
    assert_eq!(modules, found.keys().collect::<Vec<_>>(), "the table and src hold other modules");
    for (module, uses) in &found {
        let allowed = &table[module];
        let more: Vec<_> = uses.difference(allowed).collect();
        assert!(more.is_empty(), "{module} uses {more:?}, which the table does not allow");
        let less: Vec<_> = allowed.difference(uses).collect();
        assert!(less.is_empty(), "{module} does not use {less:?}, which the table allows");
    }
}

#[test]
fn modules_only_look_down() {
    // Each module's own line comes after the lines of what it uses: no way up, and no way round.
    let mut below = BTreeSet::new();
    for (floor, modules) in FLOORS {
        for (module, uses) in modules {
            for used in *uses {
                assert!(below.contains(used), "{module} ({floor}) looks up to {used}");
            }
            below.insert(*module);
        }
    }
    let words: BTreeSet<_> = FLOORS[0].1.iter().map(|(module, _)| *module).collect();
    for module in ["delivery", "flow", "health"] {
        assert!(table()[module].iter().all(|used| words.contains(used.as_str())), "{module}");
    }
}

#[test]
fn the_reader_of_sources_sees_what_it_should() {
    let text = concat!(
        "use crate::id::MessageId;\n",
        "// use crate::receive::Inbox;\n",
        "pub(crate) fn f(x: crate::secret::Secret) {} // crate::outbox\n",
        "$crate::json::Unknown\n",
        "use crate::{Message};\n",
        "#[cfg(test)]\nmod tests {\n    use crate::receive::Reply;\n}\n",
    );
    let seen: Vec<_> = uses(&code(text)).into_iter().collect();
    assert_eq!(seen, ["", "id", "secret"], "a use through the root has no module");
}

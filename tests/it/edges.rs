//! Things only look down: which module may use which.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::files;

/// A module, and what it uses.
type Module = (&'static str, &'static [&'static str]);

/// The floors from the ground up, and on each what its modules use; no other module, and no less.
const FLOORS: [(&str, &[Module]); 10] = [
    (
        "words",
        &[
            ("text", &[]),
            ("event_type", &["text"]),
            ("id", &["text"]),
            ("mix", &[]),
            ("named", &[]),
            ("policy_file", &["named"]),
            ("secret", &[]),
            ("signal", &["named"]),
            ("small_map", &[]),
            ("time", &["text"]),
        ],
    ),
    (
        "machines",
        &[
            ("decode", &["event_type"]),
            ("delivery", &["id", "mix", "named", "policy_file", "time"]),
            ("flow", &["named", "policy_file", "signal", "time"]),
            ("health", &["mix", "named", "policy_file", "signal", "time"]),
        ],
    ),
    (
        "trust",
        &[
            ("danger", &["decode"]),
            ("json", &["decode", "text"]),
            ("signature", &["decode", "id", "named", "secret", "time"]),
        ],
    ),
    ("event", &[("event", &["decode", "event_type", "id", "json", "text", "time"])]),
    ("descriptions", &[("schema", &["event", "id", "json", "time"])]),
    (
        "models",
        &[
            ("lab", &["decode", "event", "event_type", "id", "json", "schema", "time"]),
            (
                "policy",
                &["delivery", "event", "flow", "health", "named", "policy_file", "signal", "time"],
            ),
        ],
    ),
    (
        "message",
        &[(
            "message",
            &[
                "decode",
                "event",
                "event_type",
                "id",
                "json",
                "lab",
                "signature",
                "small_map",
                "time",
            ],
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
                "named",
                "policy",
                "policy_file",
                "secret",
                "signature",
                "text",
                "time",
            ],
        )],
    ),
    (
        "engine",
        &[
            (
                "outbox",
                &["delivery", "endpoint", "flow", "health", "id", "message", "policy", "time"],
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
        "top",
        &[
            (
                "receive",
                &[
                    "danger",
                    "decode",
                    "delivery",
                    "event",
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
                    "message",
                    "mix",
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
    let mut edges = Edges::new();
    for path in files(&src) {
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
fn module_imports_match_the_table() {
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
fn source_parser_finds_the_imports() {
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

/// The files of one folder by name, each with the siblings that it imports from.
fn siblings(folder: &Path) -> Edges {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|it| it == "rs")).collect();
    let name = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let names: BTreeSet<_> = files.iter().map(|path| name(path)).collect();
    let imports = |path: &PathBuf| {
        let file = syn::parse_file(&fs::read_to_string(path).unwrap()).unwrap();
        let mut found = BTreeSet::new();
        for item in file.items {
            // Imports for documentation and for tests are not the file's own.
            if let syn::Item::Use(item) = item
                && !item.attrs.iter().any(|it| it.path().is_ident("cfg"))
                && let syn::UseTree::Path(path) = item.tree
                && path.ident == "super"
            {
                first_segments(&path.tree, &mut found);
            }
        }
        found.remove(&name(path));
        found.intersection(&names).cloned().collect()
    };
    files.iter().map(|path| (name(path), imports(path))).collect()
}

/// The first segments of the paths in a `use` tree.
fn first_segments(tree: &syn::UseTree, found: &mut BTreeSet<String>) {
    match tree {
        syn::UseTree::Path(path) => {
            found.insert(path.ident.to_string());
        }
        syn::UseTree::Group(group) => {
            group.items.iter().for_each(|tree| first_segments(tree, found));
        }
        _ => {}
    }
}

/// Removes every file that imports from none of the files left, until nothing changes. The files
/// that remain are on a circle, or lead to one.
fn circle(mut edges: Edges) -> Edges {
    loop {
        let left: BTreeSet<_> = edges.keys().cloned().collect();
        let count = edges.len();
        edges.retain(|_, imports| imports.iter().any(|it| left.contains(it)));
        if edges.len() == count {
            return edges;
        }
    }
}

#[test]
fn files_of_a_folder_import_without_a_circle() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let paths = files(&src);
    let folders: BTreeSet<_> = paths.iter().filter_map(|path| path.parent()).collect();
    let mut count = 0;
    for folder in folders {
        let edges = siblings(folder);
        count += edges.values().map(BTreeSet::len).sum::<usize>();
        assert_eq!(circle(edges), Edges::new(), "{}", folder.display());
    }
    assert!(count > 150, "{count} imports");
}

#[test]
fn import_circle_is_found() {
    let edges = |list: &[(&str, &[&str])]| -> Edges {
        let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        list.iter().map(|(name, uses)| (name.to_string(), owned(uses))).collect()
    };
    assert!(circle(edges(&[("a", &["b", "c"]), ("b", &["c"]), ("c", &[])])).is_empty());
    let found = circle(edges(&[("a", &["b"]), ("b", &["c"]), ("c", &["b"]), ("d", &[])]));
    assert_eq!(found.keys().collect::<Vec<_>>(), ["a", "b", "c"]);
}

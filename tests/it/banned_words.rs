//! Plain words: phrases that the glossary replaces do not come back into docs, texts or examples.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::files;

/// A phrase, in lower case, and the words to use instead.
const BANNED: [(&str, &str); 20] = [
    (" save for ", "except"),
    (" save in ", "except in"),
    (" but for ", "except"),
    ("stands twice", "duplicate"),
    (" stand twice", "duplicate"),
    (" so many ", "N, the number of, up to"),
    (" so much ", "N, up to"),
    (" so long a ", "Sets how long"),
    (" tells of ", "reports"),
    (" tell of ", "report"),
    (" told of ", "notified of"),
    (" anew", "again"),
    (" be it ", "even if"),
    ("whoever ", "anybody who, a caller that"),
    (" come to nothing", "fail"),
    (" comes to nothing", "fails"),
    (" for want of ", "without, because there is no"),
    (" take heed", "follow, respect"),
    (" have no part in ", "do not affect"),
    (" has no part in ", "does not affect"),
];

#[test]
fn banned_phrases_do_not_come_back() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = ["src", "examples"].into_iter().flat_map(|folder| files(&root.join(folder)));
    let is_text = |path: &PathBuf| path.extension().is_some_and(|it| it == "rs" || it == "md");
    let mut texts: Vec<_> = files.filter(is_text).collect();
    texts.push(root.join("README.md"));
    assert!(texts.len() > 150, "{} files", texts.len());

    let mut found = Vec::new();
    for file in texts {
        let text = fs::read_to_string(&file).unwrap();
        // A phrase may be broken over two lines of a comment.
        let words =
            text.lines().map(|line| line.trim_start().trim_start_matches(['/', '!']).trim());
        let text = words.collect::<Vec<_>>().join(" ").to_lowercase();
        for (phrase, instead) in BANNED {
            if let Some((before, _)) = text.split_once(phrase) {
                let start = before.char_indices().rev().nth(30).map_or(0, |(index, _)| index);
                let context = &before[start..];
                found.push(format!("{}: ..{context}{phrase}: say {instead}", file.display()));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

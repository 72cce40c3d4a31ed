//! Descriptions for readers in any language, from the documentation of the Rust types.

use labhook::schema::EnumShape;

/// Returns the documentation up to the first example, one line per paragraph, without the links
/// to other Rust items.
pub(crate) fn description(docs: &str) -> String {
    let mut paragraphs: Vec<String> = vec![String::new()];
    for line in docs.lines().map(str::trim).take_while(|line| !line.starts_with("```")) {
        match paragraphs.last_mut() {
            Some(last) if !line.is_empty() => {
                if !last.is_empty() {
                    last.push(' ');
                }
                last.push_str(line);
            }
            _ => paragraphs.push(String::new()),
        }
    }
    // A paragraph that leads up to the example goes with it, and one about a method is for Rust.
    paragraphs.retain(|paragraph| {
        !(paragraph.is_empty() || paragraph.ends_with(':') || paragraph.contains("](Self::"))
    });
    without_links(&paragraphs.join("\n\n")).replace("this crate", "labhook")
}

/// Returns the first paragraph.
pub(crate) fn summary(docs: &str) -> String {
    let text = description(docs);
    text.split("\n\n").next().unwrap_or_default().to_owned()
}

/// Lists the values of an enum.
pub(crate) fn known_values(shape: &EnumShape) -> String {
    let mut text = "Known values, to which later versions may add:\n".to_owned();
    for value in shape.values {
        text.push_str(&format!("\n- `{}`: {}", value.text, description(value.docs)));
        for also in value.also {
            text.push_str(&format!(" Some senders write `{also}`."));
        }
    }
    text
}

/// Replaces each link by its text.
fn without_links(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        plain.push_str(before);
        let Some((link, after)) = after.split_once(']') else {
            plain.push('[');
            rest = after;
            continue;
        };
        plain.push_str(link);
        rest = after;
        if let Some((_, after)) = after.strip_prefix('(').and_then(|it| it.split_once(')')) {
            rest = after;
        }
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn description_ends_at_the_first_example() {
        let docs =
            " A run\n changed.\n\n The second.\n\n Like this:\n\n ```\n code\n ```\n More.\n";
        assert_eq!(description(docs), "A run changed.\n\nThe second.");
        assert_eq!(summary(docs), "A run changed.");
        assert_eq!(description(""), "");
    }

    #[test]
    fn description_is_for_any_language() {
        let docs = " One.\n\n See [`phase`](Self::phase).\n\n Defined by this crate.\n";
        assert_eq!(description(docs), "One.\n\nDefined by labhook.");
    }

    #[test]
    fn description_has_no_rust_links() {
        assert_eq!(
            without_links("its [`phase`](Self::phase), [`Run`] and a[0"),
            "its `phase`, `Run` and a[0"
        );
    }
}

//! The table as Markdown.

use comfy_table::Table;
use comfy_table::presets::ASCII_MARKDOWN;

use crate::row::Row;

/// Returns the table as Markdown.
pub fn markdown(rows: &[Row]) -> String {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header(["work", "against", "measured"]);
    for row in rows {
        table.add_row([row.title(), row.against.clone(), row.figures()]);
    }
    table.to_string()
}

//! The table as Markdown.

use crate::row::Row;

/// Returns the table as Markdown.
pub fn markdown(rows: &[Row]) -> String {
    let line = |row: &Row| format!("| {} | {} | {} |\n", row.title(), row.against, row.figures());
    let lines: String = rows.iter().map(line).collect();
    format!("| work | against | measured |\n|---|---|---|\n{lines}")
}

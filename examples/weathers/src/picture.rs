use crate::contest::Row;
pub fn picture(_rows: &[Row]) -> svg::Document { svg::Document::new() }

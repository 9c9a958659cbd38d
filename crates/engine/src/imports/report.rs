//! The report of an import: the original rows that want a look, with the reasons added, to be mended and imported again.

use super::record::RowError;
use super::sheet::Sheet;
use std::collections::BTreeMap;

/// The report as CSV in UTF-8. Cells that a spreadsheet would run as a formula are made harmless.
pub fn report(sheet: &Sheet, errors: &[RowError]) -> Vec<u8> {
    let mut by_line: BTreeMap<u64, Vec<&RowError>> = BTreeMap::new();
    for error in errors {
        by_line.entry(error.line).or_default().push(error);
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    let added = ["Line", "Column", "Value", "Reason"].map(str::to_owned);
    let header = added.into_iter().chain(sheet.header.iter().map(|name| harmless(name)));
    let mut whole = writer.write_record(header).is_ok();
    for row in sheet.rows() {
        let Some(errors) = by_line.get(&row.line) else { continue };
        let join = |part: fn(&RowError) -> &str| {
            let mut parts: Vec<&str> = errors.iter().map(|error| part(error)).filter(|part| !part.is_empty()).collect();
            parts.dedup();
            harmless(&parts.join(" · "))
        };
        let reasons = [
            row.line.to_string(),
            join(|error| &error.column),
            join(|error| &error.value),
            join(|error| &error.reason),
        ];
        let cells = (0..sheet.header.len()).map(|index| harmless(row.cells.get(index).unwrap_or("")));
        whole &= writer.write_record(reasons.into_iter().chain(cells)).is_ok();
    }
    debug_assert!(whole, "every record has the header's width");
    writer.into_inner().unwrap_or_default()
}

/// A cell that no spreadsheet takes for a formula.
pub fn harmless(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() }
}

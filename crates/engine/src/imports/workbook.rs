//! An Excel workbook's first table as text, so that it is read like every other export.
//!
//! Takes any bytes without a panic. What a workbook unpacks to is counted before it is taken in, and cells are read as they
//! come: neither a small file that unpacks to a large one nor a lone cell far out costs more than the limits here.

use calamine::{DataRef, Reader, SheetType, SheetVisible, Xlsx};
use std::io::{Cursor, Read};

/// What the parts of a workbook may unpack to, in bytes.
const MOST_UNPACKED: u64 = 192 * 1024 * 1024;
/// Digits of a number that count: Excel keeps as many.
const DIGITS: usize = 15;

const UNREADABLE: &str = "This Excel file cannot be read: save the table as CSV and import that.";

/// The first visible sheet with anything in it, as CSV: a row a line, on the line it has in the sheet.
///
/// # Errors
///
/// One sentence for the person who chose the file, with a way out.
pub(super) fn as_csv(bytes: &[u8], most_bytes: usize, most_columns: usize) -> Result<String, String> {
    unpacks_within(bytes, MOST_UNPACKED)?;
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|_| UNREADABLE.to_owned())?;
    let shown = |sheet: &&calamine::Sheet| sheet.visible == SheetVisible::Visible && sheet.typ == SheetType::WorkSheet;
    let names: Vec<String> = book.sheets_metadata().iter().filter(shown).map(|sheet| sheet.name.clone()).collect();
    for name in names {
        let rows = rows(&mut book, &name, most_bytes, most_columns)?;
        if !rows.is_empty() {
            return written(&rows);
        }
    }
    Err("The Excel file has no table in it: export it again.".to_owned())
}

/// The cells of a row that has any, up to its last one, and its number in the sheet, from 0.
type Cells = (u32, Vec<String>);

fn rows(
    book: &mut Xlsx<Cursor<&[u8]>>,
    sheet: &str,
    most_bytes: usize,
    most_columns: usize,
) -> Result<Vec<Cells>, String> {
    let mut rows: Vec<Cells> = Vec::new();
    let mut size = 0;
    let mut cells = book.worksheet_cells_reader(sheet).map_err(|_| UNREADABLE.to_owned())?;
    while let Some(cell) = cells.next_cell().map_err(|_| UNREADABLE.to_owned())? {
        let (row, column) = cell.get_position();
        let text = text_of(cell.get_value());
        if text.trim().is_empty() {
            continue;
        }
        let column = column as usize;
        if column >= most_columns {
            return Err(format!("The file has more than {most_columns} columns: export fewer."));
        }
        match rows.last() {
            Some((last, _)) if *last == row => {}
            Some((last, _)) if *last > row => return Err(UNREADABLE.to_owned()),
            _ => rows.push((row, Vec::new())),
        }
        let Some((_, cells)) = rows.last_mut() else { continue };
        size += text.len() + column.saturating_sub(cells.len()) + 1;
        if size > most_bytes {
            return Err(format!("The table is larger than {} MB: split it.", most_bytes / 1024 / 1024));
        }
        if cells.len() <= column {
            cells.resize(column + 1, String::new());
        }
        cells[column] = text;
    }
    Ok(rows)
}

/// A cell as a person would have written it in a CSV: days in ISO 8601, numbers by the digits Excel keeps.
fn text_of(value: &DataRef) -> String {
    let text = match value {
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number_of(*number),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(yes) => yes.to_string(),
        DataRef::DateTime(at) => match at.as_datetime() {
            Some(at) if at.time() == chrono::NaiveTime::MIN => at.format("%Y-%m-%d").to_string(),
            Some(at) => at.format("%Y-%m-%dT%H:%M:%S").to_string(),
            None => String::new(),
        },
        DataRef::Error(_) | DataRef::Empty => String::new(),
    };
    // A line of the text is a row of the sheet.
    if text.contains(['\n', '\r']) { text.replace("\r\n", " ").replace(['\n', '\r'], " ") } else { text }
}

/// The decimal a workbook's number stands for: 0.30000000000000004 is what a sum of 0.1 and 0.2 leaves in the file, 0.3
/// what Excel shows. The text is what is read on, as an exact amount.
fn number_of(number: f64) -> String {
    let kept = format!("{number:.*e}", DIGITS - 1);
    kept.parse::<f64>().map_or(kept, |number| number.to_string())
}

/// Rows are padded to the widest one, as a table has them; an empty row is an empty line.
fn written(rows: &[Cells]) -> Result<String, String> {
    let width = rows.iter().map(|(_, cells)| cells.len()).max().unwrap_or(0);
    let mut text = Vec::new();
    let mut next = 0;
    for (row, cells) in rows {
        text.resize(text.len() + (row - next) as usize, b'\n');
        next = row + 1;
        let mut line = csv::WriterBuilder::new().flexible(true).from_writer(&mut text);
        let padding = std::iter::repeat_n("", width - cells.len());
        line.write_record(cells.iter().map(String::as_str).chain(padding)).map_err(|_| UNREADABLE.to_owned())?;
        line.flush().map_err(|_| UNREADABLE.to_owned())?;
    }
    String::from_utf8(text).map_err(|_| UNREADABLE.to_owned())
}

fn unpacks_within(bytes: &[u8], most: u64) -> Result<(), String> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|_| UNREADABLE.to_owned())?;
    let mut unpacked = 0;
    for part in 0..archive.len() {
        let part = archive.by_index(part).map_err(|_| UNREADABLE.to_owned())?;
        let left = (most - unpacked).saturating_add(1);
        unpacked += std::io::copy(&mut part.take(left), &mut std::io::sink()).map_err(|_| UNREADABLE.to_owned())?;
        if unpacked > most {
            return Err(
                "This Excel file unpacks to more than we take: save the table as CSV and import that.".to_owned()
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{number_of, unpacks_within};
    use std::io::{Cursor, Write};

    #[test]
    fn numbers_are_what_excel_shows() {
        for (number, shown) in
            [(0.1 + 0.2, "0.3"), (1234.5, "1234.5"), (1e15, "1000000000000000"), (-7.0, "-7"), (1.005, "1.005")]
        {
            assert_eq!(number_of(number), shown);
        }
    }

    #[test]
    fn what_unpacks_to_too_much_is_refused_before_it_is_read() {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file("xl/workbook.xml", zip::write::SimpleFileOptions::default()).expect("a part");
        zip.write_all(&vec![b' '; 100_000]).expect("its content");
        let bytes = zip.finish().expect("a zip").into_inner();
        assert!(bytes.len() < 10_000);
        assert!(unpacks_within(&bytes, 100_000).is_ok());
        assert!(unpacks_within(&bytes, 99_999).unwrap_err().contains("unpacks to more"));
    }
}

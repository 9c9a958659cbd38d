//! A question inside a table: the column's head is what people see, the label is what a screen reader says.

use askama::Template;
use askama::filters::HtmlSafe;

use super::form::{Control, Field, Form};

#[derive(Clone, Debug, Template)]
#[template(path = "parts/cell.html")]
pub struct Cell<'a> {
    field: &'a Field,
}

impl HtmlSafe for Cell<'_> {}

impl Cell<'_> {
    /// Longer questions stand in a cell as they stand anywhere, with their own label, hint and error.
    fn brings_its_own_notes(&self) -> bool {
        !matches!(
            self.field.control,
            Control::Amount { .. } | Control::File { .. } | Control::Line(_) | Control::Select(_)
        )
    }
}

impl Form {
    /// The field of that name as it stands in a table's cell; nothing when there is none.
    pub fn cell(&self, name: &str) -> Cells<'_> {
        Cells(self.fields.iter().find(|field| field.name == name).map(|field| Cell { field }))
    }
}

/// One cell, or nothing.
#[derive(Clone, Debug)]
pub struct Cells<'a>(Option<Cell<'a>>);

impl std::fmt::Display for Cells<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.as_ref().map_or(Ok(()), |cell| write!(f, "{cell}"))
    }
}

impl HtmlSafe for Cells<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_keeps_its_label_for_those_who_hear_the_page() {
        let mut form = Form::default().with(Field::amount("asked_1_2", "Asked for “Venue”", "EUR").value_is("4,500"));
        form.problem("asked_1_2", "Lower the amount.");
        let html = form.cell("asked_1_2").to_string();
        assert!(html.contains("<label class=\"sr\" for=\"asked_1_2\">Asked for"), "{html}");
        assert!(html.contains("aria-invalid=\"true\" aria-describedby=\"asked_1_2-error\""), "{html}");
        assert_eq!(form.cell("other").to_string(), "");
    }
}

//! WHERE clauses under construction, with the wall between partners as one of their conditions.

use crate::sql::Bind;
use crate::viewer::Scope;
use sea_orm::Value;

/// Conditions that must all hold; a `?` in them stands for the next value.
#[derive(Clone, Debug, Default)]
pub(crate) struct Where {
    conditions: Vec<String>,
    pub values: Vec<Value>,
}

impl Where {
    pub fn and(mut self, condition: &str, values: Vec<Value>) -> Self {
        self.conditions.push(condition.to_owned());
        self.values.extend(values);
        self
    }

    /// `column = value` where there is a value.
    pub fn eq<T: Bind>(self, column: &str, value: Option<T>) -> Self {
        match value {
            Some(value) => self.and(&format!("{column} = ?"), vec![value.bind().into()]),
            None => self,
        }
    }

    /// `column IN (values)`; nothing is among nothing.
    pub fn among<T: Bind>(self, column: &str, values: &[T]) -> Self {
        match values {
            [] => self.and("1 = 0", Vec::new()),
            [one] => self.eq(column, Some(one)),
            many => {
                let marks = vec!["?"; many.len()].join(", ");
                let values = many.iter().map(|value| value.bind().into()).collect();
                self.and(&format!("{column} IN ({marks})"), values)
            }
        }
    }

    /// The wall: only rows of partners the viewer may see. The columns are those of the partner and of its region.
    pub fn within(self, scope: &Scope, partner: &str, region: &str) -> Self {
        match scope {
            Scope::All => self,
            Scope::Regions(regions) => self.among(region, regions),
            Scope::Partner(own) => self.eq(partner, Some(own)),
            Scope::Nothing => self.and("1 = 0", Vec::new()),
        }
    }

    /// The same as [`Where::within`], as one clause a region: each can be answered in order from an index that starts
    /// with the region, where `IN` would have to sort everything it finds.
    pub fn arms_within(self, scope: &Scope, partner: &str, region: &str) -> Vec<Self> {
        match scope {
            Scope::Regions(regions) if regions.len() <= MOST_ARMS => {
                regions.iter().map(|one| self.clone().eq(region, Some(one))).collect()
            }
            _ => vec![self.within(scope, partner, region)],
        }
    }

    /// The conditions alone, to be put into another clause together with the values.
    pub fn conditions(&self) -> String {
        self.conditions.join(" AND ")
    }

    /// `WHERE ...`, or nothing.
    pub fn sql(&self) -> String {
        self.sql_after(0)
    }

    /// The same, its parameters numbered after so many others.
    pub fn sql_after(&self, others: usize) -> String {
        if self.conditions.is_empty() {
            return String::new();
        }
        let mut text = String::from("WHERE ");
        let mut place = others;
        for piece in self.conditions.join(" AND ").split_inclusive('?') {
            match piece.strip_suffix('?') {
                Some(head) => {
                    place += 1;
                    text.extend([head, "$", &place.to_string()]);
                }
                None => text.push_str(piece),
            }
        }
        text
    }
}

/// More regions than this are asked for at once.
const MOST_ARMS: usize = 16;

/// A list by the page from one table.
pub(crate) struct List<'a> {
    /// What is read of the table before it is cut to the page, with all that `order` names.
    pub columns: &'a str,
    pub table: &'a str,
    /// Each is answered by itself, in order and cut to the page; then they are merged.
    pub arms: Vec<Where>,
    /// A total order, such as `due, id`.
    pub order: &'a str,
    /// Reads the rows of the page, `m`, and joins what they show of other tables.
    pub shown: &'a str,
    pub limit: usize,
}

impl List<'_> {
    /// The statement and its values. Other tables are joined to the rows of the page only.
    pub fn statement(self) -> (String, Vec<Value>) {
        let Self { columns, table, order, shown, limit, .. } = self;
        let mut values = Vec::new();
        let mut arms = Vec::new();
        for (index, arm) in self.arms.into_iter().enumerate() {
            let conditions = arm.sql_after(values.len());
            arms.push(format!(
                "SELECT * FROM (SELECT {columns} FROM {table} {conditions} ORDER BY {order} LIMIT {limit}) a{index}"
            ));
            values.extend(arm.values);
        }
        let merged = match arms.as_slice() {
            [one] => format!("({one})"),
            many => format!("(SELECT * FROM ({}) u ORDER BY {order} LIMIT {limit})", many.join(" UNION ")),
        };
        let ordered: Vec<String> = order.split(", ").map(|column| format!("m.{column}")).collect();
        (format!("{} ORDER BY {}", shown.replace("{page}", &format!("{merged} m")), ordered.join(", ")), values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::values;

    #[test]
    fn parameters_are_numbered_over_all_conditions() {
        let some = Where::default().eq("a", Some(1_i32)).and("(b > ? OR c < ?)", values![2_i32, 3_i32]);
        assert_eq!(some.sql(), "WHERE a = $1 AND (b > $2 OR c < $3)");
        assert_eq!(some.sql_after(4), "WHERE a = $5 AND (b > $6 OR c < $7)");
        assert_eq!(Where::default().sql(), "");
        assert_eq!(Where::default().among::<i32>("a", &[]).sql(), "WHERE 1 = 0");
    }
}

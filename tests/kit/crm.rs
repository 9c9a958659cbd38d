//! A CRM's export of who answered and what they bought, brought in through the pages as a channel manager does.

use crate::http::{Page, Visitor};

/// Hands a file in, reads it in euros and commits it: the page of imports, with what it says.
pub async fn bring_in(visitor: &Visitor, kind: &str, file: &str) -> Page {
    let page = visitor.open("/imports/new").await;
    let mut form = page.form("Read the file");
    form.fill("kind", kind).attach("file", "export.csv", "text/csv", file.as_bytes());
    let preview = visitor.submit(&page, &form, "Read the file").await;
    let read = visitor.press(&preview, "Read it again", &[("currency", "EUR")]).await;
    visitor.press(&read, "Commit the import", &[]).await
}

/// Members of one campaign: e-mail address, status, and the day each answered.
pub fn members(code: &str, people: &[(&str, &str, &str)]) -> String {
    let mut file = "Campaign ID,Member Status,Email,Company / Account,Member First Associated Date\n".to_owned();
    for (email, status, day) in people {
        let company = email.split_once('@').map_or("", |(_, domain)| domain);
        file += &[code, status, email, company, day].join(",");
        file.push('\n');
    }
    file
}

/// Opportunities of companies by domain: amount in whole euros, stage, day it was created, day it closes.
pub fn opportunities(deals: &[(&str, i64, &str, &str, &str)]) -> String {
    let mut file =
        "Opportunity ID,Opportunity Name,Stage,Amount,Currency,Created Date,Close Date,Email,Deal Registered\n"
            .to_owned();
    for (n, (domain, amount, stage, created, closes)) in (1..).zip(deals) {
        let row = format!("006{n:012},Suite for {domain},{stage},{amount},EUR,{created},{closes},it@{domain},1\n");
        file.push_str(&row);
    }
    file
}

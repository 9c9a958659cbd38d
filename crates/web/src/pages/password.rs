//! GET and POST /password: a forgotten one. The answer is the same whether or not the address has an account.

use askama::Template;
use domain::money::Marks;

use crate::error::{Answer, Error};
use crate::extract::{Visitor, again, show};
use crate::fields::Typed;
use crate::posted::Posted;
use crate::view::{Field, Form};

#[derive(Template)]
#[template(path = "pages/password.html")]
struct PasswordPage {
    form: Form,
    sent_to: Option<String>,
}

fn page(visitor: &Visitor, typed: &Typed) -> PasswordPage {
    let form = visitor.form().with(Field::email("email", "E-mail address").autocomplete("username"));
    PasswordPage { form: typed.onto(form), sent_to: None }
}

/// GET /password
pub async fn show_form(visitor: Visitor) -> Answer {
    show(&page(&visitor, &Typed::default()))
}

/// POST /password
pub async fn submit(visitor: Visitor, posted: Posted) -> Answer {
    match ask(&visitor, &posted).await {
        Ok(email) => show(&PasswordPage { sent_to: Some(email), ..page(&visitor, &Typed::default()) }),
        Err(error) => again(error, &posted, async |typed| Ok(page(&visitor, &typed))).await,
    }
}

async fn ask(visitor: &Visitor, posted: &Posted) -> Result<String, Error> {
    let email = posted.read(Marks::Point, |form| form.email("email"))?;
    visitor.site().door.ask_reset(&email, visitor.visit()).await?;
    Ok(email)
}

//! GET and POST /r/{campaign}: the hosted form of a campaign that has no landing page of its own. Anyone may answer it.

use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use actix_web::web::Path;
use askama::Template;
use domain::money::Marks;
use engine::results::{FormResponse, OpenForm};

use crate::error::{Answer, Error};
use crate::extract::{Visitor, again, finish, show};
use crate::fields::Typed;
use crate::posted::Posted;
use crate::view::{Field, Form};

#[derive(Template)]
#[template(path = "pages/response_form.html")]
struct ResponsePage {
    open: OpenForm,
    form: Form,
}

#[derive(Template)]
#[template(path = "pages/response_thanks.html")]
struct ThanksPage {
    open: OpenForm,
}

fn page(visitor: &Visitor, open: OpenForm, typed: &Typed) -> ResponsePage {
    let agree = format!("{} may write to me about this.", open.partner);
    let form = visitor
        .form()
        .with(Field::text("name", "Name").autocomplete("name"))
        .with(Field::email("email", "E-mail address"))
        .with(Field::text("company", "Company").autocomplete("organization").optional())
        .with(
            Field::tick("consent", &agree)
                .required()
                .hint("You can take this back at any time by answering one of their mails."),
        );
    ResponsePage { open, form: typed.onto(form) }
}

/// GET /r/{campaign}
pub async fn show_form(visitor: Visitor, campaign: Path<String>) -> Answer {
    let open = visitor.site().engine.open_form(&campaign).await?;
    show(&page(&visitor, open, &Typed::default()))
}

/// GET /r/{campaign}/thanks
pub async fn thank(visitor: Visitor, campaign: Path<String>) -> Answer {
    let open = visitor.site().engine.open_form(&campaign).await?;
    show(&ThanksPage { open })
}

/// POST /r/{campaign}
pub async fn submit(visitor: Visitor, campaign: Path<String>, posted: Posted) -> Answer {
    let open = visitor.site().engine.open_form(&campaign).await?;
    let thanks = format!("/r/{}/thanks", open.code);
    match keep(&visitor, &open, &posted).await {
        Ok(()) => Ok(HttpResponse::SeeOther().insert_header((LOCATION, thanks)).finish()),
        Err(error) => again(error, &posted, async |typed| Ok(page(&visitor, open, &typed))).await,
    }
}

async fn keep(visitor: &Visitor, open: &OpenForm, posted: &Posted) -> Result<(), Error> {
    let (response, trapped) = read(posted)?;
    if trapped {
        // A program filled in what no person sees. It is thanked, and nothing is kept.
        tracing::debug!(campaign = open.code, "a robot answered a form");
        return Ok(());
    }
    let (engine, code) = (visitor.site().engine.clone(), open.code.clone());
    finish(async move { engine.respond(&code, &response).await }).await
}

/// What was answered, and whether the field that people do not see was filled in.
fn read(posted: &Posted) -> Result<(FormResponse, bool), Error> {
    posted.read(Marks::Point, |f| {
        let (name, email, company) = (f.text("name"), f.email("email"), f.optional_text("company"));
        let (consent, trap) = (f.tick("consent"), f.optional_text("website"));
        if !consent {
            f.problem("consent", "We keep nothing without your consent: tick the box, or leave the page.");
        }
        let response =
            FormResponse { email: email?, name: name?, company: company?, title: None, phone: None, consent };
        Some((response, trap?.is_some()))
    })
}

//! What was typed while the session ended, or on a page that had grown old, is kept and sent again on request.

use actix_web::http::{StatusCode, Uri};
use actix_web::{HttpResponse, ResponseError};
use askama::Template;

use crate::csrf::Purpose;
use crate::error::Error;
use crate::extract::{Visitor, show_as};
use crate::pages::sign_in::SignInPage;
use crate::posted::Body;
use crate::view::{Field, Form};

/// A form that was not obeyed, with a button that sends it again under this session's own token.
#[derive(Template)]
#[template(path = "pages/resend.html")]
pub struct ResendPage {
    title: &'static str,
    words: &'static str,
    action: String,
    form: Form,
    has_files: bool,
}

impl ResendPage {
    /// After signing in again: what was being sent then.
    pub fn after_sign_in(form: Form, action: &str, pairs: Vec<(String, String)>) -> Self {
        Self {
            title: "You are signed in again",
            words: "Nothing you typed was lost. It has not been sent yet.",
            action: action.to_owned(),
            form: hide(form, pairs),
            has_files: false,
        }
    }
}

fn hide(form: Form, pairs: Vec<(String, String)>) -> Form {
    pairs.into_iter().fold(form, |form, (name, value)| form.with(Field::hidden(&name, value)))
}

/// 403: the form came without its token, perhaps typed into a page from another session. Shown, not obeyed.
pub fn page(visitor: &Visitor, uri: &Uri, body: &Body) -> HttpResponse {
    let page = ResendPage {
        title: "This form has expired",
        words: "It came from a page opened before you signed in, or too long ago. Nothing was changed.",
        action: uri.path().to_owned(),
        form: hide(visitor.form(), body.carried()),
        has_files: body.has_files(),
    };
    show_as(StatusCode::FORBIDDEN, &page).unwrap_or_else(|error| error.error_response())
}

/// 403: the sign-in page with everything that was being sent folded into it.
pub fn sign_in_first(visitor: &Visitor, uri: &Uri, body: &Body) -> HttpResponse {
    let carried = visitor.site().seal.seal(Purpose::Carry, &body.packed());
    let page = SignInPage::carrying(visitor, uri.path(), &carried);
    show_as(StatusCode::FORBIDDEN, &page).unwrap_or_else(|_| Error::SignedOut.error_response())
}

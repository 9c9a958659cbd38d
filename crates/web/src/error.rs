//! What can go wrong, the one place where it becomes a status, and the one place where it is logged.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};
use askama::Template;
use domain::people::Role;
use domain::refusal::{Reason, Refusal};
use serde::Serialize;

/// What a handler answers.
pub type Answer = Result<HttpResponse, Error>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was typed is no amount, date, address; collected per form.
    #[error("the form has {} problems", .0.len())]
    Invalid(Vec<Reason>),
    /// The rules say no.
    #[error("{0}")]
    Refused(Refusal),
    /// Someone moved it meanwhile: who, and what they did.
    #[error("{0}")]
    Stale(String),
    /// The same submission id came with other content.
    #[error("this form was already sent with other content")]
    Conflict,
    /// Missing, or not theirs to see; the two answer alike.
    #[error("not found")]
    NotFound,
    /// A page of the vendor's own that another role may open.
    #[error("only {} may open this", names(.0))]
    NotYourRole(&'static [Role]),
    /// The session has ended, or there never was one.
    #[error("signed out")]
    SignedOut,
    /// The form's token is missing, forged, or of another session.
    #[error("the form's token does not fit this session")]
    BadToken,
    /// The form was sent from another site.
    #[error("the form came from another site")]
    Foreign,
    #[error("{0}")]
    BadRequest(String),
    #[error("too large: {0}")]
    TooLarge(String),
    #[error("method not allowed")]
    Method(String),
    #[error("an If-Match header is missing")]
    NoPrecondition,
    /// A machine decided on a version that someone has moved on from: who, and what they did.
    #[error("{0}")]
    OldVersion(String),
    /// Too many tries: the next one is heard in a quarter of an hour.
    #[error("too many tries")]
    TooMany(Refusal),
    /// The database or another service is away for the moment.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// Our side. The words are for the log, never for people.
    #[error("{0}")]
    Internal(String),
}

fn names(roles: &[Role]) -> String {
    roles.iter().map(|role| role.label()).collect::<Vec<_>>().join(", ")
}

/// A failure of our own, worded for the log.
pub fn internal(cause: impl std::fmt::Display) -> Error {
    Error::Internal(cause.to_string())
}

impl From<engine::Error> for Error {
    fn from(error: engine::Error) -> Self {
        match error {
            engine::Error::Invalid(reasons) => Error::Invalid(reasons),
            engine::Error::Refused(refusal) if refusal.code() == "too_many_guesses" => Error::TooMany(refusal),
            engine::Error::Refused(refusal) => Error::Refused(refusal),
            engine::Error::NotFound => Error::NotFound,
            engine::Error::Stale { by, at, words } => Error::Stale(stale(&by, at, &words)),
            engine::Error::Conflict => Error::Conflict,
            engine::Error::Unavailable(cause) => Error::Unavailable(cause),
            engine::Error::Storage(error) => error.into(),
            engine::Error::Internal(cause) => Error::Internal(cause),
        }
    }
}

impl From<storage::Error> for Error {
    fn from(error: storage::Error) -> Self {
        match error {
            storage::Error::NotFound => Error::NotFound,
            storage::Error::Stale | storage::Error::Contended | storage::Error::Unknown(_) => {
                Error::Unavailable(error.to_string())
            }
            other => Error::Internal(other.to_string()),
        }
    }
}

/// Who was here before, when and with what: the page that follows is the fresh one.
fn stale(by: &str, at: domain::Instant, words: &str) -> String {
    let when = at.format("%H:%M UTC on %-d %B");
    format!("{by} was here before you, at {when}: {words} Look at what is here now, then decide again.")
}

/// What people and machines are told about an error.
struct Told {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    words: String,
}

impl Error {
    pub fn refused(code: &str, why: impl Into<String>, remedy: impl Into<String>) -> Self {
        Error::Refused(Refusal::new(code, why, remedy))
    }

    /// A problem at one field of a form.
    pub fn at(field: &str, why: impl Into<String>) -> Self {
        Error::Invalid(vec![Reason::in_one_sentence("invalid", why).at(field)])
    }

    pub fn status(&self) -> StatusCode {
        self.told().status
    }

    /// Why, one reason each: what a form shows above itself and at its fields.
    pub fn reasons(&self) -> Vec<Reason> {
        match self {
            Error::Invalid(reasons) | Error::Refused(Refusal { reasons }) | Error::TooMany(Refusal { reasons }) => {
                reasons.clone()
            }
            other => {
                let told = other.told();
                vec![Reason::in_one_sentence(told.code, told.words)]
            }
        }
    }

    /// A page can be shown again with these reasons and what was typed.
    pub fn is_about_the_form(&self) -> bool {
        matches!(self, Error::Invalid(_) | Error::Refused(_) | Error::Stale(_) | Error::Conflict | Error::TooMany(_))
    }

    fn told(&self) -> Told {
        match self {
            Error::Invalid(reasons) => {
                told(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "Something needs mending", sentences(reasons))
            }
            Error::Refused(refusal) => {
                told(StatusCode::CONFLICT, "refused", "This cannot be done now", sentences(&refusal.reasons))
            }
            Error::Stale(words) => told(StatusCode::CONFLICT, "stale", "Someone was here before you", words.clone()),
            Error::Conflict => plain(
                StatusCode::CONFLICT,
                "conflict",
                "This form was already sent",
                "It was sent once with other content. Open the page again and repeat what you meant to change.",
            ),
            Error::NotFound => plain(
                StatusCode::NOT_FOUND,
                "not_found",
                "Not found",
                "There is nothing at this address, or it is not yours to see.",
            ),
            Error::NotYourRole(roles) => {
                told(StatusCode::FORBIDDEN, "not_your_role", "Not with your role", who_can(roles))
            }
            Error::SignedOut => plain(StatusCode::UNAUTHORIZED, "signed_out", "Signed out", "Sign in to go on."),
            Error::BadToken => plain(
                StatusCode::FORBIDDEN,
                "bad_token",
                "This form has expired",
                "Open the page again and repeat what you meant to send.",
            ),
            Error::Foreign => plain(
                StatusCode::FORBIDDEN,
                "foreign",
                "This came from another site",
                "Open the page here and send the form from it.",
            ),
            Error::BadRequest(words) => {
                told(StatusCode::BAD_REQUEST, "bad_request", "We could not read this", words.clone())
            }
            Error::TooLarge(words) => told(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "Too large", words.clone()),
            Error::Method(_) => plain(
                StatusCode::METHOD_NOT_ALLOWED,
                "method",
                "Not that way",
                "This address does not take that kind of request.",
            ),
            Error::NoPrecondition | Error::OldVersion(_) => self.precondition(),
            Error::TooMany(refusal) => {
                told(StatusCode::TOO_MANY_REQUESTS, "too_many", "Too many tries", sentences(&refusal.reasons))
            }
            Error::Unavailable(_) => plain(
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "Back in a moment",
                "A part of Fundloop is not answering. Nothing was changed; try again in a minute.",
            ),
            Error::Internal(_) => plain(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "Something is wrong on our side",
                "It has been written down. If it happens again, tell your administrator the reference below.",
            ),
        }
    }

    /// Of the version a machine decided on.
    fn precondition(&self) -> Told {
        let title = "Someone was here before you";
        match self {
            Error::OldVersion(words) => told(StatusCode::PRECONDITION_FAILED, "stale", title, words.clone()),
            _ => plain(
                StatusCode::PRECONDITION_REQUIRED,
                "no_precondition",
                "Which version?",
                "Send If-Match with the version you decided on, as the ETag says it, or * for whichever is there.",
            ),
        }
    }

    /// The same of one of several things that were done at once: what is ours to mend is logged here, since no page of its
    /// own follows.
    pub fn reasons_told(&self) -> Vec<Reason> {
        self.log(self.status());
        self.reasons()
    }

    /// Ours to mend: logged with a reference that the page shows too.
    fn log(&self, status: StatusCode) -> Option<String> {
        if !status.is_server_error() {
            tracing::debug!(status = status.as_u16(), "{self}");
            return None;
        }
        let reference = uuid::Uuid::new_v4().simple().to_string()[..8].to_uppercase();
        tracing::error!(reference, status = status.as_u16(), "{self}");
        Some(reference)
    }
}

fn sentences(reasons: &[Reason]) -> String {
    let words = reasons.iter().map(|reason| format!("{} {}", reason.why, reason.remedy).trim().to_owned());
    words.collect::<Vec<_>>().join(" ")
}

fn who_can(roles: &[Role]) -> String {
    match roles {
        [] => "Nobody's role opens this page.".to_owned(),
        [one] => {
            format!("This page is for the role {}. Ask a colleague who has it, or your administrator.", one.label())
        }
        many => {
            format!("This page is for the roles {}. Ask a colleague who has one, or your administrator.", names(many))
        }
    }
}

#[derive(Template)]
#[template(path = "pages/error.html")]
struct ErrorPage {
    status: u16,
    title: &'static str,
    words: String,
    reference: Option<String>,
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        let Told { status, title, words, .. } = self.told();
        let reference = self.log(status);
        let page = ErrorPage { status: status.as_u16(), title, words, reference };
        // The page holds nothing that can fail; if it did, its title is an answer too.
        let body = page.render().unwrap_or_else(|_| title.to_owned());
        answer(self, status).content_type("text/html; charset=utf-8").body(body)
    }
}

fn answer(error: &Error, status: StatusCode) -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    match error {
        Error::TooMany(_) => response.insert_header((RETRY_AFTER, "900")),
        Error::Method(allowed) => response.insert_header((ALLOW, allowed.clone())),
        Error::Unavailable(_) => response.insert_header((RETRY_AFTER, "30")),
        _ => &mut response,
    };
    response
}

/// The same error for a machine: RFC 9457 problem details, with the refusal's own code.
#[derive(Debug)]
pub struct Problem(pub Error);

#[derive(Serialize)]
struct Details<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    code: &'a str,
    detail: String,
    #[serde(skip_serializing_if = "<[Reason]>::is_empty")]
    reasons: &'a [Reason],
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl<E: Into<Error>> From<E> for Problem {
    fn from(error: E) -> Self {
        match error.into() {
            Error::Stale(words) => Self(Error::OldVersion(words)),
            other => Self(other),
        }
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.0.status()
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        let Told { status, code, title, words } = self.0.told();
        let reference = self.0.log(status);
        let (code, reasons) = match &self.0 {
            Error::Refused(refusal) => (refusal.code(), refusal.reasons.as_slice()),
            Error::Invalid(reasons) => (code, reasons.as_slice()),
            _ => (code, [].as_slice()),
        };
        let details =
            Details { r#type: "about:blank", title, status: status.as_u16(), code, detail: words, reasons, reference };
        let body = serde_json::to_string(&details).unwrap_or_else(|_| "{}".to_owned());
        let mut response = answer(&self.0, status);
        if status == StatusCode::UNAUTHORIZED {
            response.insert_header(("WWW-Authenticate", "Bearer"));
        }
        response.content_type("application/problem+json").body(body)
    }
}

fn told(status: StatusCode, code: &'static str, title: &'static str, words: String) -> Told {
    Told { status, code, title, words }
}

fn plain(status: StatusCode, code: &'static str, title: &'static str, words: &str) -> Told {
    told(status, code, title, words.to_owned())
}

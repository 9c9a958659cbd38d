//! What a handler asks for: [`Who`] is signed in, [`Visitor`] anyone, [`Machine`] a token's holder.

use std::future::{Ready, ready};

use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{LOCATION, USER_AGENT};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse};
use askama::Template;
use domain::fund::FundCommand;
use domain::ids::PartnerId;
use domain::machine::Command;
use domain::money::Marks;
use domain::people::{Actor, Role, Standing};
use domain::{Date, Instant};
use engine::signin::{Bearer, Signed, Visit};
use engine::{Advanced, NewCycle, Submission, WhichCycle, WhichFund};
use storage::Viewer;
use storage::read::{ClaimFilter, Reader};
use uuid::Uuid;

use crate::csrf::Purpose;
use crate::error::{Answer, Error, internal};
use crate::fields::Typed;
use crate::gate;
use crate::posted::Posted;
use crate::routes;
use crate::server::Site;
use crate::session;
use crate::shell::{Flash, FlashKind, Shell};
use crate::view::{Field, Form};

/// Somebody signed in whom the route table lets in.
#[derive(Clone)]
pub struct Who {
    signed: Signed,
    site: Data<Site>,
    vendor: std::sync::Arc<str>,
    path: String,
    flash: Option<Flash>,
    needs: u32,
}

impl Who {
    pub fn actor(&self) -> &Actor {
        &self.signed.actor
    }

    /// What reads are cut to.
    pub fn viewer(&self) -> &Viewer {
        &self.signed.viewer
    }

    pub fn signed(&self) -> &Signed {
        &self.signed
    }

    pub fn site(&self) -> &Site {
        &self.site
    }

    /// Where pages read; every method takes [`Who::viewer`].
    pub fn reader(&self) -> Reader {
        self.site.engine.reader()
    }

    /// The partner a page about one is for: a partner's people see their own, the vendor's people the one they name.
    pub fn whose(&self, named: &str) -> Result<PartnerId, Error> {
        let own = self.signed.actor.me.partner;
        own.or_else(|| named.parse().ok()).ok_or(Error::NotFound)
    }

    /// Which marks this person writes amounts with.
    pub fn marks(&self) -> Marks {
        self.signed.user.marks
    }

    pub fn has(&self, role: Role) -> bool {
        self.signed.viewer.has(role)
    }

    pub fn now(&self) -> Instant {
        self.site.engine.clock.now()
    }

    pub fn today(&self) -> Date {
        self.site.engine.clock.today()
    }

    /// The frame of this person's pages, the navigation marked by the address asked for.
    pub fn shell(&self, title: &str) -> Shell {
        Shell {
            title: title.to_owned(),
            user_name: self.signed.user.name.clone(),
            user_role: self.signed.user.roles.iter().map(|role| role.label()).collect::<Vec<_>>().join(", "),
            theme: theme(&self.signed.user.theme),
            csrf: self.stamp(Purpose::Form),
            flash: self.flash.clone(),
            nav: routes::nav(&self.signed),
            vendor: self.vendor.to_string(),
            needs: self.needs,
        }
        .at(&self.path)
    }

    /// A form with its hidden fields: the session's token, and the id that makes a double post harmless.
    pub fn form(&self) -> Form {
        Form::new(&self.stamp(Purpose::Form), &self.stamp(Purpose::Once))
    }

    /// The same for a record that others may move meanwhile: it carries the version shown.
    pub fn form_at(&self, version: i64) -> Form {
        self.form().with(Field::hidden("version", version.to_string()))
    }

    /// Off to another page, which shows the words once.
    pub fn redirect(&self, to: &str, words: &str) -> Answer {
        let flash = session::flash(&self.site, FlashKind::Done, words);
        Ok(HttpResponse::SeeOther().insert_header((LOCATION, to)).cookie(flash).finish())
    }

    /// After a POST: off to the next page with the words of what was done, or the same page again with what was typed
    /// and the reasons at their fields. A form that was sent before is told what it was told then.
    pub async fn settle<P: Template>(
        &self,
        done: Result<impl Into<String>, Error>,
        to: &str,
        posted: &Posted,
        page: impl AsyncFnOnce(Typed) -> Result<P, Error>,
    ) -> Answer {
        match done {
            Ok(words) => self.redirect(to, &words.into()),
            Err(error) => match self.answered(posted).await? {
                Some(words) => self.redirect(to, &words),
                None => again(error, posted, page).await,
            },
        }
    }

    /// What this very form was answered when it was sent before.
    async fn answered(&self, posted: &Posted) -> Result<Option<String>, Error> {
        let answer = self.site.engine.answered(self.actor(), &once(posted)).await?;
        Ok(answer.map(|answer| Done::from(answer).words))
    }

    /// Carries a command out on a cycle, once per submission, wherever the client goes meanwhile.
    pub async fn advance(&self, no: &str, command: Command, posted: &Posted) -> Result<Done, Error> {
        let (engine, actor, no, once) = (self.site.engine.clone(), self.actor().clone(), no.to_owned(), once(posted));
        finish(async move { engine.advance(&actor, WhichCycle::Number(&no), &command, &once).await })
            .await
            .map(Done::from)
    }

    /// Opens a cycle.
    pub async fn open_cycle(&self, new: NewCycle, posted: &Posted) -> Result<Done, Error> {
        let (engine, actor, once) = (self.site.engine.clone(), self.actor().clone(), once(posted));
        finish(async move { engine.open_cycle(&actor, &new, &once).await }).await.map(Done::from)
    }

    /// Moves a fund's money.
    pub async fn fund(&self, code: &str, command: FundCommand, posted: &Posted) -> Result<Done, Error> {
        let (engine, actor, code, once) =
            (self.site.engine.clone(), self.actor().clone(), code.to_owned(), once(posted));
        finish(async move { engine.fund(&actor, WhichFund::Code(&code), &command, &once).await }).await.map(Done::from)
    }

    fn stamp(&self, purpose: Purpose) -> String {
        self.site.seal.stamp(purpose, &holder(Some(&self.signed), Uuid::nil()))
    }
}

/// What was done: where it stands now, and the words for the person.
#[derive(Clone, Debug)]
pub struct Done {
    /// The cycle's number or the fund's code.
    pub number: String,
    pub version: i64,
    pub words: String,
}

impl From<Advanced> for Done {
    fn from(done: Advanced) -> Self {
        Self { number: done.number, version: done.version, words: done.words.join(" ") }
    }
}

impl From<Done> for String {
    fn from(done: Done) -> Self {
        done.words
    }
}

/// The submission a form is: its own id, what it holds, and the version that was on the page.
pub fn once(posted: &Posted) -> Submission {
    let once = Submission::new(posted.key()).of(posted.digest());
    match posted.version() {
        Some(version) => once.seen(version),
        None => once,
    }
}

/// Runs a change to its end: a client that hangs up drops its handler, never what the handler has begun.
pub async fn finish<T: 'static>(work: impl Future<Output = Result<T, engine::Error>> + 'static) -> Result<T, Error> {
    Ok(actix_web::rt::spawn(work).await.map_err(internal)??)
}

/// The page again with what was typed, its status saying why; errors that are not about the form go their own way.
pub async fn again<P: Template>(
    error: Error,
    posted: &Posted,
    page: impl AsyncFnOnce(Typed) -> Result<P, Error>,
) -> Answer {
    if !error.is_about_the_form() {
        return Err(error);
    }
    let typed = posted.typed().clone().with_reasons(error.reasons());
    show_as(error.status(), &page(typed).await?)
}

/// A page as the answer.
pub fn show(page: &impl Template) -> Answer {
    show_as(StatusCode::OK, page)
}

pub fn show_as(status: StatusCode, page: &impl Template) -> Answer {
    let body = page.render().map_err(internal)?;
    Ok(HttpResponse::build(status).content_type("text/html; charset=utf-8").body(body))
}

fn theme(stored: &str) -> &'static str {
    match stored {
        "light" => "light",
        "dark" => "dark",
        _ => "auto",
    }
}

/// Whose forms these are: the session's, or the signed-out browser's.
pub fn holder(signed: Option<&Signed>, visitor: Uuid) -> String {
    match signed {
        Some(signed) => format!("session {}", signed.session),
        None => format!("visitor {visitor}"),
    }
}

/// Anyone at all, signed in or not.
#[derive(Clone)]
pub struct Visitor {
    site: Data<Site>,
    who: Option<Who>,
    number: Uuid,
    is_new: bool,
    had_flash: bool,
    visit: Visit,
}

impl Visitor {
    pub(crate) async fn of(req: &ServiceRequest, site: Data<Site>, signed: Option<Signed>) -> Result<Self, Error> {
        let (number, is_new) = gate::visitor_number(req, &site);
        let flash = gate::read_flash(&site, req.request());
        let agent = req.headers().get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let visit = Visit { ip: gate::address(req, site.proxies), agent: agent.to_owned() };
        let had_flash = flash.is_some();
        let who = match signed {
            None => None,
            Some(signed) => {
                let vendor = site.door.vendor().await?;
                let needs = if req.method().is_safe() { needs(&site, &signed).await? } else { 0 };
                Some(Who { signed, site: site.clone(), vendor, path: req.path().to_owned(), flash, needs })
            }
        };
        Ok(Self { is_new: is_new && who.is_none(), site, who, number, had_flash, visit })
    }

    pub fn who(&self) -> Option<&Who> {
        self.who.as_ref()
    }

    pub fn site(&self) -> &Site {
        &self.site
    }

    pub fn visit(&self) -> &Visit {
        &self.visit
    }

    /// A form for whoever this is.
    pub fn form(&self) -> Form {
        Form::new(&self.stamp(Purpose::Form), &self.stamp(Purpose::Once))
    }

    pub(crate) fn stamp(&self, purpose: Purpose) -> String {
        self.site.seal.stamp(purpose, &self.holder())
    }

    pub(crate) fn nonce<'a>(&self, purpose: Purpose, stamp: &'a str) -> Option<&'a str> {
        self.site.seal.nonce(purpose, &self.holder(), stamp)
    }

    fn holder(&self) -> String {
        holder(self.who.as_ref().map(Who::signed), self.number)
    }

    pub(crate) fn settle_cookies(&self, response: &mut ServiceResponse<actix_web::body::BoxBody>) {
        let is_page = response.status().is_success() || response.status().is_client_error();
        let new = (self.is_new && is_page).then_some(self.number);
        gate::settle(response, &self.site, new, self.had_flash && self.who.is_some());
    }
}

/// How many things wait for this person, as far as one counts: the figure beside "Home".
async fn needs(site: &Site, signed: &Signed) -> Result<u32, Error> {
    let reader = site.engine.reader();
    let mut waiting = reader.count_waiting(&signed.viewer, 99).await?;
    if let Some(standing) = domain::fund::keeper(&signed.actor) {
        let me = domain::fund::Agreement::of(&signed.actor, standing);
        let proposed = reader.reinstatements(&signed.viewer, None).await?;
        waiting += proposed.iter().filter(|one| !one.wanted.agreed_by(me)).count();
    }
    if signed.actor.standing_that(Standing::is_finance).is_some() {
        waiting += reader.count_claims(&signed.viewer, &ClaimFilter::behind(), 99).await?;
    }
    Ok(u32::try_from(waiting).unwrap_or(u32::MAX))
}

/// A program that showed a token.
#[derive(Clone)]
pub struct Machine {
    site: Data<Site>,
    bearer: Bearer,
}

impl Machine {
    pub(crate) fn new(site: Data<Site>, bearer: Bearer) -> Self {
        Self { site, bearer }
    }

    pub fn site(&self) -> &Site {
        &self.site
    }

    pub fn actor(&self) -> &Actor {
        &self.bearer.actor
    }

    pub fn viewer(&self) -> &Viewer {
        &self.bearer.viewer
    }

    /// What its submissions are counted under.
    pub fn token(&self) -> Uuid {
        self.bearer.token
    }
}

macro_rules! from_the_gate {
    ($($type:ty),*) => {$(
        impl FromRequest for $type {
            type Error = Error;
            type Future = Ready<Result<Self, Error>>;

            /// The gate put it there; a route whose access does not promise it is a mistake of ours.
            fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
                let found = req.extensions().get::<$type>().cloned();
                ready(found.ok_or_else(|| internal(concat!(stringify!($type), " is not known on this route"))))
            }
        }
    )*};
}
from_the_gate!(Who, Visitor, Machine);

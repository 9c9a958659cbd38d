//! Claiming: the form with the invoices of each approved line, and the check page that says what it will pay.
//!
//! Nothing is kept between the two but the invoices' files; the check page carries what was typed, and the claim is
//! judged on both by the rules that will take it.

use actix_web::web::Path;
use askama::Template;
use domain::deadlines::{Clock, Item};
use domain::ids::FileId;
use domain::machine::{Act, Command, Situation, moves_of};
use domain::money::Money;
use domain::refusal::{Reason, Refusal};
use domain::steps::s6_approval::LineDecision;
use domain::steps::s7_execution::{self as rules, ActivityState, ClaimLineDraft, claimable, payable};
use engine::files::{INVOICE_KINDS, invoice_field};

use super::files::{self, Kept};
use crate::error::{Answer, Error};
use crate::extract::{Who, again, show};
use crate::fields::{Fields, Typed};
use crate::posted::Posted;
use crate::shell::Shell;
use crate::steps::s6_approval::describe;
use crate::steps::{look, objections};
use crate::view::{Amount, Control, Due, Fact, Facts, Field, Form, HeaderStrip, Hub, Value};

#[derive(Template)]
#[template(path = "s7_execution/claim_form.html")]
struct ClaimForm {
    shell: Shell,
    strip: HeaderStrip,
    number: String,
    campaign: u16,
    name: String,
    form: Form,
    rows: Vec<Row>,
    left: Amount,
    due: Option<Due>,
    clocks: Hub,
    not_yet: Vec<String>,
}

/// An invoice of an approved line: which line it is of, and the names of its fields.
struct Row {
    /// Its number in the form; those that were added come after the lines' own, so that no field is renamed.
    no: usize,
    /// The line's own number, by which another invoice of it is added.
    of: usize,
    /// Which of the line's invoices, from 1; the last one of a line offers another.
    invoice: usize,
    is_last: bool,
    activity: u16,
    line: u16,
    description: String,
    about: String,
    approved: Amount,
    actual: String,
    vendor: String,
    invoice_no: String,
    invoice_date: String,
    file: String,
    kept: String,
    kept_name: Option<String>,
}

#[derive(Template)]
#[template(path = "s7_execution/claim_check.html")]
struct CheckPage {
    shell: Shell,
    strip: HeaderStrip,
    number: String,
    campaign: u16,
    name: String,
    form: Form,
    lines: Vec<CheckLine>,
    actual: Amount,
    share: Amount,
    pays: String,
    effect: Facts,
    notes: Vec<String>,
}

struct CheckLine {
    description: String,
    invoice: String,
    file: Option<(String, String)>,
    actual: Amount,
    share: Amount,
}

/// A claim as it was typed, with the form rows its lines came from.
struct ClaimDraft {
    lines: Vec<ClaimLineDraft>,
    rows: Vec<usize>,
    is_final: bool,
}

/// GET /cycles/{no}/execution/campaigns/{campaign}/claim
pub async fn show_page(who: Who, at: Path<(String, u16)>) -> Answer {
    let (no, campaign) = at.into_inner();
    show(&page(&who, &no, campaign, Typed::default(), &[]).await?)
}

/// POST .../claim/check: keeps the invoices, judges the claim, and says what it will pay.
pub async fn check(who: Who, at: Path<(String, u16)>, posted: Posted) -> Answer {
    let (no, campaign) = at.into_inner();
    let mut kept = Vec::new();
    let judged = async {
        let s = look(&who, &no).await?;
        allowed(&who, &s)?;
        gather(&who, &s, campaign, &posted, &mut kept).await?;
        let draft = posted.read(who.marks(), |f| read(&s, &rows(&s, campaign, &kept, posted.typed()), &kept, f))?;
        let command = rules::Command::SubmitClaim { campaign, lines: draft.lines.clone(), is_final: draft.is_final };
        let reasons = objections(&who, &s, &Command::Execution(command));
        if !reasons.is_empty() {
            return Err(Error::Refused(Refusal { reasons: at_rows(reasons, &draft.rows) }));
        }
        Ok((s, draft))
    };
    match judged.await {
        Ok((s, draft)) => show(&check_page(&who, &s, campaign, &draft, &kept, &posted)),
        Err(error) => again(error, &posted, async |typed| page(&who, &no, campaign, typed, &kept).await).await,
    }
}

/// POST .../claim/change: back to the form with everything typed, from the check page or with another invoice for a line.
pub async fn change(who: Who, at: Path<(String, u16)>, posted: Posted) -> Answer {
    let (no, campaign) = at.into_inner();
    let s = look(&who, &no).await?;
    let mut kept = Vec::new();
    match gather(&who, &s, campaign, &posted, &mut kept).await {
        Ok(()) => show(&page(&who, &no, campaign, with_another(posted.typed()), &kept).await?),
        Err(error) => again(error, &posted, async |typed| page(&who, &no, campaign, typed, &kept).await).await,
    }
}

/// POST .../claim
pub async fn submit(who: Who, at: Path<(String, u16)>, posted: Posted) -> Answer {
    let (no, campaign) = at.into_inner();
    let mut kept = Vec::new();
    let mut used = Vec::new();
    let done = async {
        let s = look(&who, &no).await?;
        gather(&who, &s, campaign, &posted, &mut kept).await?;
        let draft = posted.read(who.marks(), |f| read(&s, &rows(&s, campaign, &kept, posted.typed()), &kept, f))?;
        used = draft.rows;
        let command = rules::Command::SubmitClaim { campaign, lines: draft.lines, is_final: draft.is_final };
        who.advance(&no, Command::Execution(command), &posted).await
    };
    let done = done.await.map_err(|error| match error {
        Error::Refused(refusal) => Error::Refused(Refusal { reasons: at_rows(refusal.reasons, &used) }),
        other => other,
    });
    let to = format!("/cycles/{no}/execution");
    who.settle(done, &to, &posted, async |typed| page(&who, &no, campaign, typed, &kept).await).await
}

fn allowed(who: &Who, s: &Situation) -> Result<(), Error> {
    if moves_of(s, who.actor()).contains(&Act::SubmitClaim) {
        return Ok(());
    }
    Err(Error::refused("not_your_role", "A claim is made by the partner.", "Ask them to claim."))
}

/// The rules number the lines they are given; the form numbers its rows, blank ones too.
fn at_rows(reasons: Vec<Reason>, rows: &[usize]) -> Vec<Reason> {
    let moved = |field: &str| {
        let (name, line) = field.rsplit_once('_')?;
        let row = rows.get(line.parse::<usize>().ok()?.checked_sub(1)?)?;
        Some(format!("{name}_{row}"))
    };
    reasons
        .into_iter()
        .map(|reason| Reason { field: reason.field.map(|field| moved(&field).unwrap_or(field)), ..reason })
        .collect()
}

/// The approved lines of proven activities of a campaign.
fn open_lines(s: &Situation, campaign: u16) -> Vec<&LineDecision> {
    let proven = |line: &&LineDecision| {
        let activity = s.cycle.activity(line.activity);
        activity.is_some_and(|found| found.draft.campaign == campaign && found.state == ActivityState::Proven)
    };
    s.cycle.approval.lines.iter().filter(proven).filter(|line| line.amount.is_positive()).collect()
}

/// Invoices were added to these lines, in this order: "1,1,3".
const MORE: &str = "more";

/// A form holds no more rows; a claim may hold more invoices, by API.
const MOST_ROWS: usize = 60;

fn added(typed: &Typed) -> Vec<usize> {
    typed.value(MORE).unwrap_or_default().split(',').filter_map(|line| line.parse().ok()).take(MOST_ROWS).collect()
}

/// What was typed, with another invoice where its button was pressed.
fn with_another(typed: &Typed) -> Typed {
    let Some(line) = typed.value("add") else { return typed.clone() };
    let more: Vec<String> = added(typed).iter().map(usize::to_string).chain([line.to_owned()]).collect();
    let kept = typed.pairs().filter(|(name, _)| ![MORE, "add"].contains(name));
    let pairs = kept.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Typed::new(pairs.chain([(MORE.to_owned(), more.join(","))]).collect())
}

/// A row for every line, and one for every invoice that was added to one: together as they are shown.
fn rows(s: &Situation, campaign: u16, kept: &[Kept], typed: &Typed) -> Vec<Row> {
    let lines = open_lines(s, campaign);
    let own = 1..=lines.len();
    let added = added(typed).into_iter().filter(|of| own.contains(of));
    let of: Vec<usize> = own.clone().chain(added).take(MOST_ROWS.max(lines.len())).collect();
    let invoice = |no: usize| of[..no].iter().filter(|line| **line == of[no - 1]).count();
    let is_last = |no: usize| !of[no..].contains(&of[no - 1]) && of.len() < MOST_ROWS;
    let row = |no: usize| {
        let line = lines[of[no - 1] - 1];
        let kept = kept.iter().find(|file| file.item == no.to_string());
        Row {
            no,
            of: of[no - 1],
            invoice: invoice(no),
            is_last: is_last(no),
            activity: line.activity,
            line: line.line,
            description: describe(&s.cycle, line.activity, line.line),
            about: s.cycle.activity(line.activity).map_or_else(String::new, |found| found.draft.name.clone()),
            approved: line.amount.into(),
            actual: format!("actual_{no}"),
            vendor: format!("vendor_{no}"),
            invoice_no: format!("invoice_no_{no}"),
            invoice_date: format!("invoice_date_{no}"),
            file: invoice_field(no),
            kept: format!("kept_{no}"),
            kept_name: kept.map(|file| file.name.clone()),
        }
    };
    let mut rows: Vec<Row> = (1..=of.len()).map(row).collect();
    rows.sort_by_key(|row| (row.of, row.no));
    rows
}

/// Keeps the invoices that came along, and finds again those kept before; a new one takes the old one's place.
async fn gather(who: &Who, s: &Situation, campaign: u16, posted: &Posted, kept: &mut Vec<Kept>) -> Result<(), Error> {
    let mut reasons = Vec::new();
    for row in rows(s, campaign, &[], posted.typed()) {
        let item = row.no.to_string();
        let one = if let Some(upload) = posted.files(&row.file).next() {
            match files::of_kind(&row.file, &upload.name, &INVOICE_KINDS.map(str::to_owned)) {
                Ok(()) => files::keep(who, s, &item, upload).await,
                Err(error) => Err(error),
            }
        } else if let Some(id) = posted.typed().value(&row.kept).and_then(|text| text.parse::<FileId>().ok()) {
            files::found(who, s, (&item, &row.file), id).await
        } else {
            continue;
        };
        files::gathered(one, kept, &mut reasons)?;
    }
    if reasons.is_empty() { Ok(()) } else { Err(Error::Invalid(reasons)) }
}

fn read(s: &Situation, rows: &[Row], kept: &[Kept], f: &mut Fields) -> Option<ClaimDraft> {
    let mut lines = Some(Vec::new());
    let mut used = Vec::new();
    f.ignore(MORE);
    for row in rows {
        f.ignore(&row.kept);
        if f.all_empty(&[&row.actual, &row.vendor, &row.invoice_no, &row.invoice_date]) {
            continue;
        }
        used.push(row.no);
        let (actual, vendor) = (f.money(&row.actual, s.cycle.currency), f.text(&row.vendor));
        let (invoice_no, invoice_date) = (f.text(&row.invoice_no), f.date(&row.invoice_date));
        let file = kept.iter().find(|file| file.item == row.no.to_string()).map(|file| file.id);
        if file.is_none() {
            f.problem(&row.file, "Add the supplier's invoice.");
        }
        let line = (|| {
            Some(ClaimLineDraft {
                activity: row.activity,
                line: row.line,
                actual: actual?,
                vendor: vendor?,
                invoice_no: invoice_no?,
                invoice_date: invoice_date?,
                file,
            })
        })();
        lines =
            lines.zip(line).map(|(lines, line): (Vec<ClaimLineDraft>, ClaimLineDraft)| [lines, vec![line]].concat());
    }
    let is_final = f.tick("is_final");
    Some(ClaimDraft { lines: lines?, rows: used, is_final })
}

async fn page(who: &Who, no: &str, campaign: u16, typed: Typed, kept: &[Kept]) -> Result<ClaimForm, Error> {
    let s = look(who, no).await?;
    let found = s.cycle.campaign(campaign).ok_or(Error::NotFound)?;
    allowed(who, &s)?;
    let rows = rows(&s, campaign, kept, &typed);
    let of_campaign = || s.cycle.activities.iter().filter(|activity| activity.draft.campaign == campaign);
    let open = of_campaign().filter(|found| matches!(found.state, ActivityState::Live | ActivityState::ProofReview));
    Ok(ClaimForm {
        shell: who.shell(&format!("Claim, {}", s.cycle.number)),
        strip: HeaderStrip::of(&s, who.today()),
        number: s.cycle.number.clone(),
        campaign,
        name: found.draft.name.clone(),
        form: typed.onto(form(who, &s, &rows, kept, typed.value(MORE).unwrap_or_default())),
        left: claimable(&s, campaign).into(),
        due: rules::last_day_to_claim(&s, campaign).map(|on| Due { on, today: who.today() }),
        clocks: Hub::clocks(&s, who.today(), |deadline| match deadline.item {
            Item::Campaign(no) => no == campaign,
            Item::Activity(no) => s.cycle.activity(no).is_some_and(|activity| activity.draft.campaign == campaign),
            Item::Cycle => deadline.clock == Clock::Credit,
            Item::Claim(_) => false,
        }),
        not_yet: open.map(|activity| activity.draft.name.clone()).collect(),
        rows,
    })
}

fn form(who: &Who, s: &Situation, rows: &[Row], kept: &[Kept], more: &str) -> Form {
    let currency = s.cycle.currency.code();
    let accept = INVOICE_KINDS.map(|kind| format!(".{kind}")).join(",");
    let mut form = who.form_at(s.cycle.version);
    for row in rows {
        let which = if row.invoice > 1 { format!(", invoice {}", row.invoice) } else { String::new() };
        let label = |what: &str| format!("{what} for “{}”{which}", row.description);
        let held = kept.iter().find(|file| row.kept == format!("kept_{}", file.item));
        let file = Control::File { accept: accept.clone(), multiple: false };
        form = form
            .with(Field::amount(&row.actual, &label("What it cost without tax"), currency))
            .with(Field::text(&row.vendor, &label("Supplier")))
            .with(Field::text(&row.invoice_no, &label("Invoice number")))
            .with(Field::date(&row.invoice_date, &label("Date of the invoice")))
            .with(Field::new(&row.file, &label("Invoice"), file))
            .with(Field::hidden(&row.kept, held.map(|file| file.id.to_string()).unwrap_or_default()));
    }
    form.with(Field::hidden(MORE, more)).with(
        Field::tick("is_final", "This is the last claim on this campaign")
            .hint("What is left of its approved money then goes back to where it came from."),
    )
}

fn check_page(
    who: &Who,
    s: &Situation,
    campaign: u16,
    draft: &ClaimDraft,
    kept: &[Kept],
    posted: &Posted,
) -> CheckPage {
    let cycle = &s.cycle;
    let (priced, pays) = payable(s, campaign, &draft.lines);
    let file = |id: Option<FileId>| kept.iter().find(|file| Some(file.id) == id);
    let line = |line: &rules::ClaimLine| CheckLine {
        description: describe(cycle, line.invoice.activity, line.invoice.line),
        invoice: format!(
            "{}, no. {} of {}",
            line.invoice.vendor,
            line.invoice.invoice_no,
            super::date_words(line.invoice.invoice_date)
        ),
        file: file(line.invoice.file).map(|file| (file.name.clone(), files::href(file.id))),
        actual: line.invoice.actual.into(),
        share: line.share.into(),
    };
    let mut form = who.form_at(cycle.version);
    for (name, value) in posted.typed().pairs().filter(|(name, _)| !name.starts_with("kept_")) {
        form = form.with(Field::hidden(name, value));
    }
    for file in kept {
        form = form.with(Field::hidden(&format!("kept_{}", file.item), file.id.to_string()));
    }
    let share = cycle.sum(priced.iter().map(|line| line.share));
    CheckPage {
        shell: who.shell(&format!("Check the claim, {}", cycle.number)),
        strip: HeaderStrip::of(s, who.today()),
        number: cycle.number.clone(),
        campaign,
        name: cycle.campaign(campaign).map_or_else(String::new, |campaign| campaign.draft.name.clone()),
        form,
        lines: priced.iter().map(line).collect(),
        actual: cycle.sum(draft.lines.iter().map(|line| line.actual)).into(),
        share: share.into(),
        pays: Amount::from(pays).plain(),
        effect: effect(s, campaign, pays, draft.is_final),
        notes: notes(s, campaign, share, draft.is_final),
    }
}

fn effect(s: &Situation, campaign: u16, pays: Money, is_final: bool) -> Facts {
    let left = claimable(s, campaign);
    let rest = Money::new(left.minor - pays.minor, left.currency);
    let mut facts = vec![
        Fact::new("This claim will pay", pays).note("once finance approves it"),
        Fact::new("Left to claim", Value::Change(left.into(), rest.into())),
    ];
    if is_final && rest.is_positive() {
        facts.push(Fact::new("Goes back", rest).note("because this is the last claim"));
    }
    Facts { facts }
}

/// Why it pays less than was spent, where it does.
fn notes(s: &Situation, campaign: u16, share: Money, is_final: bool) -> Vec<String> {
    let left = claimable(s, campaign);
    let mut notes = Vec::new();
    if share.minor > left.minor {
        let (share, left) = (Amount::from(share).plain(), Amount::from(left).plain());
        notes.push(format!("The program's share would be {share}; {left} is what is left of the approval. What was spent over the plan is yours."));
    }
    if !is_final && share.minor < left.minor {
        notes.push("What is left stays yours to claim until the window closes.".to_owned());
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_invoice_is_added_to_what_was_typed() {
        let pairs = [("actual_1", "10"), ("more", "1,x,3"), ("add", "3")];
        let typed = Typed::new(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec());
        let after = with_another(&typed);
        assert_eq!(
            (after.value("actual_1"), after.value("more"), after.value("add")),
            (Some("10"), Some("1,3,3"), None)
        );
        assert_eq!(added(&after), [1, 3, 3]);
        assert_eq!(added(&with_another(&Typed::default())), [0; 0]);
    }

    #[test]
    fn what_the_rules_say_of_a_line_stands_at_the_row_it_was_typed_in() {
        let reasons = vec![Reason::new("x", "a", "b").at("actual_2"), Reason::new("x", "a", "b")];
        let fields: Vec<_> = at_rows(reasons, &[1, 4]).into_iter().map(|reason| reason.field).collect();
        assert_eq!(fields, [Some("actual_4".to_owned()), None]);
    }
}

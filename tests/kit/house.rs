//! A house that has been lived in: a cycle in every step and every ending, claims in every state, answers, deals and
//! imports, somebody invited. What a walk over all pages needs to find something on each.

use domain::cycle::Stage;
use domain::fund::{FundCommand, FundKind};
use domain::machine::CycleCommand;
use domain::policy::Extendable;
use domain::settlement::{Command, Outcome};
use domain::steps::s7_execution::FileVerdict;
use domain::steps::{s6_approval, s7_execution, s8_tracking, s9_performance};

use engine::Submission;
use engine::views::{NewView, ViewedList};

use crate::app::App;
use crate::http::Visitor;
use crate::people::{ANA, CLAIRE, JONAS, KESTREL, MARA, Persona, SAM, TOMAS, YUKI, day};
use crate::story::{counting_from, pdf};
use crate::world::{EARNING, eur};

/// What cannot be found by following links: cycles by number, and addresses that came by mail or paper.
#[derive(Debug, Default)]
pub struct House {
    pub cycles: Vec<String>,
    /// A campaign ID that is on posters.
    pub campaign: String,
    /// Paths of mailed links: an invitation, a new password.
    pub mailed: Vec<String>,
}

impl App {
    /// From 2 March 2026 on; ends on 24 April with everything in reach of its deadlines.
    pub async fn furnish(&self) -> House {
        let mut house = House::default();
        self.quote("1.08").await;
        let live = self.live(&mut house).await;
        self.fund_that_expires().await;
        // Their webinars are over, the proof is not yet due.
        self.days_pass(53).await;
        self.move_on(live).await;
        self.wanted_back().await;
        self.ahead(&mut house).await;
        house.campaign = self.results(live_number(&house, 2)).await;
        self.purchases().await;
        house.mailed = self.mailed().await;
        self.keep_views().await;
        self.version_ahead().await;
        self.deliver().await;
        house
    }

    /// Another version of the guide, from the next year on.
    async fn version_ahead(&self) {
        let (_, guide) = engine::catalog::GUIDES[0];
        let guide =
            guide.replacen("version = \"2026.1\"", "version = \"2027.1\"", 1).replacen("\"0.60\"", "\"0.65\"", 1);
        let guide = counting_from(&guide, day(2027, 1, 1));
        let taken = self.engine.add_guide(&SAM.actor(), self.program, &guide, None, &Submission::own()).await;
        taken.expect("the guide is taken in");
    }

    /// A fund below the first; Kestrel's credit in it will have expired unused by April.
    async fn fund_that_expires(&self) {
        self.fund_below("EMEA-DACH", FundKind::Discretionary).await.expect("a fund below opens");
        let reason = || "Second quarter".to_owned();
        let (partner, amount, expires) = (KESTREL.id(), eur(750), Some(day(2026, 3, 31)));
        for command in [
            FundCommand::Budget { amount: eur(20_000), reason: reason() },
            FundCommand::Allocate { partner, amount, expires, reason: reason() },
        ] {
            self.act_on(TOMAS, "EMEA-DACH", &command).await.expect("finance moves its money");
        }
    }

    /// Tomáš asks for it back; a second person has not agreed yet.
    async fn wanted_back(&self) {
        let (partner, amount, expires) = (KESTREL.id(), eur(750), day(2026, 9, 30));
        let reason = "The trade fair was moved to autumn.".to_owned();
        let command = FundCommand::ProposeReinstatement { partner, amount, expires, reason };
        self.act_on(TOMAS, "EMEA-DACH", &command).await.expect("finance proposes");
    }

    /// Eleven webinars of Nordwind's and one of Kestrel's, approved.
    async fn live(&self, house: &mut House) -> usize {
        for cost in [2_000, 6_000, 4_000, 3_000, 5_000, 2_000, 2_500, 9_000, 3_000, 2_000, 2_000] {
            house.cycles.push(self.cycle_in(Stage::ExecutionLive, MARA, cost).await);
        }
        house.cycles.push(self.cycle_in(Stage::ExecutionLive, JONAS, 3_000).await);
        house.cycles.len()
    }

    /// Each takes another way: closed, measured, still listening, in review, payable, clawed back, denied, proof in
    /// review, proof returned, in a payment batch; the last two wait for their proof, one with more time asked for.
    async fn move_on(&self, live: usize) {
        let numbers: Vec<String> = (1..=live).map(number).collect();
        let [closed, measured, listening, claimed, payable, clawed, denied, handed_in, returned, batched, waiting, ..] =
            &numbers[..]
        else {
            panic!("twelve cycles are live")
        };
        for no in [closed, measured, listening, claimed, payable, clawed, denied] {
            self.prove(no, MARA).await;
        }
        for no in [closed, claimed, payable, clawed, denied, listening] {
            self.claim(no, MARA).await;
        }
        for no in [closed, clawed, listening] {
            self.settle(no).await;
        }
        let amount = self.look(payable).await.cycle.claims[0].asked;
        let in_full = s7_execution::Command::ApproveClaim { claim: 1, amount, reason: String::new() };
        self.must(YUKI, payable, in_full).await;
        let reason = "The supplier refunded part of it.".to_owned();
        self.must(TOMAS, clawed, s7_execution::Command::ProposeClawback { claim: 1, amount: eur(500), reason }).await;
        let (on, reference, reason) = (self.clock.today(), "RET 1".to_owned(), "Account closed".to_owned());
        let report = s7_execution::Command::ReportPaymentReturn { claim: 1, payment: 1, on, reference, reason };
        self.must(TOMAS, listening, report).await;
        let reason = "The invoice names another company.".to_owned();
        self.must(TOMAS, denied, s7_execution::Command::DenyClaim { claim: 1, reason }).await;
        for no in [closed, measured] {
            self.must(ANA, no, s8_tracking::Command::Close {}).await;
        }
        let lessons = "Personal invitations brought the good leads.".to_owned();
        for (who, no) in [(MARA, closed), (ANA, closed), (MARA, measured)] {
            self.must(who, no, s9_performance::Command::Sign { lessons: lessons.clone() }).await;
        }
        self.batches(payable, batched).await;
        for no in [handed_in, returned] {
            self.hand_in_proof(no, MARA).await;
        }
        let file = self.look(returned).await.cycle.activities[0].proof[0].file;
        let verdicts = vec![FileVerdict { file, accepted: false, reason: "The titles are missing.".to_owned() }];
        let reason = "Please complete the list.".to_owned();
        self.must(ANA, returned, s7_execution::Command::ReturnProof { activity: 1, verdicts, reason }).await;
        // More time: granted on one, and on another still to be answered.
        let reason = || "The list comes a week late.".to_owned();
        let wish = |days| s7_execution::Command::AskExtension {
            campaign: 1,
            window: Extendable::Proof,
            days,
            reason: reason(),
        };
        self.must(MARA, returned, wish(10)).await;
        let granted = s7_execution::Command::GrantExtension { extension: 1, days: 7, reason: reason() };
        self.must(ANA, returned, granted).await;
        self.must(MARA, waiting, wish(5)).await;
    }

    /// One batch that has paid an instalment, one that is with the bank, one that waits to be exported.
    async fn batches(&self, payable: &str, batched: &str) {
        self.name_accounts().await;
        let paid = self.batch(TOMAS, &[(payable, Some(eur(100)))]).await;
        self.export(TOMAS, &paid).await;
        self.pay(TOMAS, &paid, 1, "SEPA 2026-0900").await;
        self.prove(batched, MARA).await;
        self.claim(batched, MARA).await;
        self.approve_claim(batched, YUKI).await;
        let rejected = self.batch(TOMAS, &[(batched, Some(eur(200)))]).await;
        self.export(TOMAS, &rejected).await;
        let outcome = Outcome::Rejected { payment: 1, reason: "The account is closed.".to_owned() };
        self.engine.record_payments(&TOMAS.actor(), &rejected, vec![outcome], &Submission::own()).await.expect("told");
        let sent = self.batch(TOMAS, &[(batched, Some(eur(300)))]).await;
        self.export(TOMAS, &sent).await;
        let kept = self.batch(TOMAS, &[(payable, Some(eur(100)))]).await;
        let cancel = Command::Cancel { reason: "The month is closed.".to_owned() };
        self.engine.batch(&TOMAS.actor(), &kept, &cancel, &Submission::own()).await.expect("it is cancelled");
    }

    /// The next quarter: a cycle in every step before money flows, and every way a request can end.
    async fn ahead(&self, house: &mut House) {
        let steps = [
            Stage::PlanDraft,
            Stage::PlanReview,
            Stage::ScorecardOpen,
            Stage::ForecastDraft,
            Stage::ActionPlanDraft,
            Stage::RequestDraft,
            Stage::ApprovalReview,
            Stage::ExecutionLive,
        ];
        for stage in steps {
            let no = self.cycle_in(stage, MARA, 4_000).await;
            match stage {
                Stage::ForecastDraft => self.draft_forecast(&no, MARA, 4_000).await,
                Stage::ActionPlanDraft => self.draft_action_plan(&no, MARA, 4_000).await,
                _ => {}
            }
            house.cycles.push(no);
        }
        let second_level = self.cycle_in(Stage::ApprovalReview, JONAS, 40_000).await;
        self.approve(&second_level, &self.look(&second_level).await).await;
        let asked = self.cycle_in(Stage::ApprovalReview, MARA, 4_000).await;
        let question = "Which list do you invite from?".to_owned();
        self.must(ANA, &asked, s6_approval::Command::Ask { question }).await;
        let returned = self.cycle_in(Stage::ApprovalReview, MARA, 4_000).await;
        let reason = "Please ask for the agency only.".to_owned();
        self.must(ANA, &returned, s6_approval::Command::Return { reason }).await;
        let declined = self.cycle_in(Stage::ApprovalReview, MARA, 4_000).await;
        let reason = "The audience was invited in March.".to_owned();
        self.must(ANA, &declined, s6_approval::Command::Decline { reason }).await;
        let withdrawn = self.cycle_in(Stage::RequestDraft, MARA, 4_000).await;
        let cancelled = self.cycle_in(Stage::ExecutionLive, MARA, 4_000).await;
        for no in [&withdrawn, &cancelled] {
            self.must(MARA, no, CycleCommand::Cancel { reason: "The speaker fell ill.".to_owned() }).await;
        }
        house.cycles.extend([second_level, asked, returned, declined, withdrawn, cancelled]);
    }

    /// A tracked link, an answer, two files of a CRM taken in and one put aside; the campaign's ID comes back.
    async fn results(&self, no: &str) -> String {
        let made = self.engine.make_link(&MARA.actor(), no, 1, "Newsletter of the trade press", "email").await;
        let link = made.expect("a link is made");
        let guest = self.visitor();
        guest.get(&format!("/go/{link}")).await.assert_status(303);
        let campaign = self.look(no).await.cycle.campaigns[0].code.clone().expect("an approved campaign has an ID");
        let form = guest.open(&format!("/r/{campaign}")).await;
        let said =
            [("name", "Ada Kern"), ("email", "ada@hafen.example"), ("company", "Hafen Logistik"), ("consent", "yes")];
        guest.press(&form, "Send my answer", &said).await.assert_says("Thank you");
        let (ana, mara) = (self.sign_in(ANA).await, self.sign_in(MARA).await);
        let members = format!(
            "Campaign ID,Member Status,First Name,Last Name,Email,Company / Account,Member First Associated Date\n\
             {campaign},Responded,Ben,Ohm,ben@hafen.example,Hafen Logistik,2026-04-16\n\
             {campaign},Sent,Cy,Day,no address at all,Hafen Logistik,2026-04-16\n"
        );
        self.take_in(&ana, "salesforce-campaign-members", "members.csv", &members).await;
        let deals = format!(
            "Opportunity ID,Opportunity Name,Account Name,Amount,Currency,Stage,Created Date,Close Date,Email,Campaign ID\n\
             006A,Hafen security suite,Hafen Logistik,48000,EUR,Closed Won,2026-04-17,2026-04-22,ada@hafen.example,{campaign}\n\
             006B,Hafen branch offices,Hafen Logistik,12000,EUR,Proposal,2026-04-18,2026-07-30,ben@hafen.example,{campaign}\n"
        );
        self.take_in(&ana, "csv", "deals.csv", &deals).await;
        self.hand_in(&mara, "salesforce-campaign-members", "to-look-at.csv", &members).await;
        campaign
    }

    /// Credit earned on purchases, a period closed, and a file of purchases put aside.
    async fn purchases(&self) {
        self.start_earning(EARNING).await;
        let tomas = self.sign_in(TOMAS).await;
        let sales = "Invoice number,Partner,Invoice date,Product,Quantity,Amount,Currency\n\
                     INV-1,nordwind.example,2026-03-10,suite,12,4800.00,EUR\n\
                     INV-2,nordwind.example,2026-04-14,appliance,3,,EUR\n\
                     INV-3,Kestrel Networks AG,2026-03-20,suite,1,300.00,EUR\n\
                     INV-4,nobody.example,2026-03-20,suite,1,300.00,EUR\n";
        self.take_in(&tomas, "sales", "sales.csv", sales).await;
        let page = tomas.open("/funds/COOP-DEMAND/closing").await;
        tomas.press(&page, "Close the period until Tue 31 March 2026", &[]).await.assert_status(200);
        self.hand_in(&tomas, "sales", "april.csv", &sales.replace("INV-", "APR-")).await;
    }

    async fn take_in(&self, visitor: &Visitor, kind: &str, name: &str, file: &str) {
        let preview = self.hand_in(visitor, kind, name, file).await;
        visitor.press(&preview, "Commit the import", &[]).await.assert_status(200).assert_says(name);
    }

    async fn hand_in(&self, visitor: &Visitor, kind: &str, name: &str, file: &str) -> crate::http::Page {
        let page = visitor.open("/imports/new").await;
        let mut form = page.form("Read the file");
        form.fill("kind", kind).attach("file", name, "text/csv", file.as_bytes());
        visitor.submit(&page, &form, "Read the file").await
    }

    /// Ana keeps a view of her inbox, Tomáš one of the claims, Mara one of her cycles.
    async fn keep_views(&self) {
        for (who, list, name, view) in [
            (ANA, ViewedList::Approvals, "Everything of Nordwind", "all"),
            (TOMAS, ViewedList::Claims, "Paid so far", "paid"),
            (MARA, ViewedList::Cycles, "What is over", "ended"),
        ] {
            let filters = [("view".to_owned(), view.to_owned())].into();
            let new = NewView { list, name: name.to_owned(), filters, is_default: false };
            self.engine.save_view(&who.actor(), &new, &Submission::own()).await.expect("a view is kept");
        }
    }

    /// Somebody is invited, somebody forgot a password, somebody has a token and a stand-in.
    async fn mailed(&self) -> Vec<String> {
        let sam = self.sign_in(SAM).await;
        let form = sam.open("/admin/users/new").await;
        let new = [("name", "Nele Vogt"), ("email", "nele@aurelia.example"), ("roles", "finance")];
        sam.press(&form, "Send the invitation", &new).await.assert_says("Nele Vogt is invited");
        let guest = self.visitor();
        let form = guest.open("/password").await;
        guest.press(&form, "Send the link", &[("email", CLAIRE.email)]).await.assert_status(200);
        let mara = self.sign_in(MARA).await;
        mara.make_token(&["read"]).await;
        self.deliver().await;
        let link = |email: &str, path: &str| {
            let mails = self.letters().to(email);
            let words =
                mails.last().expect("a mail").text.split_whitespace().find(|w| w.contains(path)).map(str::to_owned);
            words.expect("a link").trim_start_matches(self.base.as_str()).to_owned()
        };
        vec![link("nele@aurelia.example", "/invitation/"), link(CLAIRE.email, "/password/")]
    }

    /// Proof of the webinar, handed in and not reviewed.
    async fn hand_in_proof(&self, no: &str, who: Persona) {
        let visitor = self.sign_in(who).await;
        let page = visitor.open(&format!("/cycles/{no}/execution/activities/1")).await;
        let mut form = page.form("Hand in the proof");
        form.attach("proof_attendee_list", "attendees.csv", "text/csv", b"Company,Contact\nHafen Logistik,Ada Kern\n");
        form.attach("proof_recording", "recording.pdf", "application/pdf", &pdf("recording"));
        visitor.submit(&page, &form, "Hand in the proof").await.assert_status(200);
    }
}

/// The house's cycles are the first there are.
fn number(serial: usize) -> String {
    format!("C-2026-{serial:04}")
}

fn live_number(house: &House, index: usize) -> &str {
    &house.cycles[index]
}

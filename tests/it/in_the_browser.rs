//! The whole loop in a real browser, with clicks and typing as each person: from the business plan to the signed review.
//! On every page passed nothing is in anybody's way. The same forms without JavaScript are `the_loop`.

use chrono::NaiveDate;
use domain::cycle::Stage;
use kit::browser::{Browser, Look};
use kit::people::{ANA, CLAIRE, INES, MARA, PASSWORD, Persona, TOMAS, YUKI, day};
use kit::story::pdf;
use kit::{App, Kind, crm};

/// One window, used by one person after the other.
struct Window<'a> {
    app: &'a App,
    browser: Browser,
    /// The cycle's number, once it has one.
    no: String,
    folder: tempfile::TempDir,
}

#[test]
fn the_whole_loop_in_the_browser() {
    kit::tell(Kind::Sqlite, async |app: &App| {
        let Some(browser) = Browser::open(&app.base, Look::default()).await else { return };
        let folder = tempfile::tempdir().expect("a folder for what is uploaded");
        let mut window = Window { app, browser, no: String::new(), folder };
        window.open().await;
        window.plan().await;
        window.scorecard().await;
        window.forecast().await;
        window.action_plan().await;
        window.request().await;
        window.approval().await;
        window.answer().await;
        window.proof().await;
        window.claim().await;
        window.settle().await;
        window.results().await;
        window.performance().await;
    });
}

impl Window<'_> {
    /// Somebody sits down at the window and signs in.
    async fn be(&self, who: Persona) -> &Browser {
        self.leave().await;
        self.see("/sign-in").await.fill("email", who.email).await.fill("password", PASSWORD).await;
        self.on("Sign in").await
    }

    /// Whoever sat there has taken their cookies along.
    async fn leave(&self) {
        self.browser.become_visitor(&self.app.visitor()).await;
    }

    async fn see(&self, path: &str) -> &Browser {
        self.browser.goto(path).await.assert_sound().await
    }

    /// A page of the cycle.
    async fn step(&self, path: &str) -> &Browser {
        self.see(&format!("/cycles/{}{path}", self.no)).await
    }

    /// Presses a button or a link; the page behind it is looked over too.
    async fn on(&self, words: &str) -> &Browser {
        self.browser.go_on(words).await.assert_sound().await
    }

    async fn fill(&self, values: &[(&str, &str)]) {
        for (name, value) in values {
            self.browser.fill(name, value).await;
        }
    }

    /// A file on the person's disk: its path.
    fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).expect("the file is written");
        path.display().to_string()
    }

    async fn assert_stage(&self, stage: Stage) {
        assert_eq!(self.app.look(&self.no).await.cycle.stage, stage);
    }

    async fn day_comes(&self, day: NaiveDate) {
        let then = day.and_hms_opt(10, 0, 0).expect("ten o'clock is a time").and_utc();
        self.app.clock.advance(then - self.app.clock.now());
        self.app.days_pass(0).await;
    }

    async fn open(&mut self) {
        self.be(MARA).await.assert_says("Hello, Mara").await;
        self.on("Start a cycle").await;
        self.fill(&[("title", "Zero trust")]).await;
        self.browser.tick("period", "2026-04-01").await;
        let hub = self.on("Start the cycle").await.path().await;
        hub.trim_start_matches("/cycles/").clone_into(&mut self.no);
        self.assert_stage(Stage::PlanDraft).await;
    }

    async fn plan(&self) {
        self.on("Write the plan").await;
        // What is wrong is said where it was typed, and what was typed is kept.
        self.fill(&[("goal_1", "Win customers without a security suite"), ("target_1", "six")]).await;
        let back = self.on("Check the plan").await;
        assert_eq!(back.find("[name='target_1']").await.prop("value").await.expect("a value"), Some("six".to_owned()));
        self.fill(&[("measure_1", "new customers"), ("target_1", "6")]).await;
        self.on("Check the plan").await;
        self.on("Submit the plan").await;
        self.assert_stage(Stage::PlanReview).await;
        self.be(ANA).await.assert_says("What needs you").await;
        self.on("Zero trust").await;
        self.on("Agree the plan").await;
        self.assert_stage(Stage::ScorecardOpen).await;
    }

    /// Every question gets its best answer.
    async fn scorecard(&self) {
        self.be(MARA).await;
        self.step("/scorecard").await;
        for question in self.app.look(&self.no).await.template.questions() {
            self.browser.tick(&question.code, &(question.options.len() - 1).to_string()).await;
        }
        self.on("Complete the scorecard").await.assert_says("Green").await;
        self.assert_stage(Stage::ForecastDraft).await;
    }

    async fn forecast(&self) {
        self.step("/forecast").await;
        self.on("Add a campaign").await;
        self.fill(&[("name", "Zero-trust webinar"), ("tactic", "webinar")]).await;
        self.fill(&[("audience", "Security leads"), ("cost", "30,000")]).await;
        self.on("Go on to the assumptions").await;
        self.on("Save the campaign").await;
        self.step("/forecast/check").await;
        self.on("Commit and freeze the baseline").await;
        self.assert_stage(Stage::ActionPlanDraft).await;
    }

    async fn action_plan(&self) {
        self.step("/action-plan/activities/new").await;
        self.fill(&[("name", "Zero-trust webinar"), ("kind", "webinar"), ("place", "Online")]).await;
        self.fill(&[("starts", "2026-04-21"), ("ends", "2026-04-22")]).await;
        self.browser.tick("objective", "1").await;
        self.fill(&[("category_1", "platform"), ("description_1", "Webinar platform"), ("amount_1", "21,000")]).await;
        self.fill(&[("category_2", "agency"), ("description_2", "Agency"), ("amount_2", "9,000")]).await;
        self.on("Save the activity").await;
        self.step("/action-plan/check").await;
        self.on("Commit the action plan").await;
        self.assert_stage(Stage::RequestDraft).await;
    }

    /// Three fifths of the cost, since Nordwind is a gold partner.
    async fn request(&self) {
        self.step("/request").await;
        self.fill(&[("justification", "The audience is ours by name and sales follows up within two days.")]).await;
        self.on("Check your answers").await;
        self.browser.tick("terms_accepted", "yes").await;
        self.on("Ask for 18,000 EUR").await;
        self.assert_stage(Stage::ApprovalReview).await;
    }

    /// 18,000 EUR pass two levels.
    async fn approval(&self) {
        for who in [ANA, INES] {
            self.be(who).await;
            self.on("Zero trust").await.assert_says("Decide").await;
            self.on("Approve 18,000 EUR").await;
        }
        self.assert_stage(Stage::ExecutionLive).await;
    }

    /// A link is made and followed; it leads to the campaign's own form, where somebody answers.
    async fn answer(&self) {
        self.be(MARA).await;
        self.step("/tracking").await;
        self.fill(&[("label", "Newsletter of the trade press"), ("medium", "email")]).await;
        let page = self.on("Make the link").await.text().await;
        let link = page
            .split_whitespace()
            .find(|word| word.starts_with(&format!("{}/go/", self.app.base)))
            .expect("the link's address");
        let link = link.trim_start_matches(&self.app.base).to_owned();
        self.leave().await;
        let form = self.see(&link).await;
        form.assert_says("Zero-trust webinar").await;
        assert!(form.path().await.starts_with("/r/FL-"), "{}", form.path().await);
        self.fill(&[("name", "Ada Kern"), ("email", "ada@hafen.example"), ("company", "Hafen Logistik")]).await;
        self.browser.tick("consent", "yes").await;
        self.on("Send my answer").await.assert_says("Thank you").await;
    }

    async fn proof(&self) {
        self.day_comes(day(2026, 4, 24)).await;
        self.be(MARA).await;
        self.step("/execution/activities/1").await;
        let list = b"company,contact,title,email\nHafen,Ada Kern,CISO,ada@hafen.example\n";
        self.fill(&[("proof_attendee_list", &self.file("attendees.csv", list))]).await;
        self.fill(&[("proof_invitation", &self.file("invitation.pdf", &pdf("invitation")))]).await;
        self.on("Hand in the proof").await;
        self.be(ANA).await;
        self.on("Zero trust").await;
        self.on("Zero-trust webinar").await;
        self.on("Accept the proof").await;
        self.assert_stage(Stage::TrackingListening).await;
    }

    /// It cost 28,000 in the end, of which the program pays three fifths.
    async fn claim(&self) {
        self.be(MARA).await;
        self.step("/execution").await;
        self.on("Claim up to 18,000 EUR").await;
        for (row, cost) in [("1", "20,000"), ("2", "8,000")] {
            let of_row = |name: &str| format!("{name}_{row}");
            let (number, invoice) = (format!("INV-{row}"), self.file(&format!("invoice-{row}.pdf"), &pdf(row)));
            self.fill(&[(&of_row("actual"), cost), (&of_row("vendor"), "Studio Halden")]).await;
            self.fill(&[(&of_row("invoice_no"), &number), (&of_row("invoice_date"), "2026-04-22")]).await;
            self.fill(&[(&of_row("file"), &invoice)]).await;
        }
        self.browser.tick("is_final", "yes").await;
        self.on("Check what it will pay").await;
        self.on("Claim 16,800 EUR").await;
    }

    /// Finance decides, another person in finance pays.
    async fn settle(&self) {
        self.be(TOMAS).await;
        self.step("/claims/1").await;
        self.on("Approve this amount").await.assert_says("Not yours to decide").await;
        self.be(YUKI).await;
        self.step("/claims/1").await;
        self.fill(&[("reference", "SEPA 2026-0001")]).await;
        self.on("Record the payment").await.assert_says("Paid").await;
        assert!(self.app.look(&self.no).await.cycle.claims[0].outstanding().is_zero());
    }

    /// The CRM tells who else answered and what they bought; then the manager ends the waiting.
    async fn results(&self) {
        self.day_comes(day(2026, 6, 1)).await;
        let code = self.app.look(&self.no).await.cycle.campaigns[0].code.clone().expect("a campaign ID is issued");
        let people =
            [("ben@hafen.example", "Responded", "2026-04-22"), ("eva@werft.example", "Responded", "2026-04-23")];
        let deals = [
            ("hafen.example", 42_000, "Closed Won", "2026-04-27", "2026-05-20"),
            ("werft.example", 15_000, "Proposal", "2026-05-04", "2026-08-31"),
        ];
        self.be(ANA).await;
        self.bring_in("salesforce-campaign-members", &crm::members(&code, &people)).await;
        self.bring_in("salesforce-opportunities", &crm::opportunities(&deals)).await;
        self.step("/tracking").await.assert_says("ada@hafen.example").await;
        self.on("Close tracking and measure").await;
        self.assert_stage(Stage::PerformanceMeasured).await;
    }

    async fn bring_in(&self, kind: &str, file: &str) {
        self.see("/imports").await;
        self.on("Import a file").await;
        self.browser.tick("kind", kind).await;
        self.fill(&[("file", &self.file(&format!("{kind}.csv"), file.as_bytes())), ("currency", "EUR")]).await;
        self.on("Read the file").await;
        self.on("Commit the import").await.assert_says("2 rows added").await;
    }

    /// What came stands beside the frozen forecast; both sides sign, and executives see it in the sum.
    async fn performance(&self) {
        for (who, words) in [(MARA, "Sign as Nordwind Systems GmbH"), (ANA, "Sign as channel manager")] {
            self.be(who).await;
            self.step("/performance").await.assert_says("for 28,000 EUR of cost").await.assert_says("42,000 EUR").await;
            self.fill(&[("lessons", "Personal invitations brought the good leads.")]).await;
            self.on(words).await;
        }
        self.assert_stage(Stage::Closed).await;
        self.be(CLAIRE).await;
        self.on("Performance").await.assert_says("42,000").await;
    }
}

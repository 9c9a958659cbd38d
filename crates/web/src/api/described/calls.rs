//! Every call of the API, as it is told: one line each, held to the route table by a test.

/// One call, as it is told.
pub struct Call {
    pub method: &'static str,
    pub path: &'static str,
    /// What the token must be made for.
    pub scope: &'static str,
    pub summary: &'static str,
    pub(super) body: Body,
    /// The schema of a good answer.
    pub(super) answer: &'static str,
    pub(super) pages: bool,
    /// What the query may say, beside `after` and `size`.
    pub(super) query: &'static [&'static str],
}

/// What a call carries.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Body {
    None,
    /// JSON of this schema.
    Json(&'static str),
    /// The file itself, of this media type.
    Raw(&'static str),
    /// multipart/form-data with one file in the field `file`.
    Form,
}

const fn get(path: &'static str, answer: &'static str, pages: bool, summary: &'static str) -> Call {
    Call { method: "GET", path, scope: "read", summary, body: Body::None, answer, pages, query: &[] }
}

const fn post(path: &'static str, body: &'static str, summary: &'static str) -> Call {
    changes(path, Body::Json(body), summary)
}

const fn changes(path: &'static str, body: Body, summary: &'static str) -> Call {
    Call { method: "POST", path, scope: "write", summary, body, answer: "Advanced", pages: false, query: &[] }
}

/// Asks about a file that is sent along; nothing is changed.
const fn asks(path: &'static str, kind: &'static str, answer: &'static str, summary: &'static str) -> Call {
    Call { scope: "read", answer, ..changes(path, Body::Raw(kind), summary) }
}

pub const CALLS: &[Call] = &[
    get("/api/v1/cycles", "Page", true, "The cycles the token's owner may see, newest first."),
    get("/api/v1/cycles/{no}", "Cycle", false, "One cycle, whole. Its ETag is the version to send as If-Match."),
    get("/api/v1/cycles/{no}/timeline", "Page", true, "What happened to a cycle, newest first."),
    get(
        "/api/v1/cycles/{no}/deadlines",
        "Page",
        false,
        "Every clock that runs on a cycle: what is due, of whom, until which day, and what hangs on it.",
    ),
    get(
        "/api/v1/cycles/{no}/signals",
        "Page",
        false,
        "What deserves a second look in a cycle, with where to look: for the vendor's reviewers only.",
    ),
    post("/api/v1/cycles", "NewCycle", "Open a cycle."),
    post(
        "/api/v1/cycles/{no}/commands",
        "Command",
        "Carry a command out on a cycle: the same commands the pages issue.",
    ),
    get("/api/v1/cycles/{no}/files", "Page", false, "The files that were handed in to a cycle, oldest first."),
    changes(
        "/api/v1/cycles/{no}/files",
        Body::Form,
        "Hand a file in to one's own cycle, to be named in proof or a claim: at most 15 MB, and what its ending says. Its id \
         is the answer's number.",
    ),
    get("/api/v1/files/{id}", "Download", false, "A file that was handed in, for those who see its cycle."),
    Call {
        query: &["view", "partner", "currency", "q", "saved"],
        ..get(
            "/api/v1/claims",
            "Page",
            true,
            "Claims: view=decide, pay, paid or all, filtered by partner, currency and q, or by a kept view, saved=ID. A \
             settlement batch is built of number and no.",
        )
    },
    get(
        "/api/v1/cycles/{no}/claims/{claim}",
        "ClaimPack",
        false,
        "One claim with what it rests on: invoices, proof, payments. What the claim pack prints.",
    ),
    get("/api/v1/programs", "Page", false, "Every program, with the id that a new cycle and a new fund name."),
    post("/api/v1/programs", "NewProgram", "Start a program with its first guide."),
    get(
        "/api/v1/programs/{code}/guides",
        "Page",
        false,
        "The versions of a program's guide, the one that counts last first.",
    ),
    post(
        "/api/v1/programs/{code}/guides",
        "NewGuide",
        "Activate another version of a guide from a day to come, or from today.",
    ),
    get("/api/v1/programs/{code}/guides/{version}", "Toml", false, "A version of a guide, as TOML."),
    Call {
        query: &["from", "most"],
        ..asks(
            "/api/v1/programs/{code}/comparison",
            "application/toml",
            "Comparison",
            "What a guide would change of the one in force on the day from: in words, and on the latest requests and claims \
             (most, 1,000 if not said). Nothing is kept.",
        )
    },
    asks(
        "/api/v1/guides/check",
        "application/toml",
        "CheckedGuide",
        "Whether a guide reads: what contradicts itself is told line by line.",
    ),
    get(
        "/api/v1/funds",
        "Page",
        false,
        "Every fund with the balances of its accounts, in minor units, and the version to send as If-Match.",
    ),
    post("/api/v1/funds", "NewFund", "Open an empty fund. Money is put in by its commands."),
    get(
        "/api/v1/funds/expiring",
        "Page",
        true,
        "Credit with an end, the nearest day first: free and committed, in minor units of each line's own currency. \
         Filtered by until, fund, partner and region; without until, the next ninety days.",
    ),
    post("/api/v1/funds/{code}/commands", "FundCommand", "Move a fund's money, or close its period."),
    get(
        "/api/v1/funds/{code}/periods",
        "Periods",
        false,
        "The periods of a fund that are closed, and what closing the next one does to each partner, in minor units.",
    ),
    get(
        "/api/v1/purchases",
        "Page",
        true,
        "What a partner earned on which purchase, the latest first; partner= says whose, for the vendor's people.",
    ),
    Call {
        answer: "Imported",
        query: &["program", "name", "currency", "marks", "day_order", "dry_run"],
        ..changes(
            "/api/v1/imports/{kind}",
            Body::Raw("text/csv"),
            "Take a file in: kind is sales, salesforce-campaign-members, salesforce-opportunities or csv. The query says \
             program (of purchases), name, currency, marks (point or comma), day_order (day_first or month_first) and \
             dry_run. The same file under another key changes nothing.",
        )
    },
    get("/api/v1/imports", "Page", false, "The latest two hundred imports, newest first, with what came of each."),
    get(
        "/api/v1/imports/{batch}/report",
        "Table",
        false,
        "The rows of an import that want a look: the original cells with the reasons in front.",
    ),
    changes(
        "/api/v1/imports/{batch}/undo",
        Body::None,
        "Take an import back: what it added goes, what it changed is as it was.",
    ),
    Call {
        query: &["partner"],
        ..get(
            "/api/v1/wallet",
            "Page",
            false,
            "Every account of a partner that holds something: fund, state, last day. The vendor's people name the partner.",
        )
    },
    get(
        "/api/v1/settlements",
        "Page",
        true,
        "Settlement batches, newest first. For finance, administrators, auditors.",
    ),
    post(
        "/api/v1/settlements",
        "NewBatch",
        "Build a batch of payable claims; one that may not be paid refuses it whole.",
    ),
    get(
        "/api/v1/settlements/{no}",
        "Batch",
        false,
        "One batch with its payments. Its ETag is the version to send as If-Match.",
    ),
    post(
        "/api/v1/settlements/{no}/commands",
        "BatchCommand",
        "Cancel or export a batch, or record what became of its payments; paid claims are settled at once.",
    ),
    changes(
        "/api/v1/settlements/{no}/continuation",
        Body::None,
        "Settle what is recorded as paid and was not settled, where a call was cut off. Nothing is settled twice.",
    ),
    post(
        "/api/v1/settlements/{no}/returns",
        "PaymentReturn",
        "Report, confirm or reject that the bank sent a payment back, for all its claims at once; each step is recorded on \
         every claim.",
    ),
    get(
        "/api/v1/settlements/{no}/files/{name}",
        "BatchFile",
        false,
        "A file of an exported batch: payments.csv, pain001.xml or bills.csv (with account and tax).",
    ),
    asks(
        "/api/v1/settlements/{no}/returned-file",
        "text/csv",
        "Returned",
        "What the bank's file says of each payment of an exported batch: the outcomes to send as record, and the lines left \
         out with why. Nothing is changed.",
    ),
    get(
        "/api/v1/remittances/{no}/{payment}",
        "Remittance",
        false,
        "What a payment that was made covered, for its partner and the vendor's people.",
    ),
    post(
        "/api/v1/payment-details",
        "PaymentDetails",
        "Say where money is sent: a partner its own, finance the house's.",
    ),
    get(
        "/api/v1/funds/{code}/statement",
        "Statement",
        true,
        "A fund's accounts before the day from and at the end of the day to, and what moved between, newest first; \
         with format=csv, or Accept: text/csv, the whole as a table.",
    ),
    get(
        "/api/v1/funds/{code}/allocation-preview",
        "Page",
        false,
        "The lines a rule makes, to be sent as allocate_many: how=each, even or weighted, an amount or a percent of what \
         is unallocated, weights by=any attribute as in gold:3,silver:1, filtered by tier, region, country and also=segment:enterprise \
         (currency, manager, standing, or a name of one's own; one after a comma each).",
    ),
    get(
        "/api/v1/partners/{id}/statement",
        "Statement",
        true,
        "A partner's accounts in every fund before the day from and at the end of the day to, and what moved between; with \
         format=csv, or Accept: text/csv, the whole as a table.",
    ),
    Call {
        query: &["marks", "expires"],
        ..asks(
            "/api/v1/funds/{code}/allocation-table",
            "text/csv",
            "Page",
            "The lines of a table with the columns Partner and Amount, to be sent as allocate_many, and those left out with \
             why. Nothing is changed.",
        )
    },
    get(
        "/api/v1/general-ledger",
        "Page",
        false,
        "Every posting of the days from and to as a debit and a credit line under the account codes of the settings; \
         with format=csv, or Accept: text/csv, as a table.",
    ),
    get("/api/v1/rates", "Page", true, "Every exchange rate that was recorded, the latest day first."),
    post("/api/v1/rates", "NewRates", "Record exchange rates: all of them or none."),
    get(
        "/api/v1/partners",
        "Page",
        false,
        "The partners the token's owner may see; to the vendor's people with tier, region, country and attributes.",
    ),
    post("/api/v1/partners", "PartnerSaid", "Add a partner; the answer's number is its id. For administrators."),
    post(
        "/api/v1/partners/{id}",
        "PartnerSaid",
        "Change what is said of a partner; the rest stays. An empty manager, domain, CRM id or attribute is taken away.",
    ),
    asks(
        "/api/v1/partners/table-preview",
        "text/csv",
        "Page",
        "What a table of partners would add, change and leave out, line by line, and the plan to apply it by. Nothing is \
         changed.",
    ),
    Call {
        query: &["plan"],
        ..changes(
            "/api/v1/partners/table",
            Body::Raw("text/csv"),
            "Do what the preview of this table said, by its plan.",
        )
    },
    get(
        "/api/v1/approvals",
        "Page",
        true,
        "What waits for approval, the soonest due first, or with sort=roi the highest forecast ROI: view=mine (what the \
         token's owner decides), overdue or all, filtered by partner and q, or by a kept view, saved=ID. For the vendor's \
         people.",
    ),
    Call {
        answer: "Page",
        ..post(
            "/api/v1/approvals/decisions",
            "Approvals",
            "Approve up to 200 requests as asked, each at the version it was seen in. Each stands for itself: a row says that \
             it was approved, or why not.",
        )
    },
    get(
        "/api/v1/views",
        "Page",
        false,
        "The views its owner keeps, of one list= (approvals, claims, cycles) or of all.",
    ),
    post("/api/v1/views", "NewView", "Keep a view of a list. Its id is the answer's number."),
    post(
        "/api/v1/views/{id}",
        "ViewCommand",
        "Rename a view, open its list with it, give it other filters, remove it.",
    ),
    get("/api/v1/stand-ins", "Page", false, "Who acts in the owner's place from today on, and which colleagues could."),
    post("/api/v1/stand-ins", "NewStandIn", "Have a colleague act in one's place, first and last day included."),
    changes("/api/v1/stand-ins/{id}/removal", Body::None, "End a time somebody stands in."),
    get(
        "/api/v1/performance",
        "Page",
        false,
        "Plan against actual by=quarter, program, region, tactic, partner or campaign, filtered by from, to, program, \
         region, tactic and partner. Amounts in minor units, planned counts in thousandths.",
    ),
];

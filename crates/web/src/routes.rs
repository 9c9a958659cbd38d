//! Every address, who may open it, and what answers: one table.
//!
//! A handler is reachable only through a line here, and a line cannot be written without saying who may open it.

use actix_web::dev::fn_service;
use actix_web::guard::{self, Guard, GuardContext};
use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::{ResponseError, web};
use domain::people::Role;
use engine::signin::{Scope, Signed};

use crate::error::Error;
use crate::gate::{self, Access};
use crate::pages::{
    admin, calendar, cycle, cycles, funds, guide, health, help, home, imports, invitation, links, new_cycle,
    notifications, partners, password, performance, profile, response_form, search, set_up, settlements, sign_in,
    statement, views, wallet,
};
use crate::shell::NavItem;
use crate::steps::s7_execution::{activity, amendment, claim, claim_form, claims, extension, files};
use crate::steps::{
    s1_plan, s2_scorecard, s3_forecast, s4_action_plan, s5_request, s6_approval, s7_execution, s8_tracking,
    s9_performance,
};
use crate::{api, assets};

/// One line of the table.
pub struct Route {
    pub method: Method,
    /// With `{names}` for what varies, as handlers get it in `web::Path`.
    pub path: &'static str,
    pub access: Access,
    handler: fn() -> actix_web::Route,
}

/// A line whose handler is any async function of extractors.
macro_rules! line {
    ($method:ident, $path:literal, $access:expr, $($handler:tt)+) => {
        Route { method: Method::$method, path: $path, access: $access, handler: || actix_web::Route::new().to($($handler)+) }
    };
}

use Access::{Public, Roles, SignedIn, Token};
/// Who may start a cycle: the partner's people, and channel managers on their behalf.
const OPENERS: Access = Roles(&[Role::PartnerUser, Role::PartnerAdmin, Role::ChannelManager]);
const ADMINISTRATORS: Access = Roles(&[Role::Administrator]);
/// Who may read everything that happened and every mail.
const OVERSEERS: Access = Roles(&[Role::Administrator, Role::Auditor]);
/// Who may invite: administrators anyone, partner administrators their colleagues.
const INVITERS: Access = Roles(&[Role::Administrator, Role::PartnerAdmin]);
/// Who may bring in responders and deals (partners their own, the vendor's for all), and finance purchases.
const IMPORTERS: Access =
    Roles(&[Role::ChannelManager, Role::Administrator, Role::Finance, Role::PartnerUser, Role::PartnerAdmin]);
/// Who reads and compares all versions of the guides; who may activate one is for the engine to say.
const GUIDES: Access = Roles(&[Role::ChannelManager, Role::Administrator, Role::Auditor]);
/// Who keeps the funds.
const FINANCE: Access = Roles(&[Role::Finance]);
/// Who sees what was paid to whom, all partners together.
const PAYMENTS: Access = Roles(&[Role::Finance, Role::Administrator, Role::Auditor]);
/// The vendor's people: no partner sees a fund or the list of what waits for approval.
const VENDOR: Access =
    Roles(&[Role::ChannelManager, Role::Approver, Role::Finance, Role::Executive, Role::Administrator, Role::Auditor]);

#[rustfmt::skip]
pub const TABLE: &[Route] = &[
    line!(GET,  "/livez", Public, health::live),
    line!(GET,  "/readyz", Public, health::ready),
    line!(GET,  "/static/{name}", Public, assets::serve),

    line!(GET,  "/setup", Public, set_up::show_form),
    line!(POST, "/setup", Public, set_up::submit),
    line!(GET,  "/sign-in", Public, sign_in::show_form),
    line!(POST, "/sign-in", Public, sign_in::submit),
    line!(POST, "/sign-out", SignedIn, sign_in::sign_out),
    line!(GET,  "/invitation/{token}", Public, invitation::show_form),
    line!(POST, "/invitation/{token}", Public, invitation::submit),
    line!(GET,  "/password", Public, password::show_form),
    line!(POST, "/password", Public, password::submit),
    line!(GET,  "/password/{token}", Public, invitation::show_form),
    line!(POST, "/password/{token}", Public, invitation::submit),

    line!(GET,  "/cycles/{no}/tracking", SignedIn, s8_tracking::show_page),
    line!(POST, "/cycles/{no}/tracking/links", SignedIn, s8_tracking::make_link),
    line!(GET,  "/cycles/{no}/tracking/links/{code}/qr.svg", SignedIn, s8_tracking::qr),
    line!(POST, "/cycles/{no}/tracking/closing", SignedIn, s8_tracking::close),
    line!(GET,  "/cycles/{no}/performance", SignedIn, s9_performance::show_page),
    line!(GET,  "/cycles/{no}/performance/deals", SignedIn, s9_performance::show_deals),
    line!(GET,  "/cycles/{no}/performance/deals/{deal}", SignedIn, s9_performance::show_deal),
    line!(POST, "/cycles/{no}/performance/measurement", SignedIn, s9_performance::measure_again),
    line!(POST, "/cycles/{no}/performance/signature", SignedIn, s9_performance::sign),

    line!(GET,  "/go/{code}", Public, links::follow),
    line!(GET,  "/r/{campaign}", Public, response_form::show_form),
    line!(POST, "/r/{campaign}", Public, response_form::submit),
    line!(GET,  "/r/{campaign}/thanks", Public, response_form::thank),

    line!(GET,  "/imports", IMPORTERS, imports::list),
    line!(GET,  "/imports/new", IMPORTERS, imports::new),
    line!(POST, "/imports/new", IMPORTERS, imports::hand_in),
    line!(GET,  "/imports/{id}", IMPORTERS, imports::file::show_page),
    line!(POST, "/imports/{id}", IMPORTERS, imports::file::answer),
    line!(GET,  "/imports/{id}/report", IMPORTERS, imports::file::report),
    line!(POST, "/imports/{id}/commit", IMPORTERS, imports::file::commit),
    line!(POST, "/imports/{id}/removal", IMPORTERS, imports::file::remove),
    line!(GET,  "/imports/batches/{batch}/report", IMPORTERS, imports::report),
    line!(POST, "/imports/batches/{batch}/undo", IMPORTERS, imports::undo),

    line!(GET,  "/", SignedIn, home::show_page),
    line!(GET,  "/search", SignedIn, search::list),
    line!(GET,  "/notifications", SignedIn, notifications::list),
    line!(GET,  "/help", SignedIn, help::show_page),

    line!(GET,  "/views/new", SignedIn, views::new),
    line!(POST, "/views", SignedIn, views::save),
    line!(GET,  "/views/{id}", SignedIn, views::show_page),
    line!(POST, "/views/{id}", SignedIn, views::change),
    line!(POST, "/views/{id}/filters", SignedIn, views::replace),
    line!(POST, "/views/{id}/removal", SignedIn, views::remove),

    line!(GET,  "/cycles", SignedIn, cycles::list),
    line!(GET,  "/cycles/new", OPENERS, new_cycle::show_form),
    line!(POST, "/cycles/new", OPENERS, new_cycle::submit),
    line!(GET,  "/cycles/{no}", SignedIn, cycle::show_page),
    line!(POST, "/cycles/{no}/cancellation", SignedIn, cycle::cancel),
    line!(GET,  "/cycles/{no}/plan", SignedIn, s1_plan::show_page),
    line!(GET,  "/cycles/{no}/plan/check", SignedIn, s1_plan::check),
    line!(POST, "/cycles/{no}/plan/draft", SignedIn, s1_plan::save),
    line!(POST, "/cycles/{no}/plan/submission", SignedIn, s1_plan::submit),
    line!(POST, "/cycles/{no}/plan/agreement", SignedIn, s1_plan::agree),
    line!(POST, "/cycles/{no}/plan/return", SignedIn, s1_plan::send_back),
    line!(GET,  "/cycles/{no}/scorecard", SignedIn, s2_scorecard::show_page),
    line!(POST, "/cycles/{no}/scorecard/draft", SignedIn, s2_scorecard::save),
    line!(POST, "/cycles/{no}/scorecard/completion", SignedIn, s2_scorecard::complete),
    line!(POST, "/cycles/{no}/scorecard/verification", SignedIn, s2_scorecard::verify),
    line!(GET,  "/cycles/{no}/forecast", SignedIn, s3_forecast::show_page),
    line!(GET,  "/cycles/{no}/forecast/check", SignedIn, s3_forecast::check),
    line!(POST, "/cycles/{no}/forecast/commitment", SignedIn, s3_forecast::commit),
    line!(GET,  "/cycles/{no}/forecast/campaigns/new", SignedIn, s3_forecast::new),
    line!(POST, "/cycles/{no}/forecast/campaigns", SignedIn, s3_forecast::add),
    line!(GET,  "/cycles/{no}/forecast/campaigns/{campaign}", SignedIn, s3_forecast::show_campaign),
    line!(POST, "/cycles/{no}/forecast/campaigns/{campaign}", SignedIn, s3_forecast::change),
    line!(POST, "/cycles/{no}/forecast/campaigns/{campaign}/removal", SignedIn, s3_forecast::remove),
    line!(GET,  "/cycles/{no}/action-plan", SignedIn, s4_action_plan::show_page),
    line!(GET,  "/cycles/{no}/action-plan/check", SignedIn, s4_action_plan::check),
    line!(GET,  "/cycles/{no}/action-plan/calendar.ics", SignedIn, s4_action_plan::download),
    line!(POST, "/cycles/{no}/action-plan/commitment", SignedIn, s4_action_plan::commit),
    line!(POST, "/cycles/{no}/action-plan/reopening", SignedIn, s4_action_plan::reopen),
    line!(GET,  "/cycles/{no}/action-plan/activities/new", SignedIn, s4_action_plan::new),
    line!(POST, "/cycles/{no}/action-plan/activities", SignedIn, s4_action_plan::add),
    line!(GET,  "/cycles/{no}/action-plan/activities/{activity}", SignedIn, s4_action_plan::show_activity),
    line!(POST, "/cycles/{no}/action-plan/activities/{activity}", SignedIn, s4_action_plan::change),
    line!(POST, "/cycles/{no}/action-plan/activities/{activity}/removal", SignedIn, s4_action_plan::remove),

    line!(GET,  "/profile", SignedIn, profile::show_page),
    line!(POST, "/profile", SignedIn, profile::submit),
    line!(POST, "/profile/mails", SignedIn, profile::set_rhythms),
    line!(POST, "/profile/calendar", SignedIn, profile::make_calendar),
    line!(POST, "/profile/calendar/removal", SignedIn, profile::drop_calendar),
    line!(GET,  "/calendar/{secret}.ics", Public, calendar::download),
    line!(POST, "/profile/password", SignedIn, profile::change_password),
    line!(POST, "/profile/sessions/others/end", SignedIn, profile::end_others),
    line!(POST, "/profile/sessions/{session}/end", SignedIn, profile::end_session),
    line!(POST, "/profile/stand-ins", SignedIn, profile::add_stand_in),
    line!(POST, "/profile/stand-ins/{id}/removal", SignedIn, profile::remove_stand_in),
    line!(POST, "/profile/tokens", SignedIn, profile::make_token),
    line!(POST, "/profile/tokens/{id}/revocation", SignedIn, profile::revoke_token),

    line!(GET,  "/cycles/{no}/request", SignedIn, s5_request::show_page),
    line!(POST, "/cycles/{no}/request/draft", SignedIn, s5_request::save),
    line!(GET,  "/cycles/{no}/request/check", SignedIn, s5_request::check),
    line!(POST, "/cycles/{no}/request/submission", SignedIn, s5_request::submit),
    line!(POST, "/cycles/{no}/request/reopening", SignedIn, s5_request::reopen),
    line!(POST, "/cycles/{no}/request/withdrawal", SignedIn, s5_request::withdraw),

    line!(GET,  "/cycles/{no}/approval", SignedIn, s6_approval::show_page),
    line!(POST, "/cycles/{no}/approval/decision", SignedIn, s6_approval::decide),
    line!(POST, "/cycles/{no}/approval/return", SignedIn, s6_approval::give_back),
    line!(POST, "/cycles/{no}/approval/refusal", SignedIn, s6_approval::decline),
    line!(POST, "/cycles/{no}/approval/question", SignedIn, s6_approval::ask),
    line!(POST, "/cycles/{no}/approval/answer", SignedIn, s6_approval::reply),
    line!(GET,  "/approvals", VENDOR, s6_approval::show_inbox),
    line!(GET,  "/approvals/confirmation", VENDOR, s6_approval::confirm),
    line!(POST, "/approvals/decisions", VENDOR, s6_approval::approve_all),

    line!(GET,  "/cycles/{no}/execution", SignedIn, s7_execution::show_page),
    line!(POST, "/cycles/{no}/execution/cancellation", SignedIn, s7_execution::cancel_cycle),
    line!(POST, "/cycles/{no}/execution/campaigns/{campaign}/cancellation", SignedIn, s7_execution::cancel_campaign),
    line!(GET,  "/cycles/{no}/execution/campaigns/{campaign}/claim", SignedIn, claim_form::show_page),
    line!(POST, "/cycles/{no}/execution/campaigns/{campaign}/claim", SignedIn, claim_form::submit),
    line!(POST, "/cycles/{no}/execution/campaigns/{campaign}/claim/check", SignedIn, claim_form::check),
    line!(POST, "/cycles/{no}/execution/campaigns/{campaign}/claim/change", SignedIn, claim_form::change),
    line!(GET,  "/cycles/{no}/execution/campaigns/{campaign}/extension", SignedIn, extension::show_page),
    line!(POST, "/cycles/{no}/execution/campaigns/{campaign}/extension", SignedIn, extension::ask),
    line!(POST, "/cycles/{no}/execution/campaigns/{campaign}/extension/{extension}/grant", SignedIn, extension::grant),
    line!(POST, "/cycles/{no}/execution/campaigns/{campaign}/extension/{extension}/refusal", SignedIn, extension::decline),
    line!(GET,  "/cycles/{no}/execution/activities/{activity}", SignedIn, activity::show_page),
    line!(POST, "/cycles/{no}/execution/activities/{activity}/proof", SignedIn, activity::submit_proof),
    line!(POST, "/cycles/{no}/execution/activities/{activity}/acceptance", SignedIn, activity::accept_proof),
    line!(POST, "/cycles/{no}/execution/activities/{activity}/return", SignedIn, activity::return_proof),
    line!(POST, "/cycles/{no}/execution/activities/{activity}/cancellation", SignedIn, activity::cancel),
    line!(GET,  "/cycles/{no}/execution/activities/{activity}/amendment", SignedIn, amendment::show_page),
    line!(POST, "/cycles/{no}/execution/activities/{activity}/amendment", SignedIn, amendment::submit),
    line!(GET,  "/cycles/{no}/claims/{claim}", SignedIn, claim::show_page),
    line!(GET,  "/cycles/{no}/claims/{claim}/pack", SignedIn, claim::show_pack),
    line!(POST, "/cycles/{no}/claims/{claim}/approval", SignedIn, claim::approve),
    line!(POST, "/cycles/{no}/claims/{claim}/denial", SignedIn, claim::deny),
    line!(POST, "/cycles/{no}/claims/{claim}/settlement", SignedIn, claim::settle),
    line!(POST, "/cycles/{no}/claims/{claim}/clawback", SignedIn, claim::claw_back),
    line!(POST, "/cycles/{no}/claims/{claim}/clawback/confirmation", SignedIn, claim::confirm_clawback),
    line!(POST, "/cycles/{no}/claims/{claim}/clawback/rejection", SignedIn, claim::reject_clawback),
    line!(POST, "/cycles/{no}/claims/{claim}/returns", SignedIn, claim::returned::report),
    line!(POST, "/cycles/{no}/claims/{claim}/returns/confirmation", SignedIn, claim::returned::confirm),
    line!(POST, "/cycles/{no}/claims/{claim}/returns/rejection", SignedIn, claim::returned::reject),
    line!(GET,  "/claims", SignedIn, claims::show_list),
    line!(GET,  "/files/{id}", SignedIn, files::download),

    line!(GET,  "/settlements", PAYMENTS, settlements::list),
    line!(GET,  "/settlements/new", FINANCE, settlements::new::show_page),
    line!(POST, "/settlements/new", FINANCE, settlements::new::submit),
    line!(GET,  "/settlements/account/{currency}", PAYMENTS, settlements::details::show_account),
    line!(POST, "/settlements/account/{currency}", FINANCE, settlements::details::submit_account),
    line!(GET,  "/settlements/{no}", PAYMENTS, settlements::batch::show_page),
    line!(POST, "/settlements/{no}/export", FINANCE, settlements::batch::export),
    line!(POST, "/settlements/{no}/cancellation", FINANCE, settlements::batch::cancel),
    line!(GET,  "/settlements/{no}/files/{name}", FINANCE, settlements::batch::download),
    line!(POST, "/settlements/{no}/return", FINANCE, settlements::returned::preview),
    line!(POST, "/settlements/{no}/results", FINANCE, settlements::returned::confirm),
    line!(POST, "/settlements/{no}/continuation", FINANCE, settlements::batch::go_on),
    line!(GET,  "/settlements/{no}/payments/{payment}", PAYMENTS, settlements::payment::show_page),
    line!(POST, "/settlements/{no}/payments/{payment}/settlement", FINANCE, settlements::payment::settle),
    line!(POST, "/settlements/{no}/payments/{payment}/rejection", FINANCE, settlements::payment::reject),
    line!(POST, "/settlements/{no}/payments/{payment}/returns", FINANCE, settlements::returns::report),
    line!(POST, "/settlements/{no}/payments/{payment}/returns/confirmation", FINANCE, settlements::returns::confirm),
    line!(POST, "/settlements/{no}/payments/{payment}/returns/rejection", FINANCE, settlements::returns::reject),
    line!(GET,  "/remittances/{no}/{payment}", SignedIn, settlements::remittance::show_page),
    line!(GET,  "/payment-details", SignedIn, settlements::details::show_page),
    line!(POST, "/payment-details", Roles(&[Role::PartnerAdmin]), settlements::details::submit),

    line!(GET,  "/funds", VENDOR, funds::list),
    line!(GET,  "/funds/new", FINANCE, funds::new::show_form),
    line!(POST, "/funds/new", FINANCE, funds::new::submit),
    line!(GET,  "/funds/general-ledger.csv", Roles(funds::ledger::READERS), funds::ledger::download),
    line!(GET,  "/funds/expiring", VENDOR, funds::expiring::show_page),
    line!(GET,  "/funds/expiring.csv", VENDOR, funds::expiring::download),
    line!(GET,  "/funds/rates", VENDOR, funds::rates::show_page),
    line!(POST, "/funds/rates", FINANCE, funds::rates::record),
    line!(GET,  "/funds/rates/file", FINANCE, funds::rates::file::show_page),
    line!(POST, "/funds/rates/file", FINANCE, funds::rates::file::record),
    line!(POST, "/funds/rates/preview", FINANCE, funds::rates::file::preview),
    line!(GET,  "/funds/{code}", VENDOR, funds::show_page),
    line!(GET,  "/funds/{code}/closing", FINANCE, funds::closing::show_page),
    line!(POST, "/funds/{code}/closing", FINANCE, funds::closing::submit),
    line!(GET,  "/funds/{code}/statement", VENDOR, statement::of_fund),
    line!(GET,  "/funds/{code}/statement.csv", VENDOR, statement::fund_csv),
    line!(GET,  "/funds/{code}/allocations", FINANCE, funds::many::show_page),
    line!(POST, "/funds/{code}/allocations", FINANCE, funds::many::confirm),
    line!(POST, "/funds/{code}/allocations/table", FINANCE, funds::many::by_table),
    line!(POST, "/funds/{code}/allocations/rule", FINANCE, funds::many::by_rule),
    line!(GET,  "/funds/{code}/reinstatements/{no}", VENDOR, funds::reinstatement::show_page),
    line!(POST, "/funds/{code}/reinstatements/{no}/confirmation", FINANCE, funds::reinstatement::confirm),
    line!(POST, "/funds/{code}/reinstatements/{no}/rejection", FINANCE, funds::reinstatement::reject),
    line!(GET,  "/funds/{code}/{act}", FINANCE, funds::act::show_page),
    line!(POST, "/funds/{code}/{act}", FINANCE, funds::act::submit),
    line!(GET,  "/wallet", SignedIn, wallet::show_page),
    line!(GET,  "/wallet/purchases", SignedIn, wallet::purchases::show_page),
    line!(GET,  "/wallet/statement", SignedIn, statement::of_wallet),
    line!(GET,  "/wallet/statement.csv", SignedIn, statement::wallet_csv),
    line!(GET,  "/guide", SignedIn, guide::show_first),
    line!(GET,  "/guide/{program}", SignedIn, guide::show_page),

    line!(GET,  "/performance", SignedIn, performance::show_page),

    line!(GET,  "/partners", VENDOR, partners::list),
    line!(GET,  "/partners/{id}", VENDOR, partners::show_page),
    line!(GET,  "/admin/partners/new", ADMINISTRATORS, admin::partners::new),
    line!(POST, "/admin/partners/new", ADMINISTRATORS, admin::partners::add),
    line!(GET,  "/admin/partners/table", ADMINISTRATORS, admin::partners::table::show_page),
    line!(POST, "/admin/partners/table", ADMINISTRATORS, admin::partners::table::apply),
    line!(POST, "/admin/partners/table/preview", ADMINISTRATORS, admin::partners::table::preview),
    line!(GET,  "/admin/partners/table.csv", ADMINISTRATORS, admin::partners::table::download),
    line!(GET,  "/admin/partners/{id}", ADMINISTRATORS, admin::partners::show_page),
    line!(POST, "/admin/partners/{id}", ADMINISTRATORS, admin::partners::change),

    line!(GET,  "/admin", ADMINISTRATORS, admin::home),
    line!(GET,  "/admin/users", INVITERS, admin::users::list),
    line!(GET,  "/admin/users/new", INVITERS, admin::users::new),
    line!(POST, "/admin/users/new", INVITERS, admin::users::invite),
    line!(GET,  "/admin/users/{id}", INVITERS, admin::users::show_page),
    line!(POST, "/admin/users/{id}/rights", ADMINISTRATORS, admin::users::set_rights),
    line!(POST, "/admin/users/{id}/invitation", INVITERS, admin::users::invite_again),
    line!(POST, "/admin/users/{id}/access", INVITERS, admin::users::set_access),
    line!(GET,  "/programs", GUIDES, admin::programs::list),
    line!(GET,  "/programs/new", ADMINISTRATORS, admin::programs::new),
    line!(POST, "/programs/new", ADMINISTRATORS, admin::programs::start),
    line!(GET,  "/programs/{code}", GUIDES, admin::programs::show_page),
    line!(POST, "/programs/{code}/comparison", GUIDES, admin::programs::compare),
    line!(POST, "/programs/{code}/guide", GUIDES, admin::programs::take_in),
    line!(GET,  "/programs/{code}/versions/{version}", GUIDES, admin::programs::show_version),
    line!(POST, "/programs/{code}/versions/{version}/withdrawal", GUIDES, admin::programs::withdraw),
    line!(GET,  "/admin/outbox", OVERSEERS, admin::outbox::list),
    line!(GET,  "/admin/outbox/{id}", OVERSEERS, admin::outbox::show_page),
    line!(POST, "/admin/outbox/{id}/revival", ADMINISTRATORS, admin::outbox::revive),
    line!(GET,  "/admin/audit", OVERSEERS, admin::audit::list),

    line!(GET,  "/api/docs", Public, api::described::page),
    line!(GET,  "/api/openapi.json", Public, api::described::document),
    line!(GET,  "/api/v1/cycles", Token(Scope::Read), api::cycles::list),
    line!(POST, "/api/v1/cycles", Token(Scope::Write), api::cycles::open),
    line!(GET,  "/api/v1/cycles/{no}", Token(Scope::Read), api::cycles::show),
    line!(GET,  "/api/v1/cycles/{no}/deadlines", Token(Scope::Read), api::cycles::due),
    line!(GET,  "/api/v1/cycles/{no}/timeline", Token(Scope::Read), api::cycles::timeline),
    line!(GET,  "/api/v1/cycles/{no}/signals", Token(Scope::Read), api::cycles::signals),
    line!(POST, "/api/v1/cycles/{no}/commands", Token(Scope::Write), api::cycles::command),
    line!(GET,  "/api/v1/cycles/{no}/files", Token(Scope::Read), api::files::list),
    line!(POST, "/api/v1/cycles/{no}/files", Token(Scope::Write), api::files::hand_in),
    line!(GET,  "/api/v1/files/{id}", Token(Scope::Read), api::files::download),
    line!(GET,  "/api/v1/claims", Token(Scope::Read), api::claims::list),
    line!(GET,  "/api/v1/cycles/{no}/claims/{claim}", Token(Scope::Read), api::claims::pack),
    line!(GET,  "/api/v1/programs", Token(Scope::Read), api::programs::list),
    line!(POST, "/api/v1/programs", Token(Scope::Write), api::programs::start),
    line!(GET,  "/api/v1/programs/{code}/guides", Token(Scope::Read), api::programs::guides),
    line!(POST, "/api/v1/programs/{code}/guides", Token(Scope::Write), api::programs::activate),
    line!(GET,  "/api/v1/programs/{code}/guides/{version}", Token(Scope::Read), api::programs::guide),
    line!(POST, "/api/v1/programs/{code}/comparison", Token(Scope::Read), api::programs::compare),
    line!(POST, "/api/v1/guides/check", Token(Scope::Read), api::programs::check),
    line!(GET,  "/api/v1/funds", Token(Scope::Read), api::money::funds),
    line!(POST, "/api/v1/funds", Token(Scope::Write), api::money::open),
    line!(GET,  "/api/v1/funds/expiring", Token(Scope::Read), api::money::expiring),
    line!(POST, "/api/v1/funds/{code}/commands", Token(Scope::Write), api::money::command),
    line!(GET,  "/api/v1/funds/{code}/periods", Token(Scope::Read), api::earning::periods),
    line!(GET,  "/api/v1/purchases", Token(Scope::Read), api::earning::purchases),
    line!(GET,  "/api/v1/wallet", Token(Scope::Read), api::people::wallet),
    line!(GET,  "/api/v1/imports", Token(Scope::Read), api::imports::list),
    line!(POST, "/api/v1/imports/{kind}", Token(Scope::Write), api::imports::import),
    line!(GET,  "/api/v1/imports/{batch}/report", Token(Scope::Read), api::imports::report),
    line!(POST, "/api/v1/imports/{batch}/undo", Token(Scope::Write), api::imports::undo),
    line!(GET,  "/api/v1/settlements", Token(Scope::Read), api::settlements::list),
    line!(POST, "/api/v1/settlements", Token(Scope::Write), api::settlements::build),
    line!(GET,  "/api/v1/settlements/{no}", Token(Scope::Read), api::settlements::show),
    line!(POST, "/api/v1/settlements/{no}/commands", Token(Scope::Write), api::settlements::command),
    line!(POST, "/api/v1/settlements/{no}/continuation", Token(Scope::Write), api::settlements::go_on),
    line!(POST, "/api/v1/settlements/{no}/returns", Token(Scope::Write), api::settlements::payment_return),
    line!(GET,  "/api/v1/settlements/{no}/files/{name}", Token(Scope::Read), api::settlements::file),
    line!(POST, "/api/v1/settlements/{no}/returned-file", Token(Scope::Read), api::settlements::returned_file),
    line!(GET,  "/api/v1/remittances/{no}/{payment}", Token(Scope::Read), api::claims::remittance),
    line!(POST, "/api/v1/payment-details", Token(Scope::Write), api::settlements::details),
    line!(GET,  "/api/v1/funds/{code}/statement", Token(Scope::Read), api::money::fund_statement),
    line!(GET,  "/api/v1/funds/{code}/allocation-preview", Token(Scope::Read), api::money::preview),
    line!(POST, "/api/v1/funds/{code}/allocation-table", Token(Scope::Read), api::money::preview_table),
    line!(GET,  "/api/v1/general-ledger", Token(Scope::Read), api::money::general_ledger),
    line!(GET,  "/api/v1/rates", Token(Scope::Read), api::money::rates),
    line!(POST, "/api/v1/rates", Token(Scope::Write), api::money::record_rates),
    line!(GET,  "/api/v1/partners", Token(Scope::Read), api::partners::list),
    line!(POST, "/api/v1/partners", Token(Scope::Write), api::partners::add),
    line!(POST, "/api/v1/partners/table", Token(Scope::Write), api::partners::apply),
    line!(POST, "/api/v1/partners/table-preview", Token(Scope::Read), api::partners::preview),
    line!(POST, "/api/v1/partners/{id}", Token(Scope::Write), api::partners::change),
    line!(GET,  "/api/v1/partners/{id}/statement", Token(Scope::Read), api::money::partner_statement),
    line!(GET,  "/api/v1/approvals", Token(Scope::Read), api::views::approvals),
    line!(POST, "/api/v1/approvals/decisions", Token(Scope::Write), api::views::approve),
    line!(GET,  "/api/v1/views", Token(Scope::Read), api::views::list),
    line!(POST, "/api/v1/views", Token(Scope::Write), api::views::save),
    line!(POST, "/api/v1/views/{id}", Token(Scope::Write), api::views::change),
    line!(GET,  "/api/v1/stand-ins", Token(Scope::Read), api::people::stand_ins),
    line!(POST, "/api/v1/stand-ins", Token(Scope::Write), api::people::add_stand_in),
    line!(POST, "/api/v1/stand-ins/{id}/removal", Token(Scope::Write), api::people::remove_stand_in),
    line!(GET,  "/api/v1/performance", Token(Scope::Read), api::performance::list),
];

/// Puts every line of the table behind its gate. Lines of one path become one resource, which answers other methods
/// with 405; a path without a line is not found.
pub fn mount(config: &mut web::ServiceConfig) {
    let mut paths: Vec<&'static str> = Vec::new();
    for route in TABLE {
        if !paths.contains(&route.path) {
            paths.push(route.path);
        }
    }
    for path in paths {
        let mut resource = web::resource(path);
        for route in TABLE.iter().filter(|route| route.path == path) {
            let access = route.access;
            let handler = (route.handler)().guard(Answers(route.method.clone()));
            resource = resource.route(handler.wrap(from_fn(move |req, next| gate::pass(access, req, next))));
        }
        config.service(resource.default_service(fn_service(move |req: actix_web::dev::ServiceRequest| async move {
            Ok(req.into_response(Error::Method(allowed(path)).error_response()))
        })));
    }
    config.default_service(fn_service(|req: actix_web::dev::ServiceRequest| async {
        Ok(req.into_response(Error::NotFound.error_response()))
    }));
}

/// A route that answers GET answers HEAD as well.
struct Answers(Method);

impl Guard for Answers {
    fn check(&self, ctx: &GuardContext<'_>) -> bool {
        match self.0 {
            Method::GET => guard::Any(guard::Get()).or(guard::Head()).check(ctx),
            ref method => ctx.head().method == *method,
        }
    }
}

fn allowed(path: &str) -> String {
    let methods = TABLE.iter().filter(|route| route.path == path).map(|route| route.method.as_str());
    methods
        .flat_map(|method| if method == "GET" { vec!["GET", "HEAD"] } else { vec![method] })
        .collect::<Vec<_>>()
        .join(", ")
}

/// The main navigation: what this person may open, as the table says.
pub fn nav(signed: &Signed) -> Vec<NavItem> {
    const PARTNER: [(&str, &str); 7] = [
        ("Home", "/"),
        ("Cycles", "/cycles"),
        ("Wallet", "/wallet"),
        ("Claims", "/claims"),
        ("Performance", "/performance"),
        ("Imports", "/imports"),
        ("Guide", "/guide"),
    ];
    const VENDOR: [(&str, &str); 11] = [
        ("Home", "/"),
        ("Cycles", "/cycles"),
        ("Approvals", "/approvals"),
        ("Claims", "/claims"),
        ("Settlements", "/settlements"),
        ("Funds", "/funds"),
        ("Performance", "/performance"),
        ("Partners", "/partners"),
        ("Imports", "/imports"),
        ("Guides", "/programs"),
        ("Settings", "/admin"),
    ];
    let items = if signed.actor.me.partner.is_some() { &PARTNER[..] } else { &VENDOR[..] };
    // Administrators find the guides among their settings.
    let elsewhere = |href: &str| href == "/programs" && opens("/admin", signed);
    let shown = items.iter().filter(|(_, href)| opens(href, signed) && !elsewhere(href));
    shown.map(|(label, href)| NavItem::new(label, href)).collect()
}

pub fn opens(href: &str, signed: &Signed) -> bool {
    TABLE.iter().any(|route| route.path == href && route.method == Method::GET && route.access.allows(signed))
}

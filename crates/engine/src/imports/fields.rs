//! What a column can be, and the names tools give their columns.

use serde::{Deserialize, Serialize};

/// The kinds of file an import takes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    SalesforceCampaignMembers,
    SalesforceOpportunities,
    Csv,
    /// Purchases that earn credit.
    Sales,
}

impl Kind {
    pub const ALL: [Kind; 4] = [Kind::SalesforceCampaignMembers, Kind::SalesforceOpportunities, Kind::Csv, Kind::Sales];

    /// The name in addresses and on the command line: `salesforce-campaign-members`.
    pub fn code(self) -> &'static str {
        match self {
            Kind::SalesforceCampaignMembers => "salesforce-campaign-members",
            Kind::SalesforceOpportunities => "salesforce-opportunities",
            Kind::Csv => "csv",
            Kind::Sales => "sales",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    pub fn label(self) -> &'static str {
        match self {
            Kind::SalesforceCampaignMembers => "Salesforce campaign members",
            Kind::SalesforceOpportunities => "Salesforce opportunities",
            Kind::Csv => "Any other table (CSV)",
            Kind::Sales => "Sales that earn credit",
        }
    }

    pub fn hint(self) -> &'static str {
        match self {
            Kind::SalesforceCampaignMembers => "Who answered: the object export, the weekly export or a report.",
            Kind::SalesforceOpportunities => {
                "Deals with stage, amount and campaign: the object export, the weekly export or a report."
            }
            Kind::Csv => "HubSpot, Dynamics, an event list: you say what each column is.",
            Kind::Sales => {
                "What partners bought: each purchase earns what the program guide says, once, until the day it says."
            }
        }
    }

    /// Where its rows say they came from; external ids are unique within one.
    pub fn source(self) -> &'static str {
        match self {
            Kind::Csv => "import:csv",
            Kind::Sales => "import:sales",
            Kind::SalesforceCampaignMembers | Kind::SalesforceOpportunities => "import:salesforce",
        }
    }

    /// What a column of such a file can be.
    pub fn fields(self) -> impl Iterator<Item = Field> {
        Field::ALL.into_iter().filter(move |field| match self {
            Kind::Sales => field.part() == Part::Purchase || matches!(field, Field::Amount | Field::Currency),
            _ if field.part() == Part::Purchase => false,
            Kind::Csv => true,
            Kind::SalesforceCampaignMembers => field.part() != Part::Deal,
            Kind::SalesforceOpportunities => {
                field.part() != Part::Touch || matches!(field, Field::CampaignId | Field::CampaignName)
            }
        })
    }
}

/// Which record of a row a field belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    Person,
    Company,
    Touch,
    Deal,
    Purchase,
}

impl Part {
    pub const ALL: [Part; 5] = [Part::Person, Part::Company, Part::Touch, Part::Deal, Part::Purchase];

    pub fn label(self) -> &'static str {
        match self {
            Part::Person => "The person",
            Part::Company => "The company",
            Part::Touch => "The touch: when they met which campaign",
            Part::Deal => "The deal",
            Part::Purchase => "The purchase",
        }
    }
}

/// Declares the fields with their code, label, record, hint, and the names columns have for them.
macro_rules! fields {
    ($($name:ident $code:literal $label:literal $part:ident $hint:literal [$($alias:literal)*];)+) => {
        /// What a column is.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Field { $($name),+ }

        impl Field {
            pub const ALL: [Field; [$($code),+].len()] = [$(Field::$name),+];

            /// The name in forms and saved maps.
            pub fn code(self) -> &'static str {
                match self { $(Field::$name => $code),+ }
            }

            pub fn label(self) -> &'static str {
                match self { $(Field::$name => $label),+ }
            }

            pub fn part(self) -> Part {
                match self { $(Field::$name => Part::$part),+ }
            }

            pub fn hint(self) -> &'static str {
                match self { $(Field::$name => $hint),+ }
            }

            /// Column names, in small letters without spaces and marks; the best one first.
            fn aliases(self) -> &'static [&'static str] {
                match self { $(Field::$name => &[$($alias),*]),+ }
            }
        }
    };
}

fields! {
    Email "email" "E-mail address" Person "People are met by it." ["email" "emailaddress" "workemail" "businessemail" "useremail" "emailadresse" "mail"];
    FirstName "first_name" "First name" Person "" ["firstname" "vorname" "givenname"];
    LastName "last_name" "Last name" Person "" ["lastname" "nachname" "surname" "familyname"];
    Name "name" "Full name" Person "" ["fullname" "contactname" "usernameoriginalname" "name" "person"];
    JobTitle "job_title" "Job title" Person "" ["title" "jobtitle" "position"];
    Phone "phone" "Phone" Person "" ["phone" "phonenumber" "telefon" "mobilephone"];
    ContactId "contact_id" "Contact’s CRM ID" Person "People are met by it where there is no e-mail address." ["contactid" "contactid18" "associatedcontactids" "personid"];
    LeadId "lead_id" "Lead’s CRM ID" Person "Counts where the contact’s is empty." ["leadid" "leadid18" "mqlid"];
    Company "company" "Company name" Company "Shown; companies are never met by name." ["companyoraccount" "companyaccount" "accountname" "company" "companyname" "firma" "unternehmen" "account" "organization"];
    Domain "domain" "Company’s web domain" Company "Companies are met by it; without one, by the e-mail address." ["companydomainname" "domain" "website" "companydomain" "websiteurl"];
    CompanyId "company_id" "Company’s CRM ID" Company "The account’s ID." ["accountid" "accountid18" "associatedcompanyids" "companyid"];
    CampaignId "campaign_id" "Campaign ID" Touch "A Fundloop ID (FL-…), or your own system’s ID." ["campaignid" "fundloopcampaignid" "utmid" "campaignid18" "kampagnenid"];
    CampaignName "campaign_name" "Campaign name" Touch "" ["campaignname" "campaign" "utmcampaign" "kampagne" "kampagnenname" "campaigncampaignname"];
    Date "date" "Day of the touch" Touch "" ["memberfirstassociateddate" "createddate" "date" "day" "firstcontactdate" "registrationtime" "orderdate" "timestamp" "datum"];
    RespondedOn "responded_on" "Day of the response" Touch "Counts where it is filled in." ["firstrespondeddate" "memberfirstrespondeddate" "respondedon" "responsedate"];
    Status "status" "Status" Touch "Sent, Responded, Attended: what it counts as is shown before anything is kept." ["memberstatus" "status" "attendeestatus" "attended" "leadstatus"];
    Responded "responded" "Has responded" Touch "Yes or no." ["hasresponded" "responded"];
    Reached "reached" "Funnel stage reached" Touch "Response, lead or MQL." ["lifecyclestage" "reached" "funnelstage"];
    TouchId "touch_id" "Row’s own ID" Touch "So that the same row is known again." ["campaignmemberid" "memberid" "touchid" "order"];
    DealId "deal_id" "Deal’s ID" Deal "So that the same deal is known again." ["opportunityid" "opportunityid18" "dealid" "sellerid"];
    DealName "deal_name" "Deal’s name" Deal "" ["opportunityname" "dealname" "topic" "opportunity"];
    Amount "amount" "Amount" Deal "" ["amount" "dealamount" "amountconverted" "betrag" "estrevenue" "dealvalue"];
    Currency "currency" "Currency" Deal "A code such as EUR." ["currencyisocode" "amountcurrency" "currency" "currencycode" "opportunitycurrency" "waehrung" "währung"];
    Stage "stage" "Stage" Deal "" ["stagename" "stage" "dealstage" "opportunitystage" "phase"];
    CreatedOn "created_on" "Day it was created" Deal "Where missing, the close date counts." ["createddate" "createdate" "opportunitycreateddate" "createdon" "erstelldatum"];
    ClosedOn "closed_on" "Close date" Deal "" ["closedate" "closeddate" "wondate" "actualclosedate" "estclosedate" "schlusstermin" "abschlussdatum"];
    Won "won" "Is won" Deal "Yes or no; without it, the stage’s name tells." ["iswon" "won" "isclosedwon"];
    Closed "closed" "Is closed" Deal "Yes or no; without it, the stage’s name tells." ["isclosed" "closed"];
    Registered "registered" "Is a registered deal" Deal "Yes or no." ["dealregistered" "registered" "isregistered" "registereddeal"];
    PartnerId "partner_id" "Partner’s CRM ID" Deal "The partner account of the deal." ["primarypartneraccountid" "partneraccountid" "partnerid"];
    PurchaseId "purchase_id" "Purchase or invoice number" Purchase "A purchase earns once: it is known again by this." ["purchaseid" "invoiceid" "invoicenumber" "invoiceno" "invoice" "ordernumber" "orderid" "documentnumber" "rechnungsnummer" "rechnung" "belegnummer"];
    PurchaseLine "purchase_line" "Line of the invoice" Purchase "Where an invoice has several lines, each counts by its own." ["purchaseline" "invoiceline" "lineno" "linenumber" "lineitem" "position"];
    SoldTo "sold_to" "Partner" Purchase "Its CRM ID, web domain or name." ["soldto" "partner" "partnername" "partneraccount" "reseller" "resellername" "customer" "customername" "partnerdomain" "händler"];
    SoldOn "sold_on" "Day of the purchase" Purchase "The guide in force on this day counts." ["soldon" "invoicedate" "purchasedate" "saledate" "orderdate" "postingdate" "rechnungsdatum" "date" "day" "datum"];
    Product "product" "Product" Purchase "Some products earn at a rate of their own." ["product" "productname" "productgroup" "productline" "sku" "produkt" "artikel"];
    Units "units" "Units" Purchase "Counts where the guide credits an amount a unit." ["units" "quantity" "qty" "menge" "stück" "anzahl"];
    Program "program" "Program" Purchase "Whose guide says what is earned." [];
    Deleted "deleted" "Is deleted" Company "Rows that say yes are left out." ["isdeleted"];
}

impl Field {
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.code() == code)
    }

    /// Said once for the whole file, never by a column.
    pub fn is_of_the_file(self) -> bool {
        self == Field::Program
    }

    /// The same value may be said once for every row.
    pub fn can_be_fixed(self) -> bool {
        matches!(
            self,
            Field::CampaignId
                | Field::Date
                | Field::Status
                | Field::Reached
                | Field::Stage
                | Field::Won
                | Field::Closed
                | Field::Registered
                | Field::CreatedOn
                | Field::Program
        )
    }
}

/// A column's name in small letters, letters and digits only; Salesforce's `__c` goes.
fn plain(label: &str) -> String {
    let lower = label.trim().to_lowercase();
    lower.strip_suffix("__c").unwrap_or(&lower).chars().filter(|c| c.is_alphanumeric()).collect()
}

/// A name some tool gives a column we know.
pub fn is_known_label(label: &str) -> bool {
    let plain = plain(label);
    plain == "id" || plain == "recordid" || Field::ALL.iter().any(|field| field.aliases().contains(&plain.as_str()))
}

/// Which column each field is in, as far as the names tell. No column is taken twice for one record.
pub fn guess(kind: Kind, header: &[String]) -> Vec<(Field, String)> {
    let plains: Vec<String> = header.iter().map(|name| plain(name)).collect();
    let mut found: Vec<(Field, String)> = Vec::new();
    for field in kind.fields() {
        let own = match (kind, field) {
            (Kind::SalesforceCampaignMembers, Field::TouchId) | (Kind::SalesforceOpportunities, Field::DealId) => {
                Some("id")
            }
            (Kind::SalesforceOpportunities, Field::DealName) => Some("name"),
            // In an opportunity the name is the deal's, in a member's export the created day is the touch's.
            (Kind::SalesforceOpportunities, Field::Name) => continue,
            (Kind::Csv, Field::CreatedOn) if !has_deal(&plains) => continue,
            (Kind::Csv, Field::Date) if has_deal(&plains) && !has_person(&plains) => continue,
            _ => None,
        };
        let mut names = field.aliases().iter().copied().chain(own);
        let place = names.find_map(|name| plains.iter().position(|plain| plain == name));
        if let Some(place) = place {
            found.push((field, header[place].clone()));
        }
    }
    found
}

fn has_deal(plains: &[String]) -> bool {
    plains.iter().any(|name| {
        [Field::DealId, Field::DealName, Field::Amount].iter().any(|field| field.aliases().contains(&name.as_str()))
    })
}

fn has_person(plains: &[String]) -> bool {
    plains.iter().any(|name| [Field::Email, Field::LeadId].iter().any(|field| field.aliases().contains(&name.as_str())))
}

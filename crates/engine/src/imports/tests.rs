use super::fields::{Field, Kind};
use super::record::{CampaignIn, Reading, Record, RowError, Rows};
use super::settings::{Question, Settings};
use super::sheet::{RowIs, Sheet};
use super::values::{self, DayOrder, Maybe};
use domain::Date;
use domain::campaign_id;
use domain::forecast::FunnelStage;
use domain::money::{Currency, Marks};
use proptest::prelude::*;

fn today() -> Date {
    Date::from_ymd_opt(2026, 6, 1).unwrap()
}

fn read(kind: Kind, file: &str) -> (Sheet, Settings) {
    let sheet = Sheet::read(file.as_bytes()).unwrap();
    let mut settings = Settings::guess(kind, &sheet);
    settings.currency = Some(Currency::EUR);
    settings.ask(&sheet);
    (sheet, settings)
}

fn records(sheet: &Sheet, settings: &Settings) -> (Vec<Record>, Vec<RowError>) {
    let (mut records, mut errors) = (Vec::new(), Vec::new());
    for (_, reading) in Rows::new(sheet, settings, today()).read() {
        match reading {
            Reading::Record(record) => records.push(*record),
            Reading::Wrong(wrong) => errors.extend(wrong),
            Reading::Aside => {}
        }
    }
    (records, errors)
}

#[test]
fn a_table_is_found_in_what_tools_write() {
    let preamble = "Campaign report\n\"January 1, 2026 - March 31, 2026\"\n\nCampaign status,Campaign,Currency code,Clicks,Cost\nEnabled,Q1,EUR,12,\"1,200.50\"\nTotal: Campaigns,--,EUR,12,\"1,200.50\"\n";
    let sheet = Sheet::read(preamble.as_bytes()).unwrap();
    assert_eq!((sheet.header_line, sheet.delimiter, sheet.header.len()), (4, ',', 5));
    let rows: Vec<_> = sheet.rows().collect();
    assert_eq!(
        rows.iter().map(|row| (row.line, row.is.clone())).collect::<Vec<_>>(),
        [(5, RowIs::Record), (6, RowIs::Aside)]
    );
    assert_eq!(rows[1].cell(1), "");

    for (bytes, encoding) in [
        (b"\xef\xbb\xbfEmail;Betrag\nj\xc3\xb6rg@nordwind.example;1,5\n".to_vec(), "UTF-8"),
        (b"Email;Firma\nana@nordwind.example;M\xfcller & S\xf6hne, K\xf6ln\n".to_vec(), "windows-1252"),
        (utf_16("Email;Firma\r\nana@nordwind.example;Müller\r\n", true), "UTF-16LE"),
        (utf_16("Email\tFirma\nana@nordwind.example\tMüller\n", false), "UTF-16LE"),
        (b"sep=;\r\nEmail;Firma\r\n\0ana@nordwind.example\0;M\r\n".to_vec(), "UTF-8"),
        (b"Email;Firma\rana@nordwind.example;M\r".to_vec(), "UTF-8"),
    ] {
        let sheet = Sheet::read(&bytes).unwrap();
        assert_eq!(sheet.encoding, encoding);
        assert_eq!(sheet.header[0], "Email");
        let row = sheet.rows().next().unwrap();
        assert!(row.cell(0).ends_with("@nordwind.example"), "{row:?}");
        assert_eq!((sheet.rows().count(), row.is), (1, RowIs::Record));
    }
}

fn utf_16(text: &str, mark: bool) -> Vec<u8> {
    let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

#[test]
fn what_is_no_table_is_refused_in_a_sentence() {
    for bytes in [
        &b""[..],
        b"  \n",
        b"\x00\x00",
        b"PK\x03\x04\x14\x00\x06\x00aaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        b"1,2\n3,4\n",
        b"%PDF-1.4 x",
    ] {
        let problem = Sheet::read(bytes).unwrap_err();
        assert!(problem.ends_with('.'), "{problem}");
    }
}

#[test]
fn lines_are_those_of_the_file() {
    let file = "Email,Name\r\n\r\na@x.example,\"two\r\nlines\"\r\n\r\nb@x.example\r\nc@x.example,C\r\n";
    let sheet = Sheet::read(file.as_bytes()).unwrap();
    let lines: Vec<_> = sheet.rows().map(|row| (row.line, matches!(row.is, RowIs::Broken(_)))).collect();
    assert_eq!(lines, [(3, false), (6, true), (7, false)]);
}

#[test]
fn days_are_read_as_tools_write_them_and_never_guessed() {
    let at = |text: &str| values::moment(text, None).map(|at| at.format("%F %T").to_string());
    for (text, expected) in [
        ("2024-01-23", "2024-01-23 00:00:00"),
        ("2024-01-23T02:46:47.000+0000", "2024-01-23 02:46:47"),
        ("2024-01-23T02:46:47+05:30", "2024-01-22 21:16:47"),
        ("2023-05-11 00:00:00", "2023-05-11 00:00:00"),
        ("1/23/2024", "2024-01-23 00:00:00"),
        ("23/1/2024 2:05 PM", "2024-01-23 14:05:00"),
        ("3.4.2024", "2024-04-03 00:00:00"),
        ("23. Jan. 2024", "2024-01-23 00:00:00"),
        ("Jan 3, 2024 11:30 am", "2024-01-03 11:30:00"),
        ("2024/01/23 23:59", "2024-01-23 23:59:00"),
    ] {
        assert_eq!(at(text).as_deref(), Ok(expected), "{text}");
    }
    for text in [
        "3/4/2024",
        "3/4/24",
        "2024-02-30",
        "45291",
        "0024-01-01",
        "2024-01-23T25:00",
        "tomorrow",
        "2024-01-23 1:2:3:4",
    ] {
        assert!(at(text).unwrap_err().ends_with('.'), "{text}");
    }
    assert_eq!(values::day("3/4/2024", Some(DayOrder::DayFirst)).unwrap().to_string(), "2024-04-03");
    assert_eq!(values::day_order("13/4/2024"), Maybe::Proves(DayOrder::DayFirst));
    assert_eq!(values::day_order("3.4.2024"), Maybe::Silent);
}

#[test]
fn amounts_are_exact_and_marks_are_proven_or_asked() {
    let amount = |text: &str, code: &str, marks| {
        values::amount(text, Currency::from_code(code).unwrap(), marks).map(|money| money.minor)
    };
    assert_eq!(amount("35000.0", "EUR", Marks::Point), Ok(3_500_000));
    assert_eq!(amount("1500000.00", "JPY", Marks::Point), Ok(1_500_000));
    assert_eq!(amount("€1.234,56", "EUR", Marks::Comma), Ok(123_456));
    assert_eq!(amount("$12.5", "USD", Marks::Point), Ok(1_250));
    for text in ["$12", "1.2E7", "-5", "12.345", "1_000"] {
        assert!(amount(text, "EUR", Marks::Point).is_err(), "{text}");
    }
    for (text, seen) in [
        ("1.234", Maybe::Either),
        ("1,234", Maybe::Either),
        ("12.50", Maybe::Proves(Marks::Point)),
        ("0.500", Maybe::Proves(Marks::Point)),
        ("1.234,5", Maybe::Proves(Marks::Comma)),
        ("1,234,567", Maybe::Proves(Marks::Point)),
        ("1200", Maybe::Silent),
    ] {
        assert_eq!(values::decimal_mark(text), seen, "{text}");
    }
}

#[test]
fn identities_have_one_form() {
    assert_eq!(values::crm_id("0015f00000LwDeY").as_deref(), Some("0015f00000LwDeYAAV"));
    assert_eq!(values::crm_id("0015f00000LwDeYAAV").as_deref(), Some("0015f00000LwDeYAAV"));
    assert_eq!(values::crm_id("000000000000000AAA"), None);
    assert_eq!(values::crm_id("{8b2e-11}").as_deref(), Some("8b2e-11"));
    assert_eq!(values::email(" Ana.Ferreira@Nordwind.example ").as_deref(), Ok("ana.ferreira@nordwind.example"));
    assert!(values::email("ana@nordwind").is_err() && values::email("a b@x.example").is_err());
    assert_eq!(values::domain("https://www.Nordwind.example/de?x").as_deref(), Some("nordwind.example"));
    assert_eq!(values::domain("Nordwind GmbH"), None);
    assert!(values::is_free_mail("gmail.com"));
}

#[test]
fn campaign_members_are_read_as_salesforce_exports_them() {
    let id = campaign_id::mint(42, 1);
    let file = format!(
        "\u{feff}Id,IsDeleted,CampaignId,LeadId,ContactId,Status,HasResponded,CreatedDate,FirstRespondedDate,FirstName,LastName,Email,CompanyOrAccount,Type,Fundloop_Campaign_ID__c\n\
         00v5f000004Abcd,0,701000000000001AAA,00Q5f00000LwDeY,,Responded,true,2026-01-23T02:46:47.000+0000,2026-01-24,Jörg,Maß,Joerg@nordwind.example,\"Nordwind, GmbH\",Lead,{id}\n\
         00v5f000004Abce,0,7010000000000AB,,,Sent,false,2026-01-23T02:46:47.000+0000,,,Ohne,,,Lead,\n\
         00v5f000004Abcf,1,7010000000000AB,,,Sent,false,2026-01-23T02:46:47.000+0000,,,Weg,,,Lead,\n\
         00v5f000004Abcg,0,7010000000000AB,,,Sent,perhaps,yesterday,,,Falsch,no-address,,Lead,FL-AAAAA-9\n"
    );
    let (sheet, mut settings) = read(Kind::SalesforceCampaignMembers, &file);
    settings.columns.insert(Field::CampaignName, "Fundloop_Campaign_ID__c".to_owned());
    let (records, errors) = records(&sheet, &settings);
    assert_eq!(records.len(), 2);
    let touch = records[0].touch.as_ref().unwrap();
    assert_eq!(records[0].campaign, Some(CampaignIn::Code(id)));
    assert_eq!((touch.at.to_rfc3339().as_str(), touch.response), ("2026-01-24T00:00:00+00:00", true));
    assert_eq!(records[0].person.as_ref().unwrap().name, "Jörg Maß");
    assert_eq!(records[0].company.domain.as_deref(), Some("nordwind.example"));
    assert_eq!(records[1].campaign, Some(CampaignIn::Other("7010000000000abaay".to_owned())));
    assert!(!records[1].touch.as_ref().unwrap().response);
    let at: Vec<_> = errors.iter().map(|error| (error.line, error.column.as_str())).collect();
    assert_eq!(
        at,
        [(5, "Email"), (5, "Fundloop_Campaign_ID__c"), (5, "CreatedDate")].map(|(line, column)| (line, column))
    );
}

#[test]
fn opportunities_are_read_as_salesforce_exports_them() {
    let object = "Id,IsDeleted,AccountId,Name,StageName,Amount,CloseDate,CreatedDate,IsClosed,IsWon,CampaignId,CurrencyIsoCode\n\
        0065f00000AAAAA,false,0015f00000LwDeY,Big deal,Closed Won,35000.0,2026-03-02,2026-01-23T02:46:47.000+0000,true,true,701000000000001AAA,USD\n\
        0065f00000AAAAB,false,0015f00000LwDeY,Open deal,Negotiation/Review,12000.5,2026-09-30,2026-02-01T00:00:00.000+0000,false,false,,\n\
        0065f00000AAAAC,false,0015f00000LwDeY,Bad deal,Closed Won,1e5,2026-02-31,2026-02-01T00:00:00.000+0000,true,true,,\n";
    let (sheet, settings) = read(Kind::SalesforceOpportunities, object);
    let (records, errors) = records(&sheet, &settings);
    let deal = records[0].deal.as_ref().unwrap();
    assert_eq!((deal.amount.to_string().as_str(), deal.is_won, deal.name.as_str()), ("35,000 USD", true, "Big deal"));
    assert_eq!(records[0].company.crm_id.as_deref(), Some("0015f00000LwDeYAAV"));
    assert!(records[0].touch.is_none());
    let open = records[1].deal.as_ref().unwrap();
    assert_eq!((open.amount.to_string().as_str(), open.closed_on, open.is_closed), ("12,000.50 EUR", None, false));
    assert_eq!(errors.iter().map(|error| error.column.as_str()).collect::<Vec<_>>(), ["Amount", "CloseDate"]);

    let report = "\"Opportunity Name\";\"Phase\";\"Betrag\";\"Schlusstermin\";\"Kampagnenname\"\n\"Groß\";\"Gewonnen\";\"1.234,50\";\"03.04.2026\";\"Herbst\"\n\"Gesamt\";\"\";\"1.234,50\";\"\";\"\"\n";
    let (sheet, settings) = read(Kind::SalesforceOpportunities, report);
    let (records, errors) = super::tests::records(&sheet, &settings);
    assert_eq!((records.len(), errors.len()), (1, 0));
    let deal = records[0].deal.as_ref().unwrap();
    assert_eq!(
        (deal.amount.minor, deal.is_won, deal.closed_on.unwrap().to_string().as_str()),
        (123_450, true, "2026-04-03")
    );
}

#[test]
fn what_the_file_cannot_say_is_asked() {
    let ambiguous = "Email,Date,Deal Name,Amount,Close Date\na@x.example,03/04/2026,D,1.234,05/06/2026\n";
    let sheet = Sheet::read(ambiguous.as_bytes()).unwrap();
    let mut settings = Settings::guess(Kind::Csv, &sheet);
    let kinds: Vec<_> = settings.ask(&sheet).into_iter().map(|question| std::mem::discriminant(&question)).collect();
    let any = |text: &str| (text.to_owned(), text.to_owned());
    let ((column, sample), (other, cell)) = (any(""), any(""));
    let asked = [
        Question::DayOrder { column, sample },
        Question::DecimalMark { column: other, sample: cell },
        Question::Currency,
    ];
    assert_eq!(kinds, asked.iter().map(std::mem::discriminant).collect::<Vec<_>>());

    let proven = "Email,Date\na@x.example,03/04/2026\nb@x.example,04/25/2026\n";
    let sheet = Sheet::read(proven.as_bytes()).unwrap();
    let mut settings = Settings::guess(Kind::Csv, &sheet);
    assert_eq!(settings.ask(&sheet), []);
    assert_eq!(settings.day_order, Some(DayOrder::MonthFirst));
    let (records, _) = records(&sheet, &settings);
    assert_eq!(records[0].touch.as_ref().unwrap().at.date_naive().to_string(), "2026-03-04");
}

#[test]
fn a_row_is_known_again_without_an_id_of_its_own() {
    let file =
        "Email,Date,Campaign\nA@x.example,2026-03-04,Q1\na@x.example ,2026-03-04,q1\na@x.example,2026-03-05,Q1\n";
    let (sheet, settings) = read(Kind::Csv, file);
    let (records, _) = records(&sheet, &settings);
    let keys: Vec<_> = records.iter().map(|record| record.touch.as_ref().unwrap().external_id.clone()).collect();
    assert!(keys[0] == keys[1] && keys[1] != keys[2]);
}

#[test]
fn statuses_say_how_far_a_person_has_come() {
    use super::record::{is_response, reached_of};
    for (status, response, reached) in [
        ("Sent", false, FunnelStage::Responses),
        ("Responded", true, FunnelStage::Responses),
        ("Registered", true, FunnelStage::Responses),
        ("Attended", true, FunnelStage::Leads),
        ("Not Attended", false, FunnelStage::Leads),
        ("MQL", true, FunnelStage::Mqls),
        ("Disqualified", true, FunnelStage::Responses),
        ("Webinar - No show", false, FunnelStage::Responses),
    ] {
        assert_eq!((is_response(status), reached_of(status)), (response, reached), "{status}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        read_all(&bytes);
    }

    #[test]
    fn no_table_panics(cells in proptest::collection::vec(proptest::collection::vec("[-a-zA-Z0-9 @./:,;\"'€ü\u{0}\u{feff}\t\n=]{0,14}", 1..6), 1..12), mark in "[,;\t|]") {
        let mut file = format!("Email{mark}Date{mark}Amount{mark}Close Date{mark}Campaign ID\n");
        for row in &cells {
            file.push_str(&row.join(&mark));
            file.push('\n');
        }
        read_all(file.as_bytes());
    }

    #[test]
    fn no_cell_panics(text in "\\PC{0,40}") {
        let _ = (values::moment(&text, None), values::day(&text, Some(DayOrder::DayFirst)), values::day_order(&text), values::decimal_mark(&text));
        let _ = (values::amount(&text, Currency::EUR, Marks::Comma), values::crm_id(&text), values::email(&text), values::domain(&text));
        let _ = (values::flag(&text), values::named_currency(&text), values::looks_like_value(&text));
    }
}

fn read_all(bytes: &[u8]) {
    let Ok(sheet) = Sheet::read(bytes) else { return };
    for kind in Kind::ALL {
        let mut settings = Settings::guess(kind, &sheet);
        settings.ask(&sheet);
        let mut last = 0;
        for (row, _) in Rows::new(&sheet, &settings, today()).read() {
            assert!(row.line > last, "lines go up");
            last = row.line;
        }
    }
}

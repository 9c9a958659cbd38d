//! The payment file as ISO 20022 `pain.001.001.09`, the message by which a bank is asked for credit transfers.

use super::bank::{Transfer, remittance};
use domain::money::Money;
use domain::payee::PaymentDetails;
use domain::settlement::Batch;
use domain::{Date, Instant};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

const NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09";

/// The elements in the order the schema asks for. Fails only where memory cannot be written to.
pub(super) fn file(
    batch: &Batch,
    (exported, pay_on): (Instant, Date),
    from: &PaymentDetails,
    transfers: &[Transfer],
) -> std::io::Result<Vec<u8>> {
    let (count, sum) = (transfers.len().to_string(), batch.net().plain());
    let is_sepa = batch.currency.code() == "EUR" && transfers.iter().all(|one| !one.to.iban.is_empty());
    let totals = |x: &mut Xml| {
        x.text("NbOfTxs", &count)?;
        x.text("CtrlSum", &sum)
    };
    let mut xml = Xml::new()?;
    xml.document(|x| {
        x.within("GrpHdr", |x| {
            x.text("MsgId", &batch.number)?;
            x.text("CreDtTm", &exported.format("%Y-%m-%dT%H:%M:%SZ").to_string())?;
            totals(x)?;
            x.within("InitgPty", |x| x.text("Nm", &from.payee))
        })?;
        x.within("PmtInf", |x| {
            x.text("PmtInfId", &batch.number)?;
            x.text("PmtMtd", "TRF")?;
            x.text("BtchBookg", "true")?;
            totals(x)?;
            if is_sepa {
                x.within("PmtTpInf", |x| x.within("SvcLvl", |x| x.text("Cd", "SEPA")))?;
            }
            x.within("ReqdExctnDt", |x| x.text("Dt", &pay_on.to_string()))?;
            x.within("Dbtr", |x| x.text("Nm", &from.payee))?;
            x.within("DbtrAcct", |x| {
                account(x, from)?;
                x.text("Ccy", batch.currency.code())
            })?;
            agent(x, "DbtrAgt", from)?;
            x.text("ChrgBr", if is_sepa { "SLEV" } else { "SHAR" })?;
            transfers.iter().try_for_each(|transfer| credit(x, transfer))
        })
    })?;
    Ok(xml.0.into_inner())
}

fn credit(x: &mut Xml, transfer: &Transfer) -> Written {
    x.within("CdtTrfTxInf", |x| {
        x.within("PmtId", |x| {
            x.text("InstrId", &transfer.name)?;
            x.text("EndToEndId", &transfer.name)
        })?;
        x.within("Amt", |x| x.amount("InstdAmt", transfer.payment.net()))?;
        // SEPA finds a payee's bank by the IBAN alone.
        if !transfer.to.bic.is_empty() || !transfer.to.routing.is_empty() {
            agent(x, "CdtrAgt", &transfer.to)?;
        }
        x.within("Cdtr", |x| x.text("Nm", &transfer.to.payee))?;
        x.within("CdtrAcct", |x| account(x, &transfer.to))?;
        x.within("RmtInf", |x| x.text("Ustrd", &remittance(transfer)))
    })
}

fn account(x: &mut Xml, details: &PaymentDetails) -> Written {
    x.within("Id", |x| match details.iban.as_str() {
        "" => x.within("Othr", |x| x.text("Id", &details.account)),
        iban => x.text("IBAN", iban),
    })
}

/// The bank: by BIC, by its number in the national clearing, or as “not provided”, which is how SEPA leaves it to the
/// IBAN where the element must be there.
fn agent(x: &mut Xml, name: &str, details: &PaymentDetails) -> Written {
    x.within(name, |x| {
        x.within("FinInstnId", |x| {
            if !details.bic.is_empty() {
                x.text("BICFI", &details.bic)?;
            }
            if !details.routing.is_empty() {
                let system = if details.routing.len() == 9 { "USABA" } else { "GBDSC" };
                x.within("ClrSysMmbId", |x| {
                    x.within("ClrSysId", |x| x.text("Cd", system))?;
                    x.text("MmbId", &details.routing)
                })?;
            }
            if details.bic.is_empty() && details.routing.is_empty() {
                x.within("Othr", |x| x.text("Id", "NOTPROVIDED"))?;
            }
            Ok(())
        })
    })
}

type Written = std::io::Result<()>;

/// A document written piece by piece; quick-xml escapes what stands in it.
struct Xml(Writer<Vec<u8>>);

impl Xml {
    fn new() -> std::io::Result<Self> {
        let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
        writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        Ok(Self(writer))
    }

    fn document(&mut self, inside: impl FnOnce(&mut Xml) -> Written) -> Written {
        let start = BytesStart::new("Document").with_attributes([("xmlns", NAMESPACE)]);
        self.0.write_event(Event::Start(start))?;
        self.within("CstmrCdtTrfInitn", inside)?;
        self.0.write_event(Event::End(BytesEnd::new("Document")))
    }

    fn within(&mut self, name: &str, inside: impl FnOnce(&mut Xml) -> Written) -> Written {
        self.0.write_event(Event::Start(BytesStart::new(name)))?;
        inside(self)?;
        self.0.write_event(Event::End(BytesEnd::new(name)))
    }

    fn text(&mut self, name: &str, text: &str) -> Written {
        self.0.create_element(name).write_text_content(BytesText::new(text)).map(|_| ())
    }

    fn amount(&mut self, name: &str, amount: Money) -> Written {
        let element = self.0.create_element(name).with_attribute(("Ccy", amount.currency.code()));
        element.write_text_content(BytesText::new(&amount.plain())).map(|_| ())
    }
}

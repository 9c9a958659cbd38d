//! The forecast: a campaign's funnel from a tactic's benchmark, as one expected line and as a distribution.
//!
//! Expected counts are exact products of the assumptions. The distribution is a seeded Monte Carlo (same
//! seed, same answer): every rate is a Beta whose central 90 % is the benchmark's range, the responses and
//! the deal size are lognormal, and counts are binomial, so that small funnels spread as they do in life.
//! Simulated revenue is an estimate ([`Decimal`] units rounded to two places), never [`Money`].

use crate::money::Money;
use crate::steps::s2_scorecard::Light;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand_distr::{Beta, Binomial, Distribution, LogNormal};
use rust_decimal::Decimal;
use rust_decimal::prelude::{FromPrimitive, ToPrimitive};
use serde::{Deserialize, Serialize};

/// Stages of the funnel, widest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FunnelStage {
    Responses,
    Leads,
    Mqls,
    Opportunities,
    Proposals,
    Wins,
}

impl FunnelStage {
    pub const ALL: [FunnelStage; 6] = [
        FunnelStage::Responses,
        FunnelStage::Leads,
        FunnelStage::Mqls,
        FunnelStage::Opportunities,
        FunnelStage::Proposals,
        FunnelStage::Wins,
    ];

    pub fn label(self) -> &'static str {
        match self {
            FunnelStage::Responses => "Responses",
            FunnelStage::Leads => "Leads",
            FunnelStage::Mqls => "Marketing-qualified leads",
            FunnelStage::Opportunities => "Opportunities",
            FunnelStage::Proposals => "Proposals and demos",
            FunnelStage::Wins => "Wins",
        }
    }
}

/// The benchmarks of every tactic, as data; the shipped ones are in `config/benchmarks.toml`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Benchmarks {
    /// The scorecard's light scales expected responses by this factor and widens the spread by the other.
    pub scorecard: ScorecardEffect,
    pub tactic: Vec<Tactic>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScorecardEffect {
    pub green: Effect,
    pub amber: Effect,
    pub red: Effect,
}

#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Effect {
    pub mean: Decimal,
    pub spread: Decimal,
}

/// One tactic: what it usually costs and yields. `low` and `high` bound the central 90 %.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tactic {
    pub code: String,
    pub name: String,
    /// Units of money per response.
    pub cost_per_response: Range,
    pub lead_rate: Range,
    pub mql_rate: Range,
    pub opportunity_rate: Range,
    pub proposal_rate: Range,
    pub win_rate: Range,
    /// Units of money.
    pub deal_size: Range,
    /// Gross margin as a share of revenue.
    pub margin: Decimal,
    pub sales_cycle_months: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    pub typical: Decimal,
    pub low: Decimal,
    pub high: Decimal,
}

impl Range {
    pub fn contains(self, value: Decimal) -> bool {
        self.low <= value && value <= self.high
    }
}

impl Benchmarks {
    pub fn load(text: &str) -> Result<Self, String> {
        let benchmarks: Benchmarks = toml::from_str(text).map_err(|error| error.to_string())?;
        for tactic in &benchmarks.tactic {
            let ordered =
                |range: &Range| Decimal::ZERO < range.low && range.low < range.typical && range.typical < range.high;
            let sizes = [tactic.cost_per_response, tactic.deal_size];
            let rates = tactic.rates();
            if !sizes.iter().all(ordered) || !rates.iter().all(|rate| ordered(rate) && rate.high <= Decimal::ONE) {
                return Err(format!(
                    "tactic {}: each range wants 0 < low < typical < high, and rates at most 1",
                    tactic.code
                ));
            }
        }
        Ok(benchmarks)
    }

    pub fn tactic(&self, code: &str) -> Option<&Tactic> {
        self.tactic.iter().find(|tactic| tactic.code == code)
    }

    pub fn effect(&self, light: Option<Light>) -> Effect {
        match light {
            Some(Light::Red) => self.scorecard.red,
            Some(Light::Amber) => self.scorecard.amber,
            Some(Light::Green) | None => self.scorecard.green,
        }
    }
}

impl Tactic {
    /// The five conversion rates in funnel order.
    pub fn rates(&self) -> [Range; 5] {
        [self.lead_rate, self.mql_rate, self.opportunity_rate, self.proposal_rate, self.win_rate]
    }

    /// What a campaign of this cost may expect before anybody changes an assumption.
    pub fn assumptions(&self, cost: Money) -> Assumptions {
        let responses = (cost.decimal() / self.cost_per_response.typical).round().to_u32().unwrap_or(0);
        let deal_size = Money::from_decimal(self.deal_size.typical, cost.currency).unwrap_or(cost);
        Assumptions {
            responses,
            lead_rate: self.lead_rate.typical,
            mql_rate: self.mql_rate.typical,
            opportunity_rate: self.opportunity_rate.typical,
            proposal_rate: self.proposal_rate.typical,
            win_rate: self.win_rate.typical,
            deal_size,
            margin: self.margin,
            sales_cycle_months: self.sales_cycle_months,
        }
    }
}

/// What the partner assumes of one campaign. Rates are shares between 0 and 1.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assumptions {
    pub responses: u32,
    pub lead_rate: Decimal,
    pub mql_rate: Decimal,
    pub opportunity_rate: Decimal,
    pub proposal_rate: Decimal,
    pub win_rate: Decimal,
    pub deal_size: Money,
    pub margin: Decimal,
    pub sales_cycle_months: u8,
}

impl Assumptions {
    pub fn rates(&self) -> [Decimal; 5] {
        [self.lead_rate, self.mql_rate, self.opportunity_rate, self.proposal_rate, self.win_rate]
    }

    /// Expected count at each stage, exact.
    pub fn funnel(&self) -> [Decimal; 6] {
        let mut counts = [Decimal::from(self.responses); 6];
        for (index, rate) in self.rates().into_iter().enumerate() {
            counts[index + 1] = counts[index] * rate;
        }
        counts
    }

    /// Expected revenue in units: wins x deal size.
    pub fn revenue(&self) -> Decimal {
        self.funnel()[5] * self.deal_size.decimal()
    }

    /// The fields outside the benchmark's central 90 %, by name; each wants a reason.
    pub fn unusual(&self, tactic: &Tactic, cost: Money) -> Vec<&'static str> {
        let names = ["lead_rate", "mql_rate", "opportunity_rate", "proposal_rate", "win_rate"];
        let mut fields: Vec<&'static str> = names
            .into_iter()
            .zip(self.rates())
            .zip(tactic.rates())
            .filter(|((_, rate), range)| !range.contains(*rate))
            .map(|((name, _), _)| name)
            .collect();
        let per_response = (self.responses > 0).then(|| cost.decimal() / Decimal::from(self.responses));
        if !per_response.is_some_and(|cost| tactic.cost_per_response.contains(cost)) {
            fields.insert(0, "responses");
        }
        if !tactic.deal_size.contains(self.deal_size.decimal()) {
            fields.push("deal_size");
        }
        fields
    }
}

/// Low, middle and high: 10 %, half and 90 % of outcomes lie below them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Spread {
    pub p10: Decimal,
    pub p50: Decimal,
    pub p90: Decimal,
}

impl Spread {
    /// The mean of the outcomes by Swanson's rule, `0.3 P10 + 0.4 P50 + 0.3 P90`: where most small campaigns win nothing and
    /// some win a lot, the middle outcome says nothing of the difference between two of them.
    pub fn mean(&self) -> Decimal {
        Decimal::new(3, 1) * (self.p10 + self.p90) + Decimal::new(4, 1) * self.p50
    }
}

/// A campaign's forecast as committed: the baseline performance is measured against, for ever.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Baseline {
    pub cost: Money,
    pub assumptions: Assumptions,
    /// What the assumptions come to, stage by stage.
    pub expected: [Decimal; 6],
    /// Units of money.
    pub expected_revenue: Decimal,
    /// What benchmarks, scorecard and evidence make of it.
    pub stages: [Spread; 6],
    pub revenue: Spread,
    /// Percent; `None` where the cost is zero.
    pub roi: Option<Spread>,
    /// Chance that ROI is above zero, in percent.
    pub chance: u8,
    pub seed: u64,
    pub runs: u32,
}

/// What closed cycles showed for a tactic, already weighed: partner over region over program.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Evidence {
    pub tactic: String,
    /// Counts at each stage.
    pub counts: [f64; 6],
}

impl Evidence {
    /// Counts at each stage, nearer over farther: the partner's own whole, the rest of its region's at a quarter, the
    /// rest of the program's at a twentieth. The region's include the partner's, the program's include both.
    pub fn weigh(tactic: String, partner: [i64; 6], region: [i64; 6], program: [i64; 6]) -> Self {
        #[allow(clippy::cast_precision_loss)]
        let counts = std::array::from_fn(|stage| {
            let (near, far) = (region[stage] - partner[stage], program[stage] - region[stage]);
            partner[stage] as f64 + near.max(0) as f64 / 4.0 + far.max(0) as f64 / 20.0
        });
        Self { tactic, counts }
    }
}

const RUNS: u32 = 2_000;
/// The central 90 % of a normal distribution is this many standard deviations wide.
const NINETY: f64 = 3.289_707;

/// Freezes a campaign's forecast. `seed` is the cycle's and campaign's own, so that anyone can run it again.
pub fn baseline(
    cost: Money,
    assumptions: &Assumptions,
    tactic: &Tactic,
    effect: Effect,
    evidence: Option<&Evidence>,
    seed: u64,
) -> Baseline {
    let mut rng = StdRng::seed_from_u64(seed);
    let model = Model::new(assumptions, tactic, effect, evidence);
    let mut columns: [Vec<f64>; 7] = Default::default();
    for _ in 0..RUNS {
        for (column, value) in columns.iter_mut().zip(model.draw(&mut rng)) {
            column.push(value);
        }
    }
    for column in &mut columns {
        column.sort_by(f64::total_cmp);
    }
    let spread = |column: &[f64]| Spread { p10: at(column, 0.1), p50: at(column, 0.5), p90: at(column, 0.9) };
    let revenue = spread(&columns[6]);
    let roi_of = |revenue: Decimal| roi_percent(revenue, cost.decimal());
    let roi = roi_of(revenue.p10).zip(roi_of(revenue.p50)).zip(roi_of(revenue.p90)).map(|((p10, p50), p90)| Spread {
        p10,
        p50,
        p90,
    });
    let cost_units = cost.decimal().to_f64().unwrap_or(f64::MAX);
    let above = columns[6].iter().filter(|revenue| **revenue > cost_units).count();
    Baseline {
        cost,
        assumptions: assumptions.clone(),
        expected: assumptions.funnel(),
        expected_revenue: assumptions.revenue(),
        stages: std::array::from_fn(|stage| spread(&columns[stage])),
        revenue,
        roi,
        chance: u8::try_from(above * 100 / RUNS as usize).unwrap_or(100),
        seed,
        runs: RUNS,
    }
}

/// `(benefit - cost) / cost x 100`, rounded to one decimal; a cost of zero has no ROI.
pub fn roi_percent(benefit: Decimal, cost: Decimal) -> Option<Decimal> {
    (!cost.is_zero()).then(|| ((benefit - cost) / cost * Decimal::ONE_HUNDRED).round_dp(1))
}

fn at(sorted: &[f64], share: f64) -> Decimal {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    let index = ((sorted.len() - 1) as f64 * share).round() as usize;
    Decimal::from_f64(sorted[index]).unwrap_or_default().round_dp(2)
}

/// The distributions one run draws from.
struct Model {
    responses: LogNormal<f64>,
    rates: [Beta<f64>; 5],
    deal_size: LogNormal<f64>,
}

impl Model {
    fn new(assumptions: &Assumptions, tactic: &Tactic, effect: Effect, evidence: Option<&Evidence>) -> Self {
        let float = |value: Decimal| value.to_f64().unwrap_or(0.0);
        let wider = float(effect.spread).max(0.1);
        let lognormal = |middle: f64, range: Range| {
            let sigma = (float(range.high) / float(range.low)).ln() / NINETY * wider;
            LogNormal::new(middle.max(f64::MIN_POSITIVE).ln(), sigma).expect("a benchmark's range has 0 < low < high")
        };
        let shown = evidence.map_or([0.0; 6], |evidence| evidence.counts);
        let (claimed, ranges) = (assumptions.rates(), tactic.rates());
        let rates = std::array::from_fn(|index| {
            let mean = float(claimed[index]).clamp(0.001, 0.999);
            let deviation = (float(ranges[index].high) - float(ranges[index].low)) / NINETY * wider;
            let weight = (mean * (1.0 - mean) / (deviation * deviation) - 1.0).max(2.0);
            let (tried, passed) = (shown[index], shown[index + 1].min(shown[index]));
            Beta::new(mean * weight + passed, (1.0 - mean) * weight + (tried - passed))
                .expect("both weights are above zero")
        });
        Self {
            responses: lognormal(f64::from(assumptions.responses) * float(effect.mean), tactic.cost_per_response),
            rates,
            deal_size: lognormal(float(assumptions.deal_size.decimal()), tactic.deal_size),
        }
    }

    /// Six counts and the revenue.
    fn draw(&self, rng: &mut StdRng) -> [f64; 7] {
        let mut out = [0.0; 7];
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let mut count = self.responses.sample(rng).round().clamp(0.0, 1e9) as u64;
        let mut rates = self.rates.iter();
        for place in &mut out[..6] {
            #[allow(clippy::cast_precision_loss)]
            let drawn = count as f64;
            *place = drawn;
            let passed = rates.next().and_then(|rate| Binomial::new(count, rate.sample(rng).clamp(0.0, 1.0)).ok());
            count = passed.map_or(0, |binomial| binomial.sample(rng));
        }
        out[6] = out[5] * self.deal_size.sample(rng);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;
    use proptest::prelude::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn range(low: &str, typical: &str, high: &str) -> Range {
        Range { low: dec(low), typical: dec(typical), high: dec(high) }
    }

    fn tactic() -> Tactic {
        Tactic {
            code: "webinar".to_owned(),
            name: "Webinar".to_owned(),
            cost_per_response: range("20", "50", "110"),
            lead_rate: range("0.12", "0.25", "0.40"),
            mql_rate: range("0.20", "0.40", "0.60"),
            opportunity_rate: range("0.25", "0.50", "0.75"),
            proposal_rate: range("0.50", "0.80", "0.99"),
            win_rate: range("0.10", "0.25", "0.45"),
            deal_size: range("8000", "30000", "90000"),
            margin: dec("0.3"),
            sales_cycle_months: 5,
        }
    }

    fn published() -> Assumptions {
        Assumptions {
            responses: 400,
            lead_rate: dec("0.25"),
            mql_rate: dec("0.40"),
            opportunity_rate: dec("0.50"),
            proposal_rate: Decimal::ONE,
            win_rate: dec("0.25"),
            deal_size: Money::units(30_000, Currency::EUR),
            margin: dec("0.3"),
            sales_cycle_months: 5,
        }
    }

    const STEADY: Effect = Effect { mean: Decimal::ONE, spread: Decimal::ONE };

    #[test]
    fn the_funnel_is_the_exact_product_of_its_rates() {
        let funnel = published().funnel();
        assert_eq!(funnel.map(|count| count.normalize().to_string()), ["400", "100", "40", "20", "20", "5"]);
        assert_eq!(published().revenue(), dec("150000"));
        assert_eq!(roi_percent(dec("150000"), dec("20000")), Some(dec("650")));
        assert_eq!(roi_percent(dec("1000000"), dec("650000")).map(|roi| roi.round_dp(1)), Some(dec("53.8")));
        assert_eq!(roi_percent(dec("1"), Decimal::ZERO), None);
    }

    #[test]
    fn the_same_seed_gives_the_same_answer_and_evidence_pulls_it() {
        let cost = Money::units(20_000, Currency::EUR);
        let one = baseline(cost, &published(), &tactic(), STEADY, None, 42);
        assert_eq!(one, baseline(cost, &published(), &tactic(), STEADY, None, 42));
        assert!(one.stages[0].p10 < one.stages[0].p50 && one.stages[0].p50 < one.stages[0].p90);
        let poor = Evidence { tactic: "webinar".to_owned(), counts: [4_000.0, 200.0, 80.0, 40.0, 40.0, 2.0] };
        let taught = baseline(cost, &published(), &tactic(), STEADY, Some(&poor), 42);
        assert!(taught.revenue.p50 < one.revenue.p50, "{:?} {:?}", taught.revenue, one.revenue);
    }

    #[test]
    fn what_is_outside_the_central_ninety_percent_wants_a_reason() {
        let cost = Money::units(20_000, Currency::EUR);
        assert_eq!(published().unusual(&tactic(), cost), ["proposal_rate"]);
        let bold = Assumptions { responses: 4_000, win_rate: dec("0.9"), ..published() };
        assert_eq!(bold.unusual(&tactic(), cost), ["responses", "proposal_rate", "win_rate"]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn quantiles_are_ordered_for_any_assumption(responses in 0_u32..5_000, lead in 0_i64..=100, win in 0_i64..=100, seed: u64) {
            let assumptions = Assumptions { responses, lead_rate: Decimal::new(lead, 2), win_rate: Decimal::new(win, 2), ..published() };
            let made = baseline(Money::units(1_000, Currency::EUR), &assumptions, &tactic(), STEADY, None, seed);
            for spread in made.stages.iter().chain([&made.revenue]) {
                prop_assert!(spread.p10 <= spread.p50 && spread.p50 <= spread.p90);
            }
        }
    }
}

//! Events: a row per touch, in any order. Rows are kept as 32 bytes each, in buckets by journey, and set aside on disk
//! when there are very many; buckets are then sorted and added up one by one, on all threads.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Read};
use std::mem;
use std::sync::atomic::{self, AtomicUsize};
use std::thread;
use std::time::Duration;

use attribution::tally::{DECIMALS, Tally};
use attribution::{Channel, Milestone, Milestones, Outcome, Touch};

use super::channels::{self, Merged, Names};
use super::rows::{self, Header, Problem, Row};
use super::settings::Settings;
use super::spill::Spill;
use super::{Counted, number};

/// Journeys are divided among so many buckets.
const BUCKETS: usize = 128;

/// So many rows a thread holds in memory; few in tests, so that they too are set aside.
const HELD: usize = if cfg!(test) { 40 } else { 16 << 20 };

const MICROS: i64 = 1_000_000;
const ONE: i128 = 10_i128.pow(DECIMALS);

/// One row. The order of the fields is the order of touches in a journey: time, the conversion last among touches of the
/// same moment, stage rank, then channel by name; the rest only makes the order total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Event {
    journey: Journey,
    micros: i64,
    converts: bool,
    rank: u8,
    channel: Channel,
    milestone: u8,
    /// The place of a conversion's value among the bucket's.
    value: u32,
}

/// Stands for a journey's id: the id itself up to eleven bytes, 96 bits of hash for a longer one. Of 10^11 files with a
/// billion long ids, one takes two for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Journey([u32; 3]);

impl Ord for Journey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.number().cmp(&other.number())
    }
}

impl PartialOrd for Journey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A conversion without a touch.
const NO_CHANNEL: Channel = Channel::MAX;
const NO_MILESTONE: u8 = Milestone::MAX;

struct Columns<'a> {
    journey: usize,
    timestamp: usize,
    channel: usize,
    stage: Option<usize>,
    conversion: Option<usize>,
    value: Option<usize>,
    own_milestones: &'a BTreeMap<String, Milestone>,
}

#[derive(Default, Clone)]
struct Bucket {
    events: Vec<Event>,
    values: Vec<i128>,
}

/// What one thread collects.
struct Collected {
    names: Names,
    buckets: Vec<Bucket>,
    held: usize,
    aside: Spill,
    staged: bool,
    idle_values: u64,
}

pub fn read(input: impl Read + Send, settings: &Settings, lookback: Option<Duration>) -> anyhow::Result<Counted> {
    let begin = |header: &Header| {
        Ok(Columns {
            journey: header.require("journey_id")?,
            timestamp: header.require("timestamp")?,
            channel: header.require("channel")?,
            stage: header.find("stage"),
            conversion: header.find("conversion"),
            value: header.find("value"),
            own_milestones: &settings.own_milestones,
        })
    };
    let state = || Collected {
        names: Names::default(),
        buckets: vec![Bucket::default(); BUCKETS],
        held: 0,
        aside: Spill::default(),
        staged: false,
        idle_values: 0,
    };
    let collected = rows::read(input, begin, state, Columns::take)?;
    if !collected.iter().any(|part| part.staged) {
        settings.warn_without_stages();
    }
    let idle: u64 = collected.iter().map(|part| part.idle_values).sum();
    if idle > 0 {
        eprintln!("note: {idle} rows have a value but no conversion; only a row with conversion 1 carries value");
    }
    let channels = channels::merge(&collected.iter().map(|part| &part.names).collect::<Vec<_>>());
    let empty = Tally::new(&settings.measures())?;
    let tally = add_up(&collected, &channels, lookback, &empty)?;
    Ok(Counted { tally, channels })
}

impl Columns<'_> {
    fn take(&self, to: &mut Collected, row: &Row) -> Result<(), Problem> {
        let journey = row.get(Some(self.journey));
        if journey.is_empty() {
            return Err(Problem::new("journey_id is empty"));
        }
        let (text, value) = (row.get(Some(self.timestamp)), row.get(self.value));
        let wanted = "a time; write RFC 3339 with an offset, like 2026-03-02T09:30:00Z, or epoch seconds";
        let micros = micros(text).ok_or_else(|| Problem::cell("timestamp", text, wanted))?;
        let amount =
            number::parse(value).ok_or_else(|| Problem::cell("value", value, "a number like 12.5, below 10^15"))?;
        let converts = self.converts(row)?;
        let channel = match row.get(Some(self.channel)) {
            [] if converts => NO_CHANNEL,
            [] => return Ok(()), // A touch of no channel is none.
            name => to.names.number(name, (row.line, 0)).channel,
        };
        let (rank, milestone) = self.stage(row.get(self.stage));
        to.staged |= milestone != NO_MILESTONE;
        let journey = Journey::new(journey);
        let bucket = &mut to.buckets[journey.bucket()];
        let place = bucket.values.len();
        if converts {
            bucket.values.push(amount);
        } else if amount != 0 {
            to.idle_values += 1;
        }
        let value = u32::try_from(place).map_err(|_| Problem::new("there are too many conversions"))?;
        bucket.events.push(Event { journey, micros, converts, rank, channel, milestone, value });
        to.held += 1;
        if to.held < HELD {
            return Ok(());
        }
        to.set_aside().map_err(|error| Problem::new(format!("rows could not be set aside on disk: {error}")))
    }

    fn converts(&self, row: &Row) -> Result<bool, Problem> {
        match row.get(self.conversion) {
            b"" | b"0" => Ok(false),
            b"1" => Ok(true),
            text if text.eq_ignore_ascii_case(b"false") => Ok(false),
            text if text.eq_ignore_ascii_case(b"true") => Ok(true),
            text => match number::parse(text) {
                Some(0) => Ok(false),
                Some(ONE) => Ok(true),
                _ => Err(Problem::cell("conversion", text, "0 or 1")),
            },
        }
    }

    /// A stage's rank, and the milestone it names. A stage nobody has named orders nothing.
    fn stage(&self, text: &[u8]) -> (u8, u8) {
        if text.is_empty() {
            return (0, NO_MILESTONE);
        }
        let text = String::from_utf8_lossy(text);
        if let Ok(rank) = text.parse() {
            return (rank, NO_MILESTONE);
        }
        let own = || self.own_milestones.get(&text.to_lowercase()).copied();
        match Milestone::named(&text).or_else(own) {
            Some(milestone) => (rank_of(milestone), milestone.number()),
            None => (0, NO_MILESTONE),
        }
    }
}

/// Milestones in the order in which a deal meets them; one's own come between the named ones and the close.
fn rank_of(milestone: Milestone) -> u8 {
    match milestone {
        Milestone::FIRST_TOUCH => 1,
        Milestone::LEAD_CREATION => 2,
        Milestone::REGISTERED_DEAL => 3,
        Milestone::OPPORTUNITY_CREATION => 4,
        Milestone::DEMO => 5,
        Milestone::PROPOSAL => 6,
        Milestone::CLOSE => u8::MAX,
        own => own.number(),
    }
}

impl Journey {
    fn new(id: &[u8]) -> Self {
        let mut bytes = [0; 12];
        if let Some(room) = bytes[1..].get_mut(..id.len()) {
            room.copy_from_slice(id);
            bytes[0] = u8::try_from(id.len()).unwrap_or(u8::MAX);
            return Self(std::array::from_fn(|word| {
                u32::from_be_bytes(std::array::from_fn(|byte| bytes[4 * word + byte]))
            }));
        }
        let [one, other] = [1, 2].map(|which| {
            let mut hasher = DefaultHasher::new();
            hasher.write_u8(which);
            hasher.write(id);
            hasher.finish()
        });
        Self([one, one >> 32, other].map(|bits| u32::try_from(bits & u64::from(u32::MAX)).unwrap_or_default()))
    }

    fn number(self) -> u128 {
        let [high, middle, low] = self.0.map(u128::from);
        high << 64 | middle << 32 | low
    }

    fn bucket(self) -> usize {
        let [high, middle, low] = self.0.map(u64::from);
        // The golden ratio spreads the bits well.
        let mixed = (high << 32 ^ middle << 16 ^ low).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        usize::try_from(mixed >> 32).unwrap_or_default() % BUCKETS
    }
}

/// A moment in microseconds since 1970, up to the year 9999.
fn micros(text: &[u8]) -> Option<i64> {
    const LATEST: i128 = 253_402_300_800;
    if let 1..=11 = text.len()
        && let Some(seconds) = text
            .iter()
            .try_fold(0, |number: i64, byte| byte.is_ascii_digit().then(|| 10 * number + i64::from(byte - b'0')))
    {
        return Some(seconds * MICROS);
    }
    if let Some(units) = number::parse(text) {
        let inside = !text.is_empty() && units.abs() < LATEST * ONE;
        return inside.then(|| i64::try_from(units.div_euclid(ONE / i128::from(MICROS))).ok()).flatten();
    }
    let time = chrono::DateTime::parse_from_rfc3339(std::str::from_utf8(text).ok()?).ok()?;
    Some(time.timestamp_micros())
}

impl Collected {
    /// Move all rows in memory to disk.
    fn set_aside(&mut self) -> io::Result<()> {
        let mut bytes = Vec::new();
        for (number, bucket) in self.buckets.iter_mut().enumerate().filter(|(_, bucket)| !bucket.events.is_empty()) {
            let Bucket { events, values } = mem::take(bucket);
            bytes.clear();
            for event in &events {
                let value = if event.converts { values[event.value as usize] } else { 0 };
                bytes.extend(event.to_bytes(value));
            }
            self.aside.put(number, &bytes)?;
        }
        self.held = 0;
        Ok(())
    }

    /// The rows of a bucket, from memory and from disk.
    fn bucket(&self, number: usize) -> io::Result<Bucket> {
        let mut bucket = self.buckets[number].clone();
        let bytes = self.aside.bytes(number)?;
        for bytes in bytes.as_chunks().0 {
            let (event, value) = Event::from_bytes(bytes);
            let place = u32::try_from(bucket.values.len()).unwrap_or(u32::MAX);
            bucket.events.push(Event { value: place, ..event });
            if event.converts {
                bucket.values.push(value);
            }
        }
        Ok(bucket)
    }
}

impl Event {
    const BYTES: usize = 44;

    fn to_bytes(self, value: i128) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..16].copy_from_slice(&value.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.micros.to_le_bytes());
        let [high, middle, low] = self.journey.0;
        for (place, word) in [high, middle, low, self.channel].into_iter().enumerate() {
            bytes[24 + 4 * place..28 + 4 * place].copy_from_slice(&word.to_le_bytes());
        }
        bytes[40..43].copy_from_slice(&[u8::from(self.converts), self.rank, self.milestone]);
        bytes
    }

    fn from_bytes(bytes: &[u8; Self::BYTES]) -> (Self, i128) {
        fn part<const N: usize>(bytes: &[u8; Event::BYTES], from: usize) -> [u8; N] {
            std::array::from_fn(|place| bytes[from + place])
        }
        let word = |place: usize| u32::from_le_bytes(part(bytes, 24 + 4 * place));
        let event = Self {
            journey: Journey([word(0), word(1), word(2)]),
            micros: i64::from_le_bytes(part(bytes, 16)),
            converts: bytes[40] == 1,
            rank: bytes[41],
            channel: word(3),
            milestone: bytes[42],
            value: 0,
        };
        (event, i128::from_le_bytes(part(bytes, 0)))
    }
}

/// Sort bucket after bucket and add up its journeys. Sums are whole numbers: which thread takes which bucket is all one.
fn add_up(collected: &[Collected], channels: &Merged, lookback: Option<Duration>, empty: &Tally) -> io::Result<Tally> {
    let next = AtomicUsize::new(0);
    let direct: Vec<bool> = channels.names.iter().map(|name| channels::is_direct(name)).collect();
    let work = || {
        let mut journeys = Journeys { tally: empty.clone(), lookback, direct: &direct, touches: Vec::new() };
        loop {
            let number = next.fetch_add(1, atomic::Ordering::Relaxed);
            if number >= BUCKETS {
                return Ok(journeys.tally);
            }
            let parts = collected.iter().map(|part| part.bucket(number)).collect::<io::Result<Vec<_>>>()?;
            journeys.add(&joined(parts, &channels.renumbered));
        }
    };
    let threads = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let same: Vec<Channel> = (0..).take(channels.names.len()).collect();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut tally = empty.clone();
        for worker in workers {
            let done: io::Result<Tally> = worker.join().expect("a worker has panicked");
            tally.merge(&done?, &same);
        }
        Ok(tally)
    })
}

/// One bucket out of what the threads have put into it, with the channels' final numbers, in order.
fn joined(parts: Vec<Bucket>, renumbered: &[Vec<Channel>]) -> Bucket {
    let mut joined = Bucket::default();
    for (part, renumbered) in parts.into_iter().zip(renumbered) {
        let offset = u32::try_from(joined.values.len()).unwrap_or(u32::MAX);
        joined.values.extend(part.values);
        joined.events.extend(part.events.into_iter().map(|event| Event {
            channel: renumbered.get(event.channel as usize).copied().unwrap_or(NO_CHANNEL),
            value: event.value.saturating_add(offset),
            ..event
        }));
    }
    let value = |event: &Event| if event.converts { joined.values[event.value as usize] } else { 0 };
    joined.events.sort_unstable_by(|one, other| {
        // Most are told apart by these.
        let first = |event: &Event| (event.journey, event.micros);
        let same = |event: &Event| Event { value: 0, ..*event };
        let rest = || same(one).cmp(&same(other)).then_with(|| value(one).cmp(&value(other)));
        first(one).cmp(&first(other)).then_with(rest)
    });
    joined
}

/// Cuts sorted events into journeys and counts them.
struct Journeys<'a> {
    tally: Tally,
    lookback: Option<Duration>,
    direct: &'a [bool],
    touches: Vec<Touch>,
}

impl Journeys<'_> {
    fn add(&mut self, bucket: &Bucket) {
        for events in bucket.events.chunk_by(|one, next| one.journey == next.journey && !one.converts) {
            let Some(last) = events.last() else { continue };
            let outcome = if last.converts {
                Outcome { conversions: ONE, value: bucket.values[last.value as usize], nulls: 0 }
            } else {
                Outcome { conversions: 0, value: 0, nulls: ONE }
            };
            let oldest = self.lookback.map_or(i64::MIN, |lookback| {
                last.micros.saturating_sub(i64::try_from(lookback.as_micros()).unwrap_or(i64::MAX))
            });
            let inside = events.iter().filter(|event| event.micros >= oldest && event.channel != NO_CHANNEL);
            self.touches.clear();
            self.touches.extend(inside.map(|event| Touch {
                rank: event.rank,
                direct: self.direct[event.channel as usize],
                milestones: Milestone::numbered(event.milestone).into_iter().collect::<Milestones>(),
                ..Touch::new(0, event.channel, event.micros.div_euclid(MICROS))
            }));
            self.tally.record(&self.touches, last.micros.div_euclid(MICROS), &outcome);
        }
    }
}

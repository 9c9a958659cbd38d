//! Channels' names and the small numbers they get.

use std::collections::{BTreeMap, HashMap};
use std::hash::{Hash, Hasher};

use attribution::{Channel, FastMap};

/// Where a name stands in the input: line, then place in the line.
pub type Place = (u64, usize);

/// The names one thread has met, numbered as they came.
#[derive(Default)]
pub struct Names {
    /// Names of up to sixteen bytes, each as two words, which compare faster than bytes.
    short: FastMap<Short, Channel>,
    long: FastMap<Box<[u8]>, Channel>,
    met: Vec<Met>,
}

struct Met {
    name: Box<[u8]>,
    first: Place,
    direct: bool,
}

impl Names {
    /// The number of a name. Blocks of input come to a thread in order, so the first place it sees is its earliest.
    pub fn number(&mut self, name: &[u8], place: Place) -> Channel {
        let short = Short::new(name);
        let known = match &short {
            Some(short) => self.short.get(short),
            None => self.long.get(name),
        };
        known.copied().unwrap_or_else(|| self.meet(name, short, place))
    }

    #[cold]
    fn meet(&mut self, name: &[u8], short: Option<Short>, first: Place) -> Channel {
        let number = Channel::try_from(self.met.len()).expect("fewer than 2^32 channels fit in memory");
        match short {
            Some(short) => self.short.insert(short, number),
            None => self.long.insert(name.into(), number),
        };
        self.met.push(Met { name: name.into(), first, direct: is_direct(name) });
        number
    }

    pub fn is_direct(&self, channel: Channel) -> bool {
        self.met[channel as usize].direct
    }
}

/// A name of up to sixteen bytes: its first and its last ones, which overlap in the middle, and its length.
#[derive(PartialEq, Eq)]
struct Short(u64, u64, u8);

/// All of it in one word, for one multiplication.
impl Hash for Short {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0 ^ self.1.rotate_left(27) ^ u64::from(self.2));
    }
}

impl Short {
    fn new(name: &[u8]) -> Option<Self> {
        let length = u8::try_from(name.len()).ok().filter(|length| *length <= 16)?;
        if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) {
            return Some(Self(u64::from_le_bytes(*first), u64::from_le_bytes(*last), length));
        }
        if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) {
            return Some(Self(u32::from_le_bytes(*first).into(), u32::from_le_bytes(*last).into(), length));
        }
        Some(Self(name.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0, length))
    }
}

/// The vendor's own touches are the channel `direct`, whatever the case.
pub fn is_direct(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"direct")
}

/// All names, numbered in alphabetical order, so that no number depends on the order of rows or on threads.
pub struct Merged {
    pub names: Vec<Vec<u8>>,
    /// The channels in order of first appearance.
    pub order: Vec<Channel>,
    /// For each thread, what its numbers have become.
    pub renumbered: Vec<Vec<Channel>>,
}

pub fn merge(all: &[&Names]) -> Merged {
    let mut first: BTreeMap<&[u8], Place> = BTreeMap::new();
    for names in all {
        for met in &names.met {
            first.entry(&met.name).and_modify(|earliest| *earliest = met.first.min(*earliest)).or_insert(met.first);
        }
    }
    let numbers: HashMap<&[u8], Channel> = first.keys().copied().zip(0..).collect();
    let mut order: Vec<(Place, Channel)> = first.values().copied().zip(0..).collect();
    order.sort_unstable();
    let renumbered = all.iter().map(|names| names.met.iter().map(|met| numbers[&*met.name]).collect());
    Merged {
        renumbered: renumbered.collect(),
        names: first.keys().map(|name| name.to_vec()).collect(),
        order: order.into_iter().map(|(_, channel)| channel).collect(),
    }
}

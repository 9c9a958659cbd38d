//! Channels' names and the small numbers they get.

use std::collections::{BTreeMap, HashMap};
use std::mem;

use attribution::{Channel, FastMap, PathStep};

/// Where a name stands in the input: line, then place in the line.
pub type Place = (u64, usize);

/// The names one thread has met, numbered as they came.
#[derive(Default)]
pub struct Names {
    short: ShortNames,
    long: FastMap<Box<[u8]>, PathStep>,
    met: Vec<Met>,
}

struct Met {
    name: Box<[u8]>,
    first: Place,
}

impl Names {
    /// The number of a name, and whether it is a direct touch. Blocks of input come to a thread in order, so the first
    /// place it sees is its earliest.
    #[inline]
    pub fn number(&mut self, name: &[u8], place: Place) -> PathStep {
        match Short::new(name).and_then(|short| self.short.get(&short)) {
            Some(known) => known,
            None => self.find(name, place),
        }
    }

    #[inline(never)]
    fn find(&mut self, name: &[u8], first: Place) -> PathStep {
        if let Some(known) = self.long.get(name) {
            return *known;
        }
        let channel = Channel::try_from(self.met.len()).expect("fewer than 2^32 channels fit in memory");
        let step = PathStep { channel, direct: is_direct(name) };
        match Short::new(name) {
            Some(short) => self.short.insert(short, step),
            None => {
                self.long.insert(name.into(), step);
            }
        }
        self.met.push(Met { name: name.into(), first });
        step
    }
}

/// Names of up to sixteen bytes, each as two words, which compare faster than bytes. A name's place follows from its
/// words; where that is taken it is the next that is free. Three places in four are.
#[derive(Default)]
struct ShortNames {
    places: Vec<Option<(Short, PathStep)>>,
    names: usize,
}

impl ShortNames {
    #[inline]
    fn get(&self, name: &Short) -> Option<PathStep> {
        let mut place = name.hash();
        loop {
            match self.places.get(place & self.places.len().wrapping_sub(1))? {
                Some((known, step)) if known == name => return Some(*step),
                Some(_) => place += 1,
                None => return None,
            }
        }
    }

    fn insert(&mut self, name: Short, step: PathStep) {
        if 4 * (self.names + 1) > self.places.len() {
            let all = mem::take(&mut self.places);
            self.places.resize((2 * all.len()).max(64), None);
            all.into_iter().flatten().for_each(|(name, step)| self.put(name, step));
        }
        self.put(name, step);
        self.names += 1;
    }

    fn put(&mut self, name: Short, step: PathStep) {
        let last = self.places.len() - 1;
        let mut place = name.hash() & last;
        while self.places[place].is_some() {
            place = (place + 1) & last;
        }
        self.places[place] = Some((name, step));
    }
}

/// A name of up to sixteen bytes: its first and its last ones, which overlap in the middle, and its length.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Short(u64, u64, u8);

impl Short {
    #[inline]
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

    /// All of it in one word, by one multiplication; the golden ratio spreads the bits well.
    fn hash(self) -> usize {
        let word = self.0 ^ self.1.rotate_left(27) ^ u64::from(self.2);
        (word.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as usize
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

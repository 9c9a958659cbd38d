//! Channels' names and the small numbers they get.

use std::collections::{BTreeMap, HashMap};

use attribution::{Channel, FastMap};

/// Where a name stands in the input: line, then place in the line.
pub type Place = (u64, usize);

/// The names one thread has met, numbered as they came.
#[derive(Default)]
pub struct Names {
    numbers: FastMap<Box<[u8]>, Channel>,
    first: Vec<Place>,
    direct: Vec<bool>,
}

impl Names {
    /// The number of a name. Blocks of input come to a thread in order, so the first place it sees is its earliest.
    pub fn number(&mut self, name: &[u8], place: Place) -> Channel {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = Channel::try_from(self.first.len()).expect("fewer than 2^32 channels fit in memory");
        self.numbers.insert(name.into(), number);
        self.first.push(place);
        self.direct.push(is_direct(name));
        number
    }

    pub fn is_direct(&self, channel: Channel) -> bool {
        self.direct[channel as usize]
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
        for (name, number) in &names.numbers {
            let place = names.first[*number as usize];
            first.entry(name).and_modify(|earliest| *earliest = place.min(*earliest)).or_insert(place);
        }
    }
    let numbers: HashMap<&[u8], Channel> = first.keys().copied().zip(0..).collect();
    let mut order: Vec<(Place, Channel)> = first.values().copied().zip(0..).collect();
    order.sort_unstable();
    let renumbered = all.iter().map(|names| {
        let mut renumbered = vec![0; names.first.len()];
        for (name, number) in &names.numbers {
            renumbered[*number as usize] = numbers[&**name];
        }
        renumbered
    });
    Merged {
        renumbered: renumbered.collect(),
        names: first.keys().map(|name| name.to_vec()).collect(),
        order: order.into_iter().map(|(_, channel)| channel).collect(),
    }
}

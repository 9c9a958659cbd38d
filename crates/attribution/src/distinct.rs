//! What a journey's set of channels is: the same channel met twice counts once.

use crate::journey::Channel;
use crate::tally::{Sums, add, exact_part};

/// The channels of one journey, each once.
#[derive(Debug, Clone, Default)]
pub struct Distinct {
    channels: Vec<Channel>,
    /// By channel: the number of the last journey that met it.
    met_in: Vec<u64>,
    journey: u64,
}

impl Distinct {
    /// Look at the next journey, whose channels are below `channels`.
    pub fn look(&mut self, path: impl Iterator<Item = Channel>, channels: usize) {
        if self.met_in.len() < channels {
            self.met_in.resize(channels, 0);
        }
        self.journey += 1;
        self.channels.clear();
        for channel in path {
            let met_in = &mut self.met_in[channel as usize];
            if *met_in != self.journey {
                *met_in = self.journey;
                self.channels.push(channel);
            }
        }
    }

    /// In the order in which they were met.
    pub fn channels(&self) -> &[Channel] {
        &self.channels
    }
}

/// Give each of these distinct channels an equal part.
pub fn divide_alike(path: &[Channel], amounts: Sums, sums: &mut [Sums]) {
    let parts = amounts.map(|amount| exact_part(amount, 1, path.len() as u128));
    for channel in path {
        add(&mut sums[*channel as usize], parts);
    }
}

/// Journeys added up by the number of their channels, for the Shapley value: it gives every channel of a journey an
/// equal part, and dividing is linear, so that those of one number are divided once at the end. Those of very many
/// channels are divided one by one, so that the sums stay few.
#[derive(Debug, Clone, Default)]
pub struct Games(Vec<Vec<Sums>>);

impl Games {
    /// Count in a journey on these channels, which are distinct and below `channels`.
    pub fn add(&mut self, path: &[Channel], channels: usize, amounts: Sums) {
        let by_channel = self.by_channel(path.len(), channels);
        for channel in path {
            add(&mut by_channel[*channel as usize], amounts);
        }
    }

    fn by_channel(&mut self, of: usize, channels: usize) -> &mut [Sums] {
        if self.0.len() <= of {
            self.0.resize_with(of + 1, Vec::new);
        }
        let by_channel = &mut self.0[of];
        if by_channel.len() < channels {
            by_channel.resize(channels, [0; 2]);
        }
        by_channel
    }

    /// Add another's sums, whose channel `c` is this one's `renumber[c]`.
    pub fn merge(&mut self, other: &Self, renumber: &[Channel]) {
        let channels = renumber.iter().max().map_or(0, |largest| *largest as usize + 1);
        for (of, theirs) in other.0.iter().enumerate().filter(|(_, theirs)| !theirs.is_empty()) {
            let ours = self.by_channel(of, channels);
            for (theirs, channel) in theirs.iter().zip(renumber) {
                add(&mut ours[*channel as usize], *theirs);
            }
        }
    }

    /// Add each channel's parts to its sums.
    pub fn divide(&self, sums: &mut [Sums]) {
        for (of, by_channel) in self.0.iter().enumerate().skip(1) {
            for (sums, amounts) in sums.iter_mut().zip(by_channel) {
                for (sum, amount) in sums.iter_mut().zip(amounts) {
                    *sum += exact_part(*amount, 1, of as u128);
                }
            }
        }
    }
}

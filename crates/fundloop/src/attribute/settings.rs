//! What was asked for, made sense of before anything is read.

use std::collections::BTreeMap;

use attribution::{Milestone, Model};

use super::{AttributeArgs, Format, Measure};

/// A model, under the name it was asked for by.
pub struct Asked {
    pub name: String,
    pub measure: Measure,
}

pub struct Settings {
    pub asked: Vec<Asked>,
    /// Milestones of the weights file that the kernel has no name for, in lower case.
    pub own_milestones: BTreeMap<String, Milestone>,
}

impl Settings {
    pub fn new(args: &AttributeArgs) -> Result<Self, String> {
        let weights = Weights::read(args)?;
        let asked: Vec<Asked> = args.model.iter().map(|name| ask(name, args, &weights)).collect::<Result<_, _>>()?;
        if args.format == Format::Paths {
            if let Some(timed) = asked.iter().find(|asked| needs_times(&asked.measure)) {
                return Err(format!(
                    "{} needs to know when each touch was, and paths do not say; use --format events",
                    timed.name
                ));
            }
            if args.lookback.is_some() {
                return Err("--lookback needs to know when each touch was, and paths do not say; use --format events"
                    .to_owned());
            }
        }
        Ok(Self { asked, own_milestones: weights.own })
    }

    pub fn measures(&self) -> Vec<Measure> {
        self.asked.iter().map(|asked| asked.measure.clone()).collect()
    }

    /// Say which models give the weight of unknown milestones to others, when the input names no stages.
    pub fn warn_without_stages(&self) {
        let unknown = |asked: &&Asked| match &asked.measure {
            Measure::Rule(model) => model.milestones().is_some_and(|weights| {
                weights
                    .milestones()
                    .any(|milestone| milestone != Milestone::FIRST_TOUCH && milestone != Milestone::CLOSE)
            }),
            _ => false,
        };
        for asked in self.asked.iter().filter(unknown) {
            eprintln!(
                "note: no touch has a stage, so {} gives the weight of milestones in between to the others; \
                 name them in the stage column of --format events",
                asked.name
            );
        }
    }
}

fn needs_times(measure: &Measure) -> bool {
    matches!(measure, Measure::Rule(model) if model.needs_times())
}

fn ask(text: &str, args: &AttributeArgs, weights: &Weights) -> Result<Asked, String> {
    let name = text.trim().to_lowercase();
    let measure = match (name.as_str(), &weights.custom_position, &weights.milestones) {
        ("time-decay", ..) => Ok(Measure::Rule(Model::TimeDecay { half_life: args.half_life })),
        ("markov", ..) => Ok(Measure::Markov { order: usize::from(args.order) }),
        ("custom-position", Some(settings), _) | ("milestones", _, Some(settings)) => {
            format!("{name}:{settings}").parse()
        }
        ("custom-position" | "milestones", ..) => {
            return Err(format!("the model {name} needs weights: name a TOML file with a table [{name}] by --weights"));
        }
        _ => name.parse(),
    };
    Ok(Asked { measure: measure.map_err(|error: attribution::ModelError| error.to_string())?, name })
}

/// The weights file, as settings the models' names take.
#[derive(Default)]
struct Weights {
    custom_position: Option<String>,
    milestones: Option<String>,
    own: BTreeMap<String, Milestone>,
}

impl Weights {
    fn read(args: &AttributeArgs) -> Result<Self, String> {
        let Some(path) = &args.weights else {
            return Ok(Self::default());
        };
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Self::parse(&text).map_err(|error| format!("{}: {error}", path.display()))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut weights = Self::default();
        for (name, table) in text.parse::<toml::Table>().map_err(|error| error.to_string())? {
            let toml::Value::Table(table) = table else {
                return Err(format!("{name} is no table; write [custom-position] or [milestones]"));
            };
            match name.as_str() {
                "custom-position" => weights.custom_position = Some(position(&table)?),
                "milestones" => weights.milestones = Some(milestones(&table, &mut weights.own)?),
                _ => return Err(format!("there is no table [{name}]; write [custom-position] or [milestones]")),
            }
        }
        Ok(weights)
    }
}

fn position(table: &toml::Table) -> Result<String, String> {
    if let Some(unknown) = table.keys().find(|key| !["first", "middle", "last"].contains(&key.as_str())) {
        return Err(format!("custom-position has no \"{unknown}\"; write first, middle and last"));
    }
    let part = |key: &str| number(key, table.get(key));
    Ok(format!("{}/{}/{}", part("first")?, part("middle")?, part("last")?))
}

fn milestones(table: &toml::Table, own: &mut BTreeMap<String, Milestone>) -> Result<String, String> {
    let known = |key: &str| key.eq_ignore_ascii_case("others") || Milestone::named(key).is_some();
    for key in table.keys().filter(|key| !known(key)) {
        let number = Milestone::FIRST_OWN + u8::try_from(own.len()).unwrap_or(Milestone::MAX);
        let milestone =
            Milestone::numbered(number).ok_or("there are too many milestones; 25 of your own is the most")?;
        own.insert(key.trim().to_lowercase(), milestone);
    }
    let pair = |(key, weight): (&String, &toml::Value)| {
        let name = own.get(&key.trim().to_lowercase()).map_or_else(|| key.clone(), ToString::to_string);
        Ok(format!("{name}={}", number(key, Some(weight))?))
    };
    Ok(table.iter().map(pair).collect::<Result<Vec<String>, String>>()?.join("/"))
}

/// A weight as it is written; what it may be is the model's to say.
fn number(key: &str, value: Option<&toml::Value>) -> Result<String, String> {
    match value {
        Some(toml::Value::Integer(whole)) => Ok(whole.to_string()),
        Some(toml::Value::Float(float)) => Ok(float.to_string()),
        Some(toml::Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(format!("\"{key}\" is no number; write {key} = 40")),
        None => Err(format!("\"{key}\" is missing; write {key} = 40")),
    }
}

#[cfg(test)]
mod tests {
    use super::Weights;

    #[test]
    fn a_weights_file_becomes_settings() {
        let text = "[custom-position]\nfirst = 22.5\nmiddle = 55\nlast = \"22.5\"\n\n\
                    [milestones]\n\"First touch\" = 30\nworkshop = 40.5\nothers = 29.5\n";
        let weights = Weights::parse(text).unwrap();
        assert_eq!(weights.custom_position.as_deref(), Some("22.5/55/22.5"));
        assert_eq!(weights.milestones.as_deref(), Some("First touch=30/others=29.5/milestone 7=40.5"));
        assert!(weights.own.contains_key("workshop"));
        for wrong in ["first = 1", "[positions]\n", "[custom-position]\nfirst = 1", "[custom-position]\nends = 1"] {
            assert!(Weights::parse(wrong).is_err(), "{wrong}");
        }
    }
}

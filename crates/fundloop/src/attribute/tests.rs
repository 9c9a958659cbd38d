//! The command as a person runs it: a file in, a file out.

use clap::Parser;

use super::settings::Settings;
use super::{AttributeArgs, count, write};

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    args: AttributeArgs,
}

/// Run with the arguments on the input; the output, or what the person is told.
fn run(arguments: &str, input: &str) -> Result<String, String> {
    let words = ["attribute", "--input", "-"].into_iter().chain(arguments.split_whitespace());
    let args = Cli::try_parse_from(words).map_err(|error| error.to_string())?.args;
    let settings = Settings::new(&args)?;
    let counted = count(&args, &settings, input.as_bytes()).map_err(|error| format!("{error:#}"))?;
    let mut output = Vec::new();
    write(&mut output, &settings.asked, counted, u32::from(args.precision)).map_err(|error| error.to_string())?;
    Ok(String::from_utf8(output).unwrap())
}

fn check(arguments: &str, input: &str, expected: &str) {
    let expected: Vec<&str> = expected.lines().map(str::trim).collect();
    let header = "model,channel,conversions,value\n";
    assert_eq!(run(arguments, input).as_deref(), Ok(&*format!("{header}{}\n", expected.join("\n"))), "{arguments}");
}

const PATHS: &str = "\u{feff}Path,extra,Conversions,VALUE,nulls\r\n\
    webinar > mail > webinar,x,1,100.00,3\r\n\
    \"fair, Ulm > mail\",x,2,50,\r\n\
    ,x,1,7,4\r\n\
    direct,x,0,0,9\r\n";

#[test]
fn paths_by_rule() {
    check(
        "--model first,linear --precision 3",
        PATHS,
        "first,webinar,1.000,100.000
         first,mail,0.000,0.000
         first,\"fair, Ulm\",2.000,50.000
         first,direct,0.000,0.000
         first,(unattributed),1.000,7.000
         linear,webinar,0.667,66.667
         linear,mail,1.333,58.333
         linear,\"fair, Ulm\",1.000,25.000
         linear,direct,0.000,0.000
         linear,(unattributed),1.000,7.000",
    );
}

#[test]
fn paths_by_data() {
    check(
        "--model Markov,shapley,participation",
        "path,conversions\nA > B,1\nC,2\n",
        "markov,A,0.750000,0.000000
         markov,B,0.750000,0.000000
         markov,C,1.500000,0.000000
         shapley,A,0.500000,0.000000
         shapley,B,0.500000,0.000000
         shapley,C,2.000000,0.000000
         participation,A,1.000000,0.000000
         participation,B,1.000000,0.000000
         participation,C,2.000000,0.000000",
    );
}

#[test]
fn a_column_adds_up_even_when_nothing_divides_evenly() {
    check(
        "--model linear --precision 2",
        "path,conversions,value\nA > B > C,1,0.01\n",
        "linear,A,0.34,0.01
         linear,B,0.33,0.00
         linear,C,0.33,0.00",
    );
    check(
        "--model u-shaped --precision 2",
        "path,conversions,value\nA > B > C,-1,-10.01\n",
        "u-shaped,A,-0.40,-4.01
         u-shaped,B,-0.20,-2.00
         u-shaped,C,-0.40,-4.00",
    );
}

const EVENTS: &str = "journey_id,timestamp,channel,stage,conversion,value\n\
    ada,2026-03-10T00:00:00Z,mail,lead creation,,\n\
    bob,1772323200,fair,,,\n\
    ada,2026-03-01T01:00:00+01:00,webinar,,0,\n\
    ada,2026-03-20T00:00:00Z,direct,,1,1000\n\
    ada,2026-03-21T00:00:00Z,mail,,,\n\
    cem,2026-03-21T00:00:00Z,,,1,5\n";

#[test]
fn events_become_journeys_whatever_the_order_of_rows() {
    let expected = "last-non-direct,mail,1.0000,1000.0000
        last-non-direct,fair,0.0000,0.0000
        last-non-direct,webinar,0.0000,0.0000
        last-non-direct,direct,0.0000,0.0000
        last-non-direct,(unattributed),1.0000,5.0000
        u-marketo,mail,0.5000,500.0000
        u-marketo,fair,0.0000,0.0000
        u-marketo,webinar,0.5000,500.0000
        u-marketo,direct,0.0000,0.0000
        u-marketo,(unattributed),1.0000,5.0000";
    check("--format events --model last-non-direct,u-marketo --precision 4", EVENTS, expected);
    let mut rows: Vec<&str> = EVENTS.lines().skip(1).collect();
    rows.rotate_left(2);
    let turned = format!("{}\n{}", EVENTS.lines().next().unwrap(), rows.join("\n"));
    let sorted = |input: &str| {
        let output = run("--format events --model markov,time-decay,w-shaped,participation --order 2", input).unwrap();
        let mut lines: Vec<String> = output.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(EVENTS), sorted(&turned), "only the order of channels may differ");
}

#[test]
fn a_window_leaves_out_what_is_older() {
    check(
        "--format events --model first --lookback 10d --precision 0",
        EVENTS,
        "first,mail,1,1000
         first,fair,0,0
         first,webinar,0,0
         first,direct,0,0
         first,(unattributed),1,5",
    );
}

#[test]
fn the_published_example() {
    let events = "journey_id,timestamp,channel,conversion,value\n\
        d,0,A,0,\nd,259200,B,0,\nd,777600,C,0,\nd,777600,D,1,50\n";
    check(
        "--format events --model time-decay,j-shaped --precision 2",
        events,
        "time-decay,A,0.14,6.92
         time-decay,B,0.18,9.32
         time-decay,C,0.34,16.88
         time-decay,D,0.34,16.88
         j-shaped,A,0.20,10.00
         j-shaped,B,0.10,5.00
         j-shaped,C,0.10,5.00
         j-shaped,D,0.60,30.00",
    );
}

#[test]
fn a_problem_names_its_line() {
    let cases = [
        ("--model linear", "", "there is no header"),
        ("--model linear", "way,conversions\n", "there is no column \"path\"; the header has way, conversions"),
        (
            "--model linear",
            "path,conversions\nA,1\nB,\"1,000\"\n",
            "line 3: conversions \"1,000\" is not a number like 12.5, below 10^15",
        ),
        (
            "--model linear",
            "path,conversions\n\"A\n\",1\nB,x\nC,y",
            "line 4: conversions \"x\" is not a number like 12.5, below 10^15",
        ),
        ("--model linear", "path,conversions\n\"A\",1\n\"B > C,2\nD,3\n", "line 3: a quote is opened and never closed"),
        ("--model linear", "path,conversions,nulls\n\"A\nB\",1,\"", "line 3: a quote is opened and never closed"),
        ("--format events --model linear", "journey_id,timestamp,channel\n,1,A\n", "line 2: journey_id is empty"),
        (
            "--format events --model linear",
            "journey_id,timestamp,channel\na,2026-03-02 9:30,A\n",
            "line 2: timestamp \"2026-03-02 9:30\" is not a time; write RFC 3339 with an offset, like 2026-03-02T09:30:00Z, or epoch seconds",
        ),
        (
            "--format events --model linear",
            "journey_id,timestamp,channel,conversion\na,1,A,2\n",
            "line 2: conversion \"2\" is not 0 or 1",
        ),
    ];
    for (arguments, input, words) in cases {
        assert_eq!(run(arguments, input), Err(words.to_owned()));
    }
    let refused = [
        "--model nonsense",
        "--model markov --order 5",
        "--model time-decay",
        "--model linear --lookback 7d",
        "--model milestones",
        "--model linear --precision 13",
        "--model time-decay --format events --half-life 7",
        "",
    ];
    for arguments in refused {
        assert!(run(arguments, PATHS).is_err(), "{arguments}");
    }
}

#[test]
fn quotes_mean_what_they_mean_to_everybody() {
    let rows = [
        "\"fair, Ulm > the \"\"late\"\" show\",1",
        "5\" banner,1",
        "\"mail\"ing,1",
        " \"odd\",1",
        "\"two\nlines\" ,\"1\"",
        "\"\",1",
    ];
    let input = format!("path,conversions\n{}", rows.join("\r\n"));
    let output = run("--model linear --precision 1", &input).unwrap();
    let names: Vec<&str> = output.lines().skip(1).map(|line| &line["linear,".len()..]).collect();
    let expected = [
        "\"fair, Ulm\",0.5,0.0",
        "\"the \"\"late\"\" show\",0.5,0.0",
        "\"5\"\" banner\",1.0,0.0",
        "mailing,1.0,0.0",
        "\"\"\"odd\"\"\",1.0,0.0",
        "\"two",
    ];
    assert_eq!(names[..6], expected);
    assert!(output.ends_with("lines\",1.0,0.0\nlinear,(unattributed),1.0,0.0\n"), "{output}");

    // A file of many blocks, in which one row has a quote that opens nothing.
    let many = format!("{input}\n{}", "7\" record > mail,1\n".repeat(2_000));
    let output = run("--model last --precision 0", &many).unwrap();
    assert!(output.contains("last,mail,2000,0\n"), "{output}");
}

#[test]
fn a_long_file_is_read_as_a_short_one() {
    let mut input = String::from("path,conversions,value,nulls\n");
    for row in 0..5_000_u32 {
        let quote = if row % 500 == 0 { "\"" } else { "" };
        let path = format!("{quote}c{} > c{} > c{}{quote}", row % 7, row % 11, row % 3);
        input.extend([path, format!(",{},{row}.25,1\n", row % 2)]);
    }
    let output = run("--model linear,shapley,markov,participation,first", &input).unwrap();
    for model in ["linear", "shapley", "markov", "first"] {
        let value = |line: &str| line.rsplit(',').next().unwrap().replace('.', "").parse::<i64>().unwrap();
        let sum: i64 = output.lines().filter(|line| line.split(',').next() == Some(model)).map(value).sum();
        assert_eq!(sum, (0..5_000_i64).map(|row| row * 1_000_000 + 250_000).sum::<i64>(), "{model}");
    }
    let channels: Vec<&str> = output.lines().skip(1).map(|line| line.split(',').nth(1).unwrap()).take(4).collect();
    assert_eq!(channels, ["c0", "c1", "c2", "c3"]);
}

#[test]
fn large_amounts_add_up_to_the_last_of_twelve_decimals() {
    let mut input = String::from("journey_id,timestamp,channel,conversion,value\n");
    for journey in 0..30_u32 {
        for touch in 0..=journey % 5 {
            let converts = touch == journey % 5;
            let value = if converts { "123456789012.34" } else { "" };
            let (second, channel) = (touch * 40_000 + journey, (journey * touch + journey) % 7);
            input.extend([format!("j{journey},{second},c{channel},{},{value}\n", u8::from(converts))]);
        }
    }
    let models = ["linear", "time-decay", "u-hubspot", "shapley", "markov"];
    let output = run(&format!("--format events --precision 12 --model {}", models.join(",")), &input).unwrap();
    for model in models {
        let value = |line: &str| line.rsplit(',').next().unwrap().replace('.', "").parse::<i128>().unwrap();
        let sum: i128 = output.lines().filter(|line| line.split(',').next() == Some(model)).map(value).sum();
        assert_eq!(sum, 30 * 123_456_789_012_340_000_000_000, "{model}");
    }
}

#[test]
fn many_events_in_any_order_give_the_same_totals() {
    let event = |row: u64| {
        let row = row * 7_919 % 3_001;
        let (second, converts) = (row * 37, row.is_multiple_of(5));
        let value = if converts { format!("{row}.5") } else { String::new() };
        let stage = ["", "lead creation", "demo", "3"][row as usize % 4];
        format!("j{},{second},c{},{stage},{},{value}\n", row % 200, row % 13, u8::from(converts))
    };
    let header = "journey_id,timestamp,channel,stage,conversion,value\n".to_owned();
    let forwards = header.clone() + &(0..3_000).map(event).collect::<String>();
    let backwards = header + &(0..3_000).rev().map(event).collect::<String>();
    let arguments = "--format events --lookback 20h --model linear,u-hubspot,time-decay,shapley,markov,participation";
    let sorted = |input: &str| {
        let output = run(arguments, input).unwrap();
        let mut lines: Vec<String> = output.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&forwards), sorted(&backwards));
    let linear = sorted(&forwards).into_iter().filter(|line| line.starts_with("linear,"));
    let cents = |line: String| line.rsplit(',').next().unwrap().replace('.', "").parse::<u64>().unwrap();
    let rows = (0..3_000_u64).map(|row| row * 7_919 % 3_001).filter(|row| row.is_multiple_of(5));
    assert_eq!(linear.map(cents).sum::<u64>(), rows.map(|row| row * 1_000_000 + 500_000).sum::<u64>());
}

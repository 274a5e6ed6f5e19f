//! Times cases and prints one JSON line for each: made for taking turns with another engine's runner.

use benches::{Case, all, instructions, measure, networks};
use clap::Parser;
use net::Precision;
use serde_json::{Value, json};
use std::io::{self, BufRead, Write};
use std::path::PathBuf;
use std::process::ExitCode;

#[global_allocator]
static MEMORY: base::memory::Keep = base::memory::Keep::new();

/// Times the cases that training consists of; one JSON line each, after a line about this engine
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Only cases whose name holds this text; several: any of them
    #[arg(long)]
    filter: Vec<String>,
    /// Seconds of repetitions for each case, after a quarter of that for warming up
    #[arg(long, default_value_t = 0.5)]
    seconds: f64,
    /// Print the names of the cases and end
    #[arg(long)]
    list: bool,
    /// Time the cases that are named on standard input, one a line, each as soon as it is read
    #[arg(long, conflicts_with_all = ["filter", "list"])]
    stdin: bool,
    /// Convolutions of numbers rounded to bf16
    #[arg(long)]
    bf16: bool,
    /// Cases `network/` too, of the ONNX models of this folder
    #[arg(long)]
    networks: Option<PathBuf>,
    /// Threads (default: one a core)
    #[arg(long)]
    threads: Option<usize>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        // Who reads the lines may stop when they have enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            drop(writeln!(io::stderr(), "error: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> io::Result<()> {
    // This thread is one of the pool, as in the program.
    let pool = rayon::ThreadPoolBuilder::new().use_current_thread().num_threads(arguments.threads.unwrap_or(0));
    pool.build_global().map_err(io::Error::other)?;
    let precision = if arguments.bf16 { Precision::Bf16 } else { Precision::F32 };
    let mut cases = all(precision);
    if let Some(folder) = &arguments.networks {
        cases.extend(networks::cases(folder).map_err(io::Error::other)?);
    }
    let chosen =
        |case: &&Case| arguments.filter.is_empty() || arguments.filter.iter().any(|f| case.name.contains(f.as_str()));
    if arguments.list {
        return cases.iter().filter(chosen).try_for_each(|case| writeln!(io::stdout(), "{}", case.name));
    }
    say(&json!({
        "engine": concat!("ganatomy ", env!("CARGO_PKG_VERSION")),
        "threads": rayon::current_num_threads(),
        "instructions": instructions(),
        "precision": if arguments.bf16 { "bf16" } else { "f32" },
    }))?;
    if !arguments.stdin {
        return cases.iter().filter(chosen).try_for_each(|case| say(&timed(case, arguments.seconds)));
    }
    for name in io::stdin().lock().lines() {
        let name = name?;
        say(&match cases.iter().find(|case| case.name == name.trim()) {
            Some(case) => timed(case, arguments.seconds),
            None => json!({"case": name, "error": "there is no such case"}),
        })?;
    }
    Ok(())
}

fn timed(case: &Case, seconds: f64) -> Value {
    match case.prepare().and_then(|mut step| measure(&mut step, seconds)) {
        Ok(measured) => json!({
            "case": case.name,
            "seconds": measured.seconds,
            "repeats": measured.repeats,
            "macs": case.cost.macs,
            "bytes": case.cost.bytes,
        }),
        Err(error) => json!({"case": case.name, "error": error.to_string()}),
    }
}

/// One line, at once.
fn say(line: &Value) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

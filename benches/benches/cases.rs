//! `cargo bench -p ganatomy-benches`: every case under criterion, in multiply-adds (or bytes) per second.

use benches::{Case, Step, all};
use criterion::{Criterion, SamplingMode, Throughput};
use std::time::Duration;

#[global_allocator]
static MEMORY: base::memory::Keep = base::memory::Keep::new();

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .without_plots()
        .configure_from_args();
    for case in all(net::Precision::F32) {
        bench(&mut criterion, &case);
    }
    criterion.final_summary();
}

#[expect(clippy::expect_used, reason = "a case that fails is a bug, and a bench has nobody to report it to")]
fn bench(criterion: &mut Criterion, case: &Case) {
    let (group, rest) = case.name.split_once('/').unwrap_or((&case.name, "all"));
    let mut group = criterion.benchmark_group(group);
    group.sampling_mode(SamplingMode::Flat);
    group.throughput(if case.cost.macs > 0 {
        Throughput::Elements(case.cost.macs)
    } else {
        Throughput::Bytes(case.cost.bytes)
    });
    // Made when it is first run: cases that a filter leaves out cost nothing.
    let mut step: Option<Step> = None;
    group.bench_function(rest, |bencher| {
        let step = step.get_or_insert_with(|| case.prepare().expect("the inputs of a case"));
        bencher.iter(|| step().expect("a repetition of a case"));
    });
    group.finish();
}

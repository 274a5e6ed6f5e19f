//! What a plan says of memory, beside what a run takes. The allocator of programs counts it.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, as tests do")]

use base::memory::Keep;
use ganatomy_net::zoo::{self, DcganGenerator, GeneratorStart, Norm, Unet};
use ganatomy_net::{Device, Graph, Network, Primitive, Tensor, Trainee, Unary};

#[global_allocator]
static MEMORY: Keep = Keep::new();

/// Bytes that are planned for some work, and those that it took at most, in threads of its own, which keep nothing from earlier work.
fn compared<T>(planned: impl FnOnce() -> u64 + Send, work: impl FnOnce() -> T + Send) -> [u64; 2] {
    let before = MEMORY.in_use();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let found = pool.install(|| {
        let planned = planned();
        MEMORY.forget_peak();
        drop(work());
        [planned, MEMORY.peak().saturating_sub(before) as u64]
    });
    drop(pool);
    // Threads give back what they keep when they end, some time later.
    while MEMORY.in_use() > before + (64 << 20) {
        std::thread::yield_now();
    }
    std::thread::sleep(std::time::Duration::from_millis(100));
    found
}

/// A plan may be too careful, but not by much; and it does not say much less than is taken.
#[expect(clippy::print_stdout, reason = "figures for docs/reliability.md")]
fn assert_near(what: &str, [planned, taken]: [u64; 2]) {
    println!("{what}: planned {} MB, taken {} MB", planned / 1_000_000, taken / 1_000_000);
    assert!(taken > 20 << 20, "{what}: {taken} bytes are too few to be compared");
    assert!(planned >= taken / 10 * 9, "{what}: planned {planned}, taken {taken}");
    assert!(planned <= taken * 2, "{what}: planned {planned}, taken {taken}");
}

fn input(network: &Network, batch: usize) -> Tensor {
    let shape = [&[batch], network.input_shape().as_slice()].concat();
    let length = shape.iter().product();
    Tensor::new(&shape, (0..length).map(|i| (i % 17) as f32 / 17.0 - 0.5).collect(), &Device::cpu())
}

fn networks() -> Vec<(&'static str, Graph, usize)> {
    let (width, norm, start) = (16, Norm::Batch, GeneratorStart::Linear);
    let dcgan = DcganGenerator { size: [64; 2], channels: 3, latent: 32, width, norm, start, extra: true };
    vec![
        ("dcgan", zoo::dcgan_generator(dcgan), 64),
        ("progan", zoo::progan_generator([64; 2], 3, 32, 16), 64),
        ("residual", zoo::residual_discriminator([64; 2], 3, 16, Norm::Spectral), 64),
        ("unet", zoo::unet(Unet { shape: [3, 64, 64], classes: 12, width: 16, levels: 3 }), 64),
    ]
}

/// One test: the allocator counts for the whole process.
#[test]
fn runs_take_what_their_plans_say() {
    for (name, graph, batch) in networks() {
        let network = Network::initial(graph, 1, "weights", &Device::cpu());
        let x = input(&network, batch);

        let ready = network.inference().unwrap();
        let node = ready.input().unwrap();
        let found = compared(
            || ready.memory(batch, &[node], &[&[ready.output()]]).unwrap(),
            || ready.start(&[(node, &x)]).unwrap().fetch(&[ready.output()]).unwrap(),
        );
        assert_near(&format!("{name}, inference"), found);

        let trainee = Trainee::new(&network.graph).unwrap();
        let train = || {
            let mut run = trainee.start(&network.params, &x).unwrap();
            let updates: Vec<_> = trainee.updates().iter().map(|(_, node)| *node).collect();
            let forward = [&[trainee.output], updates.as_slice()].concat();
            let values = run.fetch_before(&forward, &trainee.by_params.nodes()).unwrap();
            let ones = values[0].full_like(values[0].shape(), 1.0);
            run.feed(trainee.by_params.cotangent, &ones).unwrap();
            (values, run.fetch_some(&trainee.by_params.gradients).unwrap())
        };
        assert_near(&format!("{name}, training"), compared(|| trainee.memory(batch).unwrap(), train));
        let planned = trainee.memory(batch).unwrap();
        assert!(trainee.memory(2 * batch).unwrap() > planned, "{name}");
    }
    // More than any machine has: nothing of it is taken.
    let mut graph = Graph::default();
    let z = graph.push("z", ganatomy_net::Op::input(&[1, 64, 64]), &[]);
    let up = graph.push("up", ganatomy_net::Op::UpsampleNearest { factor: 4096 }, &[z]);
    graph.push("x", Unary::Tanh, &[up]);
    let network = Network::initial(graph, 1, "weights", &Device::cpu());
    if cfg!(target_os = "linux") {
        let x = input(&network, 1);
        MEMORY.forget_peak();
        let before = MEMORY.peak();
        let said = network.forward(&x, &[]).unwrap_err().to_string();
        let taken = MEMORY.peak() - before;
        assert!(said.starts_with("the network for a batch of 1 needs about ") && taken < 20 << 20, "{said} {taken}");
    }
    // The same numbers in another shape are no more of them.
    let mut graph = Graph::default();
    let z = graph.push("z", ganatomy_net::Op::input(&[1, 512, 512]), &[]);
    let one = graph.push("one", Unary::Tanh, &[z]);
    let flat = graph.push("flat", ganatomy_net::Op::Reshape { shape: vec![512 * 512] }, &[one]);
    graph.push("x", Primitive::StopGradient, &[flat]);
    let ready = Network::initial(graph, 1, "weights", &Device::cpu()).inference().unwrap();
    assert_eq!(ready.memory(8, &[ready.input().unwrap()], &[&[ready.output()]]).unwrap(), 8 * 512 * 512 * 4);
}

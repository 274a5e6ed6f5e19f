use super::*;
use crate::program::plan::Question;
use crate::zoo::{self, DcganGenerator, GeneratorStart, Norm};
use crate::{Edit, Mode, Network};

fn generator() -> Network {
    let graph = zoo::dcgan_generator(DcganGenerator {
        size: [16; 2],
        channels: 3,
        latent: 4,
        width: 4,
        norm: Norm::Batch,
        start: GeneratorStart::Deconvolution,
        extra: true,
    });
    Network::initial(graph, 3, "weights", &Device::cpu())
}

/// The output and all gradients of a training pass of a generator.
fn trained(network: &Network) -> (Program, NodeId, Vec<NodeId>) {
    let mut program = Program::new(&network.graph, Mode::Training).unwrap();
    let weights = program.params().to_vec();
    let derivative = program.differentiate(program.output(), &weights).unwrap();
    let wanted = std::iter::once(program.output()).chain(derivative.nodes()).collect();
    (program, derivative.cotangent, wanted)
}

#[test]
fn results_do_not_depend_on_what_is_put_off() {
    let network = generator();
    let (program, cotangent, wanted) = trained(&network);
    let z = network.latents(&[1, 2, 3], &Device::cpu());
    let mut run = program.start(&network.params, &[(program.input().unwrap(), &z)]).unwrap();
    let shape = run.shape(program.output()).to_vec();
    let g = (0..3 * 768).map(|i| (i % 7) as f32 - 3.0).collect();
    run.feed(cotangent, &Tensor::new(&shape, g, &Device::cpu())).unwrap();

    let mut known = vec![false; program.nodes.len()];
    program.params().iter().chain([&cotangent]).for_each(|&id| known[id] = true);
    let question = |wanted: &[NodeId]| {
        let (known, wanted) = (known.clone(), wanted.to_vec());
        program.plan(Question { known, wanted, later: Vec::new(), edited: Vec::new(), ready: false })
    };
    let all = program.ancestors(&known, &wanted);
    let (few, many) = (question(&wanted).works.len(), question(&all).works.len());
    assert_eq!(many, all.len(), "whoever asks for every node gets them all, and then nothing can be put off");
    assert!(few + 10 < many, "{few} of {many}");
    let plan = question(&wanted);
    let dots = plan.works.iter().filter(|work| matches!(work.way, Way::Dot { .. })).count();
    let with_a_factor = plan.works.iter().filter(|work| matches!(work.way, Way::Dot { factor: Some(_), .. })).count();
    assert!(
        dots > 2 && with_a_factor == dots,
        "each batch norm sums its gradient on the way: {with_a_factor} of {dots}"
    );

    let together = run.fork().fetch(&wanted).unwrap();
    let each = run.fork().fetch(&all).unwrap();
    for (id, value) in wanted.iter().zip(together) {
        let alone = &each[all.binary_search(id).unwrap()];
        let close = value.to_vec().iter().zip(alone.to_vec()).all(|(a, b)| (a - b).abs() <= 1e-5 * (1.0 + b.abs()));
        assert!(close, "{}", program.nodes[*id].label);
    }
}

#[test]
fn an_edited_node_is_not_put_off() {
    let network = generator();
    let z = network.latents(&[1, 2], &Device::cpu());
    let program = network.inference().unwrap();
    let graph = &network.graph;
    let norm = &graph.node(graph.node(graph.find("1b").unwrap()).inputs[0]).name;
    let edit = Edit::ablate(norm, vec![1]);
    let norm = program.find(norm).unwrap();
    let mut run = program.start(&[(program.input().unwrap(), &z)]).unwrap();
    run.edit(&[edit]).unwrap();
    let edited = run.fork().fetch_one(program.output()).unwrap().to_vec();
    let watched = run.fetch(&[norm, program.output()]).unwrap();
    assert_eq!(edited, watched[1].to_vec());
    assert_ne!(edited, network.forward(&z, &[]).unwrap().to_vec());
    let map = watched[0].to_vec();
    let cells = map.len() / run.shape(norm)[1] / 2;
    assert!(map[cells..2 * cells].iter().all(|&v| v == 0.0));
}

#[test]
fn another_device_gives_the_same_node_by_node() {
    let network = generator();
    let there = Device::stand_in();
    let abroad = network.params.tensors().iter().map(|t| t.on(&there)).collect();
    let (program, cotangent, wanted) = trained(&network);
    let run = |params: &crate::Params, device: &Device| {
        let z = network.latents(&[1, 2, 3], device);
        let mut run = program.start(params, &[(program.input().unwrap(), &z)]).unwrap();
        let shape = run.shape(program.output()).to_vec();
        let g = (0..3 * 768).map(|i| (i % 7) as f32 - 3.0).collect();
        run.feed(cotangent, &Tensor::new(&shape, g, device)).unwrap();
        run.fetch(&wanted).unwrap()
    };
    let (here, far) = (run(&network.params, &Device::cpu()), run(&crate::Params::new(abroad), &there));
    for ((a, b), id) in here.iter().zip(&far).zip(&wanted) {
        assert!(!b.device().is_cpu());
        let (a, b) = (a.to_vec(), b.to_vec());
        let scale = a.iter().fold(1e-3f32, |most, v| most.max(v.abs()));
        assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() <= 1e-4 * scale), "{}", program.nodes[*id].label);
    }
}

#[test]
fn programs_run_from_many_threads_at_once_give_what_each_gives_alone() {
    let networks = [generator(), Network { params: generator().params, ..generator() }];
    let trained: Vec<_> = networks.iter().map(trained).collect();
    let pass = |which: usize, seed: u64| {
        let (network, (program, cotangent, wanted)) = (&networks[which], &trained[which]);
        let z = network.latents(&[seed, seed + 1], &Device::cpu());
        let mut run = program.start(&network.params, &[(program.input().unwrap(), &z)]).unwrap();
        run.edit(&[Edit::ablate("1", vec![seed as usize % 4])]).unwrap();
        let shape = run.shape(program.output()).to_vec();
        let g = (0..2 * 768).map(|i| ((i + which) % 5) as f32 - 2.0).collect();
        run.feed(*cotangent, &Tensor::new(&shape, g, &Device::cpu())).unwrap();
        run.fetch(wanted).unwrap().iter().map(Tensor::to_vec).collect::<Vec<_>>()
    };
    let alone: Vec<_> = (0..8).map(|thread| pass(thread % 2, thread as u64)).collect();
    for _ in 0..3 {
        let together: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|thread| {
                    let pass = &pass;
                    scope.spawn(move || pass(thread % 2, thread as u64))
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(together == alone);
    }
}

//! `ganatomy inspect`

use crate::support::{Place, bytes_of, check, with_models};

#[test]
fn a_table_for_people() {
    check("inspect-table", &with_models().run("inspect g.safetensors"));
}

#[test]
fn json_for_programs() {
    let place = with_models();
    check("inspect-json", &place.run("inspect p.safetensors --json"));
    let json: serde_json::Value = serde_json::from_str(&place.succeed("inspect g.safetensors --json")).unwrap();
    assert_eq!(json["output"]["shape"], serde_json::json!([3, 16, 16]));
    assert_eq!(json["notes"]["trained on"], "nothing");
}

#[test]
fn a_network_that_is_no_generator_can_be_inspected_but_not_sampled() {
    let place = Place::new();
    let graph = net::zoo::mlp_discriminator(2, 4, net::zoo::Norm::None);
    place.write("d.safetensors", &bytes_of(&net::Network::initial(graph, 1, "weights", &net::Device::cpu())));
    check("inspect-discriminator", &(place.run("inspect d.safetensors") + &place.run("sample d.safetensors")));
}

//! One model: its pictures, layers, classes, and what is known of it.

use super::asking::Client;
use super::reports::{DissectionName, ReportName};
use crate::Studio;
use crate::http::{Failure, Told};
use crate::served::{Entry, Open, Problem, Served};
use axum::Json;
use axum::extract::{Path, State};
use segment::Segment;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// A model.
#[derive(Serialize, ToSchema)]
pub(super) struct Model {
    id: String,
    name: String,
    /// The hash by which recipes name it.
    blake3: String,
    /// Channels, height and width of a picture.
    image: [usize; 3],
    latent: Latent,
    layers: Vec<Layer>,
    dissection: Option<Dissection>,
    /// Why there is none, or what of it could not be read.
    dissection_problem: Option<Problem>,
    /// All dissections of it that were found, this one among them.
    dissections: Vec<DissectionName>,
    /// Their reports.
    reports: Vec<ReportName>,
    segmenter: Option<Segmenter>,
    /// What went otherwise than people may think.
    notes: Vec<String>,
}

/// What a model makes pictures of.
#[derive(Serialize, ToSchema)]
struct Latent {
    /// How many numbers.
    length: usize,
    /// Their law: `normal` or `uniform`.
    law: &'static str,
    /// Whether a `truncation` changes pictures: not where the generator divides its latent by its length and makes no styles of it.
    truncation: bool,
    /// The classes of which it makes pictures when it is told to, by their numbers; none where it reads no label.
    classes: Vec<String>,
}

/// A layer with maps.
#[derive(Serialize, ToSchema)]
struct Layer {
    name: String,
    units: usize,
    /// Height and width of a unit's map.
    size: [usize; 2],
    /// Whether it was dissected.
    dissected: bool,
    /// How many of its units are interpretable.
    interpretable: Option<usize>,
}

/// A dissection.
#[derive(Serialize, ToSchema)]
struct Dissection {
    name: String,
    /// Images that were counted.
    samples: u64,
    /// What said what is where.
    segmenter: String,
}

/// What says what is where in pictures.
#[derive(Serialize, ToSchema)]
struct Segmenter {
    name: String,
    planes: Vec<Plane>,
}

/// A label plane.
#[derive(Serialize, ToSchema)]
struct Plane {
    name: String,
    classes: Vec<Class>,
}

/// A class; its place in the list is its number in label maps.
#[derive(Serialize, ToSchema)]
struct Class {
    /// `category/name`.
    id: String,
    name: String,
    colour: [u8; 3],
    /// Whether it is no class but what is left: no unit stands for it.
    ignored: bool,
}

/// A model with all that is known of it.
#[utoipa::path(
    get,
    path = "/api/v1/models/{model}",
    params(("model" = String, Path, description = "its id")),
    responses((status = 200, body = Model), (status = 404, body = Told), (status = 409, body = Told, description = "it cannot be opened (any more)"))
)]
pub(super) async fn model(
    State(studio): State<Arc<Studio>>,
    client: Client,
    Path(id): Path<String>,
) -> Result<Json<Model>, Failure> {
    let (own, entry) = (studio.clone(), studio.entry(&id)?);
    studio.with_model(&client, &id, move |open| described(own.served(), &entry, open)).await.map(Json)
}

fn described(served: &Served, entry: &Entry, open: &Open) -> Result<Model, Failure> {
    let painter = &open.painter;
    let network = painter.generator().network();
    let findings = painter.findings();
    let layer = |layer: &dissect::Layer| {
        let found = findings.and_then(|findings| findings.layers.iter().find(|found| found.layer == layer.name));
        Layer {
            name: layer.name.clone(),
            units: layer.units,
            size: layer.size,
            dissected: found.is_some(),
            interpretable: found.map(|found| found.interpretable),
        }
    };
    let dissection = painter.dissection().map(|dissection| Dissection {
        name: dissection.folder.display().to_string(),
        samples: dissection.plan.settings.samples,
        segmenter: dissection.plan.segmenter.name.clone(),
    });
    let segmenter = painter.segmenter().zip(open.segmenter.clone());
    let segmenter =
        segmenter.map(|(segmenter, name)| Segmenter { name, planes: segmenter.planes().iter().map(plane).collect() });
    let law = match network.latent_law() {
        net::Law::Normal => "normal",
        net::Law::Uniform => "uniform",
    };
    let dissections: Vec<DissectionName> =
        served.dissections_of(entry).iter().map(|lain| DissectionName::of(served, lain)).collect();
    Ok(Model {
        id: entry.id.clone(),
        name: entry.name(),
        blake3: open.blake3.clone(),
        image: painter.generator().image_shape()?,
        latent: Latent {
            length: network.input_shape().iter().product(),
            law,
            truncation: painter.generator().can_truncate(),
            classes: painter.generator().classes(),
        },
        layers: painter.layers().iter().map(layer).collect(),
        dissection,
        reports: dissections.iter().filter_map(DissectionName::report).collect(),
        dissections,
        dissection_problem: open.problem.clone(),
        segmenter,
        notes: open.notes.clone(),
    })
}

fn plane(plane: &data::Plane) -> Plane {
    // As the concepts of a dissection are called: two classes of one name are told apart.
    let concepts = dissect::Concepts::new(std::slice::from_ref(plane));
    let named = |number: usize| {
        (0..concepts.list().len()).find(|&concept| concepts.class_of(concept) == Some((0, number as u16)))
    };
    let class = |(number, class): (usize, &data::Class)| {
        let concept = named(number).map(|concept| &concepts.list()[concept]);
        let name = concept.map_or(&class.name, |concept| &concept.name);
        Class {
            id: format!("{}/{name}", plane.name),
            name: name.clone(),
            colour: class.colour,
            ignored: concept.is_none(),
        }
    };
    Plane { name: plane.name.clone(), classes: plane.classes.iter().enumerate().map(class).collect() }
}

//! Repair by eye: candidates, decisions about them, and the model without the units.

use super::asking::{Body, Client, File};
use super::runs::{look, png};
use crate::Studio;
use crate::http::{Failure, Told};
use crate::jobs::{JobStatus, REPAIR};
use crate::served::Open;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use dissect::{Decision, Decisions, RepairFolder, Repaired};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use utoipa::ToSchema;

/// The repair of a model.
#[derive(Serialize, ToSchema)]
pub(super) struct Repair {
    /// Its folder.
    name: String,
    /// The layer whose units are looked at.
    layer: String,
    /// The real images.
    real: String,
    /// Generated images that were looked at.
    samples: u64,
    /// Real ones.
    real_samples: u64,
    /// Units that a person should look at, in their order.
    candidates: Vec<Candidate>,
    /// Other units about which something is decided.
    others: Vec<Decided>,
    /// Images in a row of a candidate's picture.
    columns: usize,
    /// What the repair did when it was judged last.
    judged: Option<Repaired>,
    /// The model without the units, where it has been made.
    file: Option<String>,
}

/// A unit that a person should look at.
#[derive(Serialize, ToSchema)]
struct Candidate {
    unit: usize,
    /// The distance of the images that activate it most from the real images most like them.
    distance: f64,
    /// How many deviations that is above the mean of random sets.
    z: Option<f64>,
    /// The distance of the same images when the unit is switched off.
    without: f64,
    /// `IoU` of where it is on with a painted defect, where there is one.
    iou: Option<f64>,
    /// The seeds of these images, the strongest first.
    seeds: Vec<u64>,
    decision: Decision,
}

/// A decision about a unit.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Decided {
    unit: usize,
    decision: Decision,
}

/// Nothing more is to be said.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

impl Repair {
    fn new(repair: &RepairFolder, decisions: &Decisions) -> Result<Self, Failure> {
        let candidate = |found: &dissect::Candidate| Candidate {
            unit: found.unit,
            distance: found.distance,
            z: found.z,
            without: found.without,
            iou: found.iou,
            seeds: found.seeds.clone(),
            decision: decisions.of(found.unit),
        };
        let candidates: Vec<Candidate> = repair.candidates().iter().map(candidate).collect();
        let other = |(&unit, &decision): (&usize, &Decision)| {
            let is_candidate = candidates.iter().any(|candidate| candidate.unit == unit);
            (!is_candidate).then_some(Decided { unit, decision })
        };
        Ok(Self {
            name: repair.folder().file_name().unwrap_or_default().to_string_lossy().into_owned(),
            layer: repair.layer.clone(),
            real: repair.real.clone(),
            samples: repair.settings.samples,
            real_samples: repair.settings.real_samples,
            others: decisions.units.iter().filter_map(other).collect(),
            columns: candidates.first().map_or(0, |candidate| candidate.seeds.len()),
            candidates,
            judged: repair.repaired()?,
            file: repair.model_file().map(|file| file.display().to_string()),
        })
    }
}

impl Studio {
    /// Does something with the repair of a model, where there is one.
    async fn with_repair<T: Send + 'static>(
        self: &Arc<Self>,
        client: &Client,
        id: &str,
        work: impl FnOnce(&Self, Option<RepairFolder>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let (own, entry) = (self.clone(), self.entry(id)?);
        self.with_model(client, id, move |open: &Open| work(&own, own.served().repair_of(&entry, &open.blake3))).await
    }
}

fn some(repair: Option<RepairFolder>) -> Result<RepairFolder, Failure> {
    repair.ok_or_else(|| {
        Failure::none("no repair of this model was found").with_hint(
            "Search its candidates: `repair` writes them into a folder; open the studio on that or beside it.",
        )
    })
}

/// The candidates and decisions of the newest repair of a model that lies in the folder or beside the model; null if there is none.
#[utoipa::path(
    get,
    path = "/api/v1/models/{model}/repair",
    params(("model" = String, Path, description = "its id")),
    responses((status = 200, body = Option<Repair>), (status = 400, body = Told), (status = 404, body = Told))
)]
pub(super) async fn repair(
    State(studio): State<Arc<Studio>>,
    client: Client,
    Path(id): Path<String>,
) -> Result<Json<Option<Repair>>, Failure> {
    // A search that has just ended is found, too; a folder that is gone holds none.
    let found = studio.looking(|studio| {
        drop(look(studio));
        Ok(())
    });
    found.await?;
    let told = studio.with_repair(&client, &id, |_, repair| {
        repair.map(|repair| Repair::new(&repair, &repair.decisions()?)).transpose()
    });
    told.await.map(Json)
}

/// The picture of a candidate: its strongest images, where it is on in them, the images without it, and real images like them.
#[utoipa::path(
    get,
    path = "/api/v1/models/{model}/repair/candidates/{unit}/picture.png",
    params(("model" = String, Path, description = "its id"), ("unit" = usize, Path, description = "the unit")),
    responses((status = 200, content_type = "image/png", body = [u8]), (status = 404, body = Told))
)]
pub(super) async fn picture(
    State(studio): State<Arc<Studio>>,
    client: Client,
    Path((id, unit)): Path<(String, usize)>,
) -> Result<File, Failure> {
    let found = studio.with_repair(&client, &id, move |_, repair| {
        let repair = some(repair)?;
        png(repair.folder(), &repair.picture(unit))
    });
    found.await
}

/// Decides about a unit. The file with decisions is written before the answer.
#[utoipa::path(
    post,
    path = "/api/v1/models/{model}/repair/decisions",
    params(("model" = String, Path, description = "its id")),
    request_body = Decided,
    responses(
        (status = 200, body = Repair),
        (status = 400, body = Told),
        (status = 404, body = Told),
        (status = 409, body = Told, description = "a program is at work in the folder"),
    )
)]
pub(super) async fn decide(
    State(studio): State<Arc<Studio>>,
    client: Client,
    Path(id): Path<String>,
    Body(Decided { unit, decision }): Body<Decided>,
) -> Result<Json<Repair>, Failure> {
    let decided = studio.with_repair(&client, &id, move |studio, repair| {
        let repair = some(repair)?;
        let decisions = studio.served().decide(&repair, unit, decision).map_err(|error| {
            let sent = matches!(error, base::Error::Setting { .. });
            let failure = Failure::from(error);
            if sent { failure } else { failure.with_status(StatusCode::CONFLICT) }
        })?;
        Repair::new(&repair, &decisions)
    });
    decided.await.map(Json)
}

/// Begins to take the accepted units out of the model, and to judge what that does where the real images are still there. The result has
/// the `file` of the model, its old `units` that are gone, how they are gone (`removal`), and a `note` where it could not be judged.
#[utoipa::path(
    post,
    path = "/api/v1/models/{model}/repair/model",
    params(("model" = String, Path, description = "its id")),
    request_body = Nothing,
    responses(
        (status = 202, body = JobStatus),
        (status = 404, body = Told),
        (status = 409, body = Told, description = "no unit is accepted, or another repair is under way"),
    )
)]
pub(super) async fn take_out(
    State(studio): State<Arc<Studio>>,
    client: Client,
    Path(id): Path<String>,
    Body(Nothing {}): Body<Nothing>,
) -> Result<(StatusCode, Json<JobStatus>), Failure> {
    let repair = studio.with_repair(&client, &id, |_, repair| {
        let repair = some(repair)?;
        if repair.decisions()?.accepted().is_empty() {
            return Err(Failure::new(StatusCode::CONFLICT, "no unit is accepted, so there is nothing to take out")
                .with_hint("Accept a unit first."));
        }
        Ok(repair)
    });
    let (own, repair) = (studio.clone(), repair.await?);
    let work = move |watch: &mut dyn models::Watch| {
        let open = own.opened(&id)?;
        let done = models::take_out(&repair, open.painter.generator(), watch)?;
        Ok(done.map(|removed| {
            let taken = &removed.taken;
            let mut told = json!({
                "file": taken.file.display().to_string(),
                "units": taken.units,
                "removal": taken.removal.to_string(),
            });
            if let (Some(why), Some(told)) = (&removed.unjudged, told.as_object_mut()) {
                told.insert("note".into(), why.as_str().into());
            }
            told
        }))
    };
    Ok((StatusCode::ACCEPTED, Json(studio.jobs.begin(REPAIR, work)?)))
}

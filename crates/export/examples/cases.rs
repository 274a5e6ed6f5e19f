//! Writes a network for every operation as ONNX and for PyTorch, with three samples and what the network gives for them.
//!
//! `cargo run -p ganatomy-export --example cases OUT` writes `OUT/NAME/` with `model.onnx`, `model.safetensors`, `config.json`, `x.npy` and `y.npy`.
//! `scripts/check-export.py` runs them.

#[path = "../tests/cases/mod.rs"]
mod cases;

use base::npy::Array;
use ganatomy_export as export;
use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(std::env::args_os().nth(1).ok_or("give the folder to write to")?);
    for (name, network) in cases::all() {
        let folder = out.join(name);
        base::files::create_folder(&folder)?;
        let (x, written) = (cases::samples(&network), export::pytorch(&network, net::Storage::F32)?);
        let y = network.forward(&x, &[])?;
        let array = |tensor: &net::Tensor| Array::f32(tensor.shape().to_vec(), tensor.to_vec()).to_bytes();
        let files = [
            ("model.onnx", export::onnx(&network)?),
            ("model.safetensors", written.state_dict),
            ("config.json", written.config.into_bytes()),
            ("x.npy", array(&x)),
            ("y.npy", array(&y)),
        ];
        for (name, bytes) in files {
            base::files::write_atomic(folder.join(name), &bytes)?;
        }
    }
    Ok(())
}

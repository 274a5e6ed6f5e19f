//! All defaults of figures in one table, with what other programs take.

/// Nearest neighbours of a ball. `StyleGAN3` and torch-fidelity: 3; prdc and `StudioGAN`: 5.
pub const NEIGHBOURS: usize = 3;
/// Nearest neighbours of a ball in prdc.
pub const PRDC_NEIGHBOURS: usize = 5;
/// Random subsets of the kernel distance. torch-fidelity, `StyleGAN3` and clean-fid: 100; mimicry: 10.
pub const KID_SUBSETS: usize = 100;
/// Images of a subset, of either set. torch-fidelity, `StyleGAN3` and clean-fid: 1,000; mimicry: a tenth of all.
pub const KID_SUBSET_SIZE: usize = 1000;
/// Degree of the polynomial kernel. All: 3.
pub const KID_DEGREE: u32 = 3;
/// What is added inside of the polynomial kernel. All: 1.
pub const KID_OFFSET: f64 = 1.0;
/// Splits of the Inception score. All: 10, but `StudioGAN` during training: 1.
pub const SCORE_SPLITS: usize = 10;
/// Random directions of the sliced distance.
pub const DIRECTIONS: usize = 1000;
/// Step along a path between latents. `StyleGAN3` and torch-fidelity: 1e-4.
pub const PATH_STEP: f64 = 1e-4;
/// Shares of the shortest and of the longest steps of a path that are left out, each. `StyleGAN3` and torch-fidelity: 1 %.
pub const PATH_LEFT_OUT: f64 = 0.01;
/// Groups of images of an extrapolation.
pub const GROUPS: usize = 12;
/// Confidence of intervals.
pub const CONFIDENCE: f64 = 0.95;
/// Seed of what is drawn. torch-fidelity: 2020 (its draws are others).
pub const SEED: u64 = 2020;

mod batches;
mod meaning;

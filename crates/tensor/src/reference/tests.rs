mod adjoints;
mod by_hand;
mod definitions;
mod hostile;

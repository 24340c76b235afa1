"""sotongindex: a communication index from survey answers, every number with its uncertainty."""

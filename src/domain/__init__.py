"""The supply chain as pure functions: aggregates that decide and evolve, standard library only."""

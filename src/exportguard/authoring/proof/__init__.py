"""Proofs about policy sets: the typed tree compiled to Z3, requests as unknowns, counterexamples as documents."""

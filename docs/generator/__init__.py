"""Pages of the documentation that are made from the package itself: one per system, one per room."""

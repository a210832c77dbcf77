"""Where packets move: captures replayed, and what every carrier returns."""

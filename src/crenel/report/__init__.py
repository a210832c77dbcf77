"""What was judged in, what people and programs read about it out: tables, stories, JSON."""

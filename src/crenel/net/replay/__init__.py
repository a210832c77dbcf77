"""A capture in, judged in capture time; a report for every flow out."""

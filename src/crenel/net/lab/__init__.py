"""Real programs in, what a wall did to them out: two network namespaces of the lab's own with the process that runs the wall between them."""

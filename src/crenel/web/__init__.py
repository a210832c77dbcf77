"""The local page: requests of a browser on this machine in, pages with verdicts, ladders and a timeline out."""

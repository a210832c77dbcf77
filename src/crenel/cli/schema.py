"""`crenel schema`: nothing in, the JSON Schema of results out."""

import click


@click.command()
def schema() -> None:
    """Print the JSON Schema of what check and try write as json and jsonl."""
    import json

    from crenel.report.schema import result_schema

    click.echo(json.dumps(result_schema(), indent=2))

"""`schema`: the public contract as text."""

from typing import Annotated

import typer

from xiaodai.cli.output import print_json

app = typer.Typer(name="schema", help="The GraphQL schema. Example: python3 xd.py schema print", no_args_is_help=True)


@app.callback()
def schema() -> None:
    """The GraphQL schema.

    Example: python3 xd.py schema print
    """


@app.command("print")
def print_schema(
    as_json: Annotated[bool, typer.Option("--json", help="The answer to an introspection query instead.")] = False,
) -> None:
    """Print the schema as it is served.

    Example: python3 xd.py schema print > schema/schema.graphql
    """
    from schema.root import build, print_schema  # takes a second, which --help need not wait for

    if as_json:
        print_json(build().introspect())
    else:
        typer.echo(print_schema(), nl=False)

"""缺省值 · An argument that may be left out has no default in the schema: `first: Int`, not `first: Int = null`."""

from __future__ import annotations

from graphql import GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema, Undefined


def drop_null_defaults(schema: GraphQLSchema) -> None:
    """Python's `= None` then fills what the client left out."""
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLInputObjectType):
            for field in kind.fields.values():
                if field.default_value is None:
                    field.default_value = Undefined
        elif isinstance(kind, (GraphQLObjectType, GraphQLInterfaceType)):
            for output in kind.fields.values():
                for argument in output.args.values():
                    if argument.default_value is None:
                        argument.default_value = Undefined

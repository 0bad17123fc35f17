"""The API on the wire: guards, limits, GraphQL over HTTP, and sockets."""

"""What every type is made of: scalars, nodes, entities, relations, connections and payloads."""

from schema.kernel.connection import Connection, DateRange, Edge, MoneyRange, PageInfo, SortDirection
from schema.kernel.entity import entity
from schema.kernel.node import ID, FromRow, Hidden, Node, column
from schema.kernel.relation import relation
from schema.kernel.scalars import JSON, Cursor, Date, DateTime, Money, Rate
from schema.kernel.user_error import ErrorCode, Payload, UserError

__all__ = [
    "ID",
    "JSON",
    "Connection",
    "Cursor",
    "Date",
    "DateRange",
    "DateTime",
    "Edge",
    "ErrorCode",
    "FromRow",
    "Hidden",
    "Money",
    "MoneyRange",
    "Node",
    "PageInfo",
    "Payload",
    "Rate",
    "SortDirection",
    "UserError",
    "column",
    "entity",
    "relation",
]

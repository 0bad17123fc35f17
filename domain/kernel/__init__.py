"""Words everyone uses: context, tables, refusals, commands, permissions, scope, feed, paging, numbering, audit."""

"""What operators look up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kraty_actors.gateway import reports
from kraty_protocol.fields import Page

if TYPE_CHECKING:
    from kraty_actors.gateway.connection import Connection


async def audit_list(connection: Connection, request_id: int, fields: Page) -> None:
    page, following = await connection.gateway.engine.inquiries.audit(limit=fields.limit, after=fields.after)
    rows = [reports.audit_row(*row) for row in page]
    connection.reply(request_id, {"audit": rows, "next": following})

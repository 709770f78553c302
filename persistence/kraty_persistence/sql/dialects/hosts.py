"""URLs that name several servers, as PostgreSQL's own library takes them: `postgresql://h1:5432,h2:5433/game`."""

from __future__ import annotations

import re

__all__ = ["spread_hosts"]

_SEVERAL = re.compile(r"(postgres[^:]*://(?:[^@/?]*@)?)([^@/?]*,[^@/?]*)(/[^?]*)\??(.*)", re.DOTALL)


def spread_hosts(url: str) -> str:
    """The same with the hosts among the options, where SQLAlchemy understands their ports; any other URL as it is."""
    several = _SEVERAL.fullmatch(url)
    if several is None:
        return url
    before, hosts, after, options = several.groups()
    named = [host.partition(":") for host in hosts.split(",")]
    given = [f"host={','.join(host for host, _, _ in named)}"]
    if any(port for _, _, port in named):
        given.append(f"port={','.join(port for _, _, port in named)}")
    return f"{before}{after}?{'&'.join([*given, *filter(None, [options])])}"

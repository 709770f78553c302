"""An auditor that shares no code with the server: it knows the rules, sees what travels, and judges it.

It is told of every answer, and between which two instants what is answered was done. What it cannot know (whether a
request without an answer was taken up, which of two that overlapped came first) it keeps as several possibilities, and
strikes those out that a later answer rules out. Where none is left, the server broke a rule.
"""

from kraty_actors.testing.auditor.auditor import Auditor
from kraty_actors.testing.auditor.findings import BrokenRule

__all__ = ["Auditor", "BrokenRule"]

"""All subjects of silver."""

from __future__ import annotations

from application.projections import catalog, orders, shipments, stock
from application.projections.subject import Subject

SUBJECTS: tuple[Subject, ...] = (orders.SUBJECT, shipments.SUBJECT, stock.SUBJECT, *catalog.SUBJECTS)

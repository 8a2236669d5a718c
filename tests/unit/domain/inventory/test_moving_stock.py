from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from domain.inventory.commands import (
    ReceiveStock,
    ReturnStock,
    ShipStock,
    TransferStockIn,
    TransferStockOut,
)
from domain.inventory.errors import (
    InsufficientStock,
    StockLimitExceeded,
    StockUnknown,
    TransferAlreadyRecorded,
    TransferUnbalanced,
)
from domain.inventory.events import (
    StockReceived,
    StockReturned,
    StockShipped,
    StockTransferredIn,
    StockTransferredOut,
)
from domain.shared.measures import MAX_QUANTITY
from domain.shared.refusal import InvalidAmount, InvalidQuantity
from tests.unit.domain.inventory.warehouse import AT, ITEM, do, nothing, receive, reserve

TEN_OF_WHICH_FOUR_RESERVED = nothing.given(
    StockReceived(
        **ITEM,
        quantity=10,
        supplier_id=None,
        unit_cost=None,
        ordered_at=None,
        on_hand=10,
        reserved=0,
        quarantined=0,
    )
).after(reserve("R-1", 4))


def test_goods_received_add_to_what_is_on_hand_and_keep_what_is_known_of_them():
    ordered_at = AT - timedelta(days=12)
    TEN_OF_WHICH_FOUR_RESERVED.when(
        do(ReceiveStock, quantity=5, supplier_id="S-1", unit_cost=Decimal("1.25"), ordered_at=ordered_at)
    ).then(
        StockReceived(
            **ITEM,
            quantity=5,
            supplier_id="S-1",
            unit_cost=Decimal("1.25"),
            ordered_at=ordered_at,
            on_hand=15,
            reserved=4,
            quarantined=0,
        )
    )


def test_a_return_adds_to_what_is_on_hand_even_of_a_stock_never_seen():
    nothing.when(do(ReturnStock, quantity=2, order_id="O-1")).then(
        StockReturned(**ITEM, quantity=2, order_id="O-1", on_hand=2, reserved=0, quarantined=0)
    )


@pytest.mark.parametrize("quantity", [0, -1, MAX_QUANTITY + 1])
@pytest.mark.parametrize("command", [ReceiveStock, ReturnStock])
def test_only_a_positive_quantity_within_the_limit_can_come_in(command, quantity):
    nothing.when(do(command, quantity=quantity)).refused(InvalidQuantity)


def test_a_negative_unit_cost_is_refused():
    nothing.when(do(ReceiveStock, quantity=1, unit_cost=Decimal(-1))).refused(InvalidAmount)


@pytest.mark.parametrize(
    "command",
    [
        receive(1),
        do(ReturnStock, quantity=1),
        do(TransferStockIn, transfer_id="T-1", sent=1, quantity=1, from_location_id="L-2"),
    ],
)
def test_a_full_stock_takes_in_no_more(command):
    nothing.after(receive(MAX_QUANTITY - 1)).after(command)
    nothing.after(receive(MAX_QUANTITY)).when(command).refused(StockLimitExceeded)


def test_units_ship_from_what_is_available_without_a_reservation():
    TEN_OF_WHICH_FOUR_RESERVED.when(do(ShipStock, quantity=6, shipment_id="SH-1")).then(
        StockShipped(
            occurred_at=AT,
            quantity=6,
            reservation_id=None,
            remaining=None,
            shipment_id="SH-1",
            on_hand=4,
            reserved=4,
            quarantined=0,
        )
    )


def test_reserved_units_are_not_shipped_without_their_reservation():
    TEN_OF_WHICH_FOUR_RESERVED.when(do(ShipStock, quantity=7)).refused(
        InsufficientStock, match="asked for 7, available 6"
    )


def test_a_shipment_of_nothing_is_refused():
    TEN_OF_WHICH_FOUR_RESERVED.when(do(ShipStock, quantity=0)).refused(InvalidQuantity)


def test_a_transfer_out_takes_available_units():
    TEN_OF_WHICH_FOUR_RESERVED.when(do(TransferStockOut, transfer_id="T-1", quantity=6, to_location_id="L-2")).then(
        StockTransferredOut(
            occurred_at=AT,
            transfer_id="T-1",
            quantity=6,
            to_location_id="L-2",
            on_hand=4,
            reserved=4,
            quarantined=0,
        )
    )


def test_a_transfer_out_leaves_reserved_units_alone():
    TEN_OF_WHICH_FOUR_RESERVED.when(do(TransferStockOut, transfer_id="T-1", quantity=7, to_location_id="L-2")).refused(
        InsufficientStock
    )


def test_a_transfer_out_of_nothing_is_refused():
    TEN_OF_WHICH_FOUR_RESERVED.when(do(TransferStockOut, transfer_id="T-1", quantity=0, to_location_id="L-2")).refused(
        InvalidQuantity
    )


@pytest.mark.parametrize(("quantity", "lost"), [(5, 0), (3, 2), (0, 5)])
def test_a_transfer_comes_in_or_is_declared_lost(quantity, lost):
    nothing.when(
        do(TransferStockIn, transfer_id="T-1", sent=5, quantity=quantity, lost=lost, from_location_id="L-2")
    ).then(
        StockTransferredIn(
            **ITEM,
            transfer_id="T-1",
            quantity=quantity,
            lost=lost,
            from_location_id="L-2",
            on_hand=quantity,
            reserved=0,
            quarantined=0,
        )
    )


@pytest.mark.parametrize(("quantity", "lost"), [(4, 0), (5, 1), (0, 0)])
def test_a_transfer_that_does_not_add_up_is_refused(quantity, lost):
    nothing.when(
        do(TransferStockIn, transfer_id="T-1", sent=5, quantity=quantity, lost=lost, from_location_id="L-2")
    ).refused(TransferUnbalanced)


@pytest.mark.parametrize(("sent", "quantity", "lost"), [(0, 0, 0), (5, 6, -1), (5, -1, 6)])
def test_a_transfer_of_nothing_or_with_negative_parts_is_refused(sent, quantity, lost):
    nothing.when(
        do(
            TransferStockIn,
            transfer_id="T-1",
            sent=sent,
            quantity=quantity,
            lost=lost,
            from_location_id="L-2",
        )
    ).refused(InvalidQuantity)


def test_a_transfer_leaves_once_and_arrives_once():
    leave = do(TransferStockOut, transfer_id="T-1", quantity=1, to_location_id="L-2")
    arrive = do(TransferStockIn, transfer_id="T-1", sent=1, quantity=1, from_location_id="L-2")
    both_ways = TEN_OF_WHICH_FOUR_RESERVED.after(leave, arrive)
    both_ways.when(leave).refused(TransferAlreadyRecorded)
    both_ways.when(arrive).refused(TransferAlreadyRecorded)
    both_ways.after(do(TransferStockOut, transfer_id="T-2", quantity=1, to_location_id="L-2"))


@pytest.mark.parametrize(
    "command",
    [
        do(ShipStock, quantity=1),
        do(TransferStockOut, transfer_id="T-1", quantity=1, to_location_id="L-2"),
    ],
)
def test_nothing_leaves_a_stock_never_seen(command):
    nothing.when(command).refused(StockUnknown, match="P-1 at L-1")

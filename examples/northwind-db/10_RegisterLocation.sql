-- The data names no warehouse; all stock is kept at one made location, known before the first order.
SELECT
    'main' AS location_id,
    DATE '1996-07-01' AS occurred_at,
    'Main warehouse' AS name,
    'warehouse' AS kind

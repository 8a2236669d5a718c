-- The data names no carriers; orders are told apart by their shipping mode, which stands in for one.
SELECT
    lower(replace("Shipping Mode", ' ', '-')) AS carrier_id,
    DATE '2015-01-01' AS occurred_at,
    "Shipping Mode" AS name,
    _file,
    _line
FROM lines
QUALIFY row_number() OVER (PARTITION BY "Shipping Mode" ORDER BY _file, _line) = 1
ORDER BY _file, _line

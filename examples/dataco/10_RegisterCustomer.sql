-- A customer is the same on all of its lines; the first one counts. The catalog is known before the first order.
SELECT
    "Customer Id" AS customer_id,
    DATE '2015-01-01' AS occurred_at,
    concat_ws(' ', "Customer Fname", "Customer Lname") AS name,
    "Customer Segment" AS segment,
    "Customer City" AS city,
    "Customer Country" AS country,
    "Latitude" AS latitude,
    "Longitude" AS longitude,
    _file,
    _line
FROM lines
QUALIFY row_number() OVER (PARTITION BY "Customer Id" ORDER BY _file, _line) = 1
ORDER BY _file, _line

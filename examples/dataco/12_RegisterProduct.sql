-- Prices carry the noise of 32-bit floats (299.980011): they are cents.
SELECT
    "Product Card Id" AS product_id,
    DATE '2015-01-01' AS occurred_at,
    "Product Name" AS name,
    "Category Name" AS category,
    round("Product Price", 2)::DECIMAL(18, 2) AS unit_price,
    _file,
    _line
FROM lines
QUALIFY row_number() OVER (PARTITION BY "Product Card Id" ORDER BY _file, _line) = 1
ORDER BY _file, _line

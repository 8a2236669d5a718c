SELECT
    customerID AS customer_id,
    DATE '1996-07-01' AS occurred_at,
    companyName AS name,
    city,
    country,
    _file,
    _line
FROM customers
ORDER BY _line

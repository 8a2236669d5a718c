SELECT
    supplier_id,
    DATE '1996-07-01' AS occurred_at,
    company_name AS name,
    city,
    country,
    _file
FROM suppliers

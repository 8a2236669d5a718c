SELECT
    shipper_id AS carrier_id,
    DATE '1996-07-01' AS occurred_at,
    company_name AS name,
    _file
FROM shippers

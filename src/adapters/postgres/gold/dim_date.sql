-- comment: One row per day from 1970-01-01 to 2069-12-31, with its ISO 8601 week.
-- key: date_key
SELECT
    to_char(day, 'YYYYMMDD')::integer AS date_key,
    day::date AS date,
    extract(year FROM day)::integer AS year,
    extract(quarter FROM day)::integer AS quarter,
    to_char(day, 'YYYY-"Q"Q') AS year_quarter,
    extract(month FROM day)::integer AS month,
    (ARRAY['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October',
           'November', 'December'])[extract(month FROM day)::integer] AS month_name,
    to_char(day, 'YYYY-MM') AS year_month,
    extract(isoyear FROM day)::integer AS iso_year,
    extract(week FROM day)::integer AS iso_week,
    to_char(day, 'IYYY-"W"IW') AS year_week,
    extract(day FROM day)::integer AS day_of_month,
    extract(doy FROM day)::integer AS day_of_year,
    extract(isodow FROM day)::integer AS weekday,
    (ARRAY['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday',
           'Sunday'])[extract(isodow FROM day)::integer] AS weekday_name,
    extract(isodow FROM day) >= 6 AS is_weekend
FROM generate_series(timestamp '1970-01-01', timestamp '2069-12-31', interval '1 day') AS day

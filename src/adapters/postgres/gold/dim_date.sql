-- comment: One row per day from 1970-01-01 to 2069-12-31, with its ISO 8601 week and its place in the fiscal year.
-- key: date_key
-- column date_key: the day as YYYYMMDD
-- column date: the day
-- column year: calendar year
-- column quarter: quarter, from 1 to 4
-- column year_quarter: the quarter as 2024-Q1
-- column month: month, from 1 to 12
-- column month_name: month in English
-- column year_month: the month as 2024-01
-- column iso_year: year of the ISO 8601 week
-- column iso_week: ISO 8601 week, from 1 to 53
-- column year_week: the week as 2024-W01
-- column day_of_month: from 1 to 31
-- column day_of_year: from 1 to 366
-- column weekday: from 1 (Monday) to 7 (Sunday)
-- column weekday_name: day of the week in English
-- column is_weekend: whether it is a Saturday or Sunday
-- column fiscal_year: calendar year in which the fiscal year ends that began in the month of the setting DATAFLOW_FISCAL_YEAR_START
-- column fiscal_quarter: quarter of the fiscal year, from 1 to 4
-- column fiscal_month: month of the fiscal year, from 1 to 12
SELECT
    year * 10000 + month * 100 + day_of_month AS date_key,
    date,
    year,
    (month + 2) / 3 AS quarter,
    year || '-Q' || (month + 2) / 3 AS year_quarter,
    month,
    (ARRAY['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October',
           'November', 'December'])[month] AS month_name,
    to_char(date, 'YYYY-MM') AS year_month,
    iso_year,
    iso_week,
    to_char(date, 'IYYY-"W"IW') AS year_week,
    day_of_month,
    day_of_year,
    weekday,
    (ARRAY['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday',
           'Sunday'])[weekday] AS weekday_name,
    weekday >= 6 AS is_weekend,
    year + (fiscal.start > 1 AND month >= fiscal.start)::integer AS fiscal_year,
    (month - fiscal.start + 12) % 12 / 3 + 1 AS fiscal_quarter,
    (month - fiscal.start + 12) % 12 + 1 AS fiscal_month
FROM (SELECT coalesce(nullif(current_setting('dataflow.fiscal_year_start', true), ''), '1')::integer AS start) AS fiscal
CROSS JOIN (
    SELECT
        day::date AS date,
        date_part('year', day)::integer AS year,
        date_part('month', day)::integer AS month,
        date_part('day', day)::integer AS day_of_month,
        date_part('doy', day)::integer AS day_of_year,
        date_part('isoyear', day)::integer AS iso_year,
        date_part('week', day)::integer AS iso_week,
        date_part('isodow', day)::integer AS weekday
    FROM generate_series(timestamp '1970-01-01', timestamp '2069-12-31', interval '1 day') AS day
    OFFSET 0
) AS days

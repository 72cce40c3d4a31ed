-- The last 15 minutes of an endpoint as a chart, from its last 3 000 notices, and what is notable.
WITH recent AS MATERIALIZED (
    SELECT seq, at, notice::json AS it, notice::json ->> 'notice' AS name,
        100 - extract(epoch FROM now() - at) / 9 AS percent
    FROM notice WHERE endpoint = $1 ORDER BY seq DESC LIMIT 3000
), attempt AS (
    SELECT percent, CASE
            WHEN it #>> '{outcome,response,status}' LIKE '2__' THEN 'delivered'
            WHEN it #>> '{outcome,response}' IS NOT NULL THEN 'refused'
            ELSE 'unanswered'
        END AS kind,
        ((it ->> 'ended_at')::bigint - (it ->> 'started_at')::bigint) / 1000.0 AS ms
    FROM recent WHERE name = 'attempt_ended' AND percent > 0
), mark AS (
    -- From 1 ms at the bottom to 30 s, with 26 pixels for a factor of ten. Marks that would cover
    -- each other are one, and a failure goes before a success.
    SELECT least(99.6, round(percent / 0.3) * 0.3) AS x, max(kind) AS kind,
        132 - round(13 * log(greatest(1, least(30000, ms)))) * 2 AS y
    FROM attempt GROUP BY x, y ORDER BY kind
), change AS (
    SELECT name, percent, lead(percent, 1, 100) OVER by_time AS until, lag(name) OVER by_time AS last
    FROM recent WHERE percent > 0
        AND name IN ('endpoint_down', 'endpoint_disabled', 'endpoint_recovered')
    WINDOW by_time AS (ORDER BY seq)
), band AS (
    SELECT 'down' AS kind, percent AS x, until FROM change WHERE name = 'endpoint_down'
    UNION ALL SELECT 'disabled', percent, until FROM change WHERE name = 'endpoint_disabled'
    UNION ALL SELECT 'down', 0, percent FROM change
        WHERE name = 'endpoint_recovered' AND last IS NULL
    UNION ALL SELECT it ->> 'state', 100 - extract(epoch FROM now() - to_timestamp(since)) / 9, 100
        FROM (SELECT status::json AS it FROM status WHERE endpoint = $1) AS seen,
            LATERAL (SELECT (it ->> 'since')::bigint / 1e6 AS since) AS times
        WHERE it ->> 'state' <> 'healthy' AND NOT EXISTS (SELECT FROM change)
    UNION ALL SELECT 'paused', 100 - extract(epoch FROM now() - to_timestamp(since)) / 9, 100
        FROM (SELECT status::json AS it FROM status WHERE endpoint = $1) AS seen,
            LATERAL (SELECT (it ->> 'paused_since')::bigint / 1e6 AS since) AS times
        WHERE since IS NOT NULL
), notable AS (
    SELECT at, it FROM recent
    WHERE name <> 'attempt_ended' OR coalesce(it ->> 'verdict', 'delivered') <> 'delivered'
    ORDER BY seq DESC LIMIT 20
)
SELECT (SELECT json_agg(mark) FROM mark) AS marks,
    (SELECT json_agg(notable) FROM notable) AS events,
    (SELECT json_agg(json_build_object('kind', kind, 'x', round(greatest(0, x), 1),
        'width', greatest(0.3, round(until - greatest(0, x), 1)),
        'has_room', until - greatest(0, x) > 12)) FROM band) AS bands,
    (SELECT count(*) FROM attempt WHERE kind = 'delivered') AS delivered,
    (SELECT count(*) FROM attempt WHERE kind = 'refused') AS refused,
    (SELECT count(*) FROM attempt WHERE kind = 'unanswered') AS unanswered,
    (SELECT min(at) FROM recent HAVING count(*) = 3000 AND min(percent) > 0) AS cut

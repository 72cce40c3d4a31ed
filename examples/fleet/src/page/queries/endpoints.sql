-- Endpoints as their owners saw them last, the worst first.
SELECT it.*, rank, (ARRAY[
    'parked', 'no worker', 'unusable', 'down', 'disabled', 'paused', 'starting', 'healthy'
])[rank] AS health
FROM (
    SELECT endpoint.id, shard.id AS shard, parked, status.status::json AS status, at AS seen_at,
        at < clock_timestamp() - interval '5 s' AS is_stale,
        CASE WHEN expires_at > clock_timestamp() THEN owner END AS owner,
        -- The rest of an URL may be a secret.
        coalesce(regexp_replace(substring(
            CASE json_typeof(config::json -> 'url') WHEN 'string' THEN config::json ->> 'url' END
            FROM '^[a-z]+://[^/?#\\]+'), '//.*@', '//'), '(secret)') AS origin
    FROM endpoint JOIN shard ON shard.id = endpoint.shard
        LEFT JOIN status ON status.endpoint = endpoint.id
    WHERE endpoint.id = coalesce($1, endpoint.id)
) AS it, LATERAL (SELECT CASE
    WHEN parked IS NOT NULL THEN 1
    WHEN owner IS NULL THEN 2
    WHEN status IS NULL THEN 7
    WHEN status ->> 'unusable' IS NOT NULL THEN 3
    WHEN status ->> 'state' = 'disabled' THEN 5
    WHEN status ->> 'paused_since' IS NOT NULL THEN 6
    WHEN status ->> 'state' = 'down' THEN 4
    ELSE 8
END AS rank) AS ranked
ORDER BY rank, id

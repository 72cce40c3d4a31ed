-- The attempts of a delivery.
SELECT it, ((it ->> 'ended_at')::bigint - (it ->> 'started_at')::bigint) / 1000 AS ms
FROM (
    SELECT notice::json AS it, seq FROM notice WHERE endpoint = $1 AND message = $2
) AS notices
WHERE it ->> 'notice' = 'attempt_ended' ORDER BY seq LIMIT 500

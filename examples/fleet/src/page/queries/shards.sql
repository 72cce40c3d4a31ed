-- Shards, with what belongs to each.
SELECT id, owner, epoch, parked,
    CASE WHEN expires_at > clock_timestamp() THEN expires_at END AS expires_at,
    (SELECT count(*) FROM endpoint WHERE endpoint.shard = shard.id) AS endpoints,
    -- Up to a limit: the page asks every other second.
    (SELECT count(*) FROM (
        SELECT FROM record WHERE key >= shard.id || '/' AND key < shard.id || '0' LIMIT 100000
    ) AS it) AS records,
    (SELECT count(*) FROM intake WHERE intake.shard = shard.id AND refused IS NULL) AS waiting,
    (SELECT count(refused) FROM intake WHERE intake.shard = shard.id) AS refused
FROM shard ORDER BY id

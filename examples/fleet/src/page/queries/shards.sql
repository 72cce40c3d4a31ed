-- Shards, with what belongs to each.
SELECT id, owner, epoch, parked,
    CASE WHEN expires_at > clock_timestamp() THEN expires_at END AS expires_at,
    (SELECT count(*) FROM endpoint WHERE endpoint.shard = shard.id) AS endpoints,
    (SELECT count(*) FROM record WHERE key >= shard.id || '/' AND key < shard.id || '0') AS records,
    (SELECT count(*) FROM intake WHERE intake.shard = shard.id AND refused IS NULL) AS waiting,
    (SELECT count(refused) FROM intake WHERE intake.shard = shard.id) AS refused
FROM shard ORDER BY id

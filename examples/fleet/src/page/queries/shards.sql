SELECT id, owner, epoch, parked,
    CASE WHEN expires_at > clock_timestamp() THEN expires_at END AS expires_at,
    (SELECT count(*) FROM endpoint WHERE shard = shard.id) AS endpoints,
    (SELECT count(*) FROM record WHERE shard = shard.id) AS records,
    (SELECT count(*) FROM intake WHERE shard = shard.id AND refused IS NULL) AS waiting,
    (SELECT count(refused) FROM intake WHERE shard = shard.id) AS refused
FROM shard ORDER BY id

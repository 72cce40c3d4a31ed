-- Workers, and those that have ended without a word in the last hour.
SELECT id, expires_at, expires_at > clock_timestamp() AS is_live,
    (SELECT count(*) FROM shard WHERE owner = worker.id AND expires_at > clock_timestamp()) AS shards
FROM worker WHERE expires_at > clock_timestamp() - interval '1 hour' ORDER BY id

-- What operators have asked of an endpoint.
SELECT asked_at, operator, command::json, answer::json
FROM command WHERE shard = $2
    AND $1 IN (command::json ->> 'endpoint', command::json #>> '{replay,endpoint}')
    AND command::json ->> 'command' NOT IN ('list', 'show', 'plan')
    AND operator <> 'trigger'
ORDER BY id DESC LIMIT 20

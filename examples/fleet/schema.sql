-- A shard is one outbox. The worker that holds its lease is the only one that may save it.
CREATE TABLE shard (
    id int PRIMARY KEY,
    owner text,
    -- Rises with each new owner: what an earlier one still wants to save is refused.
    epoch bigint NOT NULL DEFAULT 0,
    expires_at timestamptz NOT NULL DEFAULT '-infinity',
    -- Why its records cannot be restored. No worker takes it until an operator clears this.
    parked text
) WITH (fillfactor = 30);

CREATE TABLE worker (
    id text PRIMARY KEY,
    expires_at timestamptz NOT NULL
) WITH (fillfactor = 30);

-- The configuration of an endpoint is an `EndpointConfig` in JSON, which names its secrets.
CREATE TABLE endpoint (
    id text PRIMARY KEY,
    shard int NOT NULL REFERENCES shard,
    config text NOT NULL CHECK (config::json IS NOT NULL)
);
CREATE INDEX ON endpoint (shard);

-- The signing secrets of an endpoint: requests are signed with each, the newest first.
CREATE TABLE secret (
    endpoint text NOT NULL REFERENCES endpoint ON DELETE CASCADE,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    secret text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (endpoint, seq)
);

-- The outbox's records, under the shard's number and the record's key: `3/message/m-1`. JSON as
-- text: `jsonb` changes the order of members.
--
-- One column and one index, here and for the intake: the rows come and go, so what the planner knows
-- of their number is wrong, and an index that starts with the shard can look better than the key.
CREATE TABLE record (
    key text COLLATE "C" PRIMARY KEY,
    record text NOT NULL
);

-- Messages that a publisher has handed over, in its own transaction, under the shard's number and the
-- message's id: `3/m-1`.
CREATE TABLE intake (
    key text COLLATE "C" PRIMARY KEY,
    shard int NOT NULL,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    message text NOT NULL,
    -- Why the outbox does not accept it.
    refused text
);
CREATE INDEX ON intake (shard, seq) WHERE refused IS NULL;

-- What operators ask of a shard's owner: JSON of `Command`, answered with JSON of `Answer`.
CREATE TABLE command (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shard int NOT NULL REFERENCES shard,
    operator text NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    command text NOT NULL,
    answer text
);
CREATE INDEX ON command (shard, id) WHERE answer IS NULL;

-- A changed row of an endpoint, or of its secrets, is told to its shard's owner in the transaction that
-- changes it. What is handed over after that is not published before the owner knows.
CREATE FUNCTION reload() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed text;
    home int;
BEGIN
    IF TG_TABLE_NAME = 'endpoint' THEN
        changed := coalesce(NEW.id, OLD.id);
        home := coalesce(NEW.shard, OLD.shard);
    ELSE
        changed := coalesce(NEW.endpoint, OLD.endpoint);
        SELECT shard INTO home FROM endpoint WHERE id = changed;
    END IF;
    IF home IS NOT NULL THEN
        INSERT INTO command (shard, operator, command)
        VALUES (home, 'trigger', jsonb_build_object('command', 'reload', 'endpoint', changed)::text);
        PERFORM pg_notify('fleet', home::text);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER reload AFTER INSERT OR UPDATE OR DELETE ON endpoint
FOR EACH ROW EXECUTE FUNCTION reload();
CREATE TRIGGER reload AFTER INSERT OR UPDATE OR DELETE ON secret
FOR EACH ROW EXECUTE FUNCTION reload();

-- The history of endpoints and deliveries: JSON of `Notice`, for a day.
CREATE TABLE notice (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    endpoint text,
    message text,
    at timestamptz NOT NULL,
    notice text NOT NULL
);
CREATE INDEX ON notice (endpoint, seq);
CREATE INDEX ON notice (at);

-- Each endpoint as its owner saw it a moment ago: JSON of `EndpointStatus`.
CREATE TABLE status (
    endpoint text PRIMARY KEY,
    at timestamptz NOT NULL,
    status text NOT NULL
) WITH (fillfactor = 30);

-- The number of shards that each worker should hold.
CREATE FUNCTION quota() RETURNS bigint LANGUAGE sql AS $$
    SELECT ceil((SELECT count(*) FROM shard WHERE parked IS NULL)::numeric
        / greatest(1, (SELECT count(*) FROM worker WHERE expires_at > clock_timestamp())))::bigint
$$;

-- Takes one shard that nobody holds, unless the worker has its share.
CREATE FUNCTION take_shard(me text, ttl interval)
RETURNS TABLE (shard int, epoch bigint) LANGUAGE sql AS $$
    UPDATE shard SET owner = me, epoch = epoch + 1, expires_at = clock_timestamp() + ttl
    WHERE id = (
        SELECT id FROM shard
        WHERE expires_at < clock_timestamp() AND parked IS NULL
            AND (SELECT count(*) FROM shard WHERE owner = me AND expires_at > clock_timestamp())
                < quota()
        ORDER BY expires_at, id LIMIT 1
        -- Not FOR UPDATE: that would skip a row that another one's foreign key is about to name.
        FOR NO KEY UPDATE SKIP LOCKED
    )
    RETURNING id, epoch
$$;

-- Renews the worker and the leases it still has. Returns those that it has no more.
--
-- It waits for no save: a lease that is locked is renewed by the save that locks it, and cannot be
-- taken meanwhile.
CREATE FUNCTION renew(me text, ttl interval, shards int[], epochs bigint[])
RETURNS TABLE (lost int) LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO worker VALUES (me, clock_timestamp() + ttl)
    ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at;
    UPDATE shard SET expires_at = clock_timestamp() + ttl WHERE id IN (
        SELECT it.id FROM shard AS it JOIN unnest(shards, epochs) AS held (id, epoch)
            ON it.id = held.id AND it.epoch = held.epoch
        FOR NO KEY UPDATE OF it SKIP LOCKED
    );
    RETURN QUERY
    SELECT it.id FROM shard AS it JOIN unnest(shards, epochs) AS held (id, epoch)
        ON it.id = held.id AND it.epoch <> held.epoch;
END $$;

-- Saves changes of an outbox, for the owner of this epoch only; any other writes nothing.
--
-- The fence is the lock on the lease's row: it waits for a worker that is just taking the shard, and
-- then finds another epoch. A plain SELECT would not wait. An UPDATE would do too, but leaves a dead
-- row behind each save, and all of them are searched while somebody holds an old snapshot.
CREATE FUNCTION save(
    s int, e bigint, ttl interval, keys text[], records text[], gone text[], taken text[]
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM shard WHERE id = s AND epoch = e FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO record SELECT s || '/' || k, r FROM unnest(keys, records) AS it (k, r)
    ON CONFLICT (key) DO UPDATE SET record = excluded.record;
    DELETE FROM record WHERE key = ANY (ARRAY(SELECT s || '/' || k FROM unnest(gone) AS k));
    DELETE FROM intake WHERE key = ANY (ARRAY(SELECT s || '/' || id FROM unnest(taken) AS id));
    -- Last: the row was locked meanwhile, so that neither `renew` nor `take_shard` could have it.
    UPDATE shard SET expires_at = clock_timestamp() + ttl
    WHERE id = s AND expires_at < clock_timestamp() + ttl / 2;
    RETURN true;
END $$;

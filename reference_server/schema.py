"""The tables, and the one function that appends messages."""

LOCK_KEY = 0x62726F6164636173
"""Advisory lock under which the schema is made: several servers may start at once on an empty database."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS channels (
    name text COLLATE "C" PRIMARY KEY,
    last_seq bigint NOT NULL
) WITH (fillfactor = 50);  -- rewritten with every batch: room on the page keeps that off the index

CREATE TABLE IF NOT EXISTS messages (
    channel text COLLATE "C" NOT NULL,
    seq bigint NOT NULL,
    text text NOT NULL,
    client_msg_id text COLLATE "C",
    created_at timestamptz NOT NULL,
    PRIMARY KEY (channel, seq)
);

CREATE UNIQUE INDEX IF NOT EXISTS messages_client_msg_id
    ON messages (channel, client_msg_id) WHERE client_msg_id IS NOT NULL;

-- Appends a batch in one transaction; one row per input, in the order of the input.
--
-- Gapless: a channel's row stays locked from the moment its last_seq is read until COMMIT, so the order of commits is
-- the order of seqs, and whoever sees seq n sees all before it.
-- Without deadlocks: new rows are inserted, then rows are locked, each in the order of names, by every server.
-- Without repetitions: known client_msg_ids are looked up after the lock, in a statement of its own, because READ
-- COMMITTED gives each statement a new snapshot that includes whatever was committed while we waited.
CREATE OR REPLACE FUNCTION append_messages(channels_in text[], texts_in text[], ids_in text[])
RETURNS TABLE (seq_out bigint, duplicate_out boolean)
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO channels (name, last_seq)
    SELECT DISTINCT input.name COLLATE "C", 0 FROM unnest(channels_in) AS input (name)
    WHERE NOT EXISTS (SELECT FROM channels WHERE channels.name = input.name COLLATE "C")
    ORDER BY 1
    ON CONFLICT DO NOTHING;

    PERFORM FROM channels WHERE name = ANY (channels_in) ORDER BY name FOR NO KEY UPDATE;

    RETURN QUERY
    WITH input AS (
        SELECT i, channel, body, id, (
            SELECT seq FROM messages
            WHERE messages.channel = given.channel COLLATE "C" AND client_msg_id = id COLLATE "C"
        ) AS known_seq,
        -- of equal ids inside the batch the first is stored
        CASE WHEN id IS NULL THEN i ELSE min(i) OVER (PARTITION BY channel, id) END AS first_i
        FROM unnest(channels_in, texts_in, ids_in) WITH ORDINALITY AS given (channel, body, id, i)
    ), fresh AS (
        SELECT i, channel, body, id, row_number() OVER (PARTITION BY channel ORDER BY i) AS nth
        FROM input WHERE known_seq IS NULL AND first_i = i
    ), counted AS (
        UPDATE channels SET last_seq = last_seq + fresh_count
        FROM (SELECT channel, count(*) AS fresh_count FROM fresh GROUP BY channel) AS counts
        WHERE name = channel COLLATE "C"
        RETURNING name, last_seq - fresh_count AS base_seq
    ), stored AS (
        INSERT INTO messages (channel, seq, text, client_msg_id, created_at)
        SELECT channel, base_seq + nth, body, id, clock_timestamp()
        FROM fresh JOIN counted ON name = channel COLLATE "C"
    )
    SELECT coalesce(known_seq, base_seq + nth), known_seq IS NOT NULL OR input.first_i <> input.i
    FROM input
    LEFT JOIN fresh ON fresh.i = input.first_i
    LEFT JOIN counted ON name = fresh.channel COLLATE "C"
    ORDER BY input.i;
END
$$;
"""

APPEND = "SELECT seq_out, duplicate_out FROM append_messages($1::text[], $2::text[], $3::text[])"

LAST_SEQS = "SELECT name, last_seq FROM channels WHERE name = ANY ($1::text[])"

AFTER = """
SELECT asked.n, found.seq, found.text
FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS asked (channel, since, n)
CROSS JOIN LATERAL (
    SELECT seq, text FROM messages
    WHERE messages.channel = asked.channel COLLATE "C" AND seq > asked.since ORDER BY seq LIMIT $3
) AS found
ORDER BY asked.n, found.seq
"""

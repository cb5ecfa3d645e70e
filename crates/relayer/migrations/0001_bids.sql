-- Whose bids these are: one row, the contract on its chain.
CREATE TABLE contract (
    chain_id BIGINT NOT NULL,
    address BLOB NOT NULL
);

-- Every bid that was accepted, and what has become of it. Hashes and addresses are bytes, times seconds since the epoch.
CREATE TABLE bids (
    -- Order of acceptance.
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    market BLOB NOT NULL,
    round BIGINT NOT NULL,
    requester BLOB NOT NULL,
    entry BLOB NOT NULL,
    closes_at BIGINT NOT NULL,
    -- Whether a contract stands for it.
    wallet BOOLEAN NOT NULL,
    -- What it takes of a transaction, with its statements.
    bytes BIGINT NOT NULL,
    gas BIGINT NOT NULL,
    -- As it was posted; nothing once it has long been decided.
    submission TEXT,
    -- The chain as it was then.
    accepted_block BIGINT NOT NULL,
    accepted_at BIGINT NOT NULL,
    -- queued, included, refused or missed
    status TEXT NOT NULL,
    -- The block that decided it, for all but the queued.
    decided_block BIGINT,
    -- Where it was included or refused.
    tx BLOB,
    block_hash BLOB,
    log_index BIGINT,
    first_index BIGINT,
    -- Selector of the error that it was refused for.
    reason BLOB,
    -- What went wrong with the last attempt to post it.
    trouble TEXT,
    UNIQUE (market, round, requester)
);

CREATE INDEX bids_by_status ON bids (status, seq);
CREATE INDEX bids_by_close ON bids (closes_at);

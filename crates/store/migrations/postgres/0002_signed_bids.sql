-- One queue of signed bids for each contract. Whoever changes a queue changes its row first, so that changes take turns.
CREATE TABLE bid_queues (
    chain_id BIGINT NOT NULL,
    -- 20 bytes.
    contract BYTEA NOT NULL,
    -- Bids that were accepted so far.
    accepted BIGINT NOT NULL,
    PRIMARY KEY (chain_id, contract)
);

-- Every bid that was accepted, and what has become of it. Hashes and addresses are bytes, times seconds since the epoch.
CREATE TABLE signed_bids (
    id BYTEA NOT NULL PRIMARY KEY,
    chain_id BIGINT NOT NULL,
    contract BYTEA NOT NULL,
    -- Its place in the order of acceptance.
    number BIGINT NOT NULL,
    market BYTEA NOT NULL,
    round BIGINT NOT NULL,
    requester BYTEA NOT NULL,
    entry BYTEA NOT NULL,
    closes_at BIGINT NOT NULL,
    -- 1 if a contract stands for it, else 0.
    wallet BIGINT NOT NULL,
    -- What it takes of a transaction, with its statements.
    bytes BIGINT NOT NULL,
    gas BIGINT NOT NULL,
    -- As it was posted (JSON); nothing once it has long been decided.
    submission TEXT,
    -- The chain as it was then.
    accepted_block BIGINT NOT NULL,
    accepted_at BIGINT NOT NULL,
    -- queued, included, refused or missed
    status TEXT NOT NULL,
    -- Who posts it, and until which block time nobody else does.
    held_by BYTEA,
    held_until BIGINT,
    -- The block that decided it, for all but the queued.
    decided_block BIGINT,
    -- Where it was included or refused.
    tx BYTEA,
    block_hash BYTEA,
    log_index BIGINT,
    first_index BIGINT,
    -- Selector of the error that it was refused for.
    reason BYTEA,
    -- What went wrong with the last attempt to post it.
    trouble TEXT,
    UNIQUE (chain_id, contract, market, round, requester)
);

CREATE INDEX signed_bids_by_status ON signed_bids (chain_id, contract, status, number);
CREATE INDEX signed_bids_by_close ON signed_bids (chain_id, contract, closes_at);

-- One queue of signed bids for each contract. Whoever changes a queue changes its row first, so that changes take turns.
CREATE TABLE bid_queues (
    chain_id BIGINT NOT NULL,
    -- 20 bytes.
    contract BLOB NOT NULL,
    -- Bids that were accepted so far.
    accepted BIGINT NOT NULL,
    PRIMARY KEY (chain_id, contract)
);

-- Every bid that was accepted, and what has become of it. Hashes and addresses are bytes, times seconds since the epoch.
CREATE TABLE signed_bids (
    id BLOB NOT NULL PRIMARY KEY,
    chain_id BIGINT NOT NULL,
    contract BLOB NOT NULL,
    -- Its place in the order of acceptance.
    number BIGINT NOT NULL,
    market BLOB NOT NULL,
    round BIGINT NOT NULL,
    requester BLOB NOT NULL,
    entry BLOB NOT NULL,
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
    held_by BLOB,
    held_until BIGINT,
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
    UNIQUE (chain_id, contract, market, round, requester)
);

CREATE INDEX signed_bids_by_status ON signed_bids (chain_id, contract, status, number);
CREATE INDEX signed_bids_by_close ON signed_bids (chain_id, contract, closes_at);

-- Bids in the tables of their own that relayers kept them in: one contract in a file.
CREATE TABLE IF NOT EXISTS contract (chain_id BIGINT NOT NULL, address BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS bids (
    seq INTEGER PRIMARY KEY, id BLOB, market BLOB, round BIGINT, requester BLOB, entry BLOB, closes_at BIGINT, wallet BOOLEAN,
    bytes BIGINT, gas BIGINT, submission TEXT, accepted_block BIGINT, accepted_at BIGINT, status TEXT, decided_block BIGINT, tx BLOB,
    block_hash BLOB, log_index BIGINT, first_index BIGINT, reason BLOB, trouble TEXT
);
INSERT INTO bid_queues (chain_id, contract, accepted)
    SELECT chain_id, address, (SELECT COALESCE(MAX(seq), 0) FROM bids) FROM contract;
INSERT INTO signed_bids (
    id, chain_id, contract, number, market, round, requester, entry, closes_at, wallet, bytes, gas, submission, accepted_block,
    accepted_at, status, decided_block, tx, block_hash, log_index, first_index, reason, trouble
)
    SELECT
        id, chain_id, address, seq, market, round, requester, entry, closes_at, wallet, bytes, gas, submission, accepted_block,
        accepted_at, status, decided_block, tx, block_hash, log_index, first_index, reason, trouble
    FROM bids, contract;
DROP TABLE bids;
DROP TABLE contract;

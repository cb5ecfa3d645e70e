-- Transactions of a key that have not ended. What became of one, the chain says.
CREATE TABLE transactions (
    chain_id BIGINT NOT NULL,
    -- Hash of the chain's first block, 32 bytes.
    genesis BLOB NOT NULL,
    -- 20 bytes.
    sender BLOB NOT NULL,
    nonce BIGINT NOT NULL,
    -- For people who read this table.
    purpose TEXT NOT NULL,
    -- Of use before this block time only (seconds since the epoch).
    until_time BIGINT,
    -- Most that it may pay (wei per gas), as a decimal number.
    worth TEXT,
    PRIMARY KEY (chain_id, genesis, sender, nonce)
);

-- Each of them in all the forms that it was signed in, from the first on.
CREATE TABLE transaction_forms (
    chain_id BIGINT NOT NULL,
    genesis BLOB NOT NULL,
    sender BLOB NOT NULL,
    nonce BIGINT NOT NULL,
    number BIGINT NOT NULL,
    -- 32 bytes.
    hash BLOB NOT NULL,
    -- What nodes take (EIP-2718).
    raw BLOB NOT NULL,
    -- Wei per gas, as decimal numbers.
    max_fee TEXT NOT NULL,
    tip TEXT NOT NULL,
    -- 1 if it only uses the nonce up, else 0.
    cancels BIGINT NOT NULL,
    PRIMARY KEY (chain_id, genesis, sender, nonce, number)
);

//! The contracts as Rust types, made from the ABIs in `abi/` (`make abi` writes them, CI checks that they are fresh).
//!
//! | module | contract |
//! |---|---|
//! | [`ProverMarket`] | the market: every entry point, event and error |
//! | [`MarketExtension`] | the half of the market's code that it calls on its own storage; here to deploy it |
//! | [`RoundAuditor`] | the check of a round that a market relies on |
//! | [`MarketLens`] | read-only views that unpack what the market stores packed |
//! | [`Groth16Verifier`] | the registry of circuits and the check of their proofs |
//! | [`IERC20`] | what a market needs to know of a token |
//! | [`Libraries`] | errors that libraries raise in assembly, which no ABI lists |
//!
//! Values are as on the wire; the crate `chain` gives them units and checks. What each item means is said once, in the
//! contracts' interfaces.
#![allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
// Generated code only: the interfaces in `contracts/` are its manual.

use alloy::sol;

sol!(
    #[sol(rpc, abi, all_derives)]
    ProverMarket,
    "abi/ProverMarket.json"
);

sol!(
    #[sol(all_derives)]
    MarketExtension,
    "abi/MarketExtension.json"
);

sol!(
    #[sol(all_derives)]
    RoundAuditor,
    "abi/RoundAuditor.json"
);

sol!(
    #[sol(rpc, all_derives)]
    MarketLens,
    "abi/MarketLens.json"
);

sol!(
    #[sol(rpc, abi, all_derives)]
    Groth16Verifier,
    "abi/Groth16Verifier.json"
);

sol! {
    #[sol(rpc, all_derives)]
    interface IERC20 {
        function approve(address spender, uint256 amount) external returns (bool);
        function allowance(address owner, address spender) external view returns (uint256);
        function balanceOf(address account) external view returns (uint256);
        function decimals() external view returns (uint8);
        function symbol() external view returns (string);
        function nonces(address owner) external view returns (uint256);
        function DOMAIN_SEPARATOR() external view returns (bytes32);
    }

    #[sol(abi, all_derives)]
    interface Libraries {
        error ETHTransferFailed();
        error TransferFromFailed();
        error TransferFailed();
        error BalanceQueryFailed();
        error Overflow();
        error DeploymentFailed();
    }
}

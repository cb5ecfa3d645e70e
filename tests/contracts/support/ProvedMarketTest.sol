// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IGroth16Verifier} from "../../../contracts/interfaces/IGroth16Verifier.sol";
import {CircuitId} from "../../../contracts/types/CircuitId.sol";
import {Delivery} from "../../../contracts/types/Task.sol";
import {Groth16Vectors} from "../verifiers/Groth16Vectors.sol";
import {MarketTest} from "./MarketTest.sol";

/// @notice A market with the real verifier: bids are for the statements of the vectors, deliveries carry their proofs.
abstract contract ProvedMarketTest is MarketTest, Groth16Vectors {
    /// Bytes that the demo's rollup publishes with a batch of one transfer.
    uint256 internal constant ROLLUP_DATA = 560;

    IGroth16Verifier internal groth16;

    function setUp() public virtual override {
        super.setUp();
        groth16 = deployVerifier();
        params.verifier = groth16;
        params.verifierGas = 400_000;
        fixTaskSize(64);
        params.maxSeats = 12;
        fixCap(1e6);
        id = market.createMarket(params);
    }

    /// @notice A bid for one of the statements with a known proof.
    function bidForProof(address requester, uint64 fee, uint256 circuit, uint256 index)
        internal
        returns (uint256 number)
    {
        Posted memory p = rollupTask(requester, fee, circuit, index);
        fund(requester, uint256(fee) * p.circuit.units() + params.settlementFee);
        return submit(p);
    }

    function rollupTask(address requester, uint64 fee, uint256 circuit, uint256 index)
        internal
        view
        returns (Posted memory)
    {
        bytes memory data;
        for (uint256 i; data.length < ROLLUP_DATA; ++i) {
            data = bytes.concat(data, keccak256(abi.encode(circuit, index, i)));
        }
        assembly ("memory-safe") {
            mstore(data, ROLLUP_DATA)
        }
        CircuitId id_ = groth16.circuitAt(circuit);
        return Posted(requester, fee, id_, readCase(circuit, index).publicInputs, data, tells);
    }

    function deliverProof(uint256 round, uint256 number, uint256 circuit, uint256 index) internal {
        Delivery memory d = provedDelivery(round, number, circuit, index);
        vm.prank(relayer);
        market.deliver(id, d);
    }

    /// @notice The delivery of bid `number` with the proof of a case of the vectors.
    function provedDelivery(uint256 round, uint256 number, uint256 circuit, uint256 index)
        internal
        view
        returns (Delivery memory d)
    {
        d = deliveryOf(round, number);
        d.proof = readCase(circuit, index).proof;
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Script, console2} from "forge-std/Script.sol";
import {stdJson} from "forge-std/StdJson.sol";
import {RoundAuditor} from "../contracts/clearing/RoundAuditor.sol";
import {IGroth16Verifier} from "../contracts/interfaces/IGroth16Verifier.sol";
import {IProverMarket} from "../contracts/interfaces/IProverMarket.sol";
import {MarketLens} from "../contracts/lens/MarketLens.sol";
import {MarketExtension} from "../contracts/MarketExtension.sol";
import {ProverMarket} from "../contracts/ProverMarket.sol";
import {Groth16Verifier} from "../contracts/verifiers/Groth16Verifier.sol";

/// @notice Deploys the market, its lens and a Groth16 verifier, for users of Foundry; `proophi deploy` does the same.
///
///     forge script script/Deploy.s.sol --rpc-url $RPC_URL --private-key $KEY --broadcast
///
/// `CIRCUITS` names the file with the verifier's circuits (default: the demo's, whose keys come from an insecure
/// setup): an array of objects with `units` and `vk`, the words of the verifying key. Forge reads it only where
/// `fs_permissions` in `foundry.toml` lets it.
contract Deploy is Script {
    using stdJson for string;

    /// @notice There is no circuit in the file.
    error NoCircuits(string file);

    function run() external returns (ProverMarket market, MarketLens lens, Groth16Verifier verifier) {
        IGroth16Verifier.Circuit[] memory circuits =
            readCircuits(vm.envOr("CIRCUITS", string("tests/vectors/groth16.json")));
        vm.startBroadcast();
        market = new ProverMarket(new RoundAuditor(), address(new MarketExtension()));
        lens = new MarketLens(IProverMarket(address(market)));
        verifier = new Groth16Verifier(circuits);
        vm.stopBroadcast();
        console2.log("ProverMarket   ", address(market));
        console2.log("MarketLens     ", address(lens));
        console2.log("Groth16Verifier", address(verifier));
    }

    function readCircuits(string memory file)
        public
        view
        returns (IGroth16Verifier.Circuit[] memory circuits)
    {
        string memory json = vm.readFile(file);
        uint256 count;
        while (json.keyExists(_path(count))) ++count;
        if (count == 0) revert NoCircuits(file);
        circuits = new IGroth16Verifier.Circuit[](count);
        for (uint256 i; i < count; ++i) {
            uint256 units = json.readUint(string.concat(_path(i), ".units"));
            bytes memory key = abi.encodePacked(json.readUintArray(string.concat(_path(i), ".vk")));
            // forge-lint: disable-next-line(unsafe-typecast) -- the verifier refuses a size of 0; a larger one is a wrong file
            circuits[i] = IGroth16Verifier.Circuit(uint32(units), key);
        }
    }

    function _path(uint256 i) private pure returns (string memory) {
        return string.concat("$[", vm.toString(i), "]");
    }
}

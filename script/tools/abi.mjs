// Usage: node script/tools/abi.mjs OUT_DIR ABI_DIR
//
// Writes ABI_DIR/<Contract>.json with the ABI and the creation bytecode of each contract that Rust code calls or deploys,
// from forge's artifacts in OUT_DIR. Nothing else goes in, so that the files change only when a contract does.
import fs from "node:fs";
import path from "node:path";

// What answers at the market's address is split over two contracts.
const CONTRACTS = [
  { name: "Groth16Verifier" },
  { name: "MarketExtension" },
  { name: "MarketLens" },
  { name: "ProverMarket", abiOf: ["ProverMarket", "MarketExtension"] },
  { name: "RoundAuditor" },
];

const [outDir, abiDir] = process.argv.slice(2);
if (!outDir || !abiDir) {
  console.error("usage: node script/tools/abi.mjs OUT_DIR ABI_DIR");
  process.exit(2);
}

fs.mkdirSync(abiDir, { recursive: true });
const read = (name) => {
  const artifact = path.join(outDir, `${name}.sol`, `${name}.json`);
  if (!fs.existsSync(artifact)) {
    console.error(`${artifact} is missing: build the contracts first (make contracts)`);
    process.exit(1);
  }
  return JSON.parse(fs.readFileSync(artifact, "utf8"));
};

for (const { name, abiOf = [name] } of CONTRACTS) {
  const { bytecode } = read(name);
  const entries = abiOf.flatMap((part) => read(part).abi).map((entry) => JSON.stringify(entry));
  const abi = [...new Set(entries)].map((entry) => JSON.parse(entry));
  if (bytecode.object.includes("__$")) {
    console.error(`${name} has unlinked libraries: its bytecode cannot be deployed as it stands`);
    process.exit(1);
  }
  const slim = { abi, bytecode: { object: bytecode.object } };
  fs.writeFileSync(path.join(abiDir, `${name}.json`), `${JSON.stringify(slim, null, 2)}\n`);
}

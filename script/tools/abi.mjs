// Usage: node script/tools/abi.mjs OUT_DIR ABI_DIR
//
// Writes ABI_DIR/<Contract>.json with the ABI and the creation bytecode of each contract that Rust code calls or deploys,
// from forge's artifacts in OUT_DIR. Nothing else goes in, so that the files change only when a contract does.
import fs from "node:fs";
import path from "node:path";

const CONTRACTS = ["Groth16Verifier", "MarketLens", "ProverMarket"];

const [outDir, abiDir] = process.argv.slice(2);
if (!outDir || !abiDir) {
  console.error("usage: node script/tools/abi.mjs OUT_DIR ABI_DIR");
  process.exit(2);
}

fs.mkdirSync(abiDir, { recursive: true });
for (const name of CONTRACTS) {
  const artifact = path.join(outDir, `${name}.sol`, `${name}.json`);
  if (!fs.existsSync(artifact)) {
    console.error(`${artifact} is missing: build the contracts first (make contracts)`);
    process.exit(1);
  }
  const { abi, bytecode } = JSON.parse(fs.readFileSync(artifact, "utf8"));
  if (bytecode.object.includes("__$")) {
    console.error(`${name} has unlinked libraries: its bytecode cannot be deployed as it stands`);
    process.exit(1);
  }
  const slim = { abi, bytecode: { object: bytecode.object } };
  fs.writeFileSync(path.join(abiDir, `${name}.json`), `${JSON.stringify(slim, null, 2)}\n`);
}

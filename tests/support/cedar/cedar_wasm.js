// SPDX-License-Identifier: Apache-2.0
// The same as src/main.rs with the WebAssembly form of Cedar: node cedar_wasm.js NODE_MODULES [time]
"use strict";
const path = require("path");
const readline = require("readline");
const cedar = require(path.join(process.argv[2], "@cedar-policy/cedar-wasm/nodejs"));
const isTimed = process.argv[3] === "time";
const NAME = "asked";

function answer(request) {
  const said = cedar.statefulIsAuthorized({
    principal: { type: "User", id: request.principal },
    action: { type: "Action", id: "get" },
    resource: { type: "Profile", id: request.resource },
    context: request.context,
    preparsedPolicySetId: NAME,
    entities: [],
  });
  if (said.type !== "success") {
    throw new Error(JSON.stringify(said.errors));
  }
  return said.response;
}

function decide(request) {
  const { decision, diagnostics } = answer(request);
  return [decision, diagnostics.reason.map((id) => Number(id.replace("policy", ""))), diagnostics.errors.length];
}

function time(requests) {
  const rounds = [];
  const begin = process.hrtime.bigint();
  while (rounds.length < 5 || (process.hrtime.bigint() - begin < 500000000n && rounds.length < 101)) {
    const start = process.hrtime.bigint();
    requests.forEach(answer);
    rounds.push(Number(process.hrtime.bigint() - start) / requests.length);
  }
  rounds.sort((a, b) => a - b);
  return { ns: rounds[Math.floor(rounds.length / 10)], allowed: requests.filter((r) => answer(r).decision === "allow").length };
}

readline.createInterface({ input: process.stdin, crlfDelay: Infinity }).on("line", (line) => {
  const { policies, requests } = JSON.parse(line);
  const parsed = cedar.preparsePolicySet(NAME, { staticPolicies: policies });
  if (parsed.type !== "success") {
    throw new Error(JSON.stringify(parsed.errors));
  }
  console.log(JSON.stringify(isTimed ? time(requests) : requests.map(decide)));
});

// Serve OpenAPI documents by Prism, all in one process: node mocks.js DOCUMENTS LOGS NAME…
// Each DOCUMENTS/NAME.json gets a free port of loopback and a log, LOGS/NAME.log, of one JSON object per line, written
// before Prism answers. The addresses are printed as one line of JSON when all are served.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { createLogger } = require("@stoplight/prism-core");
const { getHttpOperationsFromSpec } = require("@stoplight/prism-http");
const { createServer } = require("@stoplight/prism-http-server");

// As `prism mock --errors` does: a request that the document does not allow is refused.
const config = {
  isProxy: false,
  checkSecurity: true,
  validateRequest: true,
  validateResponse: true,
  errors: true,
  mock: { dynamic: false, ignoreExamples: false },
};

async function serve(document, log) {
  const logger = createLogger("MOCK", { level: "warn" }, { write: (line) => fs.appendFileSync(log, line) });
  const operations = await getHttpOperationsFromSpec(document);
  return createServer(operations, { cors: false, config, components: { logger } }).listen(0, "127.0.0.1");
}

async function main([documents, logs, ...names]) {
  const addresses = {};
  for (const name of names) {
    addresses[name] = await serve(path.join(documents, `${name}.json`), path.join(logs, `${name}.log`));
  }
  console.log(JSON.stringify(addresses));
}

main(process.argv.slice(2));

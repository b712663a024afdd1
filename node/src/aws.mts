// One implementation behind both kinds of module, as index.mts.
export * from "./aws.js";

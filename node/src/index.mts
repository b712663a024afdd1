/// <reference lib="esnext.disposable" preserve="true" />
// One implementation behind both kinds of module: a class is the same class however it was loaded.
export * from "./index.js";

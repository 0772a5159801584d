/**
 * The HTTP modules of Node.js. An `import` of `node:http` reads all of its exports, one of which, `WebSocket`,
 * loads undici: a tenth of the CPU time until `web` is ready.
 */
export const http = process.getBuiltinModule('node:http')
export const https = process.getBuiltinModule('node:https')

/** The parts of dynalite 4 that are used; it has no types. */
declare module 'dynalite' {
  import type { Server } from 'node:http'

  interface Options {
    /** Time that a table stays in the state CREATING, in milliseconds. */
    createTableMs?: number
  }

  /** DynamoDB in memory, as a server that does not listen yet. */
  export default function dynalite(options?: Options): Server
}

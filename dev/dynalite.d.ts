/** dynalite 4 has no types of its own: what we use of it. */
declare module 'dynalite' {
  import type { Server } from 'node:http'

  interface Options {
    /** How long a table stays in the state CREATING, in milliseconds. */
    createTableMs?: number
  }

  /** DynamoDB in memory, as a server that does not listen yet. */
  export default function dynalite(options?: Options): Server
}
